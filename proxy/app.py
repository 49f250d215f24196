"""The composition root: builds every part once, before workers are forked, and hands it on."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import uvloop

from proxy.admin.share import Share
from proxy.audited import Audit, Record
from proxy.building import books_of, ground_of, vaults_of
from proxy.core.message import Direction
from proxy.detect.engine import Engine
from proxy.process import Process
from proxy.pseudonyms.keys import KeyRing
from proxy.route import Plan, Route
from proxy.rulebook.live import Rules
from proxy.settings import Ready, Served
from proxy.starting import (
    StartError,
    bind_admin,
    bind_to,
    leave_no_core,
    set_up_logging,
    upstream_tls,
    within_file_limit,
)
from proxy.supervisor import supervise
from proxy.wire.memory import keep_large_buffers
from proxy.wire.server import address_of

log = logging.getLogger("hushwire")

SWITCH = 0.001  # seconds a worker thread may keep the GIL while the loop wants it (default 0.005)


def serve(plan: Plan, announce: Callable[[Ready], None]) -> int:
    """Run the proxy until a signal; returns the exit code. Raises StartError.

    `announce` is called once, when connections are accepted (with several workers: by all of them).
    """
    settings = plan.settings
    set_up_logging(settings)
    leave_no_core()
    sys.setswitchinterval(SWITCH)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until somebody is there who can reload
    settings = within_file_limit(settings)
    audit = None if settings.audit == "off" else Audit(settings)
    vaults = vaults_of(settings)
    ground = replace(ground_of(settings.ner), ring=KeyRing.installed(), vaults=vaults)
    books = books_of(plan.routes, ground, audit.mark if audit else None)
    _warn(plan, books)
    keep_large_buffers()  # not before: what was needed only to start goes back to the system
    gc.collect()
    gc.freeze()  # what is here now stays: to look through it for garbage held everybody up for 30 ms each time
    tls = [upstream_tls(route.settings) for route in plan.routes]
    listening = bind_to(settings.listen, "--listen")
    admin, problem = bind_admin(settings)
    share = Share(settings.workers, len(plan.routes))
    ready = Ready(
        listen=address_of(listening),
        admin=address_of(admin) if admin else None,
        admin_problem=problem,
        routes=tuple(map(_served, plan.routes, books)),
        named=plan.named,
        workers=settings.workers,
        pid=os.getpid(),
        audit=str(audit.directory) if audit else None,
        unfed=audit.unfed if audit else (),
        unanchored=audit.unanchored if audit else (),
    )

    def work(worker: int, tell: Callable[[], None]) -> int:
        try:
            kept = audit.open() if audit else None
        except StartError as error:
            if settings.workers == 1:
                raise
            why = str(error)  # there is nobody any more who could be told
            log.error("worker %d cannot start: %s", worker, why)
            return 1
        recording = partial(Record, audit, kept, worker) if audit and kept else None
        slot = share.take(worker)
        process = Process(replace(plan, settings=settings), books, vaults, tls, slot, share, recording)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(process.run(listening, admin, tell))

    if settings.workers == 1:
        return work(0, lambda: announce(ready))
    return supervise(settings.workers, work, lambda: announce(ready), share.bury)


def _warn(plan: Plan, books: Sequence[Rules[Engine]]) -> None:
    """What somebody who asked for it should hear again at every start."""
    settings = plan.settings
    for route in plan.routes:
        if route.settings.on_error == "pass":
            log.warning("route %s forwards what cannot be inspected, as it is (on_error: pass)", route.name)
    if settings.audit == "off":
        log.warning("there is no audit: nobody can tell later what left, what was removed, and by which rule")
    if settings.workers > 1 and settings.vault == "memory" and any(map(_shares, books)):
        log.warning(
            "each worker keeps the tokens of named scopes for itself; --vault redis://... is for all of them"
        )


def _shares(book: Rules[Engine]) -> bool:
    """Whether connections are meant to have tokens in common."""
    rules = book.live.policy.rules
    return any(rule.operator == "tokenize" and rule.params["scope"] != "session" for rule in rules)


def _served(route: Route, book: Rules[Engine]) -> Served:
    policy = book.live.policy
    return Served(
        name=route.name,
        match=str(route.match),
        upstream=route.shown,
        rules=policy.name,
        digest=policy.digest,
        entities=tuple(sorted(set().union(*map(policy.wanted, Direction)))),
        settings=route.settings,
        shadow=route.shadow,
    )
