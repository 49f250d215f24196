"""Several services behind one proxy that was started with a hushwire.yaml, over real sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.certificates import Certificate, make_certificate
from tests.harness import ROOT, Hushwire
from tests.wire.drill import Service, echo, eventually, metrics
from tests.wire.ends import KEY, End, ask, dial
from tests.wire.frames import CLOSE, MASK, TEXT, close

MAIL, MASKED, NAMED = b"write to bob@example.com", b"write to ###############", b"write to <EMAIL_ADDRESS>"

RULES = """
version: 1
rules:
  - {id: emails, entities: [EMAIL_ADDRESS], action: {mask: {char: "#", keep_separators: false}}}
"""
ROUTES = """
version: 1
limits: {connections: 5}
trusted_proxies: [127.0.0.0/8]
routes:
  - name: chat
    match: {path: "/chat/{room}"}
    upstream: "%(first)s/v1/{room}/socket"
    rules: rules/masks.yaml
  - name: guarded
    match: {path: "/guarded/{rest:path}"}
    upstream: "%(first)s/"
    auth: {bearer: env:TEST_TOKENS, origins: ["https://app.example.com"]}
    rules: ./rules/masks.yaml
  - name: rehearsal
    match: {host: "*.rehearsal.test"}
    upstream: "%(second)s/base"
    mode: shadow
  - name: second
    match: {subprotocol: [feed.v2], host: service.test}
    upstream: {url: "%(second)s", connect_timeout: 5s}
    binary: deny
    limits: {message: 1KiB, connections: 2, per_address: 1, idle: 1h}
  - name: slow
    match: {path: /slow}
    upstream: "%(second)s"
    limits: {messages_per_second: 20}
