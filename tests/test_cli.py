"""The command line as a user meets it: help, faults, exit codes, and what a started proxy says."""

from __future__ import annotations

import datetime
import http.server
import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from proxy import __version__
from proxy.banner import python, show
from proxy.faults import Unusable, settings_of
from proxy.health import ask, told
from proxy.options import OPTIONS, PANELS, REPEATED, TOKEN_VARIABLE, Option, signature
from proxy.settings import Address, Ready, Served, Settings
from tests.harness import ROOT, Hushwire

UPSTREAM = "ws://127.0.0.1:9"
# A value for each option that is not its default; what needs a file is in the tests of faults.
SAMPLES: dict[str, str] = {
    "upstream": "wss://chat.example.com/base",
    "listen": "127.0.0.1:4000",
    "workers": "2",
    "rules": "strict",
    "binary": "deny",
    "admin": "127.0.0.1:4001",
    "admin_token": "token.txt",
    "host_header": "keep",
    "forwarded": "off",
    "trusted_proxies": "10.0.0.0/8",
    "deflate": "off",
    "upstream_ca": "ca.pem",
    "tls_cert": "cert.pem",
    "tls_key": "key.pem",
    "tls_client_ca": "clients.pem",
    "max_rate": "7",
    "max_message": "1MiB",
    "max_connections": "5",
    "max_per_address": "6",
    "max_header": "8KiB",
    "header_timeout": "1s",
    "connect_timeout": "2s",
    "idle": "3m",
    "lifetime": "4h",
    "write_stall": "5s",
    "close_timeout": "6s",
    "inspect_timeout": "7s",
    "ner": "rampart",
    "vault": "redis://127.0.0.1:6379/1",
    "vault_ttl": "2h",
    "vault_size": "1000",
    "audit": "somewhere",
    "audit_level": "messages",
    "audit_durability": "synced",
    "audit_keep": "7d",
    "audit_keep_size": "1GiB",
    "audit_client": "none",
    "audit_key": "env:AUDIT_KEY",
    "audit_anchor": "git:proof",
    "audit_ship": "postgresql://db.example.com/audit",
    "inline_bytes": "8",
    "max_waiting": "3",
    "drain_wait": "9s",
    "drain_deadline": "10m",
    "log_level": "error",
}


