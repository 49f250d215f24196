"""`hushwire init`: what it writes passes as it stands, and nobody's file is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.running import hushwire


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "rules.yaml"),
        (["--schema", "rules/my chat.yaml"], "rules/my chat.yaml"),
        (["--config"], "hushwire.yaml"),
        (["--config", "--schema", "ops/wire.yaml"], "ops/wire.yaml"),
    ],
)
def test_what_is_written_passes_as_it_stands(tmp_path: Path, arguments: list[str], name: str) -> None:
    done = hushwire("init", *arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{name} is written; now: hushwire check {name}\n")
    done = hushwire("check", "--json", name, folder=tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (0, []), "not even a warning"
    if "--config" not in arguments:
        done = hushwire("test", "--coverage", name, folder=tmp_path)
        assert "coverage 100%" in done.stdout, done.stdout


def test_an_editor_is_told_where_the_schema_is(tmp_path: Path) -> None:
    hushwire("init", "--schema", folder=tmp_path)
    first = (tmp_path / "rules.yaml").read_text().partition("\n")[0]
    assert first == "# yaml-language-server: $schema=./rules.schema.json"
    assert json.loads((tmp_path / "rules.schema.json").read_text())["title"] == "Rules of Hushwire"


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("mine")
    done = hushwire("init", folder=tmp_path)
    assert (done.returncode, (tmp_path / "rules.yaml").read_text()) == (2, "mine")
    assert "say --force" in done.stderr
    assert hushwire("init", "--force", folder=tmp_path).returncode == 0
    assert (tmp_path / "rules.yaml").read_text() != "mine"
    (tmp_path / "file").write_text("")
    done = hushwire("init", "file/rules.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
