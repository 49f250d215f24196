"""What README prints works as printed: its rules load, its options exist, its files are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from proxy import options
from proxy.cli import app
from proxy.core.message import Direction
from proxy.explain import explain
from proxy.explain_show import show
from tests.harness import ROOT
from tests.rules import built, policy

README = (ROOT / "README.md").read_text()
RULES = re.findall(r"```yaml\n(.*?)```", README, re.S)
LINKS = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
OPTIONS = re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)
NOT_OURS = {"--help", "--port"}  # of the command line library, and of uvicorn
VERBS = re.findall(r"(?:`|    \.venv/bin/)hushwire ((?:audit |keys )?[a-z]+)", README)
TARGETS = re.findall(r"(?:^    |`)make ([a-z-]+)", README, re.M)


@pytest.mark.parametrize("text", RULES)
def test_the_rules_in_readme_load(text: str) -> None:
    assert policy(text).rules


def test_the_first_rules_in_readme_do_what_is_said() -> None:
    rules = policy(RULES[0])
    stop = rules.decide("CREDIT_CARD", Direction.UPSTREAM_TO_CLIENT).rule
    back = rules.decide("CREDIT_CARD", Direction.CLIENT_TO_UPSTREAM).rule
    assert (stop and stop.operator, back and back.operator) == ("close", "mask")


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_the_files_that_readme_points_to_exist(link: str) -> None:
    assert (ROOT / link).exists()


def commands() -> dict[str, Any]:
    """By name, those of groups as `audit search`."""
    found: dict[str, Any] = {}
    groups = [("", typer.main.get_command(app))]
    while groups:
        before, group = groups.pop()
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            found[before + name] = command
            if hasattr(command, "commands"):
                groups.append((f"{before}{name} ", command))
    return found


@pytest.mark.parametrize("verb", sorted(set(VERBS)))
def test_the_commands_in_readme_exist(verb: str) -> None:
    assert verb in commands()


@pytest.mark.parametrize("option", sorted(set(OPTIONS)))
def test_the_options_in_readme_exist(option: str) -> None:
    known = {flag for entry in options.OPTIONS for flag in re.findall(r"--[a-z-]+", str(entry))}
    known |= {flag for command in commands().values() for param in command.params for flag in param.opts}
    assert option in known | NOT_OURS | {str(options.JSON.default)}


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_the_make_targets_in_readme_exist(target: str) -> None:
    assert re.search(rf"^{target}:", Path(ROOT / "Makefile").read_text(), re.M)


def test_readme_says_enough_to_be_held_to_it() -> None:
    assert len(RULES) == 2
    assert len(set(LINKS)) > 8
    assert len(set(OPTIONS)) > 15
    assert len(set(VERBS)) > 20
    assert {"run", "test"} <= set(TARGETS)


def test_the_explanation_in_readme_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"hushwire explain '(.*)'\n\n```text\n(.*?)```", README, re.S)
    assert found is not None
    default = built("default")
    show(explain(found[1].encode(), default.policy, Direction.CLIENT_TO_UPSTREAM, default.detector))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == found[2].splitlines()


def test_the_faults_in_readme_are_the_ones_that_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"```text\n(my.yaml:.*?)```", README, re.S)
    assert found is not None
    lines = {int(number): text for number, text in re.findall(r"^ +(\d+) \| (.*)$", found[1], re.M)}
    written = ["version: 1", "rules:", "  - id: mail", *(lines[number] for number in sorted(lines))]
    (tmp_path / "my.yaml").write_text("\n".join(written))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["check", "my.yaml"])
    heads = re.findall(r"^(my.yaml:\S+ \S+ [^\n]*)$", found[1], re.M)
    assert told.exit_code == 3
    assert [line.split(";")[0] for line in told.output.splitlines() if line.startswith("my.yaml")] == heads