def hushwire(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("HUSHWIRE_")}
    return subprocess.run(
        [sys.executable, "-m", "proxy", *arguments],
        cwd=ROOT,
        env={**inherited, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def parsed(*arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """What typer makes of `arguments` and the environment, before Settings looks at it."""
    given: dict[str, Any] = {}

    def run(**values: Any) -> None:
        given.update(values)

    run.__signature__ = signature()  # type: ignore[attr-defined]
    app = typer.Typer()
    app.command()(run)
    result = CliRunner().invoke(app, list(arguments), env=environment)
    assert result.exit_code == 0, result.output
    return given


def faults(environment: dict[str, str] | None = None, **given: Any) -> list[str]:
    """The lines a user would read."""
    with pytest.raises(Unusable) as unusable:
        settings_of({"upstream": UPSTREAM, **given}, environment or {})
    return [str(fault) for fault in unusable.value.faults]


# -- help and version


def test_version_is_one_line_on_stdout() -> None:
    result = hushwire("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"hushwire {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"], ["health", "--help"]])
def test_help_and_version_load_none_of_the_heavy_rooms(arguments: list[str]) -> None:
    program = (
        "import sys; from proxy.cli import main\n"
        f"sys.argv = ['hushwire', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'presidio_analyzer', 'fastapi', 'uvicorn', 'websockets', 'spacy', 'proxy.building'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stderr == "[]\n"


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_help_and_version_cost_less_than_a_third_of_a_second_of_cpu(argument: str) -> None:
    def cost() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        hushwire(argument)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cost() for _ in range(3)) < 0.3


def test_no_command_shows_the_commands() -> None:
    result = hushwire()
    assert all(command in result.stdout + result.stderr for command in ("run", "demo", "health"))


@pytest.mark.parametrize("arguments", [["nonsense"], ["run", "--nonsense"], ["run", "--workers"], ["demo", "x"]])
def test_what_is_no_command_line_exits_with_2(arguments: list[str]) -> None:
    assert hushwire(*arguments).returncode == 2


# -- the house checks itself: options and Settings


def test_every_setting_has_an_option_and_every_option_fills_a_setting() -> None:
    # admin_required says whether --admin was given; to let messages leak takes a file that says so twice.
    assert {option.field for option in OPTIONS} == set(Settings.model_fields) - {"admin_required", "on_error"}
    assert len({option.name for option in OPTIONS}) == len(OPTIONS) == len(SAMPLES)


@pytest.mark.parametrize("columns", ["80", "200"])
def test_every_option_and_its_default_stand_in_the_help(columns: str) -> None:
    result = hushwire("run", "--help", COLUMNS=columns)
    assert result.returncode == 0
    words = set(re.split(r"[\s│()]+", result.stdout))
    for option in OPTIONS:
        assert set(option.flag.split("/")) <= words, option.flag
        assert option.help.split()[0].rstrip(":.,") in result.stdout
        assert set(option.shown.split()) <= words, option
    for panel in PANELS:
        assert f" {panel} ─" in result.stdout


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.shown], ids=lambda option: option.field)
def test_the_default_in_the_help_is_the_default_of_settings(option: Option) -> None:
    words = {"upstream_ca": None, "tls_key": None, "audit": None, "audit_key": None}  # said in words
    value = words.get(option.field, option.shown)
    assert getattr(Settings(upstream=UPSTREAM, **{option.field: value}), option.field) == getattr(
        Settings(upstream=UPSTREAM), option.field
    )


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.field)
def test_every_option_can_be_set_by_flag_and_by_environment(option: Option) -> None:
    sample = SAMPLES[option.field]
    flag = [option.flag.split("/")[1]] if "/" in option.flag else [option.name, sample]
    by_flag, by_environment = parsed(*flag), parsed(environment={option.variable: sample})
    assert by_flag == by_environment
    assert by_flag[option.field] == {"off": False}.get(sample, [sample] if option.field in REPEATED else sample)
    assert not any(value for field, value in by_flag.items() if field != option.field)


@pytest.mark.parametrize(
    "field", sorted(set(SAMPLES) - {"admin_token", "upstream_ca", "tls_cert", "tls_key", "tls_client_ca"})
)
def test_every_option_arrives_in_its_setting(field: str) -> None:
    sample = SAMPLES[field]
    value: Any = {"off": False}.get(sample, [sample] if field in REPEATED else sample)
    given = {"upstream": UPSTREAM, **parsed(), field: value}
    given.pop("as_json")
    given.pop("config")
    given["upstream"] = given["upstream"] or UPSTREAM
    assert getattr(settings_of(given, {}), field) != getattr(Settings(upstream=UPSTREAM), field)


def test_a_flag_wins_over_the_environment() -> None:
    assert parsed("--workers", "3", environment={"HUSHWIRE_WORKERS": "4"})["workers"] == "3"


def test_trusted_proxies_repeat_as_flags_and_stand_in_one_variable() -> None:
    both = ["10.0.0.0/8", "fd00::/8"]
    assert parsed("--trusted-proxy", both[0], "--trusted-proxy", both[1])["trusted_proxies"] == both
    assert parsed(environment={"HUSHWIRE_TRUSTED_PROXY": " ".join(both)})["trusted_proxies"] == both


# -- faults


def test_all_faults_come_at_once_one_per_line_each_with_its_option() -> None:
    result = hushwire(
        *("run", "--listen", "8080", "--binary", "maybe", "--workers", "many", "--max-message", "0"),
        *("--trusted-proxy", "10.0.0.1/8", "--idle", "soon", "--log-level", "loud"),
    )
    assert (result.returncode, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert sorted(line.partition(":")[0] for line in lines[:-1]) == sorted(
        [
            "--upstream",
            "--listen",
            "--binary",
            "--workers",
            "--max-message",
            "--trusted-proxy",
            "--idle",
            "--log-level",
        ]
    )
    assert "--help" in lines[-1]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"upstream": None},
            "--upstream: say which service to protect, for example --upstream ws://127.0.0.1:9000",
        ),
        (
            {"upstream": "localhost:9000"},
            "--upstream: 'localhost:9000' is not an upstream; write ws://HOST:PORT or",
        ),
        ({"listen": "8080"}, "--listen: '8080' is not an address; write HOST:PORT"),
        ({"admin": "nowhere"}, "--admin: 'nowhere' is not an address; write HOST:PORT"),
        ({"vault": "http://bob:sesame@x"}, "--vault: this is not a vault; write memory, redis://HOST:PORT/0,"),
        ({"vault_ttl": "0"}, "--vault-ttl: 0 is too small; write 1 or more"),
        ({"audit_level": "all"}, "--audit-level: 'all' is not a choice; write 'sessions', 'findings', 'messages'"),
        ({"audit_keep_size": "-1"}, "--audit-keep-size: '-1' is not a size; write for example"),
        ({"audit_key": "s3cret"}, "--audit-key: a key is only named here; write env:NAME"),
        ({"audit_anchor": ["dir"]}, "--audit-anchor: 'dir' is not an anchor; write file:DIR, git:DIR or tsa:URL"),
        ({"audit_ship": ["db"]}, "--audit-ship: this is no place to ship to; write postgresql://HOST/DATABASE"),
        ({"binary": "maybe"}, "--binary: 'maybe' is not a choice; write 'scan', 'pass' or 'deny'"),
        ({"workers": "many"}, "--workers: 'many' is not a whole number; write for example 4"),
        ({"workers": "0"}, "--workers: 0 is too small; write 1 or more"),
        ({"workers": "1000"}, "--workers: 1000 is too large; write 256 or less"),
        ({"max_message": "{x}"}, "--max-message: '{x}' is not a size; write for example 65536, 64KiB or 16MiB"),
        ({"idle": "soon"}, "--idle: 'soon' is not a duration; write for example 250ms, 10s, 5m or 1h"),
        ({"trusted_proxies": ["x"]}, "--trusted-proxy: 'x' is not a network; write for example 10.0.0.0/8"),
        ({"tls_key": __file__}, "--tls-key: a key needs its certificate; add --tls-cert FILE"),
        ({"tls_cert": "no.pem"}, "--tls-cert: there is no file 'no.pem'; check the path"),
        ({"upstream_ca": __file__}, "--upstream-ca: a ws:// upstream has no certificate; write wss://"),
        ({"upstream": "wss://x", "upstream_ca": "no.pem"}, "--upstream-ca: there is no file 'no.pem'"),
        (
            {"admin": "0.0.0.0:81"},
            "--admin: 0.0.0.0:81 can be reached from other machines, so it needs a token; add",
        ),
        ({"admin": "127.0.0.1:8080"}, "--admin: 127.0.0.1:8080 is where clients connect; choose another port"),
        ({"admin_token": "no.txt"}, "--admin-token-file: cannot read 'no.txt' (No such file or directory); name"),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_a_fault_names_the_option_and_the_cure(given: dict[str, Any], expected: str) -> None:
    (line,) = faults(**given)
    assert line.startswith(expected)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://bob:sesame@host",
        "ws://bob:sesame@host:port",
        "ws://bob:ses/sesame@host",
        "//bob:sesame@[",
        "bob:sesame@h",
    ],
)
def test_a_password_in_an_upstream_url_is_not_repeated(url: str) -> None:
    (line,) = faults(upstream=url)
    assert line.startswith("--upstream: ") and "sesame" not in line and "bob" not in line


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate with its key, somebody else's key, and an encrypted key."""
    folder = tmp_path_factory.mktemp("keys")
    curve, now = ec.SECP256R1(), datetime.datetime.now(datetime.UTC)
    own, other = ec.generate_private_key(curve), ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    build = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(own.public_key())
    build = build.serial_number(x509.random_serial_number()).not_valid_before(now)
    cert = build.not_valid_after(now + datetime.timedelta(days=1)).sign(own, hashes.SHA256())
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    plain, locked = serialization.NoEncryption(), serialization.BestAvailableEncryption(b"secret")
    contents = {
        "cert": cert.public_bytes(pem),
        "key": own.private_bytes(pem, form, plain),
        "other": other.private_bytes(pem, form, plain),
        "locked": own.private_bytes(pem, form, locked),
    }
    contents["both"] = contents["cert"] + contents["key"]
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return {file: folder / file for file in contents}


