"""A rule file brings recognizers: a country's, a class, a registry file's or patterns, each proven by a rule."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from proxy.core.message import Leaf
from proxy.core.policy import Policy
from proxy.detect.engine import Engine
from proxy.rulebook.document import read
from proxy.rulebook.family import Member
from proxy.rulebook.faults import RulesError
from proxy.rulebook.files import Files
from proxy.rulebook.supply import Supplied, partly, supply
from tests.harness import Hushwire
from tests.rules import built

MODULE = """\
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult

class Badge(PatternRecognizer):
    def __init__(self):
        super().__init__("BADGE", patterns=[Pattern("badge", r"\\bAC-\\d{4}-\\d{2}\\b", 0.85)])

class Desk(EntityRecognizer):
    def __init__(self):
        super().__init__(supported_entities=["DESK"], name="desks")
    def load(self): ...
    def analyze(self, text, entities, nlp_artifacts):
        at = text.find("desk seven")
        return [RecognizerResult("DESK", at, at + 10, 0.9)] if at >= 0 else []

class Needy(Badge):
    def __init__(self, key):
        super().__init__()
"""
REGISTRY = """\
supported_languages: [en]
recognizers:
  - name: rooms
    supported_entity: ROOM
    supported_language: en
    type: custom
    patterns: [{name: room, regex: 'room-\\d{3}', score: 0.9}]
