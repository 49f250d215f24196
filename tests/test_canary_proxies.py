"""The canary sweep of promise A7: values are planted with real proxies in every mode, and are found nowhere.

Looked at: the audit with its index, stderr, metrics and all other answers of the admin port, keys, copies of
rules, temporary files, core dumps, what every verb prints and writes. The same over everything that other tests
have left is tests/conftest.py's.
"""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.audit import events
from proxy.audit.layout import logs, segments
from tests.canary import PLANTED, Canaries, told
from tests.commands.running import hushwire
from tests.harness import ROOT, Hushwire
from tests.planting import Upstream, everywhere, texts
from tests.wire.drill import eventually

CANARIES = Canaries()
TOKEN = "of-the-tests-alone"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

QUICK = ("--close-timeout", "1s", "--drain-wait", "0s", "--log-level", "debug")

MODES: dict[str, tuple[str, ...]] = {
    "findings": (),
    "messages": ("--audit-level", "messages", "--audit-client", "network", "--audit-durability", "synced"),
    "sessions": ("--audit-level", "sessions", "--audit-client", "none"),
    "strict": ("--rules", "strict"),
    "pass": ("--rules", "pass"),
    "binary passes": ("--binary", "pass"),
    "binary is denied": ("--binary", "deny"),
    "in workers": ("--workers", "2", "--audit-durability", "async"),
    "too late": ("--inline-bytes", "1", "--inspect-timeout", "1ms"),
    "too big": ("--max-message", "200"),
    "off": ("--audit", "off"),
}


class Swept:
    """A proxy whose every trace is in one folder, until `sweep`."""

    def __init__(self, folder: Path, upstream: str, *options: str, **more: object) -> None:
        self.state, self.scratch = folder / "state", folder / "tmp"
        self.scratch.mkdir(parents=True)
        self.audit = self.state / "hushwire" / "audit"
        variables = {"HUSHWIRE_ADMIN_TOKEN": TOKEN, "XDG_STATE_HOME": str(self.state), "TMPDIR": str(self.scratch)}
        rules = "default"
        if "--rules" in options:
            at = options.index("--rules")
            rules, options = options[at + 1], options[:at] + options[at + 2 :]
        self.proxy = Hushwire(
            upstream,
            *QUICK,
            *options,
            rules=rules,
            variables=variables,
            **more,  # type: ignore[arg-type]
        )

    def quiet(self) -> bool:
        """Whether every connection has ended."""
        return "\nhushwire_connections_open 0.0\n" in self._answer("/-/metrics")

    def answers(self) -> str:
        """What the admin port has to say, door by door."""
        paths = json.loads(self._answer("/-/openapi.json"))["paths"]
        doors = [path for path, kinds in paths.items() if "get" in kinds and "events" not in path]
        assert "/-/audit/stats" in doors
        fill = {"session": self._session(), "seq": "1"}
        return "\n".join(self._answer(door.format(**fill)) for door in doors)

    def _session(self) -> str:
        opened = [event for event in written(self.audit) if isinstance(event, events.SessionOpen)]
        return opened[-1].sid if opened else "0badcafe-1"

    def _answer(self, door: str) -> str:
        asked = urllib.request.Request(f"http://{self.proxy.admin}{door}", headers=HEADERS)
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                assert error.code in (404, 409), f"{door}: {error.code}"  # no such event; no audit
                return str(error.read().decode())

    def sweep(self, *more: Path, answers: str = "") -> None:
        """Nothing is anywhere."""
        found = CANARIES.in_files(self.state, self.scratch, *more)
        found += CANARIES.in_text("".join(self.proxy.log), "stderr")
        found += CANARIES.in_text(answers, "the admin port")
        assert not found, told(found)


@pytest.mark.parametrize("mode", MODES)
def test_no_planted_value_is_left_behind(tmp_path, mode):
    with Upstream() as upstream:
        swept = Swept(tmp_path, upstream.url, *MODES[mode])
        with swept.proxy as proxy:
            if mode not in ("too late", "too big"):
                texts(proxy)
            everywhere(proxy)
            assert eventually(swept.quiet)
            answers = swept.answers()
    assert any("session" in line for line in swept.proxy.log), "the log says something, but no value"
    if mode != "off":
        assert written(swept.audit), "the audit says something, but no value"
    swept.sweep(answers=answers)


def written(audit: Path) -> list[events.Any]:
    """Every event; none if there is no audit."""
    return [
        events.decode(line)
        for log in (logs(audit) if audit.exists() else ())
        for part in segments(log)
        for line in part.path.read_bytes().splitlines()
    ]


def test_level_sanitised_keeps_what_left_and_none_of_what_rules_rewrite(tmp_path):
    with Upstream() as upstream:
        swept = Swept(tmp_path, upstream.url, "--audit-level", "sanitised")
        with swept.proxy as proxy:
            texts(proxy)
            assert eventually(swept.quiet)
            answers = swept.answers()
    assert b"<EMAIL_ADDRESS>" in b"".join(path.read_bytes() for path in swept.audit.rglob("*.bodies"))
    swept.sweep(answers=answers)


