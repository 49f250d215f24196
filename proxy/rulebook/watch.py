"""Rules kept at what their files say, while the event loop serves: one task, one thread that builds.

Files are looked at when something happens in their folders, because editors and ConfigMaps replace files instead
of writing them; and every few seconds, because network mounts tell nothing. What counts is what the files say.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from watchfiles import awatch

from proxy.rulebook.live import Rules
from proxy.rulebook.pace import paced

log = logging.getLogger("hushwire")

SWEEP = 5.0  # seconds between two looks at the files when nothing was heard of them
QUIET = 100  # milliseconds without a further change before the files are looked at
LONGEST = 1000  # milliseconds after which they are looked at all the same

SWITCH = 0.0002  # seconds that the building thread may keep the GIL while the loop wants it
NEVER = 1 << 30

T = TypeVar("T")


class Watch:
    """Looks after `rules`, all routes of a process. Made on its loop; `run` is a task until it is cancelled."""

    def __init__(self, rules: Sequence[Rules[Any]]) -> None:
        self.rules = rules
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="rules")  # one: the last change wins
        self._woken = asyncio.Event()
        self._forced = False

    def reload(self) -> None:
        """Build all rules anew, whatever their files say: a signal."""
        self._forced = True
        self._woken.set()

    async def do(self, job: Callable[[], T]) -> T:
        """Run `job` in the thread that builds, after what was asked for before."""
        return await asyncio.get_running_loop().run_in_executor(self._builder, _quietly, job)

    async def run(self) -> None:
        """Follow the files until cancelled."""
        self._woken.set()  # they may have changed since they were loaded
        listening: asyncio.Task[None] | None = None
        folders: frozenset[Path] = frozenset()
        try:
            while True:
                now = folders_of(path for one in self.rules for path in one.files)
                if listening is None or listening.done() or now != folders:
                    await _end(listening)
                    folders, listening = now, asyncio.create_task(self._listen(now))
                await self._wait()
                forced, self._forced = self._forced, False
                for one in self.rules:
                    await self._follow(one, forced)
        finally:
            await _end(listening)

    async def _follow(self, rules: Rules[Any], forced: bool) -> None:
        try:
            await self.do(partial(rules.follow, forced=forced))
        except Exception as error:  # nobody waits for this task: all rules would stay as they are, without a word
            log.error("rules of %s: %s while following their files", rules.source, type(error).__name__)

    async def _wait(self) -> None:
        """Until somebody wakes us, an exception ends, or the next sweep."""
        until = [SWEEP, *(max(0.0, one.due - one.clock()) for one in self.rules if one.due is not None)]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), min(until))
        self._woken.clear()

    async def _listen(self, folders: frozenset[Path]) -> None:
        try:
            async for _ in awatch(
                *folders,
                watch_filter=None,
                debounce=LONGEST,
                step=QUIET,
                recursive=False,
                ignore_permission_denied=True,
            ):
                self._woken.set()
        except (OSError, RuntimeError) as error:
            # no more inotify watches, or a folder is gone: tried again with every sweep
            log.warning("files of rules are looked at every %g s only: %s", SWEEP, type(error).__name__)

    def close(self) -> None:
        """Build nothing more, and wait for what is being built."""
        self._builder.shutdown(wait=True, cancel_futures=True)


def folders_of(paths: Iterable[Path]) -> frozenset[Path]:
    """Where something happens when one of `paths` changes: their folders, those behind links too.

    A path may be anything that somebody has written into a rule file: one that cannot even be asked about stands
    for the nearest folder above it that can.
    """
    folders: set[Path] = set()
    for path in paths:
        for folder in {path.parent, _behind_links(path).parent}:
            # not `Path.is_dir`, which raises where a folder may not be looked into
            folders.add(next(one for one in (folder, *folder.parents) if os.path.isdir(one)))  # noqa: PTH112
    return frozenset(folders)


def _behind_links(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # too long; links in a circle; a zero byte
        return path


def _quietly(job: Callable[[], T]) -> T:
    """Run `job` so that the loop hardly notices.

    With rests, without full collections of garbage, for which everybody would have to wait (330 ms; what the job
    leaves is collected with the rest, later), and with the GIL given back sooner: with the proxy's 1 ms between
    switches the loop is 1.2 ms late at the median, with this 0.4 ms.
    """
    often, seldom, hardly_ever = gc.get_threshold()
    switch = sys.getswitchinterval()
    gc.set_threshold(often, seldom, NEVER)
    sys.setswitchinterval(SWITCH)
    try:
        with paced():
            return job()
    finally:
        gc.set_threshold(often, seldom, hardly_ever)
        sys.setswitchinterval(switch)


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])  # not `await task`: who suppresses its end suppresses one's own
