"""The differences from a direct connection that are accepted, each with its reason and what is seen instead.

A proxy that reads cannot be a tunnel in these places. The test checks them as strictly as identity: the
conversation must differ in exactly this way, under exactly these rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tests.wire.frames import CLOSE, Frame, close
from tests.wire.peer import FIN, Seen, Transcript
from tests.wire.play_faults import FAULTS

Instead = Callable[[Transcript], Transcript]
Side = Literal["client", "upstream"]

BOTH = frozenset({"default", "pass"})
LOOKING = frozenset({"default"})  # only where some rule makes the proxy look at messages

PROTOCOL = (close(1002, "protocol error"), close(1001, "peer broke the protocol"))
UTF8 = (close(1007, "invalid UTF-8"), close(1001, "peer sent invalid UTF-8"))


@dataclass(frozen=True, slots=True)
class Accepted:
    """`instead` makes the expected transcript from the direct one; `rules` are the sets under which it holds.
    `passing` replaces it under the rules `pass`, where nothing is held back to be looked at."""

    rules: frozenset[str]
    reason: str
    instead: Instead
    passing: Instead | None = None

    def expected(self, direct: Transcript, rules: str) -> Transcript:
        """What both sides receive through the proxy."""
        return (self.passing if self.passing and rules == "pass" else self.instead)(direct)


def changed(direct: Transcript, side: Side, seen: Seen) -> Transcript:
    """`direct`, but `side` received this."""
    return replace(direct, client=seen) if side == "client" else replace(direct, upstream=seen)


def refused(sender: Side, closes: tuple[bytes, bytes], kept: int) -> Instead:
    """The proxy ends the connection: one CLOSE to `sender`, the other to its peer, behind `kept` good frames."""

    def instead(direct: Transcript) -> Transcript:
        sides: tuple[Side, Side] = ("client", "upstream")
        for side in sides:
            seen: Seen = getattr(direct, side)
            good = () if side == sender else seen.events[:kept]
            last = Frame(True, 0, CLOSE, side == "upstream", 0, closes[side != sender])
            direct = changed(direct, side, replace(seen, events=(*good, last, FIN), rest=b""))
        return direct

    return instead


def bad_gateway(sentence: str, added: bytes = b"") -> Instead:
    """The client is answered 502 with this sentence, and the upstream hears the end of TCP."""
    head = (
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(sentence) + 1}\r\nConnection: close\r\n\r\n"
    )

    def instead(direct: Transcript) -> Transcript:
        asked = in_head("upstream", OFFERED, OFFERED + added)(direct)
        return changed(asked, "client", Seen(head.encode(), f"{sentence}\n".encode(), (FIN,)))

    return instead


OFFERED = b"; client_max_window_bits"
NO_CONTEXT = b"; server_no_context_takeover; client_no_context_takeover"


def in_head(side: Side, old: bytes, new: bytes) -> Instead:
    """One place of the head that `side` received is spelt differently."""

    def instead(direct: Transcript) -> Transcript:
        seen: Seen = getattr(direct, side)
        return changed(direct, side, replace(seen, head=seen.head.replace(old, new)))

    return instead


def hears(side: Side, *order: int | str, rest: bytes | None = None) -> Instead:
    """`side` receives these events of the direct conversation (by index), in this order, and no others."""

    def instead(direct: Transcript) -> Transcript:
        seen: Seen = getattr(direct, side)
        events = tuple(event if isinstance(event, str) else seen.events[event] for event in order)
        return changed(direct, side, replace(seen, events=events, rest=seen.rest if rest is None else rest))

    return instead


def both(*changes: Instead) -> Instead:
    """All of these, one after the other."""

    def instead(direct: Transcript) -> Transcript:
        for change in changes:
            direct = change(direct)
        return direct

    return instead


def _handshakes() -> dict[str, Accepted]:
    blanks = "RFC 9110 5.5: the blanks before a header's value are not part of it, and are written as one"
    judged = "an answer that is neither a refusal nor a WebSocket handshake of HTTP/1.1 is a fault of the upstream"
    narrow = "without context takeover every message can be read, and changed, on its own (RFC 7692 7.1.1)"
    wrong = "The upstream's 101 has a wrong or missing Sec-WebSocket-Accept header."
    silent = "The upstream closed the connection without answering the handshake."
    spaced = both(
        in_head("upstream", b"X-None:1\r\nX-Many:   2\r\n", b"X-None: 1\r\nX-Many: 2\r\n"),
        in_head("upstream", b"X-Tab:\t4\r\n", b"X-Tab: 4\r\n"),
    )
    asked = in_head("upstream", OFFERED, OFFERED + NO_CONTEXT)
    told = in_head("client", b": permessage-deflate\r\n", b": permessage-deflate" + NO_CONTEXT + b"\r\n")
    kept = "The handshake failed: the upstream accepted permessage-deflate but not server_no_context_takeover."
    unknown = in_head("upstream", b"Sec-WebSocket-Extensions: x-unknown; level=3\r\n", b"")
    return {
        "request-header-empty": Accepted(BOTH, blanks, in_head("upstream", b"X-Empty:", b"X-Empty: ")),
        "request-with-odd-blanks": Accepted(BOTH, blanks, spaced),
        "refused-200": Accepted(BOTH, judged, bad_gateway("The upstream answered 200 to a WebSocket handshake.")),
        "answer-with-wrong-accept": Accepted(BOTH, judged, bad_gateway(wrong)),
        "upstream-dies-before-answering": Accepted(BOTH, "a client is told what happened", bad_gateway(silent)),
        "upstream-dies-within-the-answer": Accepted(BOTH, "a client is told what happened", bad_gateway(silent)),
        "deflate-accepted": Accepted(BOTH, narrow, both(asked, told)),
        "deflate-accepted-without-context": Accepted(BOTH, narrow, asked),
        "deflate-declined": Accepted(BOTH, narrow, asked),
        "deflate-accepted-against-the-offer": Accepted(BOTH, narrow, bad_gateway(kept, NO_CONTEXT)),
        "unknown-extension-offered": Accepted(BOTH, "nobody here could look inside its messages", unknown),
    }


def _one_way(sender: Side, receiver: Side) -> dict[str, Accepted]:
    """The scenarios that exist once for each sender."""
    held = "a message in fragments is looked at when it is whole, and leaves as the fragments it came in"
    late: tuple[int | str, ...] = (*(f"missing frame {n}" for n in (1, 2, 3)), 0, 1, 2, 3, 4, 5)
    shortest = "RFC 6455 5.2: the shortest length MUST be used, and a filter must not have two readings"
    after = "RFC 6455 5.5.1: nothing follows a CLOSE, so what does is not forwarded"
    cut = "a frame is forwarded when it is whole, since only then it was looked at"
    gone = "a CLOSE on its way must not be lost to a reset"
    table = {
        "fragments-one-by-one": Accepted(LOOKING, held, hears(receiver, *late)),
        "ping-between-fragments-in-time": Accepted(
            LOOKING, held, hears(receiver, 1, "missing frame 2", 0, 2, 3, 4, 5, 6)
        ),
        "close-then-pong": Accepted(BOTH, after, hears(receiver, 0, 2)),
        "fault-data-after-own-close": Accepted(BOTH, after, hears(receiver, 0, 2)),
        "fault-second-close": Accepted(BOTH, after, hears(receiver, 0, 2)),
        "fin-in-the-middle-of-a-frame": Accepted(BOTH, cut, hears(receiver, 0, 1, rest=b"")),
        "reset-after-close": Accepted(BOTH, gone, hears(receiver, 0, FIN)),
    }
    for name in ("length-in-2-bytes-for-5", "length-in-8-bytes-for-5", "length-in-8-bytes-for-200"):
        table[name] = Accepted(BOTH, shortest, refused(sender, PROTOCOL, 0))
    return {f"{name}-from-{sender}": accepted for name, accepted in table.items()}


def _faults(sender: Side) -> dict[str, Accepted]:
    """RFC 6455 7.1.7: who reads a fault fails the connection; the sender is told, and so is its peer."""
    table: dict[str, Accepted] = {}
    for name in FAULTS:
        text = name in TEXT_FAULTS
        closes = UTF8 if text or name == "close-reason-not-utf8" else PROTOCOL
        why = "a reader must not forward what two readers could read differently (RFC 6455 7.1.7, 8.1)"
        passing = refused(sender, closes, 2) if name == "message-within-fragments" else None
        table[name] = Accepted(LOOKING if text else BOTH, why, refused(sender, closes, 1), passing)
    table["after-good-messages"] = Accepted(BOTH, why, refused(sender, PROTOCOL, 2))
    return {f"fault-{name}-from-{sender}": accepted for name, accepted in table.items()}


TEXT_FAULTS = frozenset({"text-not-utf8", "text-cut-character", "text-surrogate", "fragments-not-utf8"})

ACCEPTED: dict[str, Accepted] = {
    **_handshakes(),
    **_one_way("client", "upstream"),
    **_one_way("upstream", "client"),
    **_faults("client"),
    **_faults("upstream"),
}
