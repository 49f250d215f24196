"""The upgrade request on its way upstream, header by header."""

from __future__ import annotations

import ipaddress

import pytest

from proxy.route import only
from proxy.settings import Settings
from proxy.wire.headers import Request, client_address, forwarded_headers, spell_request, trusted, upstream_headers

KEY = (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")
BASIC = (
    (b"Host", b"front.test"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    KEY,
    (b"Sec-WebSocket-Version", b"13"),
)
NETWORKS = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


def request(*more: tuple[bytes, bytes], basic=BASIC, target=b"/chat?x=1", method=b"GET", **kwargs) -> Request:
    about = {"version": "1.1", "peer": "192.0.2.7", "secure": False} | kwargs
    return Request(method, target, headers=(*basic, *more), **about)


def settings(**kwargs) -> Settings:
    return Settings.model_validate({"upstream": "ws://service.test:9000/base", "forwarded": False, **kwargs})


def sent(*more: tuple[bytes, bytes], **kwargs) -> list[tuple[bytes, bytes]]:
    return upstream_headers(request(*more), settings(**kwargs))


# -- faults -------------------------------------------------------------------------------------------------


def test_a_plain_handshake_has_no_fault():
    assert request().fault() is None
    assert request((b"Content-Length", b"0")).fault() is None


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (request(target=b"http://other.test/"), "must be a path"),
        (request(target=b"*"), "must be a path"),
        (request(target=b""), "must be a path"),
        (request(method=b"POST"), "is a GET request"),
        (request((b"Content-Length", b"5")), "has no body"),
        (request((b"content-length", b"0"), (b"Content-Length", b"00")), "has no body"),
        (request((b"Transfer-Encoding", b"chunked")), "has no body"),
        (request(KEY), "one Sec-WebSocket-Key"),
        (request(basic=BASIC[:3]), "one Sec-WebSocket-Key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_must_not_be_passed_on_says_why(bad, words):
    assert words in (bad.fault() or "")


# -- what goes upstream -------------------------------------------------------------------------------------


def test_headers_keep_their_order_case_and_bytes():
    odd = (
        (b"x-ODD", b"caf\xe9"),
        (b"Cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"X-Empty", b""),
        (b"Origin", b"null"),
    )
    assert sent(*odd) == [*BASIC, *odd]


@pytest.mark.parametrize(
    "name",
    [b"Keep-Alive", b"Proxy-Authorization", b"Proxy-Authenticate", b"proxy-connection", b"TE", b"Trailer"],
)
def test_headers_of_this_hop_stay_here(name):
    assert sent((name, b"x"), (b"After", b"y")) == [*BASIC, (b"After", b"y")]


def test_headers_that_connection_names_stay_here_too():
    basic = [(name, b"Upgrade, X-Hop , close" if name == b"Connection" else value) for name, value in BASIC]
    got = upstream_headers(request((b"x-hop", b"1"), (b"X-Stay", b"2"), basic=tuple(basic)), settings())
    assert got == [*basic, (b"X-Stay", b"2")]


def test_connection_cannot_name_the_handshake_away():
    basic = [(name, b"upgrade, Sec-WebSocket-Key" if name == b"Connection" else value) for name, value in BASIC]
    assert KEY in upstream_headers(request(basic=tuple(basic)), settings())


@pytest.mark.parametrize(
    ("upstream", "mode", "host"),
    [
        ("ws://service.test:9000", "auto", b"front.test"),
        ("wss://service.test:9000", "auto", b"service.test:9000"),
        ("wss://service.test", "upstream", b"service.test"),
        ("ws://[::1]:81", "upstream", b"[::1]:81"),
        ("wss://service.test", "keep", b"front.test"),
    ],
)
def test_which_host_the_upstream_is_told(upstream, mode, host):
    got = upstream_headers(request(), settings(upstream=upstream, host_header=mode))
    assert got[0] == (b"Host", host)
    assert [name.lower() for name, _ in got].count(b"host") == 1


# -- extensions ---------------------------------------------------------------------------------------------


def test_the_offer_is_respelt_where_the_first_one_stood():
    got = sent(
        (b"sec-websocket-EXTENSIONS", b"x-other, permessage-deflate"),
        (b"X-Between", b"1"),
        (b"Sec-WebSocket-Extensions", b"permessage-deflate; server_max_window_bits=10"),
    )
    both = b"; server_no_context_takeover; client_no_context_takeover"
    value = b"permessage-deflate" + both + b", permessage-deflate; server_max_window_bits=10" + both
    assert got == [*BASIC, (b"sec-websocket-EXTENSIONS", value), (b"X-Between", b"1")]


@pytest.mark.parametrize("offered", [b"x-other", b"permessage-deflate; ;", b""])
def test_an_offer_nobody_here_can_look_into_is_not_made(offered):
    assert sent((b"Sec-WebSocket-Extensions", offered)) == list(BASIC)


def test_compression_can_be_turned_off():
    assert sent((b"Sec-WebSocket-Extensions", b"permessage-deflate"), deflate=False) == list(BASIC)


# -- forwarding ---------------------------------------------------------------------------------------------

FORGED = ((b"X-Forwarded-For", b"1.2.3.4"), (b"x-forwarded-proto", b"https"), (b"Forwarded", b"for=1.2.3.4"))


def values(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    assert len({name.lower() for name, _ in headers}) == len(headers), "a header appears twice"
    return {name.lower(): value for name, value in headers}


def test_what_a_stranger_says_about_the_client_is_replaced():
    got = values(upstream_headers(request(*FORGED), settings(forwarded=True)))
    assert got[b"x-forwarded-for"] == b"192.0.2.7"
    assert got[b"x-forwarded-proto"] == b"http"
    assert got[b"x-forwarded-host"] == b"front.test"
    assert got[b"forwarded"] == b'for=192.0.2.7;host="front.test";proto=http'


def test_what_a_trusted_proxy_says_is_continued():
    one = request(*FORGED, (b"X-Forwarded-Host", b"outer.test"), peer="10.1.1.1")
    got = values(upstream_headers(one, settings(forwarded=True, trusted_proxies=["10.0.0.0/8"])))
    assert got[b"x-forwarded-for"] == b"1.2.3.4, 10.1.1.1"
    assert got[b"x-forwarded-proto"] == b"https"
    assert got[b"x-forwarded-host"] == b"outer.test"
    assert got[b"forwarded"] == b'for=1.2.3.4, for=10.1.1.1;host="front.test";proto=http'


def test_without_forwarding_the_client_s_own_headers_pass_untouched():
    assert sent(*FORGED) == [*BASIC, *FORGED]


def test_an_ipv6_client_is_quoted_and_bracketed_in_forwarded_only():
    got = values(forwarded_headers(request(peer="2001:db8::1", secure=True), believed=False))
    assert got[b"x-forwarded-for"] == b"2001:db8::1"
    assert got[b"forwarded"] == b'for="[2001:db8::1]";host="front.test";proto=https'


def test_a_host_cannot_break_out_of_its_quotes():
    basic = ((b"Host", b'a";for=1.2.3.4;x="\\'), *BASIC[1:])
    got = values(forwarded_headers(request(basic=basic), believed=False))
    assert got[b"forwarded"].count(b'"') == 2
    assert b"\\" not in got[b"forwarded"]


# -- who the client is --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", [b"1.2.3.4"], "192.0.2.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [b"1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", [b"9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", [b"1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", [b"9.9.9.9", b"1.2.3.4 ,10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", [b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [b"not an address"], "not an address"),
        ("fd00::1", [b"2001:db8::5"], "2001:db8::5"),
        ("fe80::1%eth0", [b"1.2.3.4"], "fe80::1%eth0"),
        ("unknown", [b"1.2.3.4"], "unknown"),
    ],
    ids=repr,
)
def test_the_client_is_the_last_one_nobody_trusted_vouches_for(peer, chain, client):
    one = request(*[(b"X-Forwarded-For", value) for value in chain], peer=peer)
    assert client_address(one, NETWORKS) == client


def test_nobody_is_trusted_by_default():
    assert client_address(request(*FORGED, peer="127.0.0.1"), ()) == "127.0.0.1"
    assert not trusted("127.0.0.1", ())


# -- spelling -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "base", "line"),
    [
        (b"/chat?x=1", "", b"GET /chat?x=1 HTTP/1.1\r\n"),
        (b"/a%2Fb/%C3%A9?q=%zz", "/base", b"GET /base/a%2Fb/%C3%A9?q=%zz HTTP/1.1\r\n"),
        (b"/", "/base", b"GET /base/ HTTP/1.1\r\n"),
        (b"//double", "", b"GET //double HTTP/1.1\r\n"),
    ],
)
def test_the_target_is_passed_on_as_it_came_behind_the_base_path(target, base, line):
    route = only(settings(upstream=f"ws://service.test{base}")).routes[0]
    spelt = spell_request(request(target=target), [(b"X-Odd", b"caf\xe9")], route.target(target, {}))
    assert spelt == line + b"X-Odd: caf\xe9\r\n\r\n"
