"""Anybody's Presidio recognizers: by country, from YAML, by the path of a class; and ours as Presidio's."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    Pattern,
    PatternRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import IbanRecognizer, SpacyRecognizer

from proxy.detect.deadline import Deadline
from proxy.detect.recognizer import FLOOR, Recognizer
from proxy.detect.recognizers import ours
from proxy.detect.recognizers.adapted import Adapted, Foreign, adapt
from proxy.detect.recognizers.as_presidio import AsPresidio
from proxy.detect.recognizers.countries import countries, from_class, from_yaml, of_countries
from proxy.detect.recognizers.superset import shape
from proxy.detect.triggers import spelt, width
from tests.detect.recognizers.looking import Gated, look, look_everywhere, values
from tests.detect.recognizers.samples import NOTHING
from tests.detect.recognizers.test_phone import noise

EVERYWHERE = of_countries(countries())
READABLE = [
    (one, compiled.pattern, form)
    for one in EVERYWHERE
    if isinstance(one, Adapted)
    for compiled, _, form in one.patterns
    if form is not None
]


class Badge(EntityRecognizer):  # type: ignore[misc]
    """A recognizer that somebody wrote by hand."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["BADGE", "DESK"], name="badges")

    def load(self) -> None: ...

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        if "explode" in text:
            raise KeyError(text)
        if "lie" in text:
            return [RecognizerResult("BADGE", 0, len(text) + 1, 0.9)]
        found = [RecognizerResult("BADGE", m.start(), m.end(), 0.8) for m in re.finditer(r"B-\d+", text)]
        return found + [RecognizerResult("DESK", m.start(), m.end(), 0.7) for m in re.finditer(r"D-\d+", text)]


class Checked(PatternRecognizer):  # type: ignore[misc]
    """With a validator that trips over its own feet."""

    def validate_result(self, pattern_text: str) -> bool:
        return int(pattern_text) % 7 == 0


def employee(**options: Any) -> PatternRecognizer:
    pattern = Pattern("employee", r"\bEMP-\d{4,6}\b", 0.6)
    return PatternRecognizer("EMPLOYEE_ID", **{"patterns": [pattern], "name": "employees"} | options)


def only(recognizer: EntityRecognizer) -> Recognizer:
    (one,) = adapt(recognizer)
    return one


def test_a_pattern_made_on_the_spot_is_found_in_windows() -> None:
    one = only(employee())
    assert one.entity == "EMPLOYEE_ID" and one.name == "employees"
    text = "x " * 500 + "EMP-12345, emp-99999 and EMP-1" + " y" * 500
    assert values(one, text) == {"EMP-12345", "emp-99999"}
    assert look(one, text) == look_everywhere(one, text)
    assert one.triggers and not re.search(one.triggers[0], "nothing here", re.IGNORECASE)
    assert {f.score for f in look(one, text)} == {0.6} and look(one, text, 0.7) == set()


def test_words_on_a_deny_list_are_found_as_words() -> None:
    one = only(PatternRecognizer("PROJECT", deny_list=["Bluebird", "Red Kite", "C++"], name="projects"))
    assert values(one, "bluebird, bluebirds and RED KITE in C++.") == {"bluebird", "RED KITE", "C++"}
    assert {f.score for f in look(one, "Red Kite")} == {1.0}


def test_a_context_word_lifts_a_weak_pattern() -> None:
    weak = [Pattern("weak", r"\b\d{6}\b", 0.2)]
    one = only(PatternRecognizer("STAFF_NUMBER", patterns=weak, context=["staff", "payroll no"], name="staff"))
    assert values(one, "staff 123456") == values(one, "Payroll No: 123456") == {"123456"}
    assert values(one, "order 123456") == values(one, "distaff 123456") == set()
    assert [f.score for f in look(one, "staff 123456")] == [0.55]
    assert {f.score for f in look_everywhere(one, "order 123456", 0.1)} == {0.2}


def test_thresholds_of_the_recognizer_itself_hold() -> None:
    picky = employee()
    picky.score_thresholds = {"EMPLOYEE_ID": 0.7}
    assert look(only(picky), "EMP-12345") == set()


def test_a_recognizer_written_by_hand_looks_at_everything() -> None:
    badge, desk = adapt(Badge())
    assert isinstance(badge, Foreign) and badge.triggers == ()
    assert values(badge, "B-12 at D-7") == {"B-12"} and values(desk, "B-12 at D-7") == {"D-7"}
    assert look(desk, "D-7", 0.8) == set()


@pytest.mark.parametrize("text", ["explode 4111", "lie 4111"])
def test_what_a_recognizer_raises_is_told_without_its_text(text: str) -> None:
    badge = adapt(Badge())[0]
    with pytest.raises(RuntimeError, match="badges") as caught:
        look(badge, text)
    assert "4111" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_validator_that_fails_does_not_quote_the_text() -> None:
    one = only(Checked("SEVENS", patterns=[Pattern("any", r"<\w{7}>", 0.9)], name="sevens"))
    with pytest.raises(RuntimeError) as caught:
        look(one, "<secret1>")
    assert "secret1" not in str(caught.value)


