"""Messages that are all legal: sizes, fragments, segments, pings and pongs in between."""

from __future__ import annotations

from collections.abc import Iterator

from tests.wire.frames import BINARY, CONT, PING, PONG, TEXT
from tests.wire.peer import Peer
from tests.wire.scenario import BothWays, Scenario, both_ways
from tests.wire.talk import Talk

WORDS = b"the quick brown fox jumps over the lazy dog, "
OCTETS = bytes(range(128, 256))
SIZES = (125, 126, 65535, 65536, 1 << 20)
PARTS = (b"the qui", b"", b"ck brown", b" fox")
SPLIT = "grüße 😀".encode()  # ü is two bytes, the smiley four


def filled(pattern: bytes, size: int) -> bytes:
    """`pattern` repeated and cut to `size` bytes."""
    return (pattern * (size // len(pattern) + 1))[:size]


def one(opcode: int, payload: bytes, width: int | None = None) -> BothWays:
    """One unfragmented message."""

    def play(talk: Talk, sender: Peer, receiver: Peer) -> None:
        sender.send(sender.wire(opcode, payload, width=width))
        receiver.hears()
        talk.bye()

    return play


def fragmented(opcode: int, *parts: bytes) -> BothWays:
    """One message in these fragments, all in one segment."""

    def play(talk: Talk, sender: Peer, receiver: Peer) -> None:
        sender.send(b"".join(pieces(sender, opcode, parts)))
        receiver.hears(len(parts))
        talk.bye()

    return play


def pieces(sender: Peer, opcode: int, parts: tuple[bytes, ...]) -> list[bytes]:
    """The frames of a fragmented message (RFC 6455 section 5.4)."""
    last = len(parts) - 1
    return [sender.wire(CONT if n else opcode, part, fin=n == last) for n, part in enumerate(parts)]


def fragments_one_by_one(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Each fragment is sent when the one before has arrived: a stream that is read as it comes."""
    for frame in pieces(sender, TEXT, PARTS):
        sender.send(frame)
        receiver.hears()
    talk.bye()


def fragments_in_segments(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Each fragment in a segment of its own, without waiting."""
    for frame in pieces(sender, BINARY, PARTS):
        sender.send(frame)
        talk.pump(lambda: False, 0.01)
    receiver.hears(len(PARTS))
    talk.bye()


def ping_between_fragments(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """RFC 6455 5.4: a control frame in the middle of a message, in one segment."""
    first, *others = pieces(sender, TEXT, PARTS)
    sender.send(first + sender.wire(PING, b"between") + b"".join(others))
    receiver.hears(5)
    receiver.say(PONG, b"between")
    sender.hears()
    talk.bye()


def ping_between_fragments_in_time(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """The same, and the sender waits for the pong before it goes on with the message."""
    first, *others = pieces(sender, TEXT, PARTS)
    sender.send(first)
    sender.say(PING, b"between")
    receiver.hears(2)
    receiver.say(PONG, b"between")
    sender.hears()
    sender.send(b"".join(others))
    receiver.hears(3)
    talk.bye()


def many_in_one_segment(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Forty small messages and a ping in one segment."""
    frames = [sender.wire(TEXT if n % 3 else BINARY, b"message %d" % n) for n in range(40)]
    frames.insert(20, sender.wire(PING, b"twenty"))
    sender.send(b"".join(frames))
    receiver.hears(41)
    talk.bye()


def byte_by_byte(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """One message in as many segments as it has bytes."""
    for byte in sender.wire(TEXT, "one byte at a time: grüße".encode()):
        sender.send(bytes([byte]))
        talk.pump(lambda: False, 0.002)
    receiver.hears()
    talk.bye()


def cut_in_the_length(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Two messages, and the segment ends within the extended length of the second."""
    data = sender.wire(TEXT, b"first") + sender.wire(BINARY, filled(OCTETS, 70_000))
    cut = len(sender.wire(TEXT, b"first")) + 5
    sender.send(data[:cut])
    receiver.hears()
    sender.send(data[cut:])
    receiver.hears()
    talk.bye()


def ping_pong(payload: bytes) -> BothWays:
    """A ping with this payload and its answer."""

    def play(talk: Talk, sender: Peer, receiver: Peer) -> None:
        sender.say(PING, payload)
        receiver.hears()
        receiver.say(PONG, payload)
        sender.hears()
        talk.bye()

    return play


def unsolicited_pong(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """RFC 6455 5.5.3: a pong nobody asked for, as a one-way heartbeat."""
    sender.say(PONG, b"heartbeat")
    receiver.hears()
    talk.bye()


def pong_that_does_not_match(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """A pong with another payload than the ping's; whoever sent the ping judges."""
    sender.say(PING, b"question")
    receiver.hears()
    receiver.say(PONG, b"other")
    sender.hears()
    talk.bye()


def three_pings(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Three pings at once; RFC 6455 5.5.3 lets the receiver answer only the last."""
    sender.send(b"".join(sender.wire(PING, name) for name in (b"a", b"b", b"c")))
    receiver.hears(3)
    receiver.say(PONG, b"c")
    sender.hears()
    talk.bye()


def unanswered_ping(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Nobody answers on the receiver's behalf: after 0.2 s the sender has still heard nothing."""
    sender.say(PING, b"anybody?")
    receiver.hears()
    sender.waits(0.2)
    talk.bye()


def echoes(talk: Talk) -> None:
    """Question and answer, twenty times."""
    talk.open()
    for n in range(20):
        talk.client.say(TEXT, b"question %d" % n)
        talk.upstream.hears()
        talk.upstream.say(TEXT, b"answer %d" % n)
        talk.client.hears()
    talk.bye(by_client=True)


def sizes() -> Iterator[Scenario]:
    """Around every limit of the length encoding (RFC 6455 section 5.2)."""
    for size in SIZES:
        yield from both_ways(f"text-of-{size}", "RFC 6455 5.2 payload length", one(TEXT, filled(WORDS, size)))
        yield from both_ways(f"binary-of-{size}", "RFC 6455 5.2 payload length", one(BINARY, filled(OCTETS, size)))
    yield from both_ways("text-empty", "an empty message is a message", one(TEXT, b""))
    yield from both_ways("binary-empty", "an empty message is a message", one(BINARY, b""))


def scenarios() -> Iterator[Scenario]:
    """All of this file."""
    yield from sizes()
    rfc54 = "RFC 6455 5.4: fragment boundaries of an unchanged message are kept"
    yield from both_ways("fragments-of-text", rfc54, fragmented(TEXT, *PARTS))
    yield from both_ways("fragments-of-binary", rfc54, fragmented(BINARY, *PARTS))
    yield from both_ways("fragments-all-empty", rfc54, fragmented(TEXT, b"", b"", b""))
    yield from both_ways("fragments-of-one-byte", rfc54, fragmented(TEXT, *(bytes([b]) for b in SPLIT)))
    split = "RFC 6455 5.6: a character may be cut by a fragment boundary"
    yield from both_ways("fragments-cut-a-character", split, fragmented(TEXT, SPLIT[:3], SPLIT[3:11], SPLIT[11:]))
    yield from both_ways("fragments-in-segments", rfc54, fragments_in_segments)
    yield from both_ways("fragments-one-by-one", "a fragment is passed on before the next", fragments_one_by_one)
    between = "RFC 6455 5.4: a control frame between fragments keeps its place"
    yield from both_ways("ping-between-fragments", between, ping_between_fragments)
    yield from both_ways("ping-between-fragments-in-time", between, ping_between_fragments_in_time)
    yield from both_ways("many-messages-in-one-segment", "every frame of one read, in order", many_in_one_segment)
    yield from both_ways("message-byte-by-byte", "TCP has no message boundaries", byte_by_byte)
    yield from both_ways("segment-ends-in-the-length", "TCP has no message boundaries", cut_in_the_length)
    ping = "RFC 6455 5.5.2: pings belong to the endpoints"
    yield from both_ways("ping", ping, ping_pong(b"are you there?"))
    yield from both_ways("ping-empty", ping, ping_pong(b""))
    yield from both_ways("ping-of-125", ping, ping_pong(filled(OCTETS, 125)))
    yield from both_ways("ping-unanswered", ping, unanswered_ping)
    yield from both_ways("pings-in-a-row", ping, three_pings)
    yield from both_ways("pong-unsolicited", ping, unsolicited_pong)
    yield from both_ways("pong-with-another-payload", ping, pong_that_does_not_match)
    yield Scenario("questions-and-answers", "the ordinary life of a connection", echoes)
