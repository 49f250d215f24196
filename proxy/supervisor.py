"""Several worker processes behind one listening socket: fork, watch, pass on signals, replace the fallen.

Forked before any thread or event loop exists, so that rules and recognizers are shared copy-on-write.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import select
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

log = logging.getLogger("hushwire")

QUICK = 2.0  # a worker that lived for fewer seconds than this has a reason that a restart will not cure
PATIENCE = 5  # quick deaths in a row before the supervisor gives up
START_LIMIT = 120.0  # seconds for all workers to become ready

SIGNALS = (signal.SIGTERM, signal.SIGINT)
HELD = (*SIGNALS, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # linux/prctl.h

Work = Callable[[int, Callable[[], None]], int]
"""(worker number, tell that it is ready) -> exit code."""


def supervise(count: int, work: Work, ready: Callable[[], None], buried: Callable[[int], object]) -> int:
    """Run `work` in `count` children until a signal; returns the exit code of the whole.

    `ready` is called once all have started, `buried` with the number of each worker that died.
    """
    return _Supervisor(count, work, buried).run(ready)


def _follow_parent() -> None:
    """Have this process told to stop if its parent dies without a word (SIGKILL): it would keep the port. Linux
    only; elsewhere such a worker has to be ended by hand."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _tell(pipe: int) -> None:
    os.write(pipe, b".")


class _Supervisor:
    def __init__(self, count: int, work: Work, buried: Callable[[int], object]) -> None:
        self.count = count
        self.work = work
        self.buried = buried
        self.children: dict[int, tuple[int, float]] = {}  # pid -> (worker number, when it started)
        self.stopping = False
        self.quick_deaths = 0
        self.failed = False

    def run(self, ready: Callable[[], None]) -> int:
        told, tell = os.pipe()
        for sig in SIGNALS:
            signal.signal(sig, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        for worker in range(self.count):
            self._fork(worker, tell)
        if self._all_ready(told):
            ready()
        elif not self.stopping:
            self.failed = True
            self._stop(signal.SIGTERM, None)
        while self.children:
            self._bury(tell)
        return 1 if self.failed else 0

    def _fork(self, worker: int, tell: int) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)  # one in between would miss the child, or be taken by it
        if not self.stopping:
            pid = os.fork()
            if pid == 0:
                self._live(worker, tell)
            self.children[pid] = (worker, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)

    def _live(self, worker: int, tell: int) -> NoReturn:
        """The child from here to its end."""
        code = 1
        try:
            for sig in SIGNALS:
                signal.signal(sig, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the worker can reload
            _follow_parent()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
            code = self.work(worker, partial(_tell, tell))
        except BaseException as error:
            log.error("worker %d failed: %s", worker, type(error).__name__)
        finally:
            os._exit(code)  # never back into the supervisor's own code

    def _all_ready(self, told: int) -> bool:
        waiting, deadline = self.count, time.monotonic() + START_LIMIT
        while waiting and time.monotonic() < deadline and not self.stopping:
            if select.select([told], [], [], 0.1)[0]:
                waiting -= len(os.read(told, waiting))
            elif any(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) for pid in self.children):
                return False
        return not waiting

    def _stop(self, number: int, _frame: object) -> None:
        """Pass on a signal. Workers take a second interrupt for impatience, and may have got the first one from
        the terminal themselves, so the first one of here is a SIGTERM."""
        impatient = self.stopping and number == signal.SIGINT
        self.stopping = True
        self._pass_on(signal.SIGINT if impatient else signal.SIGTERM, None)

    def _pass_on(self, number: int, _frame: object) -> None:
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):  # it ended just now and was waited for
                os.kill(pid, number)

    def _bury(self, tell: int) -> None:
        pid, status = os.wait()
        if pid not in self.children:
            return
        worker, since = self.children.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        if self.stopping:
            self.failed = self.failed or code not in (0, *(-sig for sig in SIGNALS))  # signalled while it started
            return
        self.buried(worker)
        log.error("worker %d ended unexpectedly (exit code %d); starting another", worker, code)
        self.quick_deaths = self.quick_deaths + 1 if time.monotonic() - since < QUICK else 0
        if self.quick_deaths >= PATIENCE:
            log.error("%d workers in a row ended within %g s; giving up", PATIENCE, QUICK)
            self.failed = True
            self._stop(signal.SIGTERM, None)
            return
        self._fork(worker, tell)
