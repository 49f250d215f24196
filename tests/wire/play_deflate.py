"""Extensions: permessage-deflate (RFC 7692), which the proxy knows, and what it does not know."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from tests.wire.frames import CONT, TEXT
from tests.wire.play_messages import WORDS, filled
from tests.wire.scenario import ANSWER, REQUEST, Play, Scenario
from tests.wire.talk import Talk

OFFER = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
PLAIN = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
RESET = b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"


def deflated(*texts: bytes) -> list[bytes]:
    """Each text as RFC 7692 section 7.2.1 compresses it, without context takeover."""
    out = []
    for text in texts:
        codec = zlib.compressobj(wbits=-15)
        out.append((codec.compress(text) + codec.flush(zlib.Z_SYNC_FLUSH))[:-4])
    return out


def compressed(offer: bytes, answer: bytes) -> Play:
    """permessage-deflate with these headers: two compressed messages each way, and a plain one between them.

    An upstream that was asked for no context takeover has to agree to it (RFC 7692 section 7.1.1.1).
    """

    def play(talk: Talk) -> None:
        talk.client.send(talk.request(b"", offer))
        asked = b"server_no_context_takeover" in talk.upstream.head
        talk.upstream.send(talk.answer(RESET if asked else answer))
        talk.client.hears_head()
        first, second = deflated(filled(WORDS, 3000), filled(WORDS, 2000))
        for sender, receiver in ((talk.client, talk.upstream), (talk.upstream, talk.client)):
            sender.send(sender.wire(TEXT, first, rsv=4))
            sender.send(sender.wire(TEXT, b"plain"))
            sender.send(sender.wire(TEXT, second[:9], fin=False, rsv=4) + sender.wire(CONT, second[9:]))
            receiver.hears(4)
        talk.bye()

    return play


def stubborn(talk: Talk) -> None:
    """The upstream accepts permessage-deflate and keeps its context whatever it was asked for."""
    talk.open(b"", OFFER, PLAIN)
    talk.hangs_up()


def negotiated(offer: bytes, answer: bytes) -> Play:
    """Only plain messages, whatever was offered."""

    def play(talk: Talk) -> None:
        talk.open(b"", offer, answer)
        talk.client.say(TEXT, b"plain")
        talk.upstream.hears()
        talk.bye()

    return play


def scenarios() -> Iterator[Scenario]:
    """All of this file; both heads are the subject, too."""
    heads = REQUEST | ANSWER
    clean = "RFC 7692 7.2.2: a clean message keeps its compressed bytes"
    yield Scenario("deflate-accepted", clean, compressed(OFFER, PLAIN), heads)
    yield Scenario("deflate-accepted-without-context", clean, compressed(OFFER, RESET), heads)
    yield Scenario("deflate-offered-without-context", clean, compressed(RESET, RESET), heads)
    kept = "RFC 7692 7.1.1.1: an upstream that keeps its context although it was asked not to"
    yield Scenario("deflate-accepted-against-the-offer", kept, stubborn, heads)
    yield Scenario("deflate-declined", "RFC 6455 9.1: no extension", negotiated(OFFER, b""), heads)
    unknown = b"Sec-WebSocket-Extensions: x-unknown; level=3\r\n"
    why = "an extension the proxy does not know is not offered to the upstream"
    yield Scenario("unknown-extension-offered", why, negotiated(unknown, b""), heads)