@pytest.mark.parametrize(("cert", "key"), [("cert", "key"), ("both", None)])
def test_a_certificate_with_its_key_is_taken(cert: str, key: str | None, keys: dict[str, Path]) -> None:
    files = {"tls_cert": str(keys[cert]), "tls_key": str(keys[key]) if key else None}
    assert settings_of({"upstream": UPSTREAM, **files}, {}).tls_cert == keys[cert]


@pytest.mark.parametrize(("cert", "key"), [("cert", None), ("key", "key"), ("cert", "other"), ("cert", "locked")])
def test_a_certificate_that_cannot_be_used_is_said_at_the_start(
    cert: str, key: str | None, keys: dict[str, Path]
) -> None:
    (line,) = faults(tls_cert=str(keys[cert]), tls_key=str(keys[key]) if key else None)
    assert line.startswith(f"--tls-cert: '{keys[cert]}' and its key cannot be used (")
    assert line.endswith("); name PEM files of a chain and of its own, unencrypted key")


def test_a_network_is_blamed_once_each() -> None:
    lines = faults(trusted_proxies=["10.0.0.1/8", "10.0.0.0/8", "nowhere"])
    assert len(lines) == 2
    assert "10.0.0.1/8" in lines[0]
    assert "nowhere" in lines[1]


