"""One end of a raw conversation: what it says on its socket, and everything it received.

What arrives is written down (`Seen`) and compared later. Nothing here judges: a wait that runs out becomes
an event like any other. Who serves the sockets meanwhile is tests/wire/talk.py.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.wire.frames import CLOSE, Frame, build, parse

if TYPE_CHECKING:
    from tests.wire.talk import Talk

FIN, RST, LATER = "FIN", "RST", "(later)"

Event = Frame | str


@dataclass(frozen=True, slots=True)
class Seen:
    """What one side received. `head` is the raw HTTP head, `body` what followed a head that is no 101,
    `rest` the bytes of a frame that never became whole. `events`: frames, FIN, RST, "missing ..."."""

    head: bytes = b""
    body: bytes = b""
    events: tuple[Event, ...] = ()
    rest: bytes = b""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What both sides of one conversation received."""

    client: Seen
    upstream: Seen


class Peer:
    """One end: a socket, what it still has to send, and everything it received."""

    def __init__(self, talk: Talk, sock: socket.socket, mask: bytes | None) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.talk, self.sock, self.mask = talk, sock, mask
        self.head = b""
        self.body = b""
        self.events: list[Event] = []
        self.ended = False  # nothing more can be received
        self.told = 0  # frames the script has waited for
        self._in = bytearray()
        self._out = bytearray()

    # -- what a script says -------------------------------------------------------------------------

    def wire(
        self, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, width: int | None = None
    ) -> bytes:
        """A frame as this side sends it: masked by the client, bare from the upstream."""
        return build(opcode, payload, fin=fin, rsv=rsv, mask=self.mask, width=width)

    def send(self, data: bytes) -> None:
        """Send `data`, as one segment if the kernel can; both sides keep reading meanwhile."""
        self._out += data
        self.write()
        self.talk.pump(lambda: not self._out)

    def say(self, opcode: int, payload: bytes = b"", *, fin: bool = True) -> None:
        """Send one frame."""
        self.send(self.wire(opcode, payload, fin=fin))

    def fin(self) -> None:
        """Half-close: this side sends nothing more, but reads on."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the other side has already reset the connection; that is in the events
            self.read()

    def rst(self) -> None:
        """Abort: the other side sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.ended = True
        self.sock.close()

    def hears(self, frames: int = 1) -> None:
        """Wait for that many frames more than the script has waited for so far."""
        self.told += frames
        self._wait(lambda: len(self._frames()) >= self.told, f"frame {self.told}")

    def hears_more(self) -> None:
        """Wait for anything beyond the frames waited for so far, even a part of a frame."""
        self._wait(lambda: len(self._frames()) > self.told or bool(self._in), "anything more")

    def hears_close(self) -> None:
        """Wait for a CLOSE frame."""
        self._wait(lambda: any(f.opcode == CLOSE for f in self._frames()), "CLOSE")

    def hears_head(self) -> None:
        """Wait for the whole head of the handshake."""
        self._wait(lambda: bool(self.head), "head")

    def hears_body(self, size: int) -> None:
        """Wait for `size` bytes after a head that is no 101."""
        self._wait(lambda: len(self.body) >= size, "body")

    def hears_end(self) -> None:
        """Wait for FIN or RST."""
        self._wait(lambda: self.ended, "end", even_ended=True)

    def waits(self, seconds: float) -> None:
        """Let time pass, then mark the place: what came before the mark did not wait for later steps."""
        self.talk.pump(lambda: False, seconds)
        self.events.append(LATER)

    # -- what happens -------------------------------------------------------------------------------

    @property
    def seen(self) -> Seen:
        """Everything received up to now."""
        return Seen(self.head, self.body, tuple(self.events), bytes(self._in))

    def _frames(self) -> list[Frame]:
        return [event for event in self.events if isinstance(event, Frame)]

    def _wait(self, done: Callable[[], bool], what: str, even_ended: bool = False) -> None:
        self.talk.pump(lambda: done() or (self.ended and not even_ended))
        if not done():
            self.events.append(f"missing {what}")
            self.talk.limit = min(self.talk.limit, 0.3)  # it already differs: do not wait long for the rest

    @property
    def pending(self) -> bool:
        """Whether there is something left to send."""
        return bool(self._out)

    def write(self) -> None:
        """Send what the socket takes now."""
        try:
            while self._out:
                del self._out[: self.sock.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:  # ECONNRESET or EPIPE: whatever was received before is still readable
            self._out.clear()
            self.read(reset=True)

    def read(self, reset: bool = False) -> None:
        """Take what has arrived; `reset`: sending already told that the connection was reset."""
        while not self.ended:
            try:
                data = self.sock.recv(1 << 18)
            except BlockingIOError:
                break
            except OSError:
                self._end(RST)
            else:
                self._take(data) if data else self._end(RST if reset else FIN)

    def _end(self, how: str) -> None:
        self.ended = True
        self.events.append(how)

    def _take(self, data: bytes) -> None:
        self._in += data
        if not self.head:
            head, blank, rest = self._in.partition(b"\r\n\r\n")
            if not blank:
                return
            self.head, self._in = bytes(head + blank), bytearray(rest)
        if self.mask and not self.head.startswith(b"HTTP/1.1 101"):
            self.body += self._in
            self._in.clear()
        while (found := parse(self._in)) is not None:
            self.events.append(found[0])
            del self._in[: found[1]]
