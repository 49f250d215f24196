"""hushwire.yaml: each key arrives where it belongs. What can be wrong is in test_faults.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.config import plan_of, read
from proxy.config.schema import ConfigText, RouteText
from proxy.faults import Unusable
from proxy.options import OF_ROUTES, OPTIONS
from proxy.route import Route
from proxy.rulebook.closed import Closed
from proxy.settings import Address, Settings, Upstream
from tests.clients.certificates import Certificate, make_certificate
from tests.config.files import SMALLEST, config, fill
from tests.harness import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def certificate(folder: Path) -> Certificate:
    return make_certificate(folder, "service.test")


def route(folder: Path, text: str) -> Route:
    """The first route as run; `text` is written into its mapping."""
    written = f"version: 1\nroutes:\n  - {{name: all, upstream: 'ws://service.test', {text}}}\n"
    return plan_of(config(folder, written), {}, {}).routes[0]


# -- what arrives


def test_the_smallest_file_is_one_route_for_everything_with_the_settings_of_the_command_line(folder: Path) -> None:
    plan = plan_of(config(folder, SMALLEST), {}, {})
    (only,) = plan.routes
    assert plan.named
    assert only.settings == plan.settings == Settings(upstream="ws://service.test:9000")
    assert (only.name, str(only.match), only.shown) == ("all", "every request", "ws://service.test:9000")


def shown(given: object) -> str:
    return given if isinstance(given, str) else ""


NETWORKS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
PROCESS: list[tuple[str, str, object]] = [
    ("listen: 0.0.0.0:80", "listen", Address("0.0.0.0", 80)),
    ("listen: {host: 127.0.0.2}", "listen", Address("127.0.0.2", 8080)),
    ("listen: {port: 81}", "listen", Address("127.0.0.1", 81)),
    ("admin: 127.0.0.2:81", "admin", Address("127.0.0.2", 81)),
    ("admin: {port: 82}", "admin", Address("127.0.0.1", 82)),
    ("admin: off", "admin", None),
    ("admin: {host: 0.0.0.0, token: env:TOKEN}", "admin_token", "s3cret"),
    ("admin: {token: file:token.txt}", "admin_token", "from-a-file"),
    ("workers: 3", "workers", 3),
    ("ner: strict", "ner", "strict"),
    (
        "trusted_proxies: [10.0.0.0/8, fd00::/8]",
        "trusted_proxies",
        (ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
    ),
    ("vault: redis://127.0.0.1:6379/0", "vault", "redis://127.0.0.1:6379/0"),
    ("vault: env:TOKEN", "vault", "env:TOKEN"),
    ("vault: {url: memory, ttl: 2h}", "vault_ttl", 7200.0),
    ("vault: {url: memory, size: 5}", "vault_size", 5),
    ("audit: off", "audit", "off"),
    ("audit: {dir: /var/audit}", "audit", "/var/audit"),
    ("audit: /var/audit", "audit", "/var/audit"),
    ("audit: {level: messages}", "audit_level", "messages"),
    ("audit: {durability: synced}", "audit_durability", "synced"),
    ("audit: {keep: 7d}", "audit_keep", 604800.0),
    ("audit: {keep_size: 1GiB}", "audit_keep_size", 1 << 30),
    ("audit: {client: none}", "audit_client", "none"),
    ("audit: {key: env:TOKEN}", "audit_key", "env:TOKEN"),
    ("audit: {anchor: [file:/a, 'tsa:http://t']}", "audit_anchor", ("file:/a", "tsa:http://t")),
    ("audit: {ship: [env:TOKEN]}", "audit_ship", ("env:TOKEN",)),
    ("limits: {connections: 7}", "max_connections", 7),
    ("limits: {header: 8KiB}", "max_header", 8192),
    ("limits: {header_timeout: 1m}", "header_timeout", 60.0),
]


@pytest.mark.parametrize(
    ("text", "field", "value"), PROCESS, ids=lambda given: given if isinstance(given, str) else ""
)
def test_what_is_said_of_the_process_arrives_in_the_settings_of_all(
    folder: Path, text: str, field: str, value: object
) -> None:
    plan = plan_of(config(folder, f"{text}\n{SMALLEST}"), {}, {})
    assert getattr(plan.settings, field) == getattr(plan.routes[0].settings, field) == value
    assert plan.settings.admin_required is (field.startswith("admin") and value is not None)


ROUTES: list[tuple[str, str, object]] = [
    ("binary: deny", "binary", "deny"),
    ("rules: pass", "rules", "pass"),
    ("host_header: keep", "host_header", "keep"),
    ("forwarded: false", "forwarded", False),
    ("deflate: false", "deflate", False),
    ("limits: {message: 1MiB}", "max_message", 1 << 20),
    ("limits: {message: 1000}", "max_message", 1000),
    ("limits: {connections: 8}", "max_connections", 8),
    ("limits: {per_address: 9}", "max_per_address", 9),
    ("limits: {messages_per_second: 0.5}", "max_rate", 0.5),
    ("limits: {idle: 0}", "idle", 0),
    ("limits: {lifetime: 2d}", "lifetime", 172800.0),
    ("limits: {write_stall: 1.5}", "write_stall", 1.5),
    ("limits: {close_timeout: 5s}", "close_timeout", 5.0),
    ("on_error: pass, i_accept_leaks: true", "on_error", "pass"),
]


@pytest.mark.parametrize(
    ("text", "field", "value"), ROUTES, ids=lambda given: given if isinstance(given, str) else ""
)
def test_what_a_route_says_arrives_in_its_own_settings_only(
    folder: Path, text: str, field: str, value: object
) -> None:
    other = "\n  - {name: other, match: {path: /other}, upstream: 'ws://other.test'}"
    this = f"\n  - {{name: this, upstream: 'ws://service.test', {text}}}"
    plan = plan_of(config(folder, f"version: 1\nroutes:{other}{this}\n"), {}, {})
    assert getattr(plan.routes[1].settings, field) == value
    assert getattr(plan.routes[0].settings, field) == getattr(Settings(upstream="ws://x"), field) != value


def test_the_other_keys_of_a_route_arrive(folder: Path, certificate: Certificate) -> None:
    text = (
        "version: 1\nroutes:\n"
        "  - name: chat\n"
        "    match: {path: '/chat/{room}', host: '*.EXAMPLE.com', subprotocol: [chat.v2, chat.v3]}\n"
        f"    upstream: {{url: 'wss://x.test/{{room}}', ca: file:{certificate.chain.name}, connect_timeout: 5s}}\n"
        "    auth: {bearer: env:TOKENS, origins: ['https://App.example.com:443', 'http://localhost:3000']}\n"
        "    rules: rules/mine.yaml\n"
        "    codec: auto\n"
        "    mode: shadow\n"
    )
    (chat,) = plan_of(config(folder, text), {}, {}).routes
    assert chat.settings.upstream == Upstream(True, "x.test", 443, "")
    assert (chat.settings.upstream_ca, chat.settings.connect_timeout) == (certificate.chain, 5.0)
    assert (str(chat.match), chat.shown) == (
        "*.example.com /chat/{room} chat.v2 chat.v3",
        "wss://x.test/{room}",
    )
    assert chat.auth.digests == tuple(sha256(token).digest() for token in (b"one", b"two", b"three"))
    assert chat.auth.origins == {b"https://app.example.com", b"http://localhost:3000"}
    assert chat.settings.rules == str(folder / "rules" / "mine.yaml")
    assert chat.shadow


def test_certificates_arrive(folder: Path, certificate: Certificate) -> None:
    chain, key = certificate.chain.name, certificate.key.name
    text = f"listen: {{tls: {{cert: file:{chain}, key: file:{key}, client_ca: file:{chain}}}}}\n{SMALLEST}"
    settings = plan_of(config(folder, text), {}, {}).settings
    assert (settings.tls_cert, settings.tls_key) == certificate.pair
    assert settings.tls_client_ca == certificate.chain


def test_a_url_without_parameters_is_a_base_and_one_with_parameters_a_path(folder: Path) -> None:
    base = route(folder, "").target(b"/chat/7?q", {})
    assert base == b"/chat/7?q"
    text = "version: 1\nroutes: [{name: a, match: {path: '/c/{room}'}, upstream: 'ws://x/v1/'}]\n"
    (appended,) = plan_of(config(folder, text), {}, {}).routes
    assert appended.target(b"/c/7?q", {"room": b"7"}) == b"/v1/c/7?q"
    (filled,) = plan_of(config(folder, text.replace("/v1/", "/v1/{room}/")), {}, {}).routes
    assert filled.target(b"/c/7?q", {"room": b"7"}) == b"/v1/7/?q"


def test_a_file_that_names_the_vault_lies_beside_this_one(folder: Path) -> None:
    values = config(folder, f"vault: file:token.txt\n{SMALLEST}").values
    assert values["vault"] == f"file:{folder / 'token.txt'}"


def test_what_the_audit_names_lies_beside_this_file(folder: Path) -> None:
    text = f"audit: {{dir: log, key: file:token.txt, anchor: [git:proof]}}\n{SMALLEST}"
    values = config(folder, text).values
    assert values["audit"] == str(folder / "log")
    assert values["audit_key"] == f"file:{folder / 'token.txt'}"
    assert values["audit_anchor"] == (f"git:{folder / 'proof'}",)


def test_credentials_may_have_names(folder: Path) -> None:
    auth = route(folder, "auth: {bearer: [{name: mobile, token: env:TOKENS}, {token: env:TOKEN}]}").auth
    assert auth.names == ("mobile", "mobile", "mobile", "")
    assert auth.check([b"Bearer two"], []) == "mobile"
    assert auth.check([b"Bearer s3cret"], []) == ""


def test_no_secret_is_shown(folder: Path) -> None:
    text = f"admin: {{token: env:TOKEN}}\n{SMALLEST}    # end\n"
    assert "s3cret" not in repr(config(folder, text))


# -- options beside a file


def test_options_win_over_the_file_and_reach_every_route(folder: Path) -> None:
    given = {"listen": "127.0.0.1:99", "workers": "2", "inspect_timeout": "1s"}
    plan = plan_of(config(folder, f"listen: 127.0.0.1:1\nworkers: 5\nner: strict\n{SMALLEST}"), given, {})
    for settings in (plan.settings, plan.routes[0].settings):
        assert (settings.listen.port, settings.workers, settings.ner) == (99, 2, "strict")
        assert settings.inspect_timeout == 1.0


def test_the_admin_token_of_the_environment_wins_and_one_of_the_file_counts(folder: Path) -> None:
    text = f"admin: {{host: 0.0.0.0, token: env:TOKEN}}\n{SMALLEST}"
    assert plan_of(config(folder, text), {}, {"HUSHWIRE_ADMIN_TOKEN": "other"}).settings.admin_token == "other"
    assert plan_of(config(folder, text), {"admin": "0.0.0.0:9"}, {}).settings.admin_token == "s3cret"
    assert plan_of(config(folder, text), {"admin": "off"}, {}).settings.admin is None


@pytest.mark.parametrize("field", sorted(OF_ROUTES))
def test_an_option_that_is_a_routes_own_is_refused_beside_a_file(folder: Path, field: str) -> None:
    (flag,) = (option.name for option in OPTIONS if option.field == field)
    with pytest.raises(Unusable, match=f"{flag}: each route of --config says that for itself; leave it out"):
        plan_of(config(folder, SMALLEST), {field: "x"}, {})


def test_every_option_is_either_a_routes_own_or_the_processs() -> None:
    fields = {option.field for option in OPTIONS}
    process = {field for _, field, _ in PROCESS} | {"tls_cert", "tls_key", "tls_client_ca"}
    elsewhere = {"inspect_timeout", "inline_bytes", "max_waiting", "drain_wait", "drain_deadline", "log_level"}
    assert fields > OF_ROUTES
    assert not OF_ROUTES & process
    assert fields - OF_ROUTES - process <= elsewhere


# -- the file that comes along


def example(change: Callable[[str], str] = str) -> str:
    return change((ROOT / "examples" / "hushwire.yaml").read_text())


def test_the_example_can_be_run(folder: Path) -> None:
    (folder / "example.yaml").write_text(example())
    plan = plan_of(read(folder / "example.yaml", {"CHAT_TOKENS": "a b"}), {}, {})
    assert [route.name for route in plan.routes] == ["chat", "rest"]
    assert plan.routes[0].shown == "wss://internal.example:9443/rooms/{room}/socket"


def keys_of(model: type[Closed]) -> set[str]:
    """Every key that a file may have, those of mappings in it too."""
    keys = set(model.model_fields)
    for one in Closed.__subclasses__():
        if one.__module__ == model.__module__:
            keys |= set(one.model_fields)
    return keys


def keys_in(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data) | {key for value in data.values() for key in keys_in(value)}
    return {key for item in data for key in keys_in(item)} if isinstance(data, list) else set()


def test_the_example_shows_every_key_there_is() -> None:
    uncommented = example(lambda text: re.sub(r"^( +)# (?=[a-z_]+:|  [a-z_]+: )", r"\1", text, flags=re.M))
    assert keys_in(yaml.safe_load(uncommented)) == keys_of(ConfigText)
    assert issubclass(RouteText, Closed)
