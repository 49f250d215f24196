"""Rules that change under a running proxy: real files, real sockets, real processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.numbered import Outcome, echo_server
from benchmarks.reload import drill, replaced, rules_of
from tests.harness import Hushwire
from tests.wire.drill import Service, admin_answer, echo, eventually, metrics, undisturbed
from tests.wire.ends import PATIENCE, End, opened
from tests.wire.frames import TEXT
from tests.wire.test_workers import children

RULES = "version: 1\nname: mine\nrules:\n  - {id: a, entities: [CRYPTO], action: {replace: {with: '%s'}}}\n"
COIN = b"1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
TOKEN = "0123456789abcdef0123456789abcdef"
SECRET = "Bob Bobson"
APPLIED, REFUSED = (f'hushwire_rules_reloads_total{{result="{result}"}}' for result in ("applied", "refused"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    file = tmp_path / "rules" / "mine.yaml"
    file.write_text(RULES % "A")
    return file


@contextlib.contextmanager
def running(path: Path, *options: str) -> Iterator[Hushwire]:
    with Service(echo) as service:
        proxy = Hushwire(service.url, *options, rules=str(path))
        try:
            yield proxy
        finally:
            proxy.stop()


def said(end: End) -> bytes:
    """What becomes of a message now."""
    end.say(TEXT, COIN)
    return end.hears_payload()


def becomes(end: End, text: bytes) -> bool:
    return eventually(lambda: said(end) == text)


def digests(proxy: Hushwire) -> dict[str, float]:
    """Workers by the digest that they have in force."""
    rows = metrics(proxy).items()
    return {name.split('"')[1]: count for name, count in rows if name.startswith("hushwire_rules_info")}


def put(proxy: Hushwire, content: bytes, match: str, token: str = TOKEN) -> tuple[int, str]:
    request = urllib.request.Request(f"http://{proxy.admin}/-/rules", content, method="PUT")
    request.add_header("If-Match", match)
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_edit_changes_what_open_sockets_get_and_closes_none(path: Path) -> None:
    with running(path) as proxy, undisturbed(proxy), opened(proxy) as end:
        assert said(end) == b"A"
        path.write_text(RULES % "B")
        assert becomes(end, b"B")
        replaced(path, RULES % "C")
        assert becomes(end, b"C")
        assert metrics(proxy)[APPLIED] == 2
        assert metrics(proxy)["hushwire_rules_stale"] == 0


def test_a_bad_edit_changes_nothing_and_is_seen_everywhere(path: Path) -> None:
    with running(path) as proxy, undisturbed(proxy), opened(proxy) as end:
        before = digests(proxy)
        replaced(path, RULES % SECRET + f"    description: {SECRET}\n")  # a half-written one would count too
        assert eventually(lambda: metrics(proxy)["hushwire_rules_stale"] == 1)
        assert said(end) == b"A" and digests(proxy) == before
        assert metrics(proxy)[REFUSED] == 1
        status, body = admin_answer(proxy, "/-/ready")
        told = json.loads(body)
        assert status == 200 and told["status"] == "ready"
        assert told["rules"][0]["files"] == [str(path)] and told["rules"][0]["in_force"] in before
        assert eventually(lambda: any(f"{path}:5:" in line for line in proxy.log))
        path.unlink()
        assert eventually(lambda: metrics(proxy)[REFUSED] == 2)
        assert said(end) == b"A"
        path.write_text(RULES % "B")
        assert becomes(end, b"B")
        assert json.loads(admin_answer(proxy, "/-/ready")[1]) == {"status": "ready"}
    assert SECRET not in "".join(proxy.log)


def test_a_signal_builds_the_rules_anew(path: Path) -> None:
    with running(path) as proxy, opened(proxy) as end:
        before = digests(proxy)
        proxy.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: metrics(proxy).get(APPLIED) == 1)
        assert said(end) == b"A" and digests(proxy) == before


def test_a_save_needs_the_token_and_the_version_that_was_read(path: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    new, match = (RULES % "B").encode(), f'"{sha256(path.read_bytes()).hexdigest()}"'
    with running(path, "--admin-token-file", str(tmp_path / "token")) as proxy, opened(proxy) as end:
        assert put(proxy, new, match, token="wrong")[0] == 401
        assert put(proxy, new, '"' + "0" * 64 + '"')[0] == 412
        assert said(end) == b"A"
        assert put(proxy, new, match)[0] == 200
        assert said(end) == b"B" and path.read_bytes() == new
        assert put(proxy, b"version: 2", f'"{sha256(new).hexdigest()}"')[0] == 422
        assert said(end) == b"B" and path.read_bytes() == new


def test_all_workers_end_on_the_same_rules_also_one_that_comes_later(path: Path) -> None:
    with running(path, "--workers", "2") as proxy:
        (first,) = digests(proxy)
        assert eventually(lambda: digests(proxy) == {first: 2})
        path.write_text(RULES % "B")
        assert eventually(lambda: first not in digests(proxy) and sum(digests(proxy).values()) == 2)
        (second,) = digests(proxy)
        before = children(proxy)
        os.kill(min(before), signal.SIGKILL)
        assert eventually(lambda: len(children(proxy)) == 2 and children(proxy) != before)
        assert eventually(lambda: digests(proxy) == {second: 2})
        for _ in range(8):
            with opened(proxy) as end:
                assert said(end) == b"B"
        applied = metrics(proxy)[APPLIED]
        proxy.process.send_signal(signal.SIGHUP)  # the supervisor passes it on
        assert eventually(lambda: metrics(proxy)[APPLIED] == applied + 2)
        assert digests(proxy) == {second: 2}


def test_a_signal_while_workers_start_ends_none_of_them(path: Path) -> None:
    with running(path, "--workers", "2") as proxy:
        os.kill(min(children(proxy)), signal.SIGKILL)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            proxy.process.send_signal(signal.SIGHUP)
            time.sleep(0.02)
        assert eventually(lambda: len(children(proxy)) == 2)
        assert sum("ended unexpectedly" in line for line in proxy.log) == 1


def test_many_reloads_under_many_sockets_lose_reorder_and_mix_nothing(tmp_path: Path) -> None:
    """The drill of benchmarks/reload.py, which measures it too."""
    path = tmp_path / "staff.yaml"
    path.write_text(rules_of(50, 0))

    async def play() -> Outcome:
        server, port = await echo_server()
        proxy = await asyncio.to_thread(Hushwire, f"ws://127.0.0.1:{port}", rules=str(path))
        try:
            outcome, *_ = await drill(proxy.port, path, sockets=200, rules=50, rate=500, reloads=5, quiet=0.1)
        finally:
            await asyncio.to_thread(proxy.stop)
            server.close()
        return outcome

    outcome = asyncio.run(play())
    assert not any(outcome.faults().values()), outcome.faults()
    assert outcome.versions == set(range(6)) and outcome.answered == outcome.sent > 500