def test_a_pattern_that_takes_too_long_is_an_error_and_not_silence() -> None:
    one = only(PatternRecognizer("RUNS", patterns=[Pattern("slow", r"(?:x+x+)+y", 0.9)], name="slow"))
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        list(one.find("x" * 5000, 0, 5000, 0.5, Deadline(0.1)))
    assert time.monotonic() - began < 2


def test_a_recognizer_that_needs_a_language_model_is_refused() -> None:
    with pytest.raises(ValueError, match="language model"):
        adapt(SpacyRecognizer())


def test_a_recognizer_with_a_loop_of_its_own_keeps_it() -> None:
    one = only(IbanRecognizer())
    assert isinstance(one, Foreign)
    assert values(one, "pay to GB82WEST12345698765432 now") == {"GB82WEST12345698765432"}


YAML = """
supported_languages: [en, de]
global_regex_flags: 26
recognizers:
  - name: NhsRecognizer
    type: predefined
    supported_languages: [en]
  - name: Zip code
    supported_languages:
      - language: en
        context: [zip]
      - language: de
        context: [plz]
    supported_entity: ZIP
    patterns:
      - name: zip
        regex: "(\\\\b\\\\d{5}\\\\b)"
        score: 0.2
  - name: Titles
    supported_languages: [en]
    supported_entity: TITLE
    deny_list: [Mr., Mrs.]
"""


def test_a_registry_file_of_presidio_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recognizers.yaml"
    path.write_text(YAML)
    made = from_yaml(path)
    assert sorted(one.entity for one in made) == ["TITLE", "UK_NHS", "ZIP"]
    assert values(made, "zip 12345") == values(made, "PLZ 12345") == {"12345"}
    assert values(made, "Mrs. X, nhs 943 476 5919") == {"Mrs.", "943 476 5919"}
    assert values(made, "code 12345") == set()


@pytest.mark.parametrize(
    "text", ["recognizers: [", "recognizers:\n  - name: Nobody\n    type: predefined\n", "a: 1", "recognizers: 7"]
)
def test_a_registry_file_that_cannot_be_used_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recognizers.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        from_yaml(path)


def test_a_registry_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file"):
        from_yaml(tmp_path / "none.yaml")


def test_a_class_is_taken_by_its_path() -> None:
    made = from_class(f"{__name__}.Badge")
    assert [one.entity for one in made] == ["BADGE", "DESK"]


@pytest.mark.parametrize("path", ["no.such.Module", f"{__name__}.Nobody", "pathlib.Path", "Badge", ""])
def test_a_path_to_nothing_or_to_something_else_is_an_error(path: str) -> None:
    with pytest.raises(ValueError, match=r"class|EntityRecognizer"):
        from_class(path)


def test_countries_are_those_of_the_installed_presidio() -> None:
    assert {"uk", "de", "es", "it", "pl", "us", "au", "in"} <= set(countries())
    assert {one.entity for one in of_countries(["uk"])} >= {"UK_NHS", "UK_NINO"}
    assert of_countries(["UK", "uk"])[0].entity == of_countries(["uk"])[0].entity
    assert len(of_countries(["UK", "uk"])) == len(of_countries(["uk"]))
    with pytest.raises(ValueError, match="atlantis"):
        of_countries(["uk", "atlantis"])


@pytest.mark.parametrize(
    ("country", "text", "value"),
    [
        ("uk", "my NHS number is 943 476 5919", "943 476 5919"),
        ("uk", "nhs 9434765919", "9434765919"),
        ("uk", "NINO AB123456C", "AB123456C"),
        ("es", "DNI 12345678Z", "12345678Z"),
        ("it", "codice RSSMRA80A01H501U", "RSSMRA80A01H501U"),
        ("pl", "PESEL 44051401359", "44051401359"),
        ("de", "Steueridentifikationsnummer 86095742719", "86095742719"),
        ("us", "itin 912-70-1234", "912-70-1234"),
    ],
)
def test_a_number_of_a_country_is_found(country: str, text: str, value: str) -> None:
    assert value in values(of_countries([country]), text)


def test_digits_alone_count_only_behind_a_word() -> None:
    assert values(of_countries(["uk", "pl"]), "9434765919 and 44051401359") == set()


def test_no_number_of_any_country_is_seen_in_times_and_hashes() -> None:
    texts = [text for text in NOTHING if re.fullmatch(r"[0-9TZ:.+-]*|[0-9a-f-]{32,}", text)]
    assert len(texts) > 10
    assert {text: values(EVERYWHERE, text) for text in texts if values(EVERYWHERE, text)} == {}


