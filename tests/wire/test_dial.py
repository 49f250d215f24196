"""The answer to the upgrade request: in whatever pieces it comes, and whatever it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.utils import accept_key

from proxy.settings import Settings
from proxy.wire.dial import MAX_ANSWER, BadAnswer, Dial, Opened, Refused, pass_on, tls_context

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = b"GET /chat HTTP/1.1\r\n\r\n"
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"SEC-WebSocket-Accept: " + accept_key(KEY).encode() + b"\r\nSet-Cookie: a=1\r\nset-cookie: b=caf\xe9\r\n"
)
HEAD = SWITCH + b"\r\n"
FRAME = b"\x81\x05hello"


class Line:
    """As much of a transport as an opening handshake uses."""

    def __init__(self) -> None:
        self.written = b""
        self.end: str | None = None

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = self.end or "aborted"


class Call:
    """One upgrade request, the answer to it in `pieces`, and what came of it."""

    def __init__(self, *pieces: bytes, eof: bool = False, lost: bool = False) -> None:
        asyncio.run(self._play(pieces, eof, lost))

    async def _play(self, pieces: tuple[bytes, ...], eof: bool, lost: bool) -> None:
        self.line = Line()
        self.opened: Opened | None = None
        dial = Dial(REQUEST, KEY, self._opened)
        dial.connection_made(self.line)  # type: ignore[arg-type]
        for piece in pieces:
            dial.data_received(piece)
            if self.opened:
                break  # what comes now goes to the leg
        if eof:
            dial.eof_received()
        if lost:
            dial.connection_lost(None)
        self.over = dial.over.done()
        self.error = dial.over.exception() if self.over else None
        self.refused = dial.over.result() if self.over and not self.error else None

    def _opened(self, transport: Any, answer: Opened) -> None:
        assert transport is self.line
        self.opened = answer

    def failed(self) -> str:
        """The sentence for the client; the upstream's connection is gone."""
        assert isinstance(self.error, BadAnswer)
        assert self.line.end == "aborted"
        assert self.opened is None
        return str(self.error)


def cuts(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


# -- 101 ----------------------------------------------------------------------------------------------------


def test_the_request_is_sent_as_it_was_spelt():
    assert Call().line.written == REQUEST


def test_a_101_is_passed_on_byte_for_byte_with_what_came_behind_it():
    call = Call(HEAD + FRAME)
    assert call.opened == Opened(HEAD, FRAME, None)
    assert (call.refused, call.error, call.line.end) == (None, None, None)


def test_a_101_in_single_bytes_opens_with_the_last_of_them():
    *most, last = cuts(HEAD)
    assert not Call(*most).over
    assert Call(*most, last).opened == Opened(HEAD, b"", None)


@given(st.lists(st.integers(1, len(HEAD + FRAME) - 1), max_size=6))
def test_it_does_not_matter_how_a_101_is_cut(places):
    data, edges = HEAD + FRAME, [0, *sorted(set(places)), len(HEAD + FRAME)]
    call = Call(*[data[a:b] for a, b in pairwise(edges)])
    assert call.opened is not None
    assert call.opened.head == HEAD
    assert FRAME.startswith(call.opened.rest)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (accept_key(KEY).encode(), accept_key("x" * 24).encode(), "Sec-WebSocket-Accept"),
        (b"upgrade: WebSocket\r\n", b"", "Upgrade"),
        (b"upgrade: WebSocket\r\n", b"Upgrade: h2c\r\n", "Upgrade"),
        (b"keep-alive, Upgrade", b"keep-alive", "Connection"),
    ],
)
def test_a_101_that_does_not_keep_to_the_rules_is_refused(old, new, words):
    assert words in Call(HEAD.replace(old, new)).failed()


def test_an_extension_that_was_not_offered_is_refused():
    head = SWITCH + b"Sec-WebSocket-Extensions: mux\r\n\r\n"
    assert "mux" in Call(head).failed()


@pytest.mark.parametrize("cut", [lambda data: [data], cuts])
def test_an_interim_response_is_not_the_answer(cut: Callable[[bytes], list[bytes]]):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    call = Call(*cut(hints * 2 + HEAD + FRAME))
    assert call.opened is not None
    assert call.opened.head == HEAD


def test_a_subprotocol_is_for_the_client_to_judge():
    head = SWITCH + b"Sec-WebSocket-Protocol: whatever\r\n\r\n"
    assert Call(head).opened == Opened(head, b"", None)


