"""The words in which tests of connections are written: a real Exchange, Relay and two Legs, without sockets.

    with Wire(EMAILS) as wire:
        wire.client.sends(text("mail bob@example.com"))
        wire.upstream.gets(text("mail <EMAIL_ADDRESS>"))

Each `End` is the transport the proxy writes to and, at once, whoever sits at the other end of that TCP
connection. It is as strict as uvloop's: writing after FIN or after the end raises. Time passes only in `wait`.
What an end was sent and the test did not name is a failure when the block ends.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import struct
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, Self, cast

from proxy.codecs import choose
from proxy.core.action import Action, Cause, Note
from proxy.core.live import Live
from proxy.core.message import Side
from proxy.core.plugs import Choose, Detector, Journal, NoteSink
from proxy.core.policy import Rule
from proxy.core.tally import Tally
from proxy.settings import Settings
from proxy.wire.deflate import DeflateParams
from proxy.wire.exchange import Exchange
from proxy.wire.relay import Relay
from tests.playbook import Table, policy
from tests.wire import frames
from tests.wire.frames import BINARY, CLOSE, CONT, MASK, PING, PONG, TEXT

HIGH = 64 * 1024  # bytes in a write buffer over which a transport calls pause_writing, as asyncio's does
RSV1 = 4


class Said(NamedTuple):
    """A frame as the script says it; each end masks it as its side must."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0


def text(payload: str | bytes, fin: bool = True, rsv: int = 0) -> Said:
    return Said(TEXT, payload.encode() if isinstance(payload, str) else payload, fin, rsv)


def binary(payload: bytes, fin: bool = True, rsv: int = 0) -> Said:
    return Said(BINARY, payload, fin, rsv)


def cont(payload: str | bytes, fin: bool = True) -> Said:
    return Said(CONT, payload.encode() if isinstance(payload, str) else payload, fin)


def ping(payload: bytes = b"") -> Said:
    return Said(PING, payload)


def pong(payload: bytes = b"") -> Said:
    return Said(PONG, payload)


def close(code: int | None = None, reason: str | bytes = b"") -> Said:
    return Said(CLOSE, frames.close(code, reason))


class Clockwork(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when nothing else is left to do."""

    class Selector(selectors.SelectSelector):
        clock = 1000.0

        def select(self, timeout: float | None = None) -> Any:
            ready = super().select(0)
            if not ready and timeout:
                self.clock += timeout
            return ready

    def __init__(self) -> None:
        self.selector = Clockwork.Selector()
        self.faults: list[str] = []
        super().__init__(self.selector)
        self.set_exception_handler(lambda _, context: self.faults.append(repr(context.get("exception"))))

    def time(self) -> float:
        return self.selector.clock

    def turn(self, times: int = 3) -> None:
        """Run what is ready, and what that makes ready."""
        for _ in range(times):
            self.run_until_complete(asyncio.sleep(0))


class Socket:
    """Remembers whether closing will reset the connection."""

    reset = False

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        self.reset = value == struct.pack("ii", 1, 0)

    def fileno(self) -> int:
        """None: the kernel has no queue to look into."""
        return -1


class End(asyncio.Transport):
    """One TCP connection of the proxy, and the party at its other end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, side: Side, half_close: bool) -> None:
        super().__init__()
        self.loop = loop
        self.side = side
        self.half_close = half_close  # False: TLS
        self.mask = MASK if side is Side.CLIENT else None
        self.socket = Socket()
        self.protocol = cast(asyncio.Protocol, None)
        self.inbox = bytearray()  # what the party was sent and the test has not named yet
        self.buffer = bytearray()  # what the proxy wrote while the party was not reading
        self.unread: deque[bytes | None] = (
            deque()
        )  # what the party sent while the proxy was not reading; None: FIN
        self.stalled = self.full = self.paused = self.eof = self.closing = self.gone = False
        self.pauses = self.resumes = self.writes = 0
        self.saw: str | None = None  # how the party saw the connection end: FIN or RST

    # -- the party's words --------------------------------------------------------------------------------

    def spell(self, said: Said | bytes) -> bytes:
        if isinstance(said, bytes):
            return said
        return frames.build(said.opcode, said.payload, fin=said.fin, rsv=said.rsv, mask=self.mask)

    def sends(self, *said: Said | bytes, cut: int | None = None) -> None:
        """All in one segment, or in segments of `cut` bytes."""
        data = b"".join(self.spell(one) for one in said)
        for start in range(0, len(data), cut or max(len(data), 1)):
            self._arrives(data[start : start + (cut or len(data))])

    def fins(self) -> None:
        """The party will send no more."""
        self._arrives(None)

    def resets(self) -> None:
        self._lose(ConnectionResetError(104, "Connection reset by peer"))
        self.loop.turn()

    def stalls(self) -> None:
        """The party stops reading."""
        self.stalled = True

    def reads(self) -> None:
        """The party reads again, all there is."""
        self.stalled = False
        self._flush()

    def gets(self, *said: Said) -> None:
        """It got these frames, and nothing else since the last time."""
        assert self.frames() == list(said)

    def gets_closed(self, cause: Cause, code: int) -> None:
        """It got a CLOSE of the proxy's own."""
        [said] = self.frames()
        assert (said.opcode, said.payload[:2]) == (CLOSE, struct.pack("!H", code)), cause

    def frames(self) -> list[Said]:
        """What it got since the last time; masked if and only if it must be, and no length longer than needed."""
        data, got = self.took(), []
        while data:
            parsed = frames.parse(data)
            assert parsed is not None, "a frame is cut short"
            frame, size = parsed
            assert frame.masked == (self.side is Side.UPSTREAM)
            got.append(Said(frame.opcode, frame.payload, frame.fin, frame.rsv))
            data = data[size:]
        return got

    def took(self) -> bytes:
        """The bytes it got since the last time."""
        data = bytes(self.inbox)
        self.inbox.clear()
        return data

    def _arrives(self, data: bytes | None) -> None:
        if self.gone or self.closing:
            return  # nobody reads it any more
        if self.paused or self.unread:
            self.unread.append(data)
        elif data is not None:
            self.protocol.data_received(data)
        elif not self.protocol.eof_received():
            self.close()

    # -- asyncio.Transport --------------------------------------------------------------------------------

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast(asyncio.Protocol, protocol)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.socket if name == "socket" else default

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def write(self, data: Any) -> None:
        if self.gone or self.eof:
            raise RuntimeError("Cannot call write() after the end")
        self.writes += 1
        self.buffer += data
        self._flush()

    def _flush(self) -> None:
        if not self.stalled:
            self.inbox += self.buffer
            self.buffer.clear()
        if self.full != (len(self.buffer) > HIGH):
            self.full = not self.full
            (self.protocol.pause_writing if self.full else self.protocol.resume_writing)()
        if not self.buffer and (self.eof or self.closing):
            self.saw = self.saw or "FIN"
            if self.closing:
                self._lose(None)

    def can_write_eof(self) -> bool:
        return self.half_close

    def write_eof(self) -> None:
        if self.gone or not self.half_close:
            raise RuntimeError("Cannot call write_eof()")
        self.eof = True
        self._flush()

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self._flush()

    def abort(self) -> None:
        if not self.gone:
            self.buffer.clear()
            self.saw = "RST" if self.socket.reset else self.saw or "FIN"
            self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self.gone:
            self.closing = self.gone = True
            self.loop.call_soon(self.protocol.connection_lost, error)

    def pause_reading(self) -> None:
        assert not self.paused, "reading was paused twice"
        self.paused = True
        self.pauses += 1

    def resume_reading(self) -> None:
        assert self.paused, "reading was resumed twice"
        self.paused = False
        self.resumes += 1
        self.loop.call_soon(self._catch_up)

    def _catch_up(self) -> None:
        waiting, self.unread = self.unread, deque()
        for data in waiting:
            self._arrives(data)


