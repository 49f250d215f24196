"""The running proxy and its audit log, over real sockets: what the log says is what was said.

In every order of events, with a journal in the hand of the test, it is in test_unlogged.py; what kills, full disks
and power cuts do to it is drilled elsewhere.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import resource
import signal
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proxy.audit.proof.verify import verify
from proxy.audited import network
from proxy.cli import app
from proxy.wire.subprotocols import agreed
from tests.clients.certificates import Certificate, make_certificate
from tests.harness import Hushwire
from tests.playbook import Table
from tests.wire.drill import Service, admin_answer, echo, eventually, metrics, still_open
from tests.wire.ends import End, opened, refused
from tests.wire.frames import BINARY, CLOSE, CONT, MASK, PING, TEXT, Frame, close
from tests.wire.journals import Held
from tests.wire.test_closed_door import Inside

MAIL, STARS = b"bob@example.com", b"<EMAIL_ADDRESS>"
AUDIT_UNAVAILABLE = 1013


def logged(directory: Path, *kinds: str) -> list[dict[str, Any]]:
    """The events of all logs in `directory`, those of these kinds if there are any."""
    lines = itertools.chain.from_iterable(
        path.read_text().splitlines() for path in sorted(directory.glob("log-*/*.jsonl"))
    )
    events = [json.loads(line) for line in lines]
    return [event for event in events if not kinds or event["kind"] in kinds]


# -- what was said is what is logged ---------------------------------------------------------------------------


class Talk:
    """Random messages of one side, and what is to be heard of them on the other."""

    def __init__(self, rng: random.Random, end: End, deflated: bool) -> None:
        self.end, self.deflated = end, deflated
        self.said: list[tuple[str, bytes]] = [self._one(rng) for _ in range(rng.randint(5, 30))]
        self.spelt = b"".join(self._spelt(rng, *one) for one in self.said)

    def _one(self, rng: random.Random) -> tuple[str, bytes]:
        if rng.random() < 0.2:
            return "binary", bytes(rng.choices(range(128, 256), k=rng.randint(0, 300)))
        words = [rng.choice([b"clean", b"words", b"caf\xc3\xa9", MAIL]) for _ in range(rng.randint(0, 5))]
        filler = b" and so on" * (rng.choice([0, 0, 0, 400]))  # over --inline-bytes
        return "text", b" ".join(words) + filler

    def _spelt(self, rng: random.Random, op: str, payload: bytes) -> bytes:
        opcode, rsv = (TEXT if op == "text" else BINARY), 0
        if self.deflated and rng.random() < 0.5:
            squeezer = zlib.compressobj(wbits=-15)
            payload, rsv = (squeezer.compress(payload) + squeezer.flush(zlib.Z_SYNC_FLUSH))[:-4], 4
        if rng.random() < 0.3:
            cut = rng.randint(0, len(payload))
            ping = self.end.frame(PING, b"?") if rng.random() < 0.5 else b""
            head = self.end.frame(opcode, payload[:cut], fin=False, rsv=rsv)
            return head + ping + self.end.frame(CONT, payload[cut:])
        return self.end.frame(opcode, payload, rsv=rsv)

    def expected(self) -> list[tuple[str, bytes]]:
        return [(op, payload.replace(MAIL, STARS)) for op, payload in self.said]


def heard(frames: list[Frame]) -> list[tuple[str, bytes]]:
    """Whole messages, inflated."""
    messages, pieces, first = [], b"", None
    for frame in frames:
        if frame.opcode not in (TEXT, BINARY, CONT):
            continue
        first = first if frame.opcode == CONT else frame
        pieces += frame.payload
        if frame.fin:
            assert first is not None
            if first.rsv:
                pieces = zlib.decompressobj(-15).decompress(pieces + b"\x00\x00\xff\xff")
            messages.append(("text" if first.opcode == TEXT else "binary", pieces))
            pieces = b""
    return messages


class Playing:
    """A service that says what it is given, and writes down what it hears."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.talks: list[Talk] = []
        self.frames: list[list[Frame]] = []

    def __call__(self, end: End) -> None:
        deflated = b"permessage-deflate" in end.head
        no_context = b"; server_no_context_takeover; client_no_context_takeover"
        end.accept(b"Sec-WebSocket-Extensions: permessage-deflate" + no_context + b"\r\n" if deflated else b"")
        talk = Talk(self.rng, end, deflated)
        self.talks.append(talk)
        end.raw(talk.spelt)
        frames: list[Frame] = []
        self.frames.append(frames)
        while (frame := end.hears()) is not None:
            frames.append(frame)
            if frame.opcode == CLOSE:
                end.say(CLOSE, frame.payload)
                return


