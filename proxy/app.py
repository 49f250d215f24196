"""The composition root: builds every part once and hands it on. The only file that knows all rooms."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvloop
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse, Response

from proxy.admin import api
from proxy.admin.asking import Audit as Asked
from proxy.admin.audit import add_doors as add_audit_doors
from proxy.admin.rules import add_doors, troubles
from proxy.admin.share import Counted, Share, Slot
from proxy.audited import OFF, Audit, Record
from proxy.core.message import Direction
from proxy.core.plugs import Mark
from proxy.core.tally import Snapshot, Tally, merge
from proxy.detect.engine import Engine
from proxy.detect.gate import GateError
from proxy.detect.ner import Names, open_model
from proxy.detect.workers import Workers
from proxy.pseudonyms.keys import KeyRing, read_reference
from proxy.pseudonyms.tokens import Vaults
from proxy.pseudonyms.vault import Vault
from proxy.route import Plan, Route
from proxy.rulebook.faults import RulesError
from proxy.rulebook.ground import Ground
from proxy.rulebook.live import Rules
from proxy.rulebook.load import Built, build
from proxy.rulebook.versions import Versions, state_directory
from proxy.rulebook.watch import Watch
from proxy.settings import Ready, Served, Settings
from proxy.starting import (
    StartError,
    bind_admin,
    bind_to,
    set_up_logging,
    upstream_tls,
    within_file_limit,
)
from proxy.supervisor import supervise
from proxy.wire.crowd import Crowd
from proxy.wire.door import pass_through
from proxy.wire.edge import EXTENSION, edge_http
from proxy.wire.exchange import Exchange
from proxy.wire.memory import keep_large_buffers
from proxy.wire.routes import Routes, Way
from proxy.wire.server import Listener, address_of, listener, start

log = logging.getLogger("hushwire")

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PUBLISH = 0.5  # seconds between two publications of a worker's counters
SWITCH = 0.001  # seconds a worker thread may keep the GIL while the loop wants it (default 0.005)
FIRST_USE = 30.0  # seconds the detector may take for a text until it is warm


def serve(plan: Plan, announce: Callable[[Ready], None]) -> int:
    """Run the proxy until a signal; returns the exit code. Raises StartError.

    `announce` is called once, when connections are accepted (with several workers: by all of them).
    """
    settings = plan.settings
    set_up_logging(settings)
    sys.setswitchinterval(SWITCH)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until somebody is there who can reload
    settings = within_file_limit(settings)
    for route in plan.routes:
        if route.settings.on_error == "pass":
            log.warning("route %s forwards what cannot be inspected, as it is (on_error: pass)", route.name)
    audit = None if settings.audit == "off" else Audit(settings)
    if audit is None:
        log.warning("there is no audit: nobody can tell later what left, what was removed, and by which rule")
    vaults = vaults_of(settings)
    ground = replace(ground_of(settings.ner), ring=KeyRing.installed(), vaults=vaults)
    books = books_of(plan.routes, ground, audit.mark if audit else None)
    if settings.workers > 1 and settings.vault == "memory" and any(map(_shares, books)):
        log.warning(
            "each worker keeps the tokens of named scopes for itself; --vault redis://... is for all of them"
        )
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


def front(routes: Routes) -> FastAPI:
    """The ASGI app of the data port: every path is a WebSocket of some upstream, and nothing else."""
    app = FastAPI(title="Hushwire", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.websocket("/{path:path}")
    async def door(websocket: WebSocket) -> None:
        await pass_through(websocket.scope["extensions"][EXTENSION], routes)

    async def plain_http(_request: Request) -> Response:
        sentence = "This port speaks WebSocket only (RFC 6455): connect with ws:// and an Upgrade header.\n"
        # Closed, because the body of such a request is not waited for: one that never ends would stay for ever.
        return PlainTextResponse(sentence, 426, {"Upgrade": "websocket", "Connection": "Upgrade, close"})

    app.add_route("/{path:path}", plain_http, METHODS, include_in_schema=False)
    return app


def ground_of(ner: str) -> Ground[Engine]:
    """What rules are built on here; `ner` names the language model. Raises StartError.

    Its engines are patient until somebody sets their budget: what recognizers load at their first use is no
    message's fault.
    """
    try:
        names = None if ner == "off" else Names(open_model(ner))
    except (ValueError, OSError, ImportError) as error:
        raise StartError(f"--ner {ner}: {error}", code=3) from None
    engine = partial(Engine, budget=FIRST_USE, cache=_cache_directory(), names=names)
    return Ground(engine, time.time())


def vaults_of(settings: Settings) -> Vaults:
    """Where the values of tokens are kept; made before the workers are forked. Raises StartError."""
    sessions = Vault(settings.vault_size, settings.vault_ttl)
    if settings.vault == "memory":
        return Vaults.in_memory(sessions)
    try:
        from proxy.pseudonyms.redis_vault import RedisVault  # noqa: PLC0415 - an extra

        return Vaults(sessions, RedisVault(_vault_url(settings.vault), settings.vault_ttl))
    except ImportError:
        raise StartError("--vault: the client of Redis is missing; pip install 'hushwire[redis]'") from None
    except ValueError as error:
        raise StartError(f"--vault: {error}") from None


def _vault_url(written: str) -> str:
    kind, _, name = written.partition(":")
    return read_reference(kind, name, Path(), os.environ).decode() if kind in ("env", "file") else written


def books_of(routes: Sequence[Route], ground: Ground[Engine], mark: Mark | None = None) -> list[Rules[Engine]]:
    """The rules of each route, made once for all that name the same ones. Raises StartError."""
    named: dict[tuple[str, bool], list[str]] = {}
    for route in routes:
        named.setdefault((route.settings.rules, route.shadow), []).append(route.name)
    versions = Versions(state_directory())
    made: dict[tuple[str, bool], Rules[Engine]] = {}
    for (source, shadow), names in named.items():
        with _starting():
            shadowed = replace(ground, shadow=shadow)
            made[source, shadow] = Rules(names, source, shadowed, compiled, versions, mark=mark)
            made[source, shadow].try_swap()
    return [made[route.settings.rules, route.shadow] for route in routes]


def built_of(rules: str, ground: Ground[Engine]) -> Built[Engine]:
    """Rules and the engine for them, by their name or path, with nothing left to compile. Raises StartError."""
    with _starting():
        built = build(rules, ground)
        compiled(built)
        return built


def compiled(built: Built[Engine]) -> None:
    """Compile now what a first message would wait for; before workers are forked, so that they share it."""
    # The larger set first: it may serve both ways.
    for wanted in sorted(map(built.policy.wanted, Direction), key=len, reverse=True):
        if wanted:
            built.detector.prepare(wanted)


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    try:
        yield
    except RulesError as error:
        raise StartError(str(error), 3, error.faults) from None
    except GateError as error:
        raise StartError(str(error)) from None


def _cache_directory() -> Path:
    """Where compiled gates are kept between starts; holds no data, and may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "hushwire"