class Bench:
    """The workers: a message over `inline_bytes` waits here until the script says that it was looked at."""

    def __init__(self) -> None:
        self.jobs: deque[tuple[Callable[[], list[Action]], Future[list[Action]]]] = deque()

    def submit(self, job: Callable[[], list[Action]], owner: int, size: int) -> Future[list[Action]]:
        future: Future[list[Action]] = Future()
        self.jobs.append((job, future))
        return future

    def begin(self) -> None:
        """Start with the oldest job: from now on it cannot be called off."""
        self.jobs[0][1].set_running_or_notify_cancel()

    def work(self) -> None:
        """Do the oldest job, unless nobody waits for it any more."""
        job, future = self.jobs.popleft()
        if not future.running() and not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(job())
        except Exception as error:
            future.set_exception(error)


class Wire:
    """One connection through the proxy. `settings` are those of proxy/settings.py.

    A message is only large (held, looked at by `verdict`) in a test that sets `inline_bytes`.
    """

    def __init__(
        self,
        *rules: Rule,
        detector: Detector | None = None,
        choose: Choose = choose,
        sink: NoteSink | None = None,
        journal: Journal | None = None,
        deflate: DeflateParams | None = None,
        half_close: bool = True,
        early: tuple[bytes, bytes] = (b"", b""),
        turn: float = math.inf,  # seconds of looking in one turn of the loop: a busy machine must fail no test
        **settings: object,
    ) -> None:
        self.loop = Clockwork()
        self.bench = Bench()
        self.live = Live(policy(*rules), detector or Table(), choose)
        self.notes: list[Note] = []
        self.sink = sink
        self.settings = Settings.model_validate(
            {"upstream": "ws://upstream.test", "inline_bytes": 1 << 24, **settings}
        )
        self.tally = Tally()

        async def make() -> Exchange:
            submit = self.bench.submit
            return Exchange(self.settings, self.live, submit, self._note, self.tally, journal=journal)

        self.exchange = self.loop.run_until_complete(make())
        self.client, self.upstream = self.ends = tuple(End(self.loop, side, half_close) for side in Side)
        self.exchange.turn = turn
        self.exchange.admit("somebody")
        self.relay = Relay(self.exchange, 1, "somebody", (self.client, self.upstream), deflate)
        self.exchange.opened(self.relay)
        self.relay.start(early)

    def _note(self, note: Note) -> None:
        if self.sink is not None:
            self.sink(note)
        self.tally.note(note)
        self.notes.append(note)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.exchange.sweeper.cancel()
        self.loop.turn()
        self.loop.close()
        if kind is None:
            assert self.loop.faults == [], "something was raised into the loop, where nobody sees it"
            for end in self.ends:
                assert end.frames() == [], f"the test does not mention all that was sent to the {end.side.name}"

    def verdict(self) -> None:
        """The worker has looked at the oldest message it was given."""
        self.bench.work()
        self.loop.turn()

    def verdicts(self) -> None:
        """The worker looks at everything, also at what comes to it meanwhile."""
        while self.bench.jobs:
            self.verdict()

    def wait(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def ended(self) -> bool:
        """Whether both TCP connections are gone and the relay is forgotten."""
        self.loop.turn()
        return all(end.gone for end in self.ends) and not self.exchange.relays

    @property
    def causes(self) -> list[Cause]:
        return [note.cause for note in self.notes if note.cause is not None]