MODES = [
    ("findings", "written", ()),
    ("findings", "synced", ()),
    ("messages", "async", ("--binary", "pass")),
    ("messages", "written", ("--rules", "pass")),
    ("sanitised", "synced", ("--workers", "2")),
]


@pytest.mark.parametrize(("level", "durability", "more"), MODES, ids=["-".join(mode[:2]) for mode in MODES])
def test_what_was_said_is_what_is_logged(
    tmp_path: Path, level: str, durability: str, more: tuple[str, ...]
) -> None:
    rng = random.Random(f"{level} {durability} {more}")
    playing, audit = Playing(rng), tmp_path / "audit"
    unwatched = "pass" in more and "--rules" in more
    options = ("--audit", str(audit), "--audit-level", level, "--audit-durability", durability, *more)
    told: list[tuple[Talk, list[Frame]]] = []
    with Service(playing) as service, Hushwire(service.url, *options, rules="default") as proxy:
        for number in range(12):
            deflate = b"Sec-WebSocket-Extensions: permessage-deflate\r\n" if number % 2 else b""
            with opened(proxy, headers=deflate) as client:
                talk = Talk(rng, client, bool(number % 2))
                client.raw(talk.spelt + client.frame(CLOSE, close(1000, "bye")))
                told.append((talk, client.hears_all()))
        assert eventually(lambda: still_open(proxy) == 0)
        assert proxy.stop() == 0
    events = logged(audit)
    assert [event["seq"] for event in events if event["log"] == events[0]["log"]][:3] == [0, 1, 2]
    sids = [e["sid"] for e in sorted(events, key=lambda e: e["t"]) if e["kind"] == "session.open"]
    for sid, (up, received), down, arrived in zip(sids, told, playing.talks, playing.frames, strict=True):
        mine = [event for event in events if event.get("sid") == sid]
        begun, ended = mine[0], mine[-1]
        assert (begun["kind"], ended["kind"]) == ("session.open", "session.close")
        assert (ended["first"], ended["codes"], ended["reasons"]) == ("client 1000", [1000, 1000], [3, 3])
        assert ended["messages"] == [len(up.said), len(down.said)]
        for way, talk, frames in (("up", up, arrived), ("down", down, received)):
            out = heard(frames)
            assert out == (talk.said if unwatched else talk.expected())
            said = [e for e in mine if e["kind"] == "message" and e["dir"] == way]
            rows = {
                n: (op, was, now) for n, ((op, was), (_, now)) in enumerate(zip(talk.said, out, strict=True), 1)
            }
            noted = {n for n, (_, was, now) in rows.items() if was != now or level != "findings"}
            assert [event["n"] for event in said] == sorted(noted)
            for event in said:
                op, was, now = rows[event["n"]]
                assert (event["op"], event["in"], event["out"]) == (op, len(was), len(now))
                assert len(event["f"]) == (0 if unwatched else was.count(MAIL))
                unseen = unwatched or (op == "binary" and "--binary" in more)
                calm = "unseen" if unseen else "clean"
                assert event["verdict"] == ("rewritten" if was != now else calm)
        values = [0 if unwatched else sum(was.count(MAIL) for _, was in talk.said) for talk in (up, down)]
        assert ended["findings"] == values


