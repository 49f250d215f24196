"""One worker process: its listeners, what runs beside the connections, and how all of it ends.

What every worker has in common is made in app.py, and handed in.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial

from fastapi import FastAPI

from proxy.admin import api
from proxy.admin.asking import Audit as Asked
from proxy.admin.audit import add_doors as add_audit_doors
from proxy.admin.rules import add_doors, troubles
from proxy.admin.share import Counted, Share, Slot
from proxy.audited import OFF, Record
from proxy.building import compiled
from proxy.core.tally import Snapshot, Tally, merge
from proxy.detect.engine import Engine
from proxy.detect.workers import Workers
from proxy.pseudonyms.tokens import Vaults
from proxy.route import Plan
from proxy.rulebook.live import Rules
from proxy.rulebook.load import Built
from proxy.rulebook.watch import Watch
from proxy.wire.crowd import Crowd
from proxy.wire.edge import edge_http
from proxy.wire.exchange import Exchange
from proxy.wire.front import front
from proxy.wire.routes import Routes, Way
from proxy.wire.server import Listener, listener, start

log = logging.getLogger("hushwire")

PUBLISH = 0.5  # seconds between two publications of a worker's counters


class Process:
    """One worker: a data listener, an admin listener, and the exchanges between them. `books` are by route;
    `recording` makes the audit of a process whose sessions have names that begin so."""

    def __init__(
        self,
        plan: Plan,
        books: Sequence[Rules[Engine]],
        vaults: Vaults,
        tls: Sequence[ssl.SSLContext | None],
        slot: Slot,
        share: Share,
        recording: Callable[[str], Record] | None,
    ) -> None:
        self.plan = plan
        self.settings = plan.settings
        self.books = books
        self.vaults = vaults
        self.rules = list(dict.fromkeys(books))
        self.watch = Watch(self.rules)
        self.tls = tls
        self.slot = slot
        self.share = share
        self.not_ready = {"the detector is warming up"}
        self.stopping = asyncio.Event()
        self.forced = asyncio.Event()
        self.signalled: int | None = None
        self.recording = recording
        self.record: Record | None = None
        self.asked: Asked | None = None  # the audit, by the side doors

    async def run(self, listening: socket.socket, admin: socket.socket | None, tell: Callable[[], None]) -> int:
        """Serve until a signal, then drain. Returns the exit code."""
        settings = self.settings
        loop = asyncio.get_running_loop()
        workers = Workers(threads=1, waiting=settings.max_waiting)
        crowd = Crowd(settings.max_connections)
        if self.recording is not None:
            self.record = self.recording(crowd.run)
        routes = self._routes(workers, crowd)
        tls = (settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        front_door = listener(front(routes), edge_http(settings), *tls)
        side_doors = listener(self._side_doors(routes))
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self._signal, sig)
        loop.add_signal_handler(signal.SIGHUP, self.watch.reload)
        tasks = []
        if admin is not None:
            tasks.append(await start(side_doors, admin))
        await self._settle_in()
        self._begin_record()
        chores = self._chores(routes)
        tasks.append(await start(front_door, listening))
        self.not_ready.clear()
        tell()
        await self.stopping.wait()
        await self._drain(routes, front_door)
        for server in (front_door, side_doors):
            server.should_exit = True
        if self.asked is not None:  # live tails end
            await self.asked.close()
        await asyncio.gather(*tasks)
        for chore in chores:
            chore.cancel()
        self.watch.close()
        workers.close()
        whole = self.record is None or await self.record.close()
        self.slot.publish(self._counted(routes))
        return 0 if whole else 1

    def _begin_record(self) -> None:
        if (record := self.record) is None:
            return
        policies = {route.name: book.live.policy for route, book in zip(self.plan.routes, self.books, strict=True)}
        record.start({name: policy.digest for name, policy in policies.items()})
        loop = asyncio.get_running_loop()
        for rules in self.rules:
            rules.told = lambda swap: loop.call_soon_threadsafe(record.swapped, swap)

    def _chores(self, routes: Routes) -> list[asyncio.Task[None]]:
        """What runs beside the connections, until it is cancelled."""
        chores = {"counting": self._publish(routes), "watching": self.watch.run()}
        if self.record is not None:
            chores |= {"tending the audit": self.record.tend(), "shipping": self.record.ship()}
        tasks = [asyncio.create_task(chore, name=name) for name, chore in chores.items()]
        for task in tasks:
            task.add_done_callback(_told)
        return tasks

    def _side_doors(self, routes: Routes) -> FastAPI:
        token = self.settings.admin_token
        missing = {"audit": OFF} if self.recording is None else {}
        doors = api.build(
            lambda: self._metrics(routes), self._reasons, token, self._about, lambda: troubles(self.rules), missing
        )
        add_doors(doors, self.rules, self.watch.do, token)
        if (record := self.record) is not None:
            self.asked = Asked(record.audit.directory)
            add_audit_doors(doors, self.asked, record.tell, token)
        else:
            add_audit_doors(doors, None, _nobody, token)
        return doors

    async def _settle_in(self) -> None:
        """Whatever takes time before the first message may come."""
        for rules in self.rules:
            rules.ready = self._ready
            await self.watch.do(partial(self._ready, rules.built))
            await self.watch.do(rules.catch_up)
        # What is there now stays: not looked at again, a full collection takes a tenth of the time.
        gc.collect()
        gc.freeze()

    def _ready(self, built: Built[Engine]) -> None:
        compiled(built)
        built.detector.warm()
        built.detector.budget = self.settings.inspect_timeout

    def _routes(self, workers: Workers, crowd: Crowd) -> Routes:
        ways, journal = [], self.record.journal if self.record is not None else None
        for route, book, tls in zip(self.plan.routes, self.books, self.tls, strict=True):
            tally, forget = Tally(), self.vaults.sessions.forget
            exchange = Exchange(
                route.settings, book.live, workers.submit, tally.note, tally, crowd, route.name, forget, journal
            )
            ways.append(Way(route, exchange, tls))
        return Routes(ways, Tally(), journal)

    async def _drain(self, routes: Routes, front_door: Listener) -> None:
        """Not ready, wait for load balancers to notice, then 1012 to everybody and a deadline for the answers."""
        self.not_ready.add("the proxy is shutting down")
        log.info("draining %d connections", len(routes.relays()))
        if self.signalled == signal.SIGTERM:  # nobody balances load over a terminal
            await _first(self.forced, self.settings.drain_wait)
        front_door.stop_accepting()
        shut = asyncio.create_task(routes.shut(self.settings.drain_deadline))
        forced = asyncio.create_task(self.forced.wait())
        await asyncio.wait((shut, forced), return_when=asyncio.FIRST_COMPLETED)
        for relay in routes.relays():
            relay.abort_both()
        forced.cancel()
        await shut

    def _signal(self, number: int) -> None:
        if self.stopping.is_set() and number == signal.SIGINT:
            self.forced.set()
        self.signalled = self.signalled or number
        self.stopping.set()

    async def _publish(self, routes: Routes) -> None:
        while True:
            self.slot.publish(self._counted(routes))
            await asyncio.sleep(PUBLISH)

    def _counted(self, routes: Routes) -> dict[str, Snapshot]:
        """By route, if there are routes to tell apart."""
        counted = routes.snapshots()
        for route, rules in zip(self.plan.routes, self.books, strict=True):
            counted[route.name]["rules"] = rules.state()
        if self.record is not None:
            counted[""]["audit"] = self.record.state()
        return counted if self.plan.named else {"": merge(counted.values())}

    def _metrics(self, routes: Routes) -> Counted:
        self.slot.publish(self._counted(routes))
        return self.share.merged()

    def _reasons(self) -> list[str]:
        problem = self.record.problem if self.record is not None else None
        return sorted(self.not_ready | ({problem} if problem else set()))

    def _about(self) -> dict[str, dict[str, str]]:
        """By route, as the counters."""
        policies = {
            route.name if self.plan.named else "": book.live.policy
            for route, book in zip(self.plan.routes, self.books, strict=True)
        }
        return {name: {"rules": policy.name, "digest": policy.digest} for name, policy in policies.items()}


def _nobody(*_kind: object, **_given: object) -> None:
    """Is told that the audit was read, where there is none."""


def _told(chore: asyncio.Task[None]) -> None:
    """Nobody waits for a chore: what ends one early would never be known."""
    name = chore.get_name()
    if not chore.cancelled() and (error := chore.exception()) is not None:
        log.error("%s while %s; that has ended", type(error).__name__, name)


async def _first(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