def test_no_recognizer_of_a_country_makes_the_gate_useless() -> None:
    assert [one.name for one in EVERYWHERE if not one.triggers] == []
    for one in EVERYWHERE:
        for trigger in one.triggers:
            assert width(trigger) is not None and spelt(trigger, False) and spelt(trigger, True)
    gate = Gated(EVERYWHERE).gate
    assert gate.blind == frozenset()
    assert gate.clear(b'{"type":"ack","text":"deploy is green, merging now","n":12}')


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_trigger_hits_wherever_its_pattern_matches(data: st.DataObject) -> None:
    one, pattern, form = data.draw(st.sampled_from(READABLE))
    try:
        strategy = st.from_regex(re.compile(pattern.replace("(?i)", ""), re.IGNORECASE | re.ASCII))
        text = data.draw(strategy)
    except re.error:  # a look-behind that only `regex` knows
        return
    for match in regex.finditer(pattern, text, regex.IGNORECASE | regex.DOTALL | regex.MULTILINE):
        hit = re.compile(form.trigger, re.IGNORECASE | re.DOTALL).match(text, match.start())
        assert hit, one.name
        assert form.longest is None or match.end() - match.start() <= form.longest


PIECES = st.one_of(
    st.sampled_from(
        [pattern for _, pattern, _ in READABLE if "(?<=" not in pattern and "(?i)" not in pattern]
    ).flatmap(lambda pattern: st.from_regex(re.compile(pattern, re.IGNORECASE | re.ASCII))),
    st.sampled_from(["nhs", "passport", "steuer-id", "plate", "tax", "x" * 200, "1" * 40, "AB12 " * 30, ""]),
    st.integers().map(lambda seed: noise(random.Random(seed))),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=5), st.sampled_from([" ", ", ", "", "\n", ": "]))
def test_windows_and_the_whole_text_give_the_same_findings(pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    for one in EVERYWHERE:
        assert look(one, text, FLOOR, ends_only=True) == look_everywhere(one, text), one.name


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (r"\p{Lu}{3}\d{5}", regex.I),
        (r"[[:alpha:]]{3}\d{5}", regex.I),
        (r"(?:foo){e<=1}\d{5}", regex.I),
        (r"\\d{5}-\d{4}", regex.I),
        (r"(?<name>\d{5})", regex.I),
        (r".*", regex.I),
        (r"(", regex.I),
    ],
)
def test_a_pattern_that_cannot_be_read_has_no_trigger(pattern: str, flags: int) -> None:
    assert shape(pattern, flags) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?<!\w)(ab|cd)\1{2}(?=x.*y)", "CDcdcdx12y"),
        (r"key=\w+;\d+", "KEY=a;1"),
        (r"(?:a|b+c)dd", "bbbcdd"),
        (r"^(?:(?:in|out)\s?)?no\.\s?\d{3,}$", "NO. 1234"),
        (r"stra\u00dfe \d{2}", "STRASSE 12".replace("SS", "\u1e9e")),
        (r"ki[sk]s\d{3}", "\u212a\u0131\u017fs123"),
    ],
)
def test_a_trigger_matches_more_than_its_pattern_never_less(pattern: str, text: str) -> None:
    form = shape(pattern, regex.I)
    assert form is not None and width(form.trigger) is not None
    assert re.search(form.trigger, text, re.IGNORECASE | re.DOTALL)


def test_a_pattern_that_minds_case_is_not_made_to_ignore_it() -> None:
    one = only(employee(global_regex_flags=0))
    assert values(one, "EMP-12345 emp-12345") == {"EMP-12345"}
    assert one.triggers[0].startswith("(?-i:")


def test_a_long_match_of_an_endless_pattern_is_found_whole() -> None:
    endless = [Pattern("endless", r"BEGIN-\d{3}.*END", 0.9)]
    one = only(PatternRecognizer("BLOCK", patterns=endless, name="blocks"))
    text = "x" * 900 + "BEGIN-123" + "y" * 5000 + "END" + "z" * 900
    assert [f.end - f.start for f in look(one, text)] == [5012]


def test_ours_serve_presidios_own_engine() -> None:
    nlp = NoOpNlpEngine([{"lang_code": "en", "model_name": ""}])
    nlp.load()
    registry = RecognizerRegistry(recognizers=[AsPresidio(one) for one in ours()], supported_languages=["en"])
    engine = AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])
    text = "bob@corp.internal, +44 20 7946 0958, 4111 1111 1111 1111"
    found = {(r.entity_type, text[r.start : r.end]) for r in engine.analyze(text, "en")}
    assert found == {
        ("EMAIL_ADDRESS", "bob@corp.internal"),
        ("PHONE_NUMBER", "+44 20 7946 0958"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
    }
    assert engine.analyze(text, "en", entities=["SECRET"]) == []