WATCHING = """
version: 1
rules:
  - {id: token, entities: [EMAIL_ADDRESS], direction: client_to_upstream, action: tokenize}
  - {id: watched, entities: [CREDIT_CARD], mode: shadow, action: replace}
  - {id: iban, entities: [IBAN_CODE], action: replace}
"""


def test_what_is_kept_at_level_sanitised_holds_nothing_that_was_found(tmp_path: Path) -> None:
    """Values that rules only watch, or give back, leave; what holds them is not kept."""
    (tmp_path / "rules.yaml").write_text(WATCHING)
    options = ("--audit", str(tmp_path / "audit"), "--audit-level", "sanitised", "--binary", "pass")
    said = ["from " + MAIL.decode(), "card 4111 1111 1111 1111", "DE89370400440532013000", "x"]
    with Service() as service, Hushwire(service.url, *options, rules=str(tmp_path / "rules.yaml")) as proxy:
        with opened(proxy) as client:
            for text in said:
                client.say(TEXT, text.encode())
                expected = "<IBAN_CODE>" if text.startswith("DE") else text
                assert client.hears_payload() == expected.encode()
            client.say(BINARY, MAIL)
            assert client.hears_payload() == MAIL
        assert eventually(lambda: still_open(proxy) == 0)
        assert proxy.stop() == 0
    kept = [event["in"] for event in logged(tmp_path / "audit", "message") if "body" in event]
    assert sorted(kept) == [1, 1, 11, len(MAIL) + 5, len("DE89370400440532013000")]
    (bodies,) = (tmp_path / "audit").glob("log-*/*.bodies")
    assert not any(text.encode() in bodies.read_bytes() for text in said[:-1])
    assert MAIL not in bodies.read_bytes()


# -- nothing leaves before the log has it ----------------------------------------------------------------------


class Audited(Inside):
    """A data port around a journal in the hand of the test."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, Table(), journal=Held())

    def do(self, what: Any, *args: Any) -> None:
        """Have it done on the loop."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (what(*args), done.set()))
        assert done.wait(10)


def silent(end: End) -> bool:
    """Whether nothing has come, and nothing comes for a while."""
    end.sock.settimeout(0.15)
    try:
        return not end.unread and not end.sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        end.sock.settimeout(10)


@pytest.mark.parametrize("size", [0, 5000], ids=["on the loop", "in a worker"])
def test_nothing_leaves_before_the_log_has_it_and_then_all_in_order(size: int) -> None:
    with Service() as service, (inside := Audited(service.url)) as proxy:
        journal = inside.journal
        with opened(proxy) as client, opened(proxy) as other:
            secret = b"to " + MAIL + b" " * size
            client.raw(b"".join(client.frame(TEXT, text) for text in (b"one", secret, b"three")))
            assert eventually(lambda: bool(journal.waiting))
            other.say(TEXT, b"clean traffic of others")
            assert other.hears_payload() == b"clean traffic of others"
            early = [client.hears_payload()] if size else []  # it went on its way while a worker looked
            assert silent(client)
            inside.do(journal.take)
            rest = [client.hears_payload() for _ in range(3 - len(early))]
            assert early + rest == [b"one", secret.replace(MAIL, STARS), b"three"]


