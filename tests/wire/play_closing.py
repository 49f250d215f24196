"""How a conversation ends: close codes, who answers what, FIN against RST, half-closed connections."""

from __future__ import annotations

from collections.abc import Iterator

from tests.wire.frames import CLOSE, PING, PONG, TEXT, close
from tests.wire.peer import Peer
from tests.wire.scenario import Play, Scenario, both_ways
from tests.wire.talk import Talk

LEGAL = (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 4000, 4999)
ILLEGAL = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000)
REASON = "größte Länge: " + "ü" * 52 + ".."  # 123 bytes, the most that fits


def closing(first: bytes, reply: bytes | None = None, *, by_client: bool = False) -> Play:
    """A script that is nothing but this closing handshake."""

    def play(talk: Talk) -> None:
        talk.open()
        talk.bye(first, reply, by_client)

    return play


def codes() -> Iterator[Scenario]:
    """Every close code, legal or not, from either side."""
    for by_client, side in ((False, "upstream"), (True, "client")):
        for code in LEGAL:
            why = "RFC 6455 7.4: the code and the reason reach the other side"
            yield Scenario(
                f"close-{code}-from-{side}", why, closing(close(code, f"reason {code}"), by_client=by_client)
            )
        for code in ILLEGAL:
            why = "RFC 6455 7.4.1 forbids it on the wire; passed on, so that the endpoint judges"
            yield Scenario(f"close-illegal-{code}-from-{side}", why, closing(close(code), by_client=by_client))
        why = "RFC 6455 5.5.1: a CLOSE without a code stays without a code"
        yield Scenario(f"close-empty-from-{side}", why, closing(b"", by_client=by_client))
        why = "RFC 6455 5.5: a control payload is at most 125 bytes, so a reason at most 123"
        yield Scenario(f"close-long-reason-from-{side}", why, closing(close(1000, REASON), by_client=by_client))
        why = "RFC 6455 5.5.1 allows another code in the answer; a relay must not echo by itself"
        other = closing(close(4001, "mine"), close(4002, "yours"), by_client=by_client)
        yield Scenario(f"close-answered-otherwise-from-{side}", why, other)
        empty = closing(close(4001, "mine"), b"", by_client=by_client)
        yield Scenario(f"close-answered-empty-from-{side}", why, empty)


def data_before_reply(talk: Talk, closer: Peer, other: Peer) -> None:
    """The side that was told to close still has something to say."""
    closer.say(CLOSE, close(1001, "going"))
    other.hears_close()
    other.say(TEXT, b"one more thing")
    closer.hears()
    other.say(PING, b"still here")
    closer.hears()
    other.say(CLOSE, close(1001, "going"))
    closer.hears_close()
    talk.ends(talk.upstream)


