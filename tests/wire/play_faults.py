"""Frames no endpoint may send (RFC 6455). A tunnel passes them on; a proxy that reads cannot pass all of them.

The receiver just records. Both sides then end TCP at once, so a proxy that answered 1002 is not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.wire.frames import BINARY, CLOSE, CONT, PING, TEXT, build, close
from tests.wire.peer import Peer
from tests.wire.play_messages import OCTETS, filled, one
from tests.wire.scenario import BothWays, Scenario, both_ways
from tests.wire.talk import Talk

Bad = Callable[[Peer], bytes]


def unmasked_or_masked(sender: Peer) -> bytes:
    """RFC 6455 5.1: a client frame without a mask, a server frame with one."""
    return build(TEXT, b"wrong mask", mask=None if sender.mask else b"\x01\x02\x03\x04")


FAULTS: dict[str, tuple[Bad, str]] = {
    "mask-wrong": (unmasked_or_masked, "RFC 6455 5.1"),
    "reserved-data-opcode": (lambda p: p.wire(3, b"what"), "RFC 6455 5.2: opcodes 3-7"),
    "reserved-control-opcode": (lambda p: p.wire(11, b"what"), "RFC 6455 5.2: opcodes B-F"),
    "rsv1-without-extension": (lambda p: p.wire(TEXT, b"what", rsv=4), "RFC 6455 5.2: RSV1"),
    "rsv2": (lambda p: p.wire(TEXT, b"what", rsv=2), "RFC 6455 5.2: RSV2"),
    "rsv3": (lambda p: p.wire(BINARY, b"what", rsv=1), "RFC 6455 5.2: RSV3"),
    "ping-too-long": (lambda p: p.wire(PING, b"p" * 126), "RFC 6455 5.5: at most 125 bytes"),
    "ping-in-fragments": (lambda p: p.wire(PING, b"part", fin=False), "RFC 6455 5.5: not fragmented"),
    "continuation-of-nothing": (lambda p: p.wire(CONT, b"what"), "RFC 6455 5.4"),
    "message-within-fragments": (
        lambda p: p.wire(TEXT, b"first", fin=False) + p.wire(TEXT, b"second"),
        "RFC 6455 5.4",
    ),
    "close-of-1-byte": (lambda p: p.wire(CLOSE, b"\x03"), "RFC 6455 5.5.1: a code is 2 bytes"),
    "close-reason-not-utf8": (lambda p: p.wire(CLOSE, close(1000, b"\xff\xfe")), "RFC 6455 5.5.1: UTF-8"),
    "text-not-utf8": (lambda p: p.wire(TEXT, b"good \xff bad"), "RFC 6455 8.1: 1007"),
    "text-cut-character": (lambda p: p.wire(TEXT, "grü".encode()[:-1]), "RFC 6455 8.1: 1007"),
    "text-surrogate": (lambda p: p.wire(TEXT, b"\xed\xa0\x80"), "RFC 3629 3: no surrogates"),
    "fragments-not-utf8": (
        lambda p: p.wire(TEXT, b"good \xc3", fin=False) + p.wire(CONT, b"bad"),
        "RFC 6455 8.1: across the boundary",
    ),
    "length-with-top-bit": (
        lambda p: bytes([0x82, 0xFF if p.mask else 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 1]) + (p.mask or b""),
        "RFC 6455 5.2: the top bit of a 64-bit length is 0",
    ),
}


def faulty(bad: Bad) -> BothWays:
    """A good message, heard; then the bad frame."""

    def play(talk: Talk, sender: Peer, receiver: Peer) -> None:
        sender.say(TEXT, b"good")
        receiver.hears()
        sender.send(bad(sender))
        receiver.hears_more()
        talk.hangs_up()

    return play


def good_then_bad(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Two good messages and the fault in one segment: the good ones must arrive (trap 6)."""
    sender.send(sender.wire(TEXT, b"good") + sender.wire(BINARY, b"\x80") + sender.wire(3, b"bad"))
    receiver.hears(2)
    receiver.hears_more()
    talk.hangs_up()


def data_after_own_close(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Data after one's own CLOSE, in the same segment, against RFC 6455 5.5.1."""
    sender.send(sender.wire(CLOSE, close(1000, "bye")) + sender.wire(TEXT, b"one more"))
    receiver.hears_close()
    receiver.say(CLOSE, close(1000, "bye"))
    sender.hears_close()
    talk.ends(talk.upstream)


def second_close(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """CLOSE twice, against RFC 6455 5.5.1."""
    sender.send(sender.wire(CLOSE, close(1000, "bye")) + sender.wire(CLOSE, close(1001, "again")))
    receiver.hears_close()
    receiver.say(CLOSE, close(1000, "bye"))
    sender.hears_close()
    talk.ends(talk.upstream)


def scenarios() -> Iterator[Scenario]:
    """All of this file."""
    for name, (bad, why) in FAULTS.items():
        yield from both_ways(f"fault-{name}", why, faulty(bad))
    wasteful = "RFC 6455 5.2 asks for the shortest length; the receiver judges"
    yield from both_ways("length-in-2-bytes-for-5", wasteful, one(TEXT, b"short", width=2))
    yield from both_ways("length-in-8-bytes-for-5", wasteful, one(TEXT, b"short", width=8))
    yield from both_ways("length-in-8-bytes-for-200", wasteful, one(BINARY, filled(OCTETS, 200), width=8))
    yield from both_ways("fault-after-good-messages", "trap 6: what is good arrives first", good_then_bad)
    yield from both_ways("fault-data-after-own-close", "RFC 6455 5.5.1", data_after_own_close)
    yield from both_ways("fault-second-close", "RFC 6455 5.5.1", second_close)