def test_reloads_and_refused_rules_repeat_nothing(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nname: one\nextends: [default]\n")
    with Upstream() as upstream:
        swept = Swept(tmp_path / "proxy", upstream.url, "--rules", str(rules))
        with swept.proxy as proxy:
            texts(proxy)
            for text in ("version: 1\nname: two\nextends: [strict]\n", "version: 1\nrules: 7\n"):
                rules.write_text(text)
                os.kill(proxy.process.pid, signal.SIGHUP)
                texts(proxy)
            assert eventually(lambda: any("rules" in line for line in proxy.log))
            everywhere(proxy)
            answers = swept.answers()
    swept.sweep(answers=answers)


def test_a_crash_leaves_no_core(tmp_path):
    """A core is the memory of the process: whatever it was just looking at."""
    before = cores(tmp_path)
    with Upstream() as upstream:
        swept = Swept(tmp_path / "proxy", upstream.url, under=["prlimit", "--core=unlimited:unlimited"])
        texts(swept.proxy)
        assert swept.proxy.stop(signal.SIGABRT) == -signal.SIGABRT
    assert cores(tmp_path) == before
    swept.sweep()


def cores(*places: Path) -> set[tuple[Path, float]]:
    """Where Linux puts them, unless somebody else takes them (core_pattern)."""
    pattern = Path(Path("/proc/sys/kernel/core_pattern").read_text().strip())
    folders = [ROOT, *places, *([pattern.parent] if pattern.is_absolute() else [])]
    return {(path, path.stat().st_mtime) for folder in folders for path in folder.glob("core*")}


# -- verbs --------------------------------------------------------------------------------------------------

VALUE = PLANTED["email"]
VERBS: dict[str, tuple[list[str], str]] = {
    "search": (["search", "--entity", "EMAIL_ADDRESS"], ""),
    "tail": (["tail", "-n", "100"], ""),
    "show": (["show", "SESSION"], ""),
    "stats": (["stats"], ""),
    "report": (["report"], ""),
    "verify": (["verify"], ""),
    "prove": (["prove", "3"], ""),
    "anchor": (["anchor", "file:ANCHOR"], ""),
    "replay": (["replay", "SESSION"], ""),
    "subject": (["subject", "--entity", "EMAIL_ADDRESS", "--stdin"], VALUE),
    "hold": (["hold", "place", "--reason", "case 7"], ""),
    "export": (["export", "--format", "jsonl", "-o", "OUT/a.jsonl"], ""),
    "export as CSV": (["export", "--format", "csv", "-o", "OUT/a.csv"], ""),
    "export as Parquet": (["export", "--format", "parquet", "-o", "OUT/a.parquet"], ""),
    "index": (["index", "--rebuild"], ""),
}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """A state with an audit at level `sanitised`, where it is, and a session in it."""
    folder = tmp_path_factory.mktemp("audited")
    with Upstream() as upstream:
        swept = Swept(folder, upstream.url, "--audit-level", "sanitised")
        with swept.proxy as proxy:
            texts(proxy)
            assert eventually(swept.quiet)
    session = next(event.sid for event in written(swept.audit) if isinstance(event, events.SessionOpen))
    yield swept.state, swept.audit, session


@pytest.mark.parametrize("as_json", [False, True], ids=["", "json"])
@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_prints_or_writes_a_planted_value(tmp_path, monkeypatch, audited, verb, as_json):
    state, audit, session = audited
    words, stdin = VERBS[verb]
    out, scratch = tmp_path / "out", tmp_path / "tmp"
    out.mkdir()
    scratch.mkdir()
    given = {"SESSION": session, "file:ANCHOR": f"file:{out}"}
    words = [given.get(word, word.replace("OUT", str(out))) for word in words]
    monkeypatch.setenv("TMPDIR", str(scratch))
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / ".state").symlink_to(state)
    words += ["--audit", str(audit), *(["--json"] * (as_json and words[0] != "export"))]
    done = hushwire("audit", *words, folder=folder, stdin=stdin.encode())
    assert done.returncode == 0, done.stderr
    found = CANARIES.in_text(done.stdout + done.stderr, "what it prints")
    found += CANARIES.in_files(out, scratch, state)
    assert not found, told(found)


def test_a_subject_is_found_by_the_value_that_is_nowhere(tmp_path, audited):
    """Or the sweep of verbs would say nothing."""
    state, audit, _ = audited
    (tmp_path / ".state").symlink_to(state)
    words = ["subject", "--entity", "EMAIL_ADDRESS", "--stdin", "--audit", str(audit), "--json"]
    done = hushwire("audit", *words, folder=tmp_path, stdin=VALUE.encode())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["found"] == 5  # twice by the client; text, ping and close reason of the service