def message_and_close(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """A message and the CLOSE after it in one segment."""
    sender.send(sender.wire(TEXT, b"last words") + sender.wire(CLOSE, close(1000, "bye")))
    receiver.hears(2)
    receiver.say(CLOSE, close(1000, "bye"))
    sender.hears_close()
    talk.ends(talk.upstream)


def message_close_fin(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Message, CLOSE and FIN without waiting for the answer."""
    sender.send(sender.wire(TEXT, b"last words") + sender.wire(CLOSE, close(1000, "bye")))
    sender.fin()
    receiver.hears(2)
    receiver.hears_end()
    receiver.fin()
    sender.hears_end()


def both_close(talk: Talk) -> None:
    """Both sides send CLOSE before either has seen the other's."""
    talk.open()
    talk.client.say(CLOSE, close(4001, "client"))
    talk.upstream.say(CLOSE, close(4002, "upstream"))
    talk.client.hears_close()
    talk.upstream.hears_close()
    talk.ends(talk.upstream)


def tcp_kept_open(talk: Talk) -> None:
    """The upstream closes the WebSocket but not TCP; nothing may wait for the latter (trap 1)."""
    talk.open()
    talk.upstream.say(CLOSE, close(1000, "bye"))
    talk.client.hears_close()
    talk.client.waits(0.3)
    talk.client.say(CLOSE, close(1000, "bye"))
    talk.upstream.hears_close()
    talk.client.waits(0.3)
    talk.ends(talk.upstream)


def client_closes_tcp_first(talk: Talk) -> None:
    """After the closing handshake the client ends TCP, although the server should (RFC 6455 7.1.1)."""
    talk.open()
    talk.upstream.say(CLOSE, close(1000, "bye"))
    talk.client.hears_close()
    talk.client.say(CLOSE, close(1000, "bye"))
    talk.client.fin()
    talk.upstream.hears_close()
    talk.upstream.hears_end()
    talk.upstream.fin()
    talk.client.hears_end()


def close_unanswered(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """CLOSE, and the other side ends TCP instead of answering."""
    sender.say(CLOSE, close(1000, "bye"))
    receiver.hears_close()
    talk.ends(receiver)


def fin_without_close(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """TCP ends in order, but nobody said CLOSE: 1006 in the other side's library."""
    sender.say(TEXT, b"before")
    receiver.hears()
    talk.ends(sender)


def message_with_fin(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """A message and FIN at once: the message must not be lost."""
    sender.say(TEXT, b"before")
    sender.fin()
    receiver.hears()
    receiver.hears_end()
    receiver.fin()
    sender.hears_end()


def half_closed(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """The sender half-closes TCP; what comes towards it afterwards must still arrive."""
    sender.fin()
    receiver.hears_end()
    receiver.say(TEXT, b"still talking")
    sender.hears()
    receiver.send(receiver.wire(TEXT, b"and") + receiver.wire(CLOSE, close(1001, "done")))
    sender.hears(2)
    receiver.fin()
    sender.hears_end()


def half_frame_then_fin(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """TCP ends in the middle of a frame."""
    sender.say(TEXT, b"whole")
    receiver.hears()
    sender.send(sender.wire(TEXT, b"never finished")[:-5])
    sender.fin()
    receiver.hears_end()
    receiver.fin()
    sender.hears_end()


def reset(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """TCP is aborted without CLOSE."""
    sender.say(TEXT, b"before")
    receiver.hears()
    sender.rst()
    receiver.hears_end()


def reset_after_close(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """TCP is aborted after CLOSE was sent and before it was answered."""
    sender.say(CLOSE, close(1001, "gone"))
    receiver.hears_close()
    sender.rst()
    receiver.hears_end()


def silent_open(talk: Talk, sender: Peer, receiver: Peer) -> None:
    """Nothing is said at all, and TCP ends."""
    talk.ends(sender)


def unsolicited_after_close(talk: Talk, closer: Peer, other: Peer) -> None:
    """The side that closes answers a ping that crossed its CLOSE."""
    other.say(PING, b"crossing")
    closer.hears()
    closer.send(closer.wire(CLOSE, close(1000, "bye")) + closer.wire(PONG, b"crossing"))
    other.hears_close()
    other.say(CLOSE, close(1000, "bye"))
    closer.hears_close()
    talk.ends(talk.upstream)


def scenarios() -> Iterator[Scenario]:
    """All of this file."""
    yield from codes()
    trap1 = "trap 1: act on the CLOSE frame, never on the end of TCP"
    rfc_tcp = "RFC 6455 7.1.1: the server ends TCP first, but a client may"
    yield Scenario("close-from-both-at-once", "RFC 6455 7.1.5: each side hears the other's code", both_close)
    yield Scenario("close-while-upstream-keeps-tcp", trap1, tcp_kept_open)
    yield Scenario("close-then-client-ends-tcp", rfc_tcp, client_closes_tcp_first)
    late = "RFC 6455 5.5.1: data may still come before the answer to a CLOSE"
    yield from both_ways("close-then-data-before-the-answer", late, data_before_reply)
    yield from both_ways(
        "close-in-the-segment-of-a-message", "a CLOSE is ordered after queued data", message_and_close
    )
    yield from both_ways(
        "close-then-fin-at-once", "FIN must not overtake the message or the CLOSE", message_close_fin
    )
    yield from both_ways("close-answered-with-fin", "RFC 6455 7.1.7: failing without CLOSE", close_unanswered)
    yield from both_ways("close-then-pong", "sent after CLOSE, against RFC 6455 5.5.1", unsolicited_after_close)
    yield from both_ways(
        "fin-without-close", "FIN without CLOSE stays FIN without CLOSE (1006)", fin_without_close
    )
    yield from both_ways("fin-right-after-a-message", "the message arrives before FIN", message_with_fin)
    yield from both_ways("fin-without-a-word", "FIN on an idle connection", silent_open)
    yield from both_ways("fin-in-the-middle-of-a-frame", "the end of TCP is passed on", half_frame_then_fin)
    yield from both_ways("half-closed", "RFC 9293 3.6: the other direction stays open", half_closed)
    yield from both_ways("reset", "RST stays RST (ECONNRESET, not end of file)", reset)
    yield from both_ways("reset-after-close", "RST stays RST during the closing handshake", reset_after_close)
