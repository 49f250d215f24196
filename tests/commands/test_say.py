"""Why commands stop: a sentence and a code, whatever has gone wrong, and nothing that a terminal obeys."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from proxy.commands.judge import judge
from proxy.commands.say import plural, printable, sound, stopping
from proxy.rulebook.faults import Fault, RulesError
from proxy.starting import StartError
from tests.rules import ground

FAULT = Fault("a.yaml", 2, 3, "E011", "wrong", "mend")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RulesError([FAULT]), 3, "a.yaml:2:3: error[E011] wrong; mend\n"),
        (StartError("the port is taken"), 1, "the port is taken\n"),
        (StartError("many words", 3, [FAULT]), 3, "a.yaml:2:3: error[E011] wrong; mend\n"),
    ],
)
def test_a_command_that_cannot_go_on_says_why(
    error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as caught, stopping():
        raise error
    assert caught.value.exit_code == code
    assert capsys.readouterr() == ("", said)


def test_what_breaks_in_somebodys_recognizer_is_a_fault_and_quotes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RulesError) as caught, sound("a.yaml"):
        raise KeyError("secret")
    assert str(caught.value) == "a.yaml: error[E026] building stopped with KeyError"

    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("proxy.commands.judge.compiled", broken)
    assert [fault.code for fault in judge("default", ground(), prose=False).faults] == ["E026"]


def test_counts_read_well_and_text_stays_in_its_line() -> None:
    assert [plural(count, "rule") for count in (0, 1, 2000)] == ["0 rules", "1 rule", "2,000 rules"]
    assert plural(2, "category", "categories") == "2 categories"
    assert printable("a\tb\x1b[2J\n\u202e") == "a b\N{REPLACEMENT CHARACTER}[2J" + "\N{REPLACEMENT CHARACTER}" * 2
