"""`hushwire rollback`, as somebody types it who has broken his rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from proxy.cli import app
from proxy.detect.engine import Engine
from proxy.rulebook.live import Rules
from proxy.rulebook.versions import Versions, state_directory
from tests.harness import Hushwire
from tests.rulebook.test_live import RULES, nothing_more, said
from tests.rules import NOW, ground
from tests.wire.drill import Service
from tests.wire.ends import opened
from tests.wire.test_reload import becomes

Type = Callable[..., Result]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command, where versions are kept that nobody else keeps."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, ["rollback", *map(str, words)])


def history(path: Path, *texts: str) -> Rules[Engine]:
    """A proxy's rules that were changed."""
    now = iter(range(100))
    path.write_text(texts[0])
    versions = Versions(state_directory())
    rules = Rules(["chat"], str(path), ground(), nothing_more, versions, lambda: NOW + next(now))
    rules.try_swap()
    for text in texts[1:]:
        path.write_text(text)
        rules.follow()
    return rules


def test_without_a_digest_versions_are_listed_and_nothing_is_changed(typed: Type, tmp_path: Path) -> None:
    assert "no versions are kept yet" in typed().output
    rules = history(tmp_path / "my.yaml", RULES % "A", RULES % "B")
    table = typed("--rules", tmp_path / "my.yaml").output
    lines = table.splitlines()
    assert lines[1].startswith(rules.live.policy.digest[:12]) and "(on disk)" in lines[1] and "chat" in lines[1]
    assert len(lines) == 3 and "(on disk)" not in lines[2]
    rows = json.loads(typed("--list", "--json").output)
    assert [row["on_disk"] for row in rows] == [True, False]
    assert rows[0]["digest"] == rules.live.policy.digest
    assert typed("--rules", tmp_path / "other.yaml", "--json").output.strip() == "[]"
    assert (tmp_path / "my.yaml").read_text() == RULES % "B"


def test_a_version_is_put_back_with_all_its_files(typed: Type, tmp_path: Path) -> None:
    path, base = tmp_path / "my.yaml", tmp_path / "base.yaml"
    base.write_text(RULES % "A")
    extending = "version: 1\nextends: [./base.yaml]\n"
    rules = history(path, extending)
    first = rules.live.policy.digest
    base.write_text(RULES % "B")
    rules.follow()
    path.write_text("broken")
    base.unlink()
    result = typed(first[:8])
    assert result.exit_code == 0, result.output
    assert f"at version {first[:12]} again" in result.output and "not quite" not in result.output
    assert (path.read_text(), base.read_text()) == (extending, RULES % "A")
    rules.follow()
    assert said(rules) == "A"


def test_a_digest_that_says_too_little_is_asked_back(typed: Type, tmp_path: Path) -> None:
    first = history(tmp_path / "one.yaml", RULES % "A").live.policy.digest
    history(tmp_path / "two.yaml", RULES % "A")
    result = typed(first)
    assert result.exit_code == 2 and "one.yaml" in result.output and "two.yaml" in result.output
    assert typed(first, "--rules", tmp_path / "two.yaml").exit_code == 0
    assert typed("not a digest").exit_code == 2
    assert typed("ff", "--rules", tmp_path / "three.yaml").exit_code == 2


def test_a_version_that_cannot_go_live_any_more_is_not_written(typed: Type, tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    rules = history(path, RULES % "A", RULES % "B")
    kept = rules.versions.all(path)[-1]
    made_elsewhere = (RULES % "C").replace("CRYPTO", "NOBODY_KNOWS")  # by a newer Hushwire, for example
    path.write_text(made_elsewhere)
    rules.versions.keep(_of(kept, path), {path: made_elsewhere.encode()})
    path.write_text(RULES % "B")
    result = typed("ff")
    assert result.exit_code == 3 and "nothing was written" in result.output
    assert path.read_text() == RULES % "B"


def _of(kept, path):  # type: ignore[no-untyped-def]
    from dataclasses import replace
    from hashlib import sha256

    from proxy.rulebook.files import File

    return replace(kept, digest="ff" * 32, files=(File(path, sha256(path.read_bytes()).hexdigest()),))


def test_rules_that_come_along_are_not_written(typed: Type) -> None:
    rules = Rules(["a"], "default", ground(), nothing_more, Versions(state_directory()))
    rules.try_swap()
    result = typed(rules.live.policy.digest)
    assert result.exit_code == 2 and "come with Hushwire" in result.output


def test_a_running_proxy_follows(typed: Type, tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(RULES % "A")
    with Service() as service:
        proxy = Hushwire(service.url, rules=str(path))
        try:
            with opened(proxy) as end:
                assert becomes(end, b"A")
                path.write_text(RULES % "B")
                assert becomes(end, b"B")
                first = json.loads(typed("--json").output)[-1]["digest"]
                assert typed(first).exit_code == 0
                assert becomes(end, b"A")
        finally:
            proxy.stop()
