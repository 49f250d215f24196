"""The composition root: builds every part once and hands it on. The only file that knows all rooms."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse, Response

from proxy.admin import api
from proxy.admin.share import Share, Slot
from proxy.codecs import choose
from proxy.core.lane import Lane
from proxy.core.message import Direction
from proxy.core.policy import Live, Policy
from proxy.core.tally import Tally
from proxy.detect.engine import Engine
from proxy.detect.gate import GateError
from proxy.detect.ner import Names, open_model
from proxy.detect.workers import Workers
from proxy.rulebook.faults import RulesError
from proxy.rulebook.load import load
from proxy.settings import Address, Ready, Settings
from proxy.supervisor import supervise
from proxy.wire.dial import tls_context
from proxy.wire.door import pass_through
from proxy.wire.edge import EXTENSION, edge_http
from proxy.wire.exchange import Exchange
from proxy.wire.memory import keep_large_buffers
from proxy.wire.server import Listener, address_of, bind, listener, start

log = logging.getLogger("hushwire")

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PUBLISH = 0.5  # seconds between two publications of a worker's counters
SWITCH = 0.001  # seconds a worker thread may keep the GIL while the loop wants it (default 0.005)
FIRST_USE = 30.0  # seconds the detector may take for a text until it is warm
SPARE_FILES = 64  # descriptors that are not connections


class StartError(Exception):
    """The proxy cannot start; the text says why and what to do. `code` is the exit code: 1, or 3 for rules."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def serve(settings: Settings, announce: Callable[[Ready], None]) -> int:
    """Run the proxy until a signal; returns the exit code. Raises StartError.

    `announce` is called once, when connections are accepted (with several workers: by all of them).
    """
    _set_up_logging(settings)
    sys.setswitchinterval(SWITCH)
    settings = _within_file_limit(settings)
    detector, policy = detector_of(settings.rules, settings.ner)
    keep_large_buffers()  # not before: what was needed only to start goes back to the system
    gc.collect()
    gc.freeze()  # what is here now stays: to look through it for garbage held everybody up for 30 ms each time
    tls = _upstream_tls(settings)
    listening = _bind(settings.listen, "--listen")
    admin, problem = _bind_admin(settings)
    share = Share(settings.workers)
    ready = Ready(
        listen=address_of(listening),
        admin=address_of(admin) if admin else None,
        admin_problem=problem,
        rules=policy.name,
        digest=policy.digest,
        entities=tuple(
            sorted(policy.wanted(Direction.CLIENT_TO_UPSTREAM) | policy.wanted(Direction.UPSTREAM_TO_CLIENT))
        ),
        upstream=settings.upstream,
        workers=settings.workers,
        pid=os.getpid(),
    )

    def work(worker: int, tell: Callable[[], None]) -> int:
        process = Process(settings, policy, detector, tls, share.take(worker), share)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(process.run(listening, admin, tell))

    if settings.workers == 1:
        return work(0, lambda: announce(ready))
    return supervise(settings.workers, work, lambda: announce(ready), share.bury)