# -- refusals -----------------------------------------------------------------------------------------------

REFUSALS = {
    "length": (b"HTTP/1.1 403 No Way\r\nContent-Length: 4\r\nX-Odd: caf\xe9\r\n\r\nnope", False),
    "no body": (b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", False),
    "redirect": (b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n", False),
    "chunked": (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n", False),
    "until the end": (b"HTTP/1.1 404 Not Found\r\n\r\nnothing here", True),
    "HTTP/1.0": (b"HTTP/1.0 500 Oops\r\nServer: small\r\n\r\noops", True),
}


@pytest.mark.parametrize("cut", [lambda data: [data], cuts], ids=["whole", "in single bytes"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_passed_on_byte_for_byte(name: str, cut: Callable[[bytes], list[bytes]]):
    response, eof = REFUSALS[name]
    call = Call(*cut(response), eof=eof)
    assert call.refused == Refused(response)
    assert call.line.end == "closed"
    assert call.opened is None


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_not_passed_on_before_it_is_whole(name):
    response, eof = REFUSALS[name]
    assert not Call(response if eof else response[:-1]).over


@pytest.mark.parametrize("status", [200, 204])
def test_a_success_that_is_no_switch_is_refused(status):
    answer = b"HTTP/1.1 %d Fine\r\nContent-Length: 0\r\n\r\n" % status
    assert str(status) in Call(answer).failed()


# -- neither ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02\x50", b"HTTP/2 101 Hi\r\n\r\n", b"\r\n\r\n" * 8],
    ids=repr,
)
def test_what_is_no_http_is_refused(garbage):
    assert "upstream" in Call(garbage, eof=True).failed()


HALVES = [b"", b"HTT", b"HTTP/1.1 101 Switching Pro", HEAD[:-1], b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nno"]


@pytest.mark.parametrize("before", HALVES, ids=repr)
@pytest.mark.parametrize("end", ["eof", "lost"])
def test_an_upstream_that_hangs_up_in_the_middle_is_told_from_one_that_refuses(before, end):
    assert "upstream" in Call(*([before] if before else []), **{end: True}).failed()


def test_an_answer_without_end_is_refused_at_its_limit():
    endless = b"HTTP/1.1 404 Not Found\r\n\r\n" + b"x" * MAX_ANSWER
    assert "1 MiB" in Call(endless[: MAX_ANSWER // 2], endless[MAX_ANSWER // 2 :]).failed()


def test_a_head_without_end_is_refused():
    assert "upstream" in Call(*[b"HTTP/1.1 101 Hi\r\n", *[b"X-Filler: " + b"x" * 1000 + b"\r\n"] * 1100]).failed()


def test_what_comes_after_a_failure_is_not_looked_at():
    call = Call(b"nonsense\r\n\r\n", HEAD)
    assert call.failed()
    assert call.opened is None


# -- pass_on ------------------------------------------------------------------------------------------------


def test_a_head_without_extensions_is_the_very_object_that_came_in():
    head, deflate = pass_on(HEAD)
    assert head is HEAD
    assert deflate is None


@pytest.mark.parametrize(
    "name", [b"Sec-WebSocket-Extensions", b"sec-websocket-extensions", b"SEC-WEBSOCKET-EXTENSIONS"]
)
def test_only_the_line_of_the_extension_is_respelt(name):
    line = name + b":permessage-deflate;server_no_context_takeover;client_max_window_bits=10  "
    head, deflate = pass_on(SWITCH + line + b"\r\nX-After:  two  blanks\r\n\r\n")
    told = (
        b": permessage-deflate; server_no_context_takeover; client_max_window_bits=10; client_no_context_takeover"
    )
    assert head == SWITCH + name + told + b"\r\nX-After:  two  blanks\r\n\r\n"
    assert deflate == (10, 15)


def test_a_compressed_connection_opens_with_what_was_agreed():
    line = b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n"
    call = Call(SWITCH + line, eof=False)
    assert call.opened is not None
    assert call.opened.deflate == (15, 15)


# -- TLS ----------------------------------------------------------------------------------------------------


def test_a_plain_upstream_needs_no_tls_and_a_secure_one_is_verified():
    assert tls_context(Settings.model_validate({"upstream": "ws://service.test"})) is None
    context = tls_context(Settings.model_validate({"upstream": "wss://service.test"}))
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
