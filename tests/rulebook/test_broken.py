"""Every file of tests/rulebook/broken.py is refused with one fault, at its place, with its code and a cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.rulebook.faults import CODES, Fault, RulesError
from proxy.rulebook.load import build
from tests.rulebook.broken import BROKEN, FILES, Broken
from tests.rules import ground


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


def faults(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Fault, ...]:
    monkeypatch.chdir(folder)
    Path("my.yaml").write_text(text, "utf-8", newline="")
    with pytest.raises(RulesError) as caught:
        build("./my.yaml", ground())
    return caught.value.faults


@pytest.mark.parametrize("broken", BROKEN, ids=[f"{i}-{one.code}" for i, one in enumerate(BROKEN)])
def test_a_broken_file_is_told_once_at_its_place(
    folder: Path, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, mark, _ = broken.text.partition(">>")
    place = (before.count("\n") + 1, len(before) - before.rfind("\n")) if mark else (0, 0)
    text = broken.text.replace(">>", "", 1)
    told = faults(folder, text, monkeypatch)
    assert [(fault.line, fault.column, fault.code) for fault in told] == [(*place, broken.code)], told
    said = str(told[0])
    assert broken.part in said
    assert "secret.example" not in said
    assert said.isprintable()


def test_a_fault_is_as_wide_as_what_is_meant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a name is to be put in the place of another, it is known what that covers."""
    seen = 0
    for broken in BROKEN:
        if "did you mean" in broken.part:
            before, _, after = broken.text.partition(">>")
            (fault,) = faults(folder, before + after, monkeypatch)
            assert after[fault.width] in ":,]}\n", after
            assert after[: fault.width].strip("\"'")
            seen += bool(fault.instead)
    assert seen > 40


def test_the_corpus_is_large_and_knows_every_code() -> None:
    assert len({broken.text for broken in BROKEN}) >= 150
    ours = {code for code in CODES if code < "E037"} - {"E026"}  # E026: test_live.py breaks what the file cannot
    assert {broken.code for broken in BROKEN} == ours