def test_a_log_that_fails_closes_both_sides_with_1013_and_serves_again_when_it_recovers() -> None:
    heard: list[list[Frame]] = []

    def listen(end: End) -> None:
        if b" /echo " in end.head:
            echo(end)
            return
        end.accept()
        heard.append(end.hears_out())

    with (
        Service(listen) as service,
        (inside := Audited(service.url)) as proxy,
        opened(proxy, "/echo") as other,
        opened(proxy, "/listens") as client,
    ):
        client.raw(client.frame(TEXT, b"with " + MAIL) + client.frame(TEXT, b"behind"))
        assert eventually(lambda: bool(inside.journal.waiting))
        inside.do(inside.journal.give_up)
        assert client.hears_close() == AUDIT_UNAVAILABLE
        assert eventually(lambda: len(heard) == 1)
        assert [frame.opcode for frame in heard[0]] == [CLOSE]
        assert heard[0][0].payload[:2] == AUDIT_UNAVAILABLE.to_bytes(2)
        other.say(TEXT, b"undisturbed")
        assert other.hears_payload() == b"undisturbed"
        other.say(TEXT, MAIL)
        assert eventually(lambda: bool(inside.journal.waiting))
        inside.do(inside.journal.take)
        assert other.hears_payload() == STARS


def test_a_connection_whose_beginning_cannot_be_noted_is_not_opened() -> None:
    with Service() as service, (inside := Audited(service.url)) as proxy:
        inside.journal.stuck = OSError(28, "No space left on device")
        status, sentence, _ = refused(proxy)
        assert (status, sentence) == (503, "The audit log of this proxy cannot be written.\n")
        inside.journal.stuck = None
        with opened(proxy) as client:
            client.say(TEXT, b"again")
            assert client.hears_payload() == b"again"


def test_who_waits_for_the_log_at_a_shutdown_is_served_first() -> None:
    with Service() as service, (inside := Audited(service.url)) as proxy, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(opened(proxy)) for _ in range(20)]
        for client in clients:
            client.say(TEXT, MAIL)
        assert eventually(lambda: len(inside.journal.waiting) == 20)
        inside.loop.call_soon_threadsafe(inside.over.set)
        for client in clients:
            assert client.hears_close() == 1012
            client.sock.close()
        assert inside.journal.commits <= 20
        ends = [event for event in inside.journal.events if event[0] == "refused"]
        assert ends == [("refused", "shutdown", 0)] * 20


@pytest.mark.parametrize("durability", ["written", "synced"])
def test_a_disk_that_takes_nothing_closes_who_needs_it_and_the_proxy_says_so_until_it_does(
    tmp_path: Path, durability: str
) -> None:
    options = ("--audit", str(tmp_path), "--audit-durability", durability)
    with Service() as service, Hushwire(service.url, *options) as proxy:
        limits = resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE)
        with opened(proxy) as clean, opened(proxy) as client:
            resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
            client.raw(client.frame(TEXT, b"with " + MAIL) + client.frame(TEXT, b"behind"))
            assert client.hears_close() == AUDIT_UNAVAILABLE
            status, text = admin_answer(proxy, "/-/ready")
            assert (status, json.loads(text)["because"]) == (
                503,
                ["the audit log cannot be written: File too large"],
            )
            assert metrics(proxy)["hushwire_audit_stuck"] == 1
            clean.say(TEXT, b"clean")
            assert clean.hears_payload() == b"clean"
            resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, limits)
            assert eventually(lambda: admin_answer(proxy, "/-/ready")[0] == 200)
            clean.say(TEXT, MAIL)
            assert clean.hears_payload() == STARS
        assert metrics(proxy)["hushwire_audit_stuck"] == 0
        assert metrics(proxy)['hushwire_refusals_total{cause="audit"}'] == 1
        assert eventually(lambda: still_open(proxy) == 0)
    (refusal,) = logged(tmp_path, "refuse")
    assert (refusal["cause"], refusal["lost"]) == ("audit", 1)


