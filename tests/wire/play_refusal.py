"""Handshakes that end without a WebSocket: the upstream refuses or dies, or the client leaves."""

from __future__ import annotations

from collections.abc import Iterator

from tests.wire.scenario import ANSWER, Play, Scenario
from tests.wire.talk import Talk

REFUSALS: dict[str, tuple[bytes, str]] = {
    # name: (the whole answer without its last lines, why)
    "refused-401": (
        b'401 Unauthorized\r\nWWW-Authenticate: Bearer realm="x"\r\n',
        "the client needs the challenge",
    ),
    "refused-403": (b"403 Forbidden\r\nContent-Type: application/json\r\n", "not a 101 and then a close"),
    "refused-404": (b"404 Not Found\r\nX-Request-Id: r-1\r\n", "headers are kept"),
    "refused-302": (
        b"302 Found\r\nLocation: https://elsewhere.example/ws\r\n",
        "trap 7: redirects are the client's",
    ),
    "refused-307": (b"307 Temporary Redirect\r\nLocation: /other\r\n", "trap 7"),
    "refused-400": (b"400 Bad Request\r\n", "RFC 6455 4.2.2"),
    "refused-426": (b"426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\n", "RFC 6455 4.4"),
    "refused-429": (b"429 Too Many Requests\r\nRetry-After: 17\r\n", "Retry-After is kept"),
    "refused-500": (b"500 Internal Server Error\r\n", "the upstream's own fault page"),
    "refused-502": (b"502 Bad Gateway\r\nServer: inner\r\n", "the upstream's 502, not the proxy's"),
    "refused-503": (b"503 Service Unavailable\r\nRetry-After: 3\r\n", "Retry-After is kept"),
    "refused-200": (b"200 OK\r\nContent-Type: text/html\r\n", "a page where a WebSocket was expected"),
    "refused-499": (b"499 Client Gone\r\n", "a status nobody registered"),
    "refused-with-odd-reason": (b"403 Not on My Watch\r\n", "the reason phrase is kept"),
    "refused-without-reason": (b"403 \r\n", "RFC 9112 4: the reason phrase may be empty"),
    "refused-with-two-cookies": (
        b"403 Forbidden\r\nSet-Cookie: a=1\r\nX-Between: 1\r\nSet-Cookie: b=2\r\n",
        "never merged",
    ),
    "refused-with-odd-case": (
        b"403 Forbidden\r\nx-lower: 1\r\nX-UPPER: 2\r\nServer: s\r\nDate: today\r\n",
        "kept",
    ),
}
BODY = b'{"error": "not today"}'


def refusing(answer: bytes, body: bytes) -> Play:
    """An answer that is no 101, whole in one segment; then the upstream ends TCP."""

    def play(talk: Talk) -> None:
        talk.client.send(talk.request())
        talk.upstream.send(answer + body)
        talk.client.hears_head()
        talk.client.hears_body(len(body))
        talk.ends(talk.upstream)

    return play


def refusal(lines: bytes, body: bytes = BODY) -> Play:
    """The same with Content-Length and Connection: close."""
    rest = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    return refusing(b"HTTP/1.1 " + lines + rest, body)


def chunked_body(talk: Talk) -> None:
    """A refusal in chunks, which arrive one by one."""
    talk.client.send(talk.request())
    talk.upstream.send(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    for chunk in (b"5\r\nnot t\r\n", b"4\r\noday\r\n", b"0\r\n\r\n"):
        talk.upstream.send(chunk)
        talk.pump(lambda: False, 0.005)
    talk.client.hears_head()
    talk.client.hears_body(24)
    talk.ends(talk.upstream)


def body_until_fin(talk: Talk) -> None:
    """A refusal whose body ends with the connection (RFC 9112 section 6.3)."""
    talk.client.send(talk.request())
    talk.upstream.send(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nback ")
    talk.pump(lambda: False, 0.01)
    talk.upstream.send(b"soon")
    talk.upstream.fin()
    talk.client.hears_body(9)
    talk.client.hears_end()
    talk.client.fin()
    talk.upstream.hears_end()


def dies_before_answering(talk: Talk) -> None:
    """The upstream takes the request and ends TCP."""
    talk.client.send(talk.request())
    talk.upstream.fin()
    talk.client.hears_end()
    talk.client.fin()
    talk.upstream.hears_end()


def dies_within_the_answer(talk: Talk) -> None:
    """The upstream ends TCP in the middle of its 101."""
    talk.client.send(talk.request())
    talk.upstream.send(talk.answer()[:60])
    talk.upstream.fin()
    talk.client.hears_end()
    talk.client.fin()
    talk.upstream.hears_end()


def client_leaves(talk: Talk) -> None:
    """The client ends TCP while the upstream is still thinking (trap 9)."""
    talk.client.send(talk.request())
    talk.upstream.hears_head()
    talk.ends(talk.client)


def client_resets(talk: Talk) -> None:
    """The same with RST."""
    talk.client.send(talk.request())
    talk.upstream.hears_head()
    talk.client.rst()
    talk.upstream.hears_end()


def scenarios() -> Iterator[Scenario]:
    """All of this file; the head that the client receives is the subject."""
    for name, (lines, why) in REFUSALS.items():
        yield Scenario(name, why, refusal(lines), heads=ANSWER)
    others: dict[str, tuple[str, Play]] = {
        "refused-without-body": ("Content-Length: 0", refusal(b"403 Forbidden\r\n", b"")),
        "refused-with-big-body": ("200 KB of fault page", refusal(b"500 Oops\r\n", b"so sorry. " * 20_000)),
        "refused-keeping-alive": (
            "no Connection: close; the upstream ends TCP nevertheless",
            refusing(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 22\r\n\r\n", BODY),
        ),
        "refused-in-http-1.0": (
            "an old server",
            refusing(b"HTTP/1.0 403 Forbidden\r\nContent-Length: 22\r\n\r\n", BODY),
        ),
        "refused-in-chunks": ("RFC 9112 7.1: the chunks as they are", chunked_body),
        "refused-until-fin": ("RFC 9112 6.3: FIN ends the body", body_until_fin),
        "upstream-dies-before-answering": ("FIN instead of an answer", dies_before_answering),
        "upstream-dies-within-the-answer": ("FIN in the middle of the 101", dies_within_the_answer),
        "client-resets-while-waiting": ("trap 9: the upstream must hear of it", client_resets),
        "client-leaves-while-waiting": ("trap 9: the upstream must hear of it", client_leaves),
    }
    for name, (why, play) in others.items():
        yield Scenario(name, why, play, heads=ANSWER)