"""


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[Service, Service]]:
    def agrees(end: End) -> None:
        original = end.accept
        end.accept = lambda headers=b"": original(headers + b"Sec-WebSocket-Protocol: feed.v2\r\n")  # type: ignore[method-assign]
        echo(end)

    def behave(end: End) -> None:
        (agrees if b"feed.v2" in end.head else echo)(end)

    with Service() as first, Service(behave) as second:
        yield first, second


@pytest.fixture(scope="module")
def proxy(services: tuple[Service, Service], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hushwire]:
    folder = tmp_path_factory.mktemp("routes")
    (folder / "rules").mkdir()
    (folder / "rules" / "masks.yaml").write_text(RULES)
    file = folder / "hushwire.yaml"
    file.write_text(ROUTES % {"first": services[0].url, "second": services[1].url})
    with Hushwire(file, variables={"TEST_TOKENS": "first-token, second-token"}) as process:
        yield process


@pytest.fixture(autouse=True)
def leaves_nothing_behind(proxy: Hushwire) -> Iterator[None]:
    yield
    assert eventually(lambda: still_open(proxy) == 0), "the proxy still holds connections"


def still_open(proxy: Hushwire) -> float:
    return sum(value for name, value in metrics(proxy).items() if name.startswith("hushwire_connections_open"))


def request(path: str, host: str = "service.test", headers: bytes = b"") -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".encode()
        + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        + KEY
        + b"\r\n"
        + headers
        + b"\r\n"
    )


def opened(proxy: Hushwire, path: str, host: str = "service.test", headers: bytes = b"") -> End:
    end = dial((proxy.host, proxy.port))
    end.raw(request(path, host, headers))
    head = end.hears_head()
    assert head.startswith(b"HTTP/1.1 101 "), head + bytes(end.unread)
    return end


def refused(
    proxy: Hushwire, path: str, host: str = "service.test", headers: bytes = b""
) -> tuple[int, str, bytes]:
    head, _, body = ask((proxy.host, proxy.port), request(path, host, headers)).partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode(), head


def says(end: End, message: bytes) -> bytes:
    end.say(TEXT, message)
    return end.hears_payload()


FEED = b"Sec-WebSocket-Protocol: feed.v1, feed.v2\r\n"


def test_two_services_have_their_own_rules_and_get_their_own_paths(
    proxy: Hushwire, services: tuple[Service, Service]
) -> None:
    with opened(proxy, "/chat/r%C3%A9d?since=5") as chat, opened(proxy, "/any/where?x", headers=FEED) as feed:
        assert says(chat, MAIL) == MASKED
        assert says(feed, MAIL) == NAMED
        assert services[0].last().head.startswith(b"GET /v1/r%C3%A9d/socket?since=5 HTTP/1.1\r\n")
        assert services[1].last().head.startswith(b"GET /any/where?x HTTP/1.1\r\n")
        assert b"Sec-WebSocket-Protocol: feed.v2" in feed.head


def test_a_route_in_shadow_mode_changes_nothing(proxy: Hushwire, services: tuple[Service, Service]) -> None:
    with opened(proxy, "/x", "a.rehearsal.test:8080") as end:
        assert says(end, MAIL) == MAIL
        assert services[1].last().head.startswith(b"GET /base/x HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("path", "host", "headers"),
    [
        ("/chat", "service.test", b""),
        ("/chat/a/b", "service.test", b""),
        ("/", "rehearsal.test", b""),
        ("/", "service.test", b"Sec-WebSocket-Protocol: feed.v1\r\n"),
        ("/", "other.test", FEED),
    ],
)
def test_what_no_route_takes_is_404_in_a_sentence(
    proxy: Hushwire, services: tuple[Service, Service], path: str, host: str, headers: bytes
) -> None:
    before = [len(service.ends) for service in services]
    status, sentence, _ = refused(proxy, path, host, headers)
    assert status == 404
    assert sentence == "No route of this proxy takes this path, host and subprotocol.\n"
    assert [len(service.ends) for service in services] == before


def test_a_path_that_can_be_read_in_two_ways_is_400(proxy: Hushwire) -> None:
    for path in ("/chat/x/../../guarded/y", "/guarded/%2e%2e/x", "/slow/..%2Fguarded/x"):
        status, sentence, _ = refused(proxy, path)
        assert status == 400
        assert "two ways" in sentence


# -- who may connect


ORIGIN = b"Origin: https://app.example.com\r\n"


@pytest.mark.parametrize("token", [b"first-token", b"second-token"])
def test_a_known_token_and_origin_open_and_the_token_stays_here(
    proxy: Hushwire, services: tuple[Service, Service], token: bytes
) -> None:
    headers = b"Authorization: Bearer " + token + b"\r\nX-Other: stays\r\n" + ORIGIN
    with opened(proxy, "/guarded/deep/er", headers=headers) as end:
        assert says(end, MAIL) == MASKED
        head = services[0].last().head
        assert head.startswith(b"GET /guarded/deep/er ")
        assert b"Authorization" not in head
        assert token not in head
        assert b"X-Other: stays" in head


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (ORIGIN, 401),
        (ORIGIN + b"Authorization: Bearer third-token\r\n", 401),
        (ORIGIN + b"Authorization: Bearer first-token\r\nAuthorization: Bearer first-token\r\n", 401),
        (b"Authorization: Bearer first-token\r\n", 403),
        (b"Authorization: Bearer first-token\r\nOrigin: https://evil.example\r\n", 403),
    ],
)
def test_others_are_401_or_403_and_the_service_hears_nothing_of_them(
    proxy: Hushwire, services: tuple[Service, Service], headers: bytes, status: int
) -> None:
    before = len(services[0].ends)
    answered, sentence, head = refused(proxy, "/guarded/x", headers=headers)
    assert answered == status
    assert "token" not in sentence or "TOKEN" in sentence
    assert (b"\r\nWWW-Authenticate: Bearer" in head) is (status == 401)
    assert len(services[0].ends) == before


def test_a_route_without_auth_passes_authorization_on(proxy: Hushwire, services: tuple[Service, Service]) -> None:
    with opened(proxy, "/chat/x", headers=b"Authorization: Bearer of-the-service\r\n"):
        assert b"Authorization: Bearer of-the-service" in services[0].last().head


# -- limits of each


def test_a_route_has_its_own_size_of_messages_and_its_own_word_on_binary(proxy: Hushwire) -> None:
    with opened(proxy, "/", headers=FEED) as feed:
        feed.say(TEXT, b"x" * 1025)
        assert feed.hears_close() == 1009
    assert eventually(lambda: still_open(proxy) == 0)
    with opened(proxy, "/", headers=FEED) as feed:
        feed.say(2, b"x")
        assert feed.hears_close() == 1003
    with opened(proxy, "/chat/x") as chat:
        assert len(says(chat, b"x" * 1025)) == 1025
        chat.say(2, b"x")
        assert chat.hears_payload() == b"x"


def test_the_limits_of_a_route_are_no_limits_of_another_and_all_share_one(proxy: Hushwire) -> None:
    def feed(address: bytes) -> bytes:
        return FEED + b"X-Forwarded-For: " + address + b"\r\n"

    with contextlib.ExitStack() as stack:
        stack.enter_context(opened(proxy, "/", headers=feed(b"192.0.2.1")))
        status, sentence, _ = refused(proxy, "/", headers=feed(b"192.0.2.1"))
        assert (status, "per_address" in sentence) == (503, True)
        stack.enter_context(opened(proxy, "/", headers=feed(b"192.0.2.2")))
        status, sentence, _ = refused(proxy, "/", headers=feed(b"192.0.2.3"))
        assert (status, "limits.connections" in sentence) == (503, True)
        for _ in range(3):
            stack.enter_context(opened(proxy, "/chat/x"))
        status, sentence, head = refused(proxy, "/chat/x")
        assert (status, "--max-connections" in sentence) == (503, True)
        assert b"\r\nRetry-After: " in head
    assert eventually(lambda: still_open(proxy) == 0)
    opened(proxy, "/", headers=feed(b"192.0.2.1")).rst()


def test_a_client_that_is_too_fast_waits_and_loses_nothing(proxy: Hushwire) -> None:
    messages = [b"number %d" % i for i in range(50)]
    with opened(proxy, "/slow") as end:
        since = time.monotonic()
        end.raw(b"".join(end.frame(TEXT, message) for message in messages))
        assert [end.hears_payload() for _ in messages] == messages
        assert time.monotonic() - since > 1.3, "20 at once, and then 30 at 20 a second"


# -- what the operator sees


def test_counters_say_their_route_and_what_has_none_says_none(proxy: Hushwire) -> None:
    before = metrics(proxy)
    with opened(proxy, "/chat/x") as chat:
        says(chat, MAIL)
    refused(proxy, "/nowhere")
    refused(proxy, "/guarded/x")
    redactions = 'hushwire_redactions_total{direction="%s",entity="EMAIL_ADDRESS",route="%s"}'
    after = metrics(proxy)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown(redactions % ("client_to_upstream", "chat")) == 1
    assert grown(redactions % ("client_to_upstream", "second")) == 0
    assert grown('hushwire_connections_total{route="chat"}') == 1
    assert grown('hushwire_handshakes_refused_total{reason="no_route"}') == 1
    assert grown('hushwire_handshakes_refused_total{reason="unauthorized",route="guarded"}') == 1
    assert any(name.startswith("hushwire_info{") and 'route="rehearsal"' in name for name in after)


def test_ready_says_every_route(proxy: Hushwire) -> None:
    routes = {route["route"]: route for route in proxy.ready["routes"]}
    assert list(routes) == ["chat", "guarded", "rehearsal", "second", "slow"]
    assert routes["chat"]["match"] == "/chat/{room}"
    assert routes["chat"]["upstream"].endswith("/v1/{room}/socket")
    assert routes["chat"]["rules"] == "masks"
    assert routes["chat"]["digest"] == routes["guarded"]["digest"] != routes["second"]["digest"]
    assert any("session" in line and "on route chat" in line for line in proxy.log)


def test_a_signal_drains_all_routes(services: tuple[Service, Service], tmp_path: Path) -> None:
    file = tmp_path / "hushwire.yaml"
    routes = "".join(
        f"\n  - {{name: r{i}, match: {{path: /{i}}}, upstream: '{service.url}'}}"
        for i, service in enumerate(services)
    )
    file.write_text(f"version: 1\nroutes:{routes}")
    with Hushwire(file, "--drain-wait", "0", "--workers", "2") as proxy:
        ends = [opened(proxy, f"/{i}") for i in range(2)]
        assert eventually(lambda: still_open(proxy) == 2)
        proxy.process.terminate()
        for end in ends:
            assert end.hears_close() == 1012
            end.say(CLOSE, close(1012))
            end.fin()
        assert proxy.stop() == 0


# -- what cannot be inspected


def test_on_the_route_that_accepts_leaks_what_takes_too_long_goes_on_and_everybody_is_told(tmp_path: Path) -> None:
    long = b"\n".join(b"write to bob%d@example.com" % i for i in range(4000))
    with Service() as service:
        (tmp_path / "hushwire.yaml").write_text(
            "version: 1\nroutes:\n"
            f"  - {{name: leaky, match: {{path: /leaky}}, upstream: '{service.url}',"
            " on_error: pass, i_accept_leaks: true}\n"
            f"  - {{name: closed, upstream: '{service.url}'}}\n"
        )
        with Hushwire(tmp_path / "hushwire.yaml", "--inspect-timeout", "10ms") as proxy:
            assert any("WARNING route leaky forwards what cannot be inspected" in line for line in proxy.log)
            with opened(proxy, "/leaky") as leaky, opened(proxy, "/") as closed:
                assert says(leaky, long) == long
                assert says(leaky, MAIL) == NAMED
                closed.say(TEXT, long)
                assert closed.hears_close() == 1011
            assert any("uninspected (on_error: pass)" in line for line in proxy.log)
            assert not any("bob" in line for line in proxy.log)
            counted = metrics(proxy)
            assert counted['hushwire_leaks_total{cause="budget",route="leaky"}'] == 2, "there and back"
            assert counted['hushwire_refusals_total{cause="budget",route="closed"}'] == 1


# -- certificates of clients


def test_with_a_client_ca_nobody_without_a_certificate_of_it_gets_in(
    services: tuple[Service, Service], tmp_path: Path
) -> None:
    server, known = make_certificate(tmp_path, "127.0.0.1"), make_certificate(tmp_path, "known.example")
    stranger = make_certificate(tmp_path, "stranger.example")
    files = {"cert": server.chain, "key": server.key, "client_ca": known.chain}
    tls = ", ".join(f"{name}: file:{file.name}" for name, file in files.items())
    service = services[0].url
    (tmp_path / "hushwire.yaml").write_text(
        f"version: 1\nlisten: {{tls: {{{tls}}}}}\nroutes: [{{name: all, upstream: '{service}'}}]\n"
    )
    with Hushwire(tmp_path / "hushwire.yaml") as proxy:

        def secure(shown: Certificate | None) -> End:
            context = ssl.create_default_context(cafile=server.chain)
            if shown is not None:
                context.load_cert_chain(*shown.pair)
            sock = socket.create_connection((proxy.host, proxy.port), 10)
            return End(context.wrap_socket(sock, server_hostname="127.0.0.1"), MASK)

        with secure(known) as end:
            end.raw(request("/"))
            assert end.hears_head().startswith(b"HTTP/1.1 101 ")
            assert says(end, MAIL) == NAMED
        for shown in (None, stranger):
            before, head = len(services[0].ends), b""
            # In TLS 1.3 the client hears of it after its own handshake, as an alert or as an end.
            with contextlib.suppress(ssl.SSLError, ConnectionError), secure(shown) as end:
                end.raw(request("/"))
                head = end.hears_head()
            assert (head, len(services[0].ends)) == (b"", before)


# -- what cannot be started


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proxy", "run", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_config_with_faults_exits_with_3_and_tells_each_on_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hushwire.yaml"
    file.write_text("version: 1\nroutes:\n  - {name: a, upstream: nowhere, mode: dry}\n")
    result = started("--config", str(file))
    assert (result.returncode, result.stdout) == (3, "")
    assert [line.split(" ")[0] for line in result.stderr.splitlines()] == [f"{file}:3:25:", f"{file}:3:40:"]


def test_rules_of_a_route_with_faults_exit_with_3_and_name_their_own_file(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("version: 1\nruls: []\n")
    file = tmp_path / "hushwire.yaml"
    file.write_text("version: 1\nroutes: [{name: a, upstream: 'ws://127.0.0.1:9', rules: ./rules.yaml}]\n")
    result = started("--config", str(file), "--listen", "127.0.0.1:0")
    assert result.returncode == 3
    assert f"{tmp_path / 'rules.yaml'}:2:1: error[E011]" in result.stderr


def test_an_option_that_a_route_says_itself_exits_with_2(tmp_path: Path) -> None:
    file = tmp_path / "hushwire.yaml"
    file.write_text("version: 1\nroutes: [{name: a, upstream: 'ws://127.0.0.1:9'}]\n")
    result = started("--config", str(file), "--binary", "pass", "--upstream", "ws://127.0.0.1:9")
    assert result.returncode == 2
    assert [line.partition(":")[0] for line in result.stderr.splitlines()[:-1]] == ["--upstream", "--binary"]