# -- TLS, ends, limits, rules ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def test_messages_right_before_the_end_arrive_behind_tls_as_well(tmp_path: Path, certificate: Certificate) -> None:
    arrived: list[list[Frame]] = []

    def listen(end: End) -> None:
        end.accept()
        arrived.append(end.hears_all())

    chain, key = map(str, certificate.pair)
    options = ("--tls-cert", chain, "--tls-key", key, "--audit", str(tmp_path), "--audit-durability", "synced")
    trusting = ssl.create_default_context(cafile=chain)
    with Service(listen) as service, Hushwire(service.url, *options) as proxy:
        for _ in range(5):
            raw = socket.create_connection((proxy.host, proxy.port))
            with End(trusting.wrap_socket(raw, server_hostname="127.0.0.1"), MASK) as client:
                client.raw(
                    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                )
                assert client.hears_head()
                client.raw(client.frame(TEXT, MAIL) + client.frame(TEXT, b"small"))
        assert eventually(lambda: len(arrived) == 5)
    assert all([frame.payload for frame in frames] == [STARS, b"small"] for frames in arrived)
    assert len(logged(tmp_path, "message")) == 5


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[tuple[Hushwire, Path]]:
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nextends: [default]\n")
    config = tmp_path / "hushwire.yaml"
    with Service() as service:
        config.write_text(
            "version: 1\naudit: {dir: audit, client: network}\nroutes:\n"
            "  - name: guarded\n    match: {path: /guarded, subprotocol: [chat.v9]}\n"
            f"    upstream: {service.url}\n    rules: rules.yaml\n"
            "    auth: {bearer: [{name: mobile, token: env:GUARD}]}\n"
        )
        with Hushwire(config, variables={"GUARD": "sesame"}) as process:
            yield process, tmp_path / "audit"


def test_sessions_refusals_and_rules_are_logged(proxy: tuple[Hushwire, Path], tmp_path: Path) -> None:
    process, audit = proxy
    offer, token = b"Sec-WebSocket-Protocol: chat.v9\r\n", b"Authorization: Bearer sesame\r\n"
    assert refused(process, "/guarded", offer)[0] == 401
    assert refused(process, "/elsewhere")[0] == 404
    with opened(process, "/guarded", offer + token) as client:
        client.raw(b"\xff\xff\xff\xff")
        assert client.hears_close() == 1002
    (tmp_path / "rules.yaml").write_text("version: 1\nextends: [nobody]\n")
    assert eventually(lambda: bool(logged(audit, "policy.reject")), 20)
    (tmp_path / "rules.yaml").write_text("version: 1\nextends: [strict]\n")
    assert eventually(lambda: bool(logged(audit, "policy.apply")), 20)
    assert eventually(lambda: len(logged(audit, "limit")) == 2)
    assert process.stop() == 0
    events = logged(audit)
    assert [(e["route"], e["reason"], e["count"]) for e in events if e["kind"] == "limit"] == [
        ("guarded", "unauthorized", 1),
        ("-", "no_route", 1),
    ]
    (begun,) = (event for event in events if event["kind"] == "session.open")
    assert (begun["who"], begun["client"], begun["route"]) == ("mobile", "127.0.0.0/24", "guarded")
    (cause,) = (event for event in events if event["kind"] == "refuse")
    assert (cause["cause"], cause["dir"], cause["sid"]) == ("protocol", "up", begun["sid"])
    first, last = events[0], events[-1]
    assert (first["kind"], last["kind"]) == ("start", "stop")
    assert begun["sid"] == f"{first['run']}-1"
    (applied,) = (event for event in events if event["kind"] == "policy.apply")
    assert (applied["routes"], applied["how"]) == (["guarded"], "files")
    assert applied["policy"] != first["policies"]["guarded"]
    (rejected,) = (event for event in events if event["kind"] == "policy.reject")
    assert (rejected["routes"], rejected["codes"]) == (["guarded"], ["E018"])
    assert any(f"session {begun['sid']} opened on route guarded" in line for line in process.log)


CLOSING = """
version: 1
rules:
  - {id: no-mail, entities: [EMAIL_ADDRESS], action: close}
  - {id: phones, entities: [PHONE_NUMBER], action: replace}
"""