class Process:
    """One worker: a data listener, an admin listener, and the exchange between them."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        detector: Engine,
        tls: ssl.SSLContext | None,
        slot: Slot,
        share: Share,
    ) -> None:
        self.settings = settings
        self.live = Live(policy)
        self.detector = detector
        self.tls = tls
        self.slot = slot
        self.share = share
        self.tally = Tally()
        self.not_ready = {"the detector is warming up"}
        self.stopping = asyncio.Event()
        self.forced = asyncio.Event()
        self.signalled: int | None = None

    async def run(self, listening: socket.socket, admin: socket.socket | None, tell: Callable[[], None]) -> int:
        """Serve until a signal, then drain. Returns the exit code."""
        settings = self.settings
        lanes = [Lane(direction, self.live, choose) for direction in Direction]
        workers = Workers(threads=1, waiting=settings.max_waiting)
        exchange = Exchange(settings, self.live, lanes, self.detector, workers.submit, self.tally.note, self.tally)
        front_door = listener(front(exchange, self.tls), edge_http(exchange), settings.tls_cert, settings.tls_key)
        side_doors = listener(
            api.build(lambda: self._metrics(exchange), self._reasons, settings.admin_token, self._about)
        )
        for sig in (signal.SIGTERM, signal.SIGINT):
            exchange.loop.add_signal_handler(sig, self._signal, sig)
        tasks = []
        if admin is not None:
            tasks.append(await start(side_doors, admin))
        await exchange.loop.run_in_executor(None, self.detector.warm)
        self.detector.budget = settings.inspect_timeout
        tasks.append(await start(front_door, listening))
        publisher = asyncio.create_task(self._publish(exchange))
        self.not_ready.clear()
        tell()
        await self.stopping.wait()
        await self._drain(exchange, front_door)
        for server in (front_door, side_doors):
            server.should_exit = True
        await asyncio.gather(*tasks)
        publisher.cancel()
        self.slot.publish(exchange.snapshot())
        workers.close()
        return 0

    async def _drain(self, exchange: Exchange, front_door: Listener) -> None:
        """Not ready, wait for load balancers to notice, then 1012 to everybody and a deadline for the answers."""
        self.not_ready.add("the proxy is shutting down")
        log.info("draining %d connections", len(exchange.relays))
        if self.signalled == signal.SIGTERM:  # nobody balances load over a terminal
            await _first(self.forced, self.settings.drain_wait)
        front_door.stop_accepting()
        shut = asyncio.create_task(exchange.shut(self.settings.drain_deadline))
        forced = asyncio.create_task(self.forced.wait())
        await asyncio.wait((shut, forced), return_when=asyncio.FIRST_COMPLETED)
        for relay in list(exchange.relays):
            relay.abort_both()
        forced.cancel()
        await shut

    def _signal(self, number: int) -> None:
        if self.stopping.is_set() and number == signal.SIGINT:
            self.forced.set()
        self.signalled = self.signalled or number
        self.stopping.set()

    async def _publish(self, exchange: Exchange) -> None:
        while True:
            self.slot.publish(exchange.snapshot())
            await asyncio.sleep(PUBLISH)

    def _metrics(self, exchange: Exchange) -> Any:
        self.slot.publish(exchange.snapshot())
        return self.share.merged()

    def _reasons(self) -> list[str]:
        return sorted(self.not_ready)

    def _about(self) -> dict[str, str]:
        return {"rules": self.live.policy.name, "digest": self.live.policy.digest}


async def _first(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def front(exchange: Exchange, tls: ssl.SSLContext | None) -> FastAPI:
    """The ASGI app of the data port: every path is a WebSocket of the upstream, and nothing else."""
    app = FastAPI(title="Hushwire", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.websocket("/{path:path}")
    async def door(websocket: WebSocket) -> None:
        await pass_through(websocket.scope["extensions"][EXTENSION], exchange, tls)

    async def plain_http(_request: Request) -> Response:
        sentence = "This port speaks WebSocket only (RFC 6455): connect with ws:// and an Upgrade header.\n"
        # Closed, because the body of such a request is not waited for: one that never ends would stay for ever.
        return PlainTextResponse(sentence, 426, {"Upgrade": "websocket", "Connection": "Upgrade, close"})

    app.add_route("/{path:path}", plain_http, METHODS, include_in_schema=False)
    return app


def detector_of(rules: str, ner: str) -> tuple[Engine, Policy]:
    """The engine that `rules` and `ner` ask for, patient until somebody sets its budget. Raises StartError."""
    try:
        names = None if ner == "off" else Names(open_model(ner))
    except (ValueError, OSError, ImportError) as error:
        raise StartError(f"--ner {ner}: {error}", code=3) from None
    # Not yet the user's: what recognizers load at their first use is no message's fault.
    detector = Engine(budget=FIRST_USE, cache=_cache_directory(), names=names)
    try:
        policy = load(rules, detector)
        # Before the workers are forked: they share what is compiled. The larger set first: it may serve both ways.
        for wanted in sorted(map(policy.wanted, Direction), key=len, reverse=True):
            if wanted:
                detector.prepare(wanted)
    except RulesError as error:
        raise StartError(str(error), code=3) from None
    except GateError as error:
        raise StartError(str(error)) from None
    return detector, policy


def _cache_directory() -> Path:
    """Where compiled gates are kept between starts; holds no data, and may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "hushwire"


def _upstream_tls(settings: Settings) -> ssl.SSLContext | None:
    try:
        return tls_context(settings)
    except (OSError, ssl.SSLError) as error:
        raise StartError(
            f"--upstream-ca {settings.upstream_ca}: not a file of PEM certificates ({error})"
        ) from None


def _bind(address: Address, option: str) -> socket.socket:
    try:
        return bind(address)
    except OSError as error:
        raise StartError(f"{option} {address}: {_why(error)}; choose another address") from None


def _bind_admin(settings: Settings) -> tuple[socket.socket | None, str | None]:
    """The side doors' socket, or why there is none: a taken default port is no reason not to protect."""
    if settings.admin is None:
        return None, None
    if settings.admin_required:
        return _bind(settings.admin, "--admin"), None
    try:
        return bind(settings.admin), None
    except OSError as error:
        return None, f"{settings.admin}: {_why(error)}"


def _why(error: OSError) -> str:
    """In a few words: Python's own text names the address once more. A failed lookup's number is no errno."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _set_up_logging(settings: Settings) -> None:
    """Only Hushwire's own log is open below warnings: libraries log what they handle."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(settings.log_level.upper())


def _within_file_limit(settings: Settings) -> Settings:
    """Two descriptors a connection: take what the system allows, and no more connections than that carries.

    Without this the listener would spin on EMFILE instead of answering 503.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * settings.max_connections + SPARE_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed == wanted:
        return settings
    fits = max(1, (allowed - SPARE_FILES) // 2)
    asked = "max_connections" in settings.model_fields_set
    level = logging.WARNING if asked else logging.INFO
    log.log(level, "at most %d connections, because the system allows %d open files (ulimit -n)", fits, allowed)
    return settings.model_copy(update={"max_connections": fits})
