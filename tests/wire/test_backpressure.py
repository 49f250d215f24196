"""200 MB towards somebody who stopped reading: the sender has to wait, the proxy keeps nothing, all of it arrives.

Under the rules `pass` both directions carry all of it. Under the default rules the text is looked at, clean, and
less of it, because a scan of 200 MB would take most of the time of the suite.
"""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Iterator

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Service, memory, serves
from tests.wire.ends import End, opened
from tests.wire.frames import TEXT, build

MIB = 1 << 20
GROWTH = 16 * MIB  # what the proxy may take more while it waits
IN_KERNEL = 64 * MIB  # what the socket buffers of three processes may hold
PROSE = b"The quick brown fox jumps over the lazy dog, and nothing about it is personal. " * 14_000
TO_MOVE = {"pass": 200 * MIB, "default": 32 * MIB}


class Stream:
    """At least `total` bytes in frames of 1 MiB and 64 KiB, each with a number of its own."""

    def __init__(self, mask: bytes | None, total: int) -> None:
        self.mask = mask
        lengths: list[int] = []
        while sum(lengths) < total:
            lengths += [MIB, *[64 * 1024] * 16]
        self.lengths = lengths
        self.size = sum(lengths) + len(lengths) * (14 if mask else 10)
        self.sent = 0
        self.checksum = 0
        self.done = threading.Event()

    def frames(self) -> Iterator[bytes]:
        for number, length in enumerate(self.lengths):
            yield build(TEXT, b"%010d " % number + PROSE[: length - 11], mask=self.mask)

    def send(self, sock: socket.socket) -> None:
        """Send everything, and count what the kernel took."""
        sock.settimeout(60)
        for frame in self.frames():
            self.checksum = zlib.crc32(frame, self.checksum)
            view = memoryview(frame)
            while view:
                taken = sock.send(view)
                self.sent += taken
                view = view[taken:]
        self.done.set()

    def stalls(self) -> bool:
        """Whether the sender comes to a halt before it is through."""
        before, since = -1, time.monotonic()
        while not self.done.is_set() and time.monotonic() - since < 1.5:
            time.sleep(0.05)
            if self.sent != before:
                before, since = self.sent, time.monotonic()
        return not self.done.is_set()


def received(sock: socket.socket, unread: bytes, expected: int) -> tuple[int, int]:
    """Bytes and checksum of what arrives, until nothing is missing."""
    sock.settimeout(60)
    size, checksum = len(unread), zlib.crc32(unread)
    buffer = bytearray(MIB)
    view = memoryview(buffer)
    while size < expected and (taken := sock.recv_into(buffer)):
        size, checksum = size + taken, zlib.crc32(view[:taken], checksum)
    return size, checksum


class Room:
    """The service: it hands its end to the test and waits until that is through with it."""

    def __init__(self) -> None:
        self.ready, self.over = threading.Event(), threading.Event()
        self.end: End | None = None

    def __call__(self, end: End) -> None:
        end.accept()
        if end.head.startswith(b"GET /room"):
            self.end = end
            self.ready.set()
            self.over.wait(120)
            return
        frame = end.hears()
        assert frame is not None
        end.say(TEXT, frame.payload)
        end.hears_close()
        end.say(8, (1000).to_bytes(2))


@pytest.mark.parametrize("sender", ["client", "service"])
@pytest.mark.parametrize("rules", ["pass", "default"])
def test_a_reader_that_stops_makes_the_sender_wait_and_loses_nothing(rules: str, sender: str) -> None:
    room = Room()
    with (
        Service(room, receive_buffer=MIB) as service,
        Hushwire(service.url, "--close-timeout", "1s", rules=rules) as proxy,
        opened(proxy, "/room", receive_buffer=MIB) as client,
    ):
        assert room.ready.wait(10)
        assert room.end is not None
        speaks, reads = (client, room.end) if sender == "client" else (room.end, client)
        stream = Stream(speaks.mask and bytes(4), TO_MOVE[rules])
        baseline = memory(proxy)
        thread = threading.Thread(target=stream.send, args=(speaks.sock,), daemon=True)
        thread.start()
        assert stream.stalls(), "all of it was taken although nobody read"
        assert stream.sent < IN_KERNEL
        grown = memory(proxy) - baseline
        assert grown < GROWTH, f"{grown / MIB:.1f} MiB more while {stream.sent / MIB:.1f} MiB wait"
        print(f"{grown / MIB:.1f} MiB more while {stream.sent / MIB:.1f} MiB wait")
        assert serves(proxy)
        size, checksum = received(reads.sock, bytes(reads.unread), stream.size)
        thread.join(60)
        room.over.set()
        assert size == stream.size == stream.sent
        assert checksum == stream.checksum