@pytest.mark.parametrize("filler", [b"", b" and so on" * 1000])  # looked at on the loop, or by a worker
def test_what_a_closing_rule_stopped_is_found_again(
    tmp_path: Path, filler: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "rules.yaml").write_text(CLOSING)
    audit = tmp_path / "audit"
    options = ("--audit", str(audit))
    variables = {"XDG_STATE_HOME": str(tmp_path)}
    with (
        Service() as service,
        Hushwire(service.url, *options, rules=str(tmp_path / "rules.yaml"), variables=variables) as proxy,
    ):
        with opened(proxy) as client:
            client.say(TEXT, b"+4930901820 and " + MAIL + filler)
            assert client.hears_close() == 1008
        assert eventually(lambda: bool(logged(audit, "session.close")), 20)
        assert "hushwire_redactions_total{" not in "".join(metrics(proxy))
        assert proxy.stop() == 0
    (refusal,), (ended,) = logged(audit, "refuse"), logged(audit, "session.close")
    assert refusal["cause"] == "policy"
    assert ended["codes"][1] == 1008  # the upstream's answer to the proxy's CLOSE
    assert {(one["entity"], one["rule"], one["op"]) for one in refusal["f"]} >= {
        ("EMAIL_ADDRESS", "no-mail", "close")
    }
    assert all(len(one["c"]) == 32 for one in refusal["f"])

    def asked(*arguments: str, value: str = "", lines: bool = False) -> Any:
        given = ["audit", *arguments, "--json", "--audit", str(audit)]
        done = CliRunner().invoke(app, given, input=value, prog_name="hushwire")
        assert done.exit_code == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()] if lines else json.loads(done.stdout)

    (hit,) = asked("search", "--rule", "no-mail", "--entity", "EMAIL_ADDRESS", lines=True)
    assert (hit["kind"], len(hit["f"])) == ("refuse", len(refusal["f"]))
    shown = asked("show", refusal["sid"])
    assert any(one["kind"] == "refuse" and one["f"] for one in shown["events"])
    stats = asked("stats")
    assert (stats["entity"], stats["mode"]["stopped"]) == ({}, len(refusal["f"]))
    assert asked("stats", "--by", "operator") == {"close": len(refusal["f"])}
    said = asked("subject", "--entity", "EMAIL_ADDRESS", "--stdin", value=MAIL.decode())
    (occurrence,) = said["occurrences"]
    assert (occurrence["verdict"], occurrence["op"]) == ("refused", "close")
    assert verify(audit).verdict == "whole"


def test_each_worker_has_a_log_and_who_takes_the_place_of_a_fallen_one_goes_on_with_its(tmp_path: Path) -> None:
    with Service() as service, Hushwire(service.url, "--workers", "2", "--audit", str(tmp_path)) as proxy:
        starts = logged(tmp_path, "start")
        assert {event["worker"] for event in starts} == {0, 1}
        assert len({event["log"] for event in starts}) == 2
        fallen = starts[0]["pid"]
        os.kill(fallen, signal.SIGKILL)
        assert eventually(lambda: len(logged(tmp_path, "start")) == 3, 20)
        assert len(list(tmp_path.glob("log-*"))) == 2
        assert proxy.stop() == 0
    assert len({event["run"] for event in logged(tmp_path, "start")}) == 3
    assert len(logged(tmp_path, "stop")) == 2


def test_a_proxy_says_which_key_it_makes_fingerprints_with_and_never_uses_a_number_again(tmp_path: Path) -> None:
    audit, told = tmp_path / "hushwire" / "audit", tmp_path / "hushwire" / "keys" / "audit-epochs"
    checks = []
    for lost in (False, True, False):
        if lost:
            (told / "1.key").unlink()
        with (
            Service() as service,
            Hushwire(service.url, variables={"XDG_STATE_HOME": str(tmp_path)}) as proxy,
            opened(proxy) as client,
        ):
            client.say(TEXT, MAIL)
            assert client.hears_payload() == STARS
        assert any("epoch 1, whose key is not in" in line for line in proxy.log) == lost
        assert any("open to others than its owner (mode 0755)" in line for line in proxy.log) == (len(checks) == 2)
        told.chmod(0o755 if lost else 0o700)
        start = logged(audit, "start")[-1]
        checks.append((start["epoch"], start["check"]))
    assert [epoch for epoch, _ in checks] == [1, 2, 2]
    assert checks[0][1] != checks[1][1] == checks[2][1]


