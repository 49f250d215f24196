"""Which route takes a request, who may use it, and what is asked of the upstream."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.route import Auth, Denied, Match, Route, Table, Unclear, host_of
from proxy.settings import Settings
from proxy.template import parse_template, segments_of

SETTINGS = Settings(upstream="ws://service.test/base")


def route(
    path: str | None = None, host: str | None = None, offers: tuple[str, ...] = (), to: str | None = None
) -> Route:
    match = Match(parse_template(path) if path else None, host, frozenset(offers))
    return Route("some", SETTINGS, match, parse_template(to) if to else None)


def place(*routes: Route, path: str = "/", host: bytes = b"a.example", offers: tuple[str, ...] = ()) -> int | None:
    chosen = Table(routes).choose(path.encode(), [host], frozenset(offers))
    return chosen and chosen.place


# -- paths


@pytest.mark.parametrize(
    ("template", "path", "params"),
    [
        ("/chat", "/chat", {}),
        ("/chat", "/chat/", {}),
        ("/chat/", "/chat", {}),
        ("/chat", "/ch%61t", {}),
        ("/caf%C3%A9", "/caf\u00e9", {}),
        ("/", "/", {}),
        ("/chat/{room}", "/chat/42", {"room": "42"}),
        ("/chat/{room}", "/chat/caf%C3%A9%2Fbar", {"room": "caf%C3%A9%2Fbar"}),
        ("/{a}/x/{b}", "/1/x/2", {"a": "1", "b": "2"}),
        ("/files/{rest:path}", "/files/a/b%20c", {"rest": "a/b%20c"}),
        ("/files/{rest:path}", "/files", {"rest": ""}),
        ("/{rest:path}", "/", {"rest": ""}),
        ("/chat", "/Chat", None),
        ("/chat", "/chat/x", None),
        ("/chat/{room}", "/chat", None),
        ("/chat/{room}", "/chat/", None),
        ("/chat/{room}", "/chat//x", None),
        ("/chat/{room}", "/chat/a/b", None),
        ("/files/{rest:path}", "/file", None),
    ],
)
def test_a_path_matches_segment_by_segment(template: str, path: str, params: dict[str, str] | None) -> None:
    found = parse_template(template).match(segments_of(path.encode()))
    assert found == (None if params is None else {name: value.encode() for name, value in params.items()})


@pytest.mark.parametrize(
    "text", ["chat", "/chat/{room", "/room-{id}", "/{a}/{a}", "/{rest:path}/x", "/a//b", "/../x"]
)
def test_what_is_no_path_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"path|parameter|segment"):
        parse_template(text)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_a_parameter_goes_upstream_as_it_came_and_stays_one_segment(values: list[str]) -> None:
    spelt = [quote(value, safe="") for value in values]
    template = parse_template("/" + "/".join(f"{{p{i}}}" for i in range(len(values))))
    params = template.match(segments_of(("/" + "/".join(spelt)).encode()))
    assert params is not None
    assert template.fill(params) == ("/" + "/".join(spelt)).encode()
    assert [unquote_to_bytes(value) for value in params.values()] == [value.encode() for value in values]


@pytest.mark.parametrize(
    ("path", "to", "asked", "sent"),
    [
        ("/chat/{room}", None, "/chat/7?x=%zz", "/base/chat/7?x=%zz"),
        ("/chat/{room}", "/v1/{room}/socket", "/chat/7%2F8?q=/a/../b", "/v1/7%2F8/socket?q=/a/../b"),
        ("/chat/{room}", "/v1/{room}/", "/chat/7", "/v1/7/"),
        ("/{a}/{b}", "/{b}/{a}", "/1/2", "/2/1"),
        ("/files/{rest:path}", "/{rest:path}", "/files/a/b/", "/a/b"),
        ("/files/{rest:path}", "/all/{rest:path}", "/files?", "/all/?"),
    ],
)
def test_the_upstream_is_asked_for_its_own_path_and_gets_the_query(
    path: str, to: str | None, asked: str, sent: str
) -> None:
    one = route(path, to=to)
    chosen = Table([one]).choose(asked.encode(), [], frozenset())
    assert chosen is not None
    assert one.target(asked.encode(), chosen.params) == sent.encode()


# -- the first that fits


def test_the_first_route_that_fits_takes_a_request_and_nobody_takes_it_if_none_does() -> None:
    routes = (route("/chat/{room}"), route("/chat/special"), route("/feed"))
    assert place(*routes, path="/chat/special") == 0
    assert place(*routes, path="/feed?chat") == 2
    assert place(*routes, path="/other") is None
    assert place(*routes, route(), path="/other") == 3


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        ("chat.example.com", b"chat.example.com", True),
        ("chat.example.com", b"CHAT.example.com.:8443", True),
        ("chat.example.com", b"chat.example.com.evil.test", False),
        ("*.example.com", b"a.example.com", True),
        ("*.example.com", b"a.b.example.com:80", True),
        ("*.example.com", b"example.com", False),
        ("*.example.com", b"badexample.com", False),
        ("[::1]", b"[::1]:8080", True),
        ("[::1]", b"[::1]", True),
    ],
)
def test_a_host_is_compared_without_case_port_and_final_dot(pattern: str, host: bytes, fits: bool) -> None:
    assert (place(route(host=pattern), host=host) == 0) is fits


def test_a_subprotocol_has_to_be_on_offer() -> None:
    routes = (route(offers=("chat.v2", "chat.v3")), route())
    assert place(*routes, offers=("chat.v1", "chat.v3")) == 0
    assert place(*routes, offers=("chat.v1",)) == 1
    assert place(*routes) == 1


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b".a.example",
        b"u@a.example",
        b"a%2eexample",
        b"a.example..",
        b"a.example:8x",
        b"a.example, x",
        b"\xe4.example",
    ],
)
def test_a_host_that_services_may_read_in_different_ways_gets_around_no_route(host: bytes) -> None:
    with pytest.raises(Unclear, match="Host header"):
        place(route(host="a.example"), route(), host=host)
    assert place(route("/x"), route(), host=host) == 1  # where nobody asks for it, it does not matter


@pytest.mark.parametrize("hosts", [[], [b"a.example", b"b.example"]])
def test_without_one_host_header_nothing_is_chosen_by_host(hosts: list[bytes]) -> None:
    with pytest.raises(Unclear, match="Host"):
        Table([route(host="b.example"), route()]).choose(b"/", hosts, frozenset())
    assert Table([route("/x"), route()]).choose(b"/", hosts, frozenset()) is not None


# -- a path must not get around the rules of the route that it is for


STRICT, LAX = route("/admin/{what}"), route()


@pytest.mark.parametrize(
    "path",
    [
        "/admin%2Fx",
        "//admin/x",
        "/admin//x",
        "/%61dmin%2Fx",
        "/admin%5Cx",
        "/admin\\x",
        "/Admin/x",
        "/ADMIN%2fx",
        "/admin;v=1/x",
        "/;/admin/x",
        "/%61dMin/x",
    ],
)
def test_a_path_that_another_reading_gives_to_another_route_is_refused(path: str) -> None:
    with pytest.raises(Unclear, match="another route"):
        place(STRICT, LAX, path=path)


@pytest.mark.parametrize(
    "path",
    ["/x/../admin/x", "/x/%2e%2E/admin/x", "/./admin/x", "/x%2F..%2Fadmin/x", "/%252e%252e/x", "/x/..;/admin/x"],
)
def test_segments_of_dots_are_refused_where_routes_are_told_apart_by_path(path: str) -> None:
    with pytest.raises(Unclear, match="dots"):
        place(STRICT, LAX, path=path)
    assert place(LAX, path=path) == 0, "one route for all needs no reading of paths"


@pytest.mark.parametrize("path", ["/%61dmin/x", "/admin/x/", "/admin/...", "/admin/x?../y"])
def test_a_path_that_only_looks_odd_takes_its_route(path: str) -> None:
    assert place(STRICT, LAX, path=path) == 0


def test_a_route_in_capitals_is_got_around_no_more_than_another() -> None:
    capitals = route("/Hubs/{name}")
    assert place(capitals, LAX, path="/Hubs/Chat;v=1") == 0
    with pytest.raises(Unclear):
        place(capitals, LAX, path="/hubs/Chat")
    assert place(capitals, route("/feed"), path="/hubs/Chat") is None


def test_routes_that_differ_by_case_alone_are_told_apart_by_it() -> None:
    routes = (route("/Chat"), route("/chat"), LAX)
    assert [place(*routes, path=path) for path in ("/Chat", "/chat")] == [0, 1]
    with pytest.raises(Unclear):
        place(*routes, path="/CHAT")


def test_an_escaped_slash_in_a_parameter_is_refused_only_if_another_route_could_be_meant() -> None:
    assert place(STRICT, route("/feed"), path="/admin/a%2Fb") == 0
    with pytest.raises(Unclear):
        place(STRICT, LAX, path="/admin/a%2Fb")


@given(
    st.lists(
        st.sampled_from(["admin", "%61dmin", "%2F", "/", "//", "x", "..", "%2e", "\\", "%5c", "?"]), max_size=6
    )
)
def test_whoever_reads_the_path_once_more_comes_to_the_same_route(parts: list[str]) -> None:
    """What gets through to the lax route is not for the strict one, whether escapes are resolved or not."""
    path = "/" + "".join(parts)
    try:
        chosen = place(STRICT, LAX, path=path)
    except Unclear:
        return
    read = unquote_to_bytes(path.partition("?")[0]).replace(b"\\", b"/")
    segments = [part for part in read.split(b"/") if part]
    assert not {b".", b".."} & set(segments)
    if chosen == 1:
        assert not (len(segments) == 2 and segments[0] == b"admin")


# -- who may use it


TOKENS = Auth(digests=tuple(sha256(token).digest() for token in (b"first", b"second")))


@pytest.mark.parametrize("values", [[b"Bearer first"], [b"bearer second"], [b"  Bearer   first "]])
def test_a_known_token_opens(values: list[bytes]) -> None:
    TOKENS.check(values, [])


@pytest.mark.parametrize(
    "values",
    [
        *([], [b""], [b"first"], [b"Basic first"], [b"Bearer"], [b"Bearer third"], [b"Bearer first second"]),
        *([b"Bearer first", b"Bearer first"], [b"Bearer " + sha256(b"first").digest()], [b"Bearer \xff"]),
    ],
)
def test_anything_else_is_401(values: list[bytes]) -> None:
    with pytest.raises(Denied) as denied:
        TOKENS.check(values, [])
    assert (denied.value.status, denied.value.reason) == (401, "unauthorized")


def test_no_token_is_shown() -> None:
    assert "first" not in repr(TOKENS)
    assert "digests" not in repr(TOKENS)


@pytest.mark.parametrize(
    ("values", "opens"),
    [
        ([b"https://app.example.com"], True),
        ([b"HTTPS://App.Example.com"], True),
        ([b"https://app.example.com:444"], False),
        ([b"http://app.example.com"], False),
        ([b"https://app.example.com.evil.test"], False),
        ([b"null"], False),
        ([], False),
        ([b"https://app.example.com", b"https://app.example.com"], False),
    ],
)
def test_only_pages_of_the_origins_may_connect_and_nobody_without_one(values: list[bytes], opens: bool) -> None:
    auth = Auth(origins=frozenset([b"https://app.example.com"]))
    if opens:
        auth.check([], values)
        return
    with pytest.raises(Denied) as denied:
        auth.check([], values)
    assert (denied.value.status, denied.value.reason) == (403, "origin")


def test_both_conditions_hold_together() -> None:
    auth = Auth(TOKENS.digests, frozenset([b"https://app.example.com"]))
    auth.check([b"Bearer first"], [b"https://app.example.com"])
    for authorization, origin in (([], [b"https://app.example.com"]), ([b"Bearer first"], [])):
        with pytest.raises(Denied):
            auth.check(authorization, origin)


def test_a_host_header_is_read_without_its_port() -> None:
    assert host_of(b" Chat.Example:80 ") == "chat.example"
    assert host_of(b"chat.example.:") == "chat.example"  # RFC 3986 section 3.2.3: a port may be empty
    assert host_of(b"[::1]:80") == "[::1]"
    assert host_of(b"[::1]") == "[::1]"
