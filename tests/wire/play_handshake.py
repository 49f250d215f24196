"""The opening handshake: what the upstream is asked, byte for byte, and what the client is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.wire.frames import BINARY, PING, TEXT
from tests.wire.scenario import ANSWER, REQUEST, Play, Scenario
from tests.wire.talk import HOST, KEY, Talk

REQUESTS: dict[str, tuple[bytes, bytes, str]] = {
    # name: (what follows the path, more header lines, why)
    "path-with-escaped-slash": (b"/a%2Fb", b"", "trap 8: the raw path, not the decoded one"),
    "path-with-utf8-escape": (b"/caf%C3%A9", b"", "trap 8"),
    "path-with-lower-case-escape": (b"/caf%c3%a9%2f", b"", "RFC 3986 6.2.2.1: equal, yet not to be rewritten"),
    "path-with-broken-utf8-escape": (b"/%F0%9F", b"", "trap 8: no Unicode, still a path"),
    "path-with-escaped-newline": (b"/a%0Ab%0D%0AX-Injected:%201", b"", "stays escaped, or it becomes a header"),
    "path-with-escaped-percent": (b"/100%25", b"", "decoded and encoded again it would be another path"),
    "path-with-dots": (b"/a/../b/./c//d", b"", "RFC 3986 5.2.4 is for clients; a relay leaves dots alone"),
    "path-with-odd-characters": (b"/a;v=1,2:3@4!$&'()*+~", b"", "RFC 3986 3.3: all legal, none to be escaped"),
    "query-empty": (b"?", b"", "`?` with nothing after it is a query"),
    "query-long": (b"?q=" + b"the+quick+brown+fox+" * 204, b"", "4 KiB of query"),
    "query-with-escapes": (b"?a=%2F%20+&b=%C3%A9&a=&=&&x?y/z", b"", "order, repeats and empty names are kept"),
    "header-twice": (b"", b"X-Two: first\r\nX-One: 1\r\nX-Two: second\r\n", "RFC 9110 5.3: order, not merged"),
    "cookie-twice": (b"", b"Cookie: a=1; b=2\r\nX-Between: 1\r\nCookie: c=3\r\n", "neither merged nor sorted"),
    "header-with-latin-1": (b"", b"X-Name: caf\xe9 \xfc\xdf\r\n", "trap 8: RFC 9110 5.5 obs-text"),
    "header-with-utf8": (b"", "X-Name: café 😀\r\n".encode(), "RFC 9110 5.5 obs-text"),
    "header-empty": (b"", b"X-Empty:\r\nX-After: 1\r\n", "an empty value is a value"),
    "header-long": (b"", b"X-Long: " + b"abcdefgh" * 900 + b"\r\n", "7 KiB in one header"),
    "headers-many": (b"", b"".join(b"X-Number-%d: word\r\n" % n for n in range(60)), "sixty more headers"),
    "header-with-commas": (b"", b'X-List: a,b ,  c;q=0.5, "d,e"\r\n', "a value is not parsed"),
    "origin": (b"", b"Origin: https://app.example\r\n", "RFC 6455 10.2: the upstream judges the origin"),
    "origin-null": (b"", b"Origin: null\r\n", "RFC 6454 7.3"),
    "authorization": (b"", b"Authorization: Bearer not-a-secret\r\n", "belongs to the upstream"),
    "user-agent": (b"", b"User-Agent: test/1.0 (wire)\r\n", "trap 7: not replaced"),
    "accept-encoding": (b"", b"Accept-Encoding: gzip, deflate, br\r\nPragma: no-cache\r\n", "as browsers send it"),
    "forwarded-already": (b"", b"X-Forwarded-For: 192.0.2.7\r\nVia: 1.1 front\r\n", "kept when nothing is added"),
    "protocols-in-one-header": (
        b"",
        b"Sec-WebSocket-Protocol: chat.v2,chat.v1\r\n",
        "RFC 6455 4.1: order matters",
    ),
    "protocols-in-two-headers": (
        b"",
        b"Sec-WebSocket-Protocol: chat.v2\r\nSec-WebSocket-Protocol: chat.v1, raw\r\n",
        "RFC 6455 11.3.4 allows it",
    ),
}

ANSWERS: dict[str, tuple[bytes, bytes, str]] = {
    # name: (more request header lines, more response header lines, why)
    "answer-with-two-cookies": (b"", b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; HttpOnly\r\n", "never merged"),
    "answer-with-headers": (b"", b"X-Node: n-7\r\nx-lower: 1\r\nX-NODE: again\r\n", "case, order and repeats"),
    "answer-with-server-and-date": (
        b"",
        b"Server: some/1\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
        "the upstream's, not the proxy's",
    ),
    "answer-with-latin-1": (b"", b"X-Name: caf\xe9\r\n", "RFC 9110 5.5 obs-text"),
    "answer-with-empty-header": (b"", b"X-Empty:\r\nX-After: 1\r\n", "an empty value is a value"),
    "answer-with-protocol": (
        b"Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n",
        b"Sec-WebSocket-Protocol: chat.v1\r\n",
        "RFC 6455 4.2.2: the upstream chooses",
    ),
    "answer-without-protocol": (b"Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n", b"", "none chosen is an answer"),
    "answer-with-protocol-not-offered": (
        b"Sec-WebSocket-Protocol: chat.v2\r\n",
        b"Sec-WebSocket-Protocol: other\r\n",
        "RFC 6455 4.1: the client has to fail the connection",
    ),
}


def asking(suffix: bytes, headers: bytes) -> Play:
    """A handshake with this request, one message and a close."""

    def play(talk: Talk) -> None:
        talk.open(suffix, headers)
        talk.client.say(TEXT, b"hello")
        talk.upstream.hears()
        talk.bye()

    return play


def answering(request: bytes, headers: bytes) -> Play:
    """A handshake with this answer, one message and a close."""

    def play(talk: Talk) -> None:
        talk.open(b"", request, headers)
        talk.upstream.say(TEXT, b"hello")
        talk.client.hears()
        talk.bye()

    return play


def sends_raw(build: Callable[[Talk], bytes]) -> Play:
    """A request that is written out by hand."""

    def play(talk: Talk) -> None:
        talk.client.send(build(talk))
        talk.upstream.send(talk.answer())
        talk.client.hears_head()
        talk.bye()

    return play


def odd_request(talk: Talk) -> bytes:
    """Names in odd cases and in an odd order, Connection as Firefox sends it."""
    return (
        b"GET " + talk.path + b" HTTP/1.1\r\nx-first: 1\r\nSEC-WEBSOCKET-VERSION: 13\r\nuPGRADE: WebSocket\r\n"
        b"sec-websocket-key: " + KEY.encode() + b"\r\nhost: " + HOST.encode() + b"\r\n"
        b"Connection: keep-alive, Upgrade\r\nX-LAST: 2\r\n\r\n"
    )


def spaced_request(talk: Talk) -> bytes:
    """RFC 9110 5.6.3: blanks around a value mean nothing."""
    return talk.request(b"", b"X-None:1\r\nX-Many:   2\r\nX-After: 3  \r\nX-Tab:\t4\r\n")


def odd_answer(talk: Talk) -> None:
    """A 101 with another reason phrase, odd cases and an odd order."""
    talk.client.send(talk.request())
    talk.upstream.send(
        b"HTTP/1.1 101 Web Socket Protocol Handshake\r\nSEC-WEBSOCKET-ACCEPT: " + talk.accept_key() + b"\r\n"
        b"x-first: 1\r\nconnection: upgrade\r\nX-Mid: 2\r\nUPGRADE: WebSocket\r\n\r\n"
    )
    talk.client.hears_head()
    talk.bye()


def wrong_accept(talk: Talk) -> None:
    """A 101 whose Sec-WebSocket-Accept is not the answer to the key."""
    talk.client.send(talk.request())
    talk.upstream.send(talk.answer().replace(talk.accept_key(), b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
    talk.client.hears_head()
    talk.hangs_up()


def pieces_of_the_handshake(talk: Talk) -> None:
    """Both heads arrive in pieces."""
    request = talk.request(b"?pieces=1", b"X-Name: value\r\n")
    for start in range(0, len(request), 40):
        talk.client.send(request[start : start + 40])
        talk.pump(lambda: False, 0.002)
    answer = talk.answer(b"X-Name: value\r\n")
    for start in range(0, len(answer), 40):
        talk.upstream.send(answer[start : start + 40])
        talk.pump(lambda: False, 0.002)
    talk.client.hears_head()
    talk.bye()


def frames_with_the_request(talk: Talk) -> None:
    """The client does not wait for the 101 (against RFC 6455 4.1, but seen, and HAProxy forwards it)."""
    client = talk.client
    client.send(talk.request() + client.wire(TEXT, b"early") + client.wire(BINARY, b"\x80\x81\x82"))
    talk.upstream.send(talk.answer())
    talk.upstream.hears(2)
    talk.client.hears_head()
    talk.client.say(TEXT, b"later")
    talk.upstream.hears()
    talk.bye()


def frames_while_waiting(talk: Talk) -> None:
    """The same in a segment of its own, while the upstream is still thinking."""
    talk.client.send(talk.request())
    talk.upstream.hears_head()
    talk.client.say(TEXT, b"early")
    talk.pump(lambda: False, 0.05)
    talk.upstream.send(talk.answer())
    talk.upstream.hears()
    talk.client.hears_head()
    talk.bye()


def frames_with_the_answer(talk: Talk) -> None:
    """Server frames in the segment of the 101."""
    talk.client.send(talk.request())
    upstream = talk.upstream
    upstream.send(talk.answer() + upstream.wire(TEXT, b"welcome") + upstream.wire(PING, b"1"))
    talk.client.hears(2)
    talk.bye()


def half_a_frame_with_the_answer(talk: Talk) -> None:
    """The segment of the 101 ends within a frame."""
    talk.client.send(talk.request())
    data = talk.answer() + talk.upstream.wire(TEXT, b"welcome back")
    talk.upstream.send(data[:-6])
    talk.client.hears_head()
    talk.upstream.send(data[-6:])
    talk.client.hears()
    talk.bye()


def scenarios() -> Iterator[Scenario]:
    """All of this file; the heads are the subject."""
    for name, (suffix, headers, why) in REQUESTS.items():
        yield Scenario(f"request-{name}", why, asking(suffix, headers), heads=REQUEST)
    for name, (request, answer, why) in ANSWERS.items():
        yield Scenario(name, why, answering(request, answer), heads=ANSWER)
    others: dict[str, tuple[str, Play]] = {
        "request-with-odd-names": ("case and order of the names", sends_raw(odd_request)),
        "request-with-odd-blanks": ("RFC 9110 5.6.3: blanks around values", sends_raw(spaced_request)),
        "answer-with-odd-names": ("case, order and reason phrase", odd_answer),
        "answer-with-wrong-accept": ("RFC 6455 4.1: the client has to fail the connection", wrong_accept),
        "handshake-in-pieces": ("TCP has no message boundaries", pieces_of_the_handshake),
        "frames-with-the-request": ("uvicorn alone loses them", frames_with_the_request),
        "frames-while-waiting-for-the-answer": ("they wait for the 101, too", frames_while_waiting),
        "frames-with-the-answer": ("bytes after the 101 are frames", frames_with_the_answer),
        "half-a-frame-with-the-answer": ("bytes after the 101 are frames", half_a_frame_with_the_answer),
    }
    for name, (why, play) in others.items():
        yield Scenario(name, why, play, heads=REQUEST if name.startswith("request") else ANSWER)