@pytest.mark.parametrize(("keep", "told"), [("90d", True), ("0", False)])
def test_a_sink_that_is_configured_no_more_is_named_with_the_cure(tmp_path: Path, keep: str, told: bool) -> None:
    (tmp_path / "ship-postgres-1a2b3c4d.wanted").touch()
    with Hushwire("ws://127.0.0.1:9", "--audit", str(tmp_path), "--audit-keep", keep) as proxy:
        assert proxy.ready["audit_unfed"] == (["postgres-1a2b3c4d"] if told else [])
        assert proxy.stop() == 0
    cure = "hushwire audit ship --forget postgres-1a2b3c4d"
    assert any(cure in line for line in proxy.log) == told


def test_a_proxy_without_an_audit_says_loudly_what_is_lost(tmp_path: Path) -> None:
    variables = {"XDG_STATE_HOME": str(tmp_path)}
    with Service() as service, Hushwire(service.url, "--audit", "off", variables=variables) as proxy:
        status, text = admin_answer(proxy, "/-/ready")
        assert status == 200
        assert "nobody can tell later what left" in json.loads(text)["audit"]
        assert not any("audit" in name for name in metrics(proxy))
        assert proxy.ready["audit"] is None
        with opened(proxy) as client:
            client.say(TEXT, MAIL)
            assert client.hears_payload() == STARS
    assert any("there is no audit: nobody can tell later" in line for line in proxy.log)
    assert not (tmp_path / "hushwire" / "audit").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_proxy_that_cannot_write_its_audit_does_not_start_and_says_why(tmp_path: Path, workers: str) -> None:
    (tmp_path / "file").write_text("")
    directory = tmp_path / "file" / "audit"
    with pytest.raises(RuntimeError) as error:
        Hushwire("ws://127.0.0.1:9", "--audit", str(directory), "--workers", workers)
    said = str(error.value)
    assert f"--audit {directory}: nothing can be written there (Not a directory); name another" in said
    assert "or --audit off, and then nobody can tell later" in said
    assert "Traceback" not in said


def test_metrics_count_what_the_log_takes(tmp_path: Path) -> None:
    with Service() as service, Hushwire(service.url, "--audit", str(tmp_path)) as proxy:
        with opened(proxy) as client:
            for _ in range(5):
                client.say(TEXT, MAIL)
                assert client.hears_payload() == STARS
        assert eventually(lambda: still_open(proxy) == 0)
        counted = metrics(proxy)
        assert counted["hushwire_audit_events_total"] == 8 == len(logged(tmp_path))
        assert counted["hushwire_audit_blocks_total"] <= 8
        assert counted["hushwire_audit_stuck"] == counted["hushwire_audit_waiting"] == 0


# -- small parts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unknown", ""),
    ],
)
def test_a_client_may_be_named_by_its_network(address: str, shown: str) -> None:
    assert network(address) == shown


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (b"", ""),
        (b"Sec-WebSocket-Protocol: mqtt\r\n", "mqtt"),
        (b"sec-websocket-protocol:  chat.v9 \r\n", "chat.v9"),
        (b"Sec-WebSocket-Protocol: bearer.eyJhbGciOi\r\n", "other"),
        (b"Sec-WebSocket-Protocol: MQTT\r\n", "other"),
    ],
)
def test_a_subprotocol_is_named_if_it_cannot_be_a_secret(header: bytes, named: str) -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" + header + b"\r\n"
    assert agreed(head, frozenset({"chat.v9"})) == named