"""
CLASS = "recognizers: [{class: my_badges.Badge}]\n"
STAFF = """\
recognizers:
  - name: staff number
    entity: EMPLOYEE_ID
    patterns: [{regex: '\\bAC-\\d{4}-\\d{2}\\b', score: 0.85}]
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of somebody else's and a registry file, importable here and in processes started."""
    (tmp_path / "my_badges.py").write_text(MODULE)
    (tmp_path / "my_broken.py").write_text("1 / 0\n")
    (tmp_path / "rooms.yaml").write_text(REGISTRY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def rules(folder: Path, body: str) -> str:
    path = folder / "my.yaml"
    path.write_text(f"version: 1\n{body}")
    return str(path)


def proven(entity: str, match: str, no_match: str) -> str:
    tests = f"{{match: ['{match}'], no_match: ['{no_match}']}}"
    return f"rules: [{{id: it, entities: [{entity}], action: replace, tests: {tests}}}]\n"


def faults(folder: Path, body: str) -> list[tuple[int, int, str]]:
    with pytest.raises(RulesError) as caught:
        built(rules(folder, body))
    return [
        (fault.line, fault.column, f"{fault.sentence}; {fault.help}" if fault.help else fault.sentence)
        for fault in caught.value.faults
    ]


def values(engine: Engine, policy: Policy, text: str) -> set[str]:
    (found,) = engine.find([Leaf("", text, 0, len(text), 0)], policy.entities, policy.threshold)
    return {text[one.start : one.end] for one in found}


@pytest.mark.parametrize(
    ("body", "entity", "match", "value", "no_match"),
    [
        ("countries: [uk]\n", "UK_NHS", "nhs 943 476 5919", "943 476 5919", "nhs 943 476 5918"),
        (CLASS, "BADGE", "it is AC-1234-56.", "AC-1234-56", "XAC-1234-56"),
        ("recognizers: [{class: my_badges.Desk}]\n", "DESK", "at desk seven", "desk seven", "at desk six"),
        ("recognizers: [{file: rooms.yaml}]\n", "ROOM", "in room-101 now", "room-101", "in room-10"),
        (STAFF, "EMPLOYEE_ID", "it is AC-1234-56.", "AC-1234-56", "XAC-1234-56"),
    ],
)
def test_a_recognizer_that_the_file_brings_is_named_and_proven_by_its_rules(
    tmp_path: Path, body: str, entity: str, match: str, value: str, no_match: str
) -> None:
    made = built(rules(tmp_path, body + proven(entity, match, no_match)))
    policy, engine = made.policy, made.detector
    assert policy.entities == {entity}
    assert values(engine, policy, match) == {value}
    assert values(engine, policy, no_match) == set()
    assert not engine.clear(match.encode(), policy.entities, policy.threshold)
    wrong = faults(tmp_path, body + proven(entity, no_match, match))
    assert [sentence.rpartition(": ")[2] for _, _, sentence in wrong] == [
        "nothing is found in this text",
        "something is found in this text",
    ]


def test_a_context_word_before_a_match_raises_its_score(tmp_path: Path) -> None:
    body = STAFF.replace("0.85", "0.3") + "    context: [badge]\n"
    built(rules(tmp_path, body + proven("EMPLOYEE_ID", "badge AC-1234-56", "part AC-1234-56")))


def test_a_star_means_what_the_file_brings_too(tmp_path: Path) -> None:
    made = built(rules(tmp_path, STAFF + "rules: [{id: all, entities: ['*'], action: replace}]\n"))
    assert made.policy.entities == made.detector.entities >= {"EMPLOYEE_ID", "CREDIT_CARD"}


def test_what_one_file_brings_is_not_there_for_the_next(tmp_path: Path) -> None:
    before = built("pass").detector
    built(rules(tmp_path, STAFF + proven("EMPLOYEE_ID", "AC-1234-56", "AC-1")))
    assert built("pass").detector.entities == before.entities
    with pytest.raises(LookupError):
        before.prepare(frozenset({"EMPLOYEE_ID"}))


def test_a_recognizer_that_is_nobodys_own_need_not_find_the_sample(tmp_path: Path) -> None:
    built(rules(tmp_path, STAFF + proven("EMPLOYEE_ID", "AC-1234-56", "AC-1"))).detector.warm()


def test_another_registry_file_is_another_policy(tmp_path: Path) -> None:
    path = rules(tmp_path, "recognizers: [{file: rooms.yaml}]\n" + proven("ROOM", "room-101", "room"))
    first, again = built(path).policy.digest, built(path).policy.digest
    (tmp_path / "rooms.yaml").write_text(REGISTRY.replace("0.9", "0.8"))
    assert first == again != built(path).policy.digest


BADGE = "rules: [{id: a, entities: [BADGE], action: keep}]\n"  # known to nobody, which is told only where it helps
FORM = "recognizers: [{name: n, entity: E, patterns: [{regex: "
WRONG = {
    "unknown country": ("countries: [uk, ger]\n", 2, 17, "unknown country 'ger'"),
    "country nearly right": ("countries: [kor]\n", 2, 13, "did you mean 'kr'?"),
    "country in capitals": ("countries: [UK]\n", 2, 13, "did you mean 'uk'?"),
    "one country": ("countries: uk\n", 2, 12, "must be a list"),
    "Norway is a text": ("countries: [no]\n", 2, 13, "unknown country 'no'"),
    "no such package": ("recognizers: [{class: nobody.There}]\n", 2, 23, "package.module.Class"),
    "no such class": ("recognizers: [{class: my_badges.Nobody}]\n", 2, 23, "there is no class my_badges.Nobody"),
    "no recognizer": ("recognizers: [{class: pathlib.Path}]\n", 2, 23, "no EntityRecognizer"),
    "module that fails": ("recognizers: [{class: my_broken.X}]\n", 2, 23, "ZeroDivisionError"),
    "class with arguments": ("recognizers: [{class: my_badges.Needy}]\n", 2, 23, "without arguments"),
    "class that needs a language model": (
        "recognizers: [{class: presidio_analyzer.predefined_recognizers.SpacyRecognizer}]\n",
        2,
        23,
        "needs a language model",
    ),
    "no such file": ("recognizers: [{file: none.yaml}]\n", 2, 22, "from the folder of the rules"),
    "not a registry": ("recognizers: [{file: my.yaml}]\n", 2, 22, "my.yaml"),
    "bad regex": (FORM + "'(', score: 0.5}]}]\n", 2, 55, "not a regex: missing )"),
    "score too high": (FORM + "a, score: 1.5}]}]\n", 2, 65, "must be 1.0 or less"),
    "no score": (FORM + "a}]}]\n", 2, 47, "'score' is missing"),
    "key of a pattern": (FORM + "a, score: 1, scor: 1}]}]\n", 2, 68, "did you mean 'score'?"),
    "key of a recognizer": ("recognizers: [{clas: my_badges.Badge}]\n", 2, 16, "did you mean 'class'?"),
    "two forms": ("recognizers: [{class: my_badges.Badge, file: rooms.yaml}]\n", 2, 15, "is one of"),
    "no form": ("recognizers: [{name: x}]\n", 2, 15, "is one of"),
    "context for a class": ("recognizers: [{class: my_badges.Badge, context: [x]}]\n", 2, 15, "is one of"),
    "no patterns": ("recognizers: [{name: n, entity: E, patterns: []}]\n", 2, 46, "must not be empty"),
    "entity": ("recognizers: [{name: n, entity: e e, patterns: []}]\n", 2, 33, "capital letters"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_made_is_a_fault_with_its_place(tmp_path: Path, case: str) -> None:
    body, line, column, part = WRONG[case]
    told = faults(tmp_path, body + BADGE)
    assert (line, column) == told[0][:2]
    assert part in told[0][2]
    assert not any("BADGE" in sentence for _, _, sentence in told)
    assert not any("\n" in sentence for _, _, sentence in told)


def test_an_entity_nobody_brings_is_a_fault_that_names_those_brought(tmp_path: Path) -> None:
    told = faults(tmp_path, CLASS + "rules: [{id: a, entities: [BADGES], action: keep}]\n")
    assert [sentence for _, _, sentence in told] == ["unknown entity 'BADGES'; did you mean 'BADGE'?"]


def test_a_recognizer_that_no_rule_is_about_is_a_fault(tmp_path: Path) -> None:
    told = faults(tmp_path, CLASS + "countries: [uk]\nrules: [{id: a, entities: [UK_NHS], action: keep}]\n")
    assert told == [(2, 15, "no rule is about what this finds: BADGE")]


def test_faults_of_recognizers_and_of_rules_are_told_together(tmp_path: Path) -> None:
    body = "recognizers: [{file: none.yaml}]\nrules: [{id: a, entities: [BADGE], action: kep}]\n"
    assert [(line, column) for line, column, _ in faults(tmp_path, body)] == [(2, 22), (3, 44)]


def test_a_registry_file_that_is_wrong_is_told_without_its_values(tmp_path: Path) -> None:
    (tmp_path / "rooms.yaml").write_text(REGISTRY + "    deny_list: 'Ada Lovelace'\n    nonsense: [")
    ((_, _, sentence),) = faults(tmp_path, "recognizers: [{file: rooms.yaml}]\n" + BADGE)
    assert "Lovelace" not in sentence and "not YAML" in sentence


def test_what_breaks_the_schema_makes_nothing_and_says_so(tmp_path: Path) -> None:
    def supplied(code: str) -> Supplied:
        document = read(f"version: 1\ncountries: [{code}]\nnonsense: 1\n", "my.yaml")
        return supply(partly([Member(tmp_path / "my.yaml", document)]), Files())

    good, bad = supplied("uk"), supplied("atlantis")
    assert {one.entity for one in good.recognizers} >= {"UK_NHS"} and good.whole
    assert bad.recognizers == () and not bad.whole


def test_a_badge_number_arrives_replaced(tmp_path: Path) -> None:
    async def echoed(text: str, body: str) -> str | bytes:
        heard: asyncio.Queue[str | bytes] = asyncio.Queue()

        async def listen(socket: ServerConnection) -> None:
            async for message in socket:
                await heard.put(message)

        async with serve(listen, "127.0.0.1", 0) as service:
            port = next(iter(service.sockets)).getsockname()[1]
            start = asyncio.to_thread(Hushwire, f"ws://127.0.0.1:{port}", rules=rules(tmp_path, body))
            proxy = await start
            try:
                async with connect(proxy.url) as client:
                    await client.send(text)
                    return await asyncio.wait_for(heard.get(), 10)
            finally:
                await asyncio.to_thread(proxy.stop)

    rule = "rules: [{id: a, entities: [BADGE, EMPLOYEE_ID], action: replace}]\n"
    both = STAFF.replace("AC-", "ST-") + "  - class: my_badges.Badge\n" + rule
    arrived = asyncio.run(echoed('{"badge":"AC-1234-56","n":1.50,"staff":"ST-9876-54"}', both))
    assert arrived == '{"badge":"<BADGE>","n":1.50,"staff":"<EMPLOYEE_ID>"}'