def test_faults_of_one_kind_do_not_hide_the_others(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    lines = faults(listen="x", admin_token=str(empty))
    assert [line.partition(":")[0] for line in lines] == ["--listen", "--admin-token-file"]


# -- the admin port and its token


def test_the_admin_port_is_required_only_if_it_was_asked_for() -> None:
    assert settings_of({"upstream": UPSTREAM}, {}).admin_required is False
    assert settings_of({"upstream": UPSTREAM, "admin": "127.0.0.1:1"}, {}).admin_required is True
    off = settings_of({"upstream": UPSTREAM, "admin": "off"}, {})
    assert (off.admin, off.admin_required) == (None, False)


def test_a_token_comes_from_a_file_or_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("  s3cret\n")
    given = {"upstream": UPSTREAM, "admin": "0.0.0.0:81"}
    assert settings_of({**given, "admin_token": str(file)}, {}).admin_token == "s3cret"
    assert settings_of(given, {TOKEN_VARIABLE: "s3cret"}).admin_token == "s3cret"
    assert "keep one" in faults({TOKEN_VARIABLE: "s3cret"}, admin_token=str(file))[0]


@pytest.mark.parametrize("token", ["", "two words", "s\x00", "geheim\xfc", "two\nlines"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    for lines in (faults(admin_token=str(file)), faults({TOKEN_VARIABLE: token})):
        assert len(lines) == 1
        assert "openssl rand -hex 32" in lines[0]
        assert not token or token not in lines[0]


def test_settings_do_not_show_their_secrets() -> None:
    secret = {"upstream": "ws://host", "admin_token": "s3cret", "vault": "redis://:s3cret@host/0"}
    assert "s3cret" not in repr(Settings.model_validate(secret))


def test_a_token_in_the_environment_is_never_printed() -> None:
    result = hushwire("run", "--listen", "x", "--upstream", "y", HUSHWIRE_ADMIN_TOKEN="s3cret-value")
    assert result.returncode == 2
    assert "s3cret-value" not in result.stdout + result.stderr
    assert "s3cret-value" not in hushwire("run", "--help", HUSHWIRE_ADMIN_TOKEN="s3cret-value").stdout


# -- the banner


def banner(capsys: pytest.CaptureFixture[str], settings: Settings, **changes: Any) -> str:
    """The banner of a proxy with `settings`, as one line of words."""
    entities = changes.pop("entities", ("CREDIT_CARD", "EMAIL_ADDRESS"))
    upstream = str(settings.upstream)
    ready: dict[str, Any] = {
        "listen": settings.listen,
        "admin": settings.admin,
        "admin_problem": None,
        "routes": (Served("default", "", upstream, settings.rules, "0123456789abcdef", entities, settings),),
        "named": False,
        "workers": 1,
        "pid": 1,
        "audit": "/var/lib/hushwire/audit",
    }
    show(Ready(**{**ready, **changes}), settings)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.isascii()
    return " ".join(err.split())


def test_the_banner_says_what_is_protected_and_how_to_try_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = banner(capsys, Settings(upstream="ws://127.0.0.1:9000/base"))
    assert "credit card, email address, in both directions" in said
    assert "clients ws://127.0.0.1:8080/ service ws://127.0.0.1:9000/base" in said
    assert f"Try it: {python()} -m websockets ws://127.0.0.1:8080/" in said
    assert "http://127.0.0.1:8081/-/ready" in said
    assert "http://127.0.0.1:8081/-/metrics" in said
    assert "default, digest 0123456789ab" in said
    assert "warning" not in said


def test_the_banner_says_where_the_audit_is_and_warns_if_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    said = banner(capsys, Settings(upstream=UPSTREAM, audit_level="messages"))
    assert "audit /var/lib/hushwire/audit (level messages, kept 90 days)" in said
    said = banner(capsys, Settings(upstream=UPSTREAM, audit="off"), audit=None)
    assert "warning no audit: nobody can tell later what left, what was removed, and by which rule" in said


def test_the_banner_names_a_sink_that_retention_waits_for_in_vain(capsys: pytest.CaptureFixture[str]) -> None:
    said = banner(capsys, Settings(upstream=UPSTREAM), unfed=("postgres-1a2b3c4d",))
    assert "warning nothing of the audit is removed before it is at postgres-1a2b3c4d" in said
    assert "hushwire audit ship --forget postgres-1a2b3c4d" in said


def test_the_banner_warns_when_nothing_is_removed(capsys: pytest.CaptureFixture[str]) -> None:
    said = banner(capsys, Settings(upstream=UPSTREAM, rules="pass", binary="pass"), entities=())
    assert "removes nothing" in said
    assert "warning the rules 'pass' change nothing" in said
    assert "warning binary messages are forwarded unseen" in said


def test_the_banner_tells_routes_apart_and_what_may_leak_on_each(capsys: pytest.CaptureFixture[str]) -> None:
    strict = Settings(upstream="ws://a.test", rules="strict")
    leaky = Settings(upstream="ws://b.test", on_error="pass")
    emails = ("EMAIL_ADDRESS",)
    routes = (
        Served("chat", "/chat/{room}", "ws://a.test/v1/{room}", "strict", "01" * 32, emails, strict),
        Served("rest", "every request", "ws://b.test", "default", "23" * 32, emails, leaky),
        Served("trial", "*.trial.test", "ws://b.test", "default", "45" * 32, emails, strict, shadow=True),
    )
    said = banner(capsys, strict, routes=routes, named=True)
    assert (
        "route chat: /chat/{room} service ws://a.test/v1/{room} removes email address, in both directions" in said
    )
    assert (
        "warning route rest: a message that cannot be inspected is forwarded as it is, personal data and" in said
    )
    assert "route trial: *.trial.test service ws://b.test removes nothing: mode shadow" in said
    assert "warning route trial: everything passes as it is; what would be changed is only counted" in said


def test_the_banner_warns_when_the_side_doors_are_shut(capsys: pytest.CaptureFixture[str]) -> None:
    said = banner(capsys, Settings(upstream=UPSTREAM), admin=None, admin_problem="port 8081 is taken")
    assert "warning no health and no metrics: port 8081 is taken" in said
    assert "/-/ready" not in said


def test_the_banner_warns_of_plain_text_beyond_loopback_only(capsys: pytest.CaptureFixture[str]) -> None:
    said = banner(capsys, Settings(upstream=UPSTREAM, listen=":8080"))
    assert "warning other machines can connect, without TLS" in said
    assert "ws://127.0.0.1:8080/" in said
    said = banner(capsys, Settings(upstream=UPSTREAM, listen="[::]:8080", tls_cert=__file__))
    assert "other machines" not in said
    assert "wss://[::1]:8080/" in said


# -- health


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A small HTTP server that gives one answer to everything; yields its address."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("status", "body", "healthy", "sentence"),
    [
        (200, b'{"status":"ready"}', True, "ready"),
        (503, b'{"status":"not ready","because":["draining","x"]}', False, "not ready: draining; x"),
        (503, b'{"status":"ready"}', False, "not ready: HTTP 503"),
        (200, b'{"status":"live"}', False, "not ready: HTTP 200"),
        (200, b"<html>", False, "unknown: what answered (HTTP 200) is not hushwire"),
        (200, b"[]", False, "unknown: what answered (HTTP 200) is not hushwire"),
        (404, b"\xff", False, "unknown: what answered (HTTP 404) is not hushwire"),
    ],
)
def test_only_a_clear_yes_is_healthy(status: int, body: bytes, healthy: bool, sentence: str) -> None:
    assert told(status, body) == (healthy, sentence)
    with answering(status, body) as address:
        assert ask(address, 5.0) == (healthy, sentence)
        assert ask(address.replace("127.0.0.1", "0.0.0.0"), 5.0) == (healthy, sentence)


def test_health_of_nobody_says_so_and_exits_with_1() -> None:
    address = f"127.0.0.1:{free_port()}"
    for result in (hushwire("health", "--admin", address), hushwire("health", HUSHWIRE_ADMIN=address)):
        assert result.returncode == 1
        assert result.stdout == (
            f"unreachable: {address}: Connection refused; is hushwire running with --admin {address}?\n"
        )


def test_health_of_somebody_who_never_answers_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        healthy, sentence = ask(f"127.0.0.1:{silent.getsockname()[1]}", 0.2)
    assert not healthy
    assert "timed out" in sentence


@pytest.mark.parametrize("address", ["off", "nonsense"])
def test_health_without_an_address_is_not_healthy(address: str) -> None:
    assert hushwire("health", "--admin", address).returncode == 1


# -- a real proxy


def test_run_says_on_stdout_where_it_listens_and_ends_in_good_order() -> None:
    with Hushwire(UPSTREAM) as proxy:
        assert proxy.ready["event"] == "ready"
        assert proxy.ready["pid"] == proxy.process.pid
        assert proxy.ready["rules"] == "default"
        assert "EMAIL_ADDRESS" in proxy.ready["entities"]
        assert proxy.ready["digest"]
        assert proxy.ready["workers"] == 1
        with socket.create_connection((proxy.host, proxy.port), 5):
            pass
        assert proxy.admin is not None
        assert hushwire("health", "--admin", proxy.admin).stdout == "ready\n"
        with urllib.request.urlopen(f"http://{proxy.admin}/-/metrics", timeout=5) as answer:
            assert b"hushwire_connections_total" in answer.read()
        assert proxy.stop() == 0


def test_run_without_json_prints_its_banner_on_stderr() -> None:
    command = [sys.executable, "-m", "proxy", "run", "--upstream", UPSTREAM, "--admin", "off"]
    process = subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stderr is not None
    assert any("-m websockets ws://127.0.0.1:" in line for line in process.stderr)
    process.terminate()
    out, _ = process.communicate(timeout=30)
    watchdog.cancel()
    assert (process.returncode, out) == (0, "")


def test_rules_that_are_not_there_exit_with_3() -> None:
    result = hushwire("run", "--upstream", UPSTREAM, "--listen", "127.0.0.1:0", "--rules", "no-such-rules")
    assert result.returncode == 3
    assert "no-such-rules" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--listen", "--admin"])
def test_a_taken_port_is_said_and_exits_with_1(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        other = {"--listen": "--admin", "--admin": "--listen"}[option]
        result = hushwire("run", "--upstream", UPSTREAM, option, address, other, "127.0.0.1:0")
    assert result.returncode == 1
    assert result.stderr.endswith(f"{option} {address}: Address already in use; choose another address\n")
    assert "Traceback" not in result.stderr


def test_a_taken_default_admin_port_only_shuts_the_side_doors() -> None:
    # Whoever holds the port now, it is taken.
    with socket.socket() as holder:
        if holder.connect_ex(("127.0.0.1", 8081)) != 0:
            holder.close()
            holder = socket.create_server(("127.0.0.1", 8081))  # noqa: PLW2901
        with holder:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "proxy",
                    "run",
                    "--json",
                    "--upstream",
                    UPSTREAM,
                    "--listen",
                    "127.0.0.1:0",
                ],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            watchdog = threading.Timer(60, process.kill)
            watchdog.start()
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            process.terminate()
            process.communicate(timeout=30)
            watchdog.cancel()
    assert ready["admin"] is None
    assert ready["admin_problem"]
    assert process.returncode == 0
    assert Address("127.0.0.1", 8081) == Settings(upstream=UPSTREAM).admin
