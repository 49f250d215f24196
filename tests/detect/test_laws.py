"""Laws of the detector: the same verdicts as Presidio's engine, shortcuts that change nothing, no network."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NoReturn

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import UsSsnRecognizer

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.engine import SAMPLE, Engine, distinct
from proxy.detect.patterns import Patterns
from proxy.detect.presidio import recognizers
from proxy.detect.readings import readings
from proxy.detect.recognizer import Recognizer
from tests.detect.looking import detector, leaf, look
from tests.detect.test_verdicts import FOUND, NOTHING

VALUES = [value for values in FOUND.values() for value in values]
# Values, near misses and noise, glued together with and without something between them.
PIECES = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(NOTHING),
    st.text(alphabet="0123456789abcdefABCDEF:.-/ ,@+()x%", max_size=24),
    st.text(max_size=6),
    st.from_regex(r"[-(+]?[0-9]{1,12}[., ][0-9]{1,12}", fullmatch=True),
    st.from_regex(r"[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){3,6}", fullmatch=True),
    st.from_regex(r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}", fullmatch=True),
    st.from_regex(r"[13456][0-9]{3}[- ]?[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{3,5}", fullmatch=True),
)
TEXTS = st.lists(PIECES, max_size=5).flatmap(
    lambda pieces: st.sampled_from(["", " ", ", ", "\n", '","', "\u00e9"]).map(lambda glue: glue.join(pieces))
)
UNMODIFIED = frozenset({"IBAN_CODE", "US_SSN", "IP_ADDRESS", "MAC_ADDRESS", "CRYPTO"})


@cache
def engine() -> AnalyzerEngine:
    """Presidio as it comes, with the recognizers that we run unmodified, and no language model."""
    nlp = NoOpNlpEngine([{"lang_code": "en", "model_name": ""}])
    nlp.load()
    ours = [r.source for r in recognizers() if isinstance(r, Patterns) and r.entity in UNMODIFIED]
    assert {r.supported_entities[0] for r in ours} == UNMODIFIED
    registry = RecognizerRegistry(recognizers=ours, supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])


Place = tuple[str, int, int, float]


def places(findings: list[Any]) -> set[Place]:
    return {(getattr(f, "entity", None) or f.entity_type, f.start, f.end, f.score) for f in findings}


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from([0.01, 0.5, 0.6, 1.0]))
def test_unmodified_recognizers_find_all_that_presidios_own_engine_finds(text: str, threshold: float) -> None:
    """And more: Presidio's search goes on behind what a validator rejected, ours right behind where that began;
    and ours takes the letters of a wallet's alphabet, Presidio's all that follow."""
    theirs = engine().analyze(text, "en", entities=sorted(UNMODIFIED), score_threshold=threshold)
    ours = places(look(text, threshold, *UNMODIFIED))
    assert all(_covered(place, ours) for place in places(theirs))
    if not readings(text):  # which Presidio does not have
        alike = {place for place in ours if place[0] != "CRYPTO"}
        alone = {place for place in alike if not _begins_in_what_was_rejected(text, place)}
        assert alone <= places(theirs)


def _covered(place: Place, by: set[Place]) -> bool:
    entity, start, end, score = place
    return any(e == entity and s <= start and end <= t and score <= c for e, s, t, c in by)


def _begins_in_what_was_rejected(text: str, place: Place) -> bool:
    """Whether Presidio alone, searching from there on, finds it: then only what stood before it was in its way."""
    entity, start, end, _ = place
    (found,) = (r for r in recognizers() if isinstance(r, Patterns) and r.entity == entity)
    theirs = [regex.compile(pattern.regex, found.source.global_regex_flags) for pattern in found.source.patterns]
    alone = any(match and match.end() >= end for match in (pattern.match(text, start) for pattern in theirs))
    return alone and any(m.start() < start < m.end() for pattern in theirs for m in pattern.finditer(text))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_higher_threshold_only_leaves_findings_out(text: str) -> None:
    for recognizer in detector().recognizers:
        low = {place for place in places(_raw(recognizer, text, 0.01)) if place[3] >= 0.5}
        assert places(_raw(recognizer, text, 0.5)) == low


def _raw(recognizer: Recognizer, text: str, threshold: float) -> list[Finding]:
    return list(recognizer.find(text, 0, len(text), threshold, Deadline(10)))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_findings_lie_inside_the_text(text: str) -> None:
    assert all(0 <= f.start < f.end <= len(text) and 0 < f.score <= 1 for f in look(text, 0.01))


def test_distinct_keeps_what_sticks_out_and_other_entities() -> None:
    outer, inner = Finding("A", 0, 9, 0.6, "r"), Finding("A", 2, 5, 0.6, "r")
    beyond, other = Finding("A", 5, 12, 0.6, "r"), Finding("B", 2, 5, 0.6, "r")
    assert set(distinct([inner, outer, beyond, other, outer])) == {outer, beyond, other}


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> NoReturn:
        raise AssertionError("the detector opened a connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fresh = Engine()
    fresh.warm()
    (found,) = fresh.find([leaf(SAMPLE)], fresh.entities, 0.5)
    assert {f.entity for f in found} == {one.entity for one in fresh.recognizers}


def test_a_new_process_starts_without_the_network_and_writes_nothing() -> None:
    script = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from proxy.detect.engine import Engine\n"
        "detector = Engine()\n"
        "detector.warm()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_that_was_looked_at_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for text in (SAMPLE, "GB00WEST12345698765432", "4" * 19, "bob@" * 50):
        look(text, 0.01)
    assert caplog.records == []


def test_a_validator_that_fails_does_not_quote_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, text: str) -> NoReturn:
        raise ValueError(text)

    monkeypatch.setattr(UsSsnRecognizer, "invalidate_result", fail)
    with pytest.raises(RuntimeError) as caught:
        look("219-09-9999")
    assert "219" not in str(caught.value) and caught.value.__suppress_context__


def test_many_threads_see_what_one_sees() -> None:
    texts = [SAMPLE, "bob@corp.internal", "(212) 555-0142 or +44 20 7946 0958", "nothing", *VALUES]
    alone = [places(look(text)) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: places(look(text)), texts * 8))
    assert together == alone * 8
