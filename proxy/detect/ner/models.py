"""Which model: `rampart`, `strict`, or one of the user's by path. Loads nothing until it is asked to open one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from proxy.detect.ner.adapters import Gliner, HuggingFace, Spacy, small_spacy
from proxy.detect.ner.model import Model
from proxy.detect.ner.rampart import PACKAGE, Rampart
from proxy.detect.ner.strict import Strict

MISSING = "names and addresses are found by key only; pip install 'hushwire[ner]'"

BY_PATH: dict[str, Callable[[Path], Model]] = {"spacy": Spacy, "gliner": Gliner, "hf": HuggingFace}
BY_NAME: dict[str, Callable[[], tuple[Model, ...]]] = {
    "rampart": lambda: (Rampart(),),
    "strict": lambda: (Strict(Rampart(), small_spacy()),),
}


def available() -> bool:
    """Whether the extra is installed; nothing of it is imported. Where it is not, say MISSING."""
    return all(find_spec(package) is not None for package in (PACKAGE, "onnxruntime", "tokenizers"))


def open_model(spec: str) -> Sequence[Model]:
    """The models that `spec` names, loaded: `rampart`, `strict` (rampart and spaCy's small English model),
    `spacy:DIR`, `gliner:DIR`, `hf:DIR`; several joined by `+`. Nothing is downloaded.

    Raises ValueError for a spec that means nothing, FileNotFoundError for a directory that is none and
    MissingError, naming the pip command, when a library is not installed.
    """
    return tuple(model for part in spec.split("+") for model in _open(part.strip()))


def _open(spec: str) -> tuple[Model, ...]:
    if spec in BY_NAME:
        return BY_NAME[spec]()
    kind, colon, path = spec.partition(":")
    if not colon or kind not in BY_PATH:
        known = ", ".join([*BY_NAME, *(f"{kind}:DIRECTORY" for kind in BY_PATH)])
        raise ValueError(f"unknown model '{spec}'; known are {known}")
    directory = Path(path).expanduser()
    if not directory.is_dir():
        raise FileNotFoundError(f"no directory with a model: {directory}")
    return (BY_PATH[kind](directory),)
