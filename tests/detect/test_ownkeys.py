"""Keys of a user's own say what their values are, however they are spelt, and the gate hits them all."""

from __future__ import annotations

import json
import timeit
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.codecs import JSON
from proxy.core.finding import Finding
from proxy.core.message import Leaf
from proxy.detect.aliases import ENDINGS, NUMBERS
from proxy.detect.engine import Engine
from proxy.detect.keys import ENTITIES, KeyFinder
from proxy.detect.ownkeys import OwnKeys, wrong_key
from proxy.detect.recognizer import FLOOR
from tests.detect.test_clear import ESCAPES, SIGNS, SPELLINGS, keyed
from tests.detect.test_near import read_and_whole

NAMES = {
    "EMPLOYEE_ID": ["staff_no", "badge", "personal*nummer", "табельный номер", "*agency", "prénom interne"],
    "TICKET": ["case*", "e2e run", "first name", "номер заявки id"],
}


@cache
def engine() -> Engine:
    return Engine(keys=NAMES, budget=5.0)


def said(path: str) -> str | None:
    return engine().keys.says(path)


@pytest.mark.parametrize(
    "path",
    [
        "$.staff_no",
        "$.staffNo",
        "$.StaffNO",
        "$.STAFF-NO",
        "$.staffno",
        "$.staff_nos",
        "$.staffNo2",
        "$.user.staff_no",
        "$.employeestaffno",
        '$["staff no."]',
        "$.staff_no[0]",
        "$.staff.no",
        "$.staff[3].no",
        "$.staff_no.value",
        "$.staff_no.number",
        "$.badges[1]",
        "$.mybadge",
        "$.badgeNumber",
        "$.badge_two",
        "$.Personalnummer",
        "$.personalaktennummer",
        "$.personal_akten_nummern_nummer",
        "$.travelAgency",
        "$.agencies",
        '$["табельный номер"]',
        "$.ТабельныйНомер",
        "$.prenom_interne",
        '$["prénom interne"]',
        '$["\uff53taff_no"]',
    ],
)
def test_a_key_is_meant_in_every_spelling(path: str) -> None:
    assert said(path) == "EMPLOYEE_ID"


@pytest.mark.parametrize(
    "path",
    [
        "$.staff",
        "$.no",
        "$.unbadged",
        "$.badge.color",
        "$.badge_color",
        "$.staff_no~",
        "$.personal.nummer",  # a star stays within its key
        "$.nummer_personal",
        '$["' + "q" * 52 + "_badge" + "\N{HORIZONTAL ELLIPSIS}" * 6 + '"]',
        "$",
    ],
)
def test_other_keys_are_not(path: str) -> None:
    assert said(path) is None


def test_a_star_at_the_end_takes_all_that_begins_so() -> None:
    assert [said(path) for path in ("$.case", "$.case_file", "$.caseload", "$.showcase")] == [
        *["TICKET"] * 3,
        None,
    ]
    assert said("$.caseId.value") == "TICKET"


def test_what_a_user_says_of_a_key_counts_before_what_we_say() -> None:
    assert KeyFinder().says("$.first_name") == "PERSON"
    assert said("$.first_name") == "TICKET"
    assert said("$.last_name") == "PERSON"
    both = KeyFinder({"TICKET": ["staff*"], "EMPLOYEE_ID": ["staff_no"]})
    assert both.says("$.staff_no") == "TICKET"  # the first that fits


def found(payload: object, entities: frozenset[str] | None = None) -> list[tuple[str, str]]:
    leaves = JSON.read(json.dumps(payload, ensure_ascii=False).encode())
    some = engine().find(leaves, entities or engine().entities, FLOOR)
    return [
        (one.entity, leaf.text[one.start : one.end])
        for leaf, ones in zip(leaves, some, strict=True)
        for one in ones
    ]


def test_whatever_stands_there_is_the_value_but_for_white_space_at_its_ends() -> None:
    long = "any words " * 1000 + "!"
    assert found({"badge": f" {long}\n"}) == [("EMPLOYEE_ID", long)]
    assert found({"badge": "Badge", "staff_no": 4711, "staffNo": ["", " ", None, True, "x"]}) == [
        ("EMPLOYEE_ID", "Badge"),
        ("EMPLOYEE_ID", "4711"),
        ("EMPLOYEE_ID", "x"),
    ]
    (finding,) = engine().keys.find(Leaf("$.badge", "17", 0, 2, 1))
    assert finding == Finding("EMPLOYEE_ID", 0, 2, 0.9, "keys")


def test_they_are_looked_for_as_other_entities_are() -> None:
    assert engine().entities >= {"EMPLOYEE_ID", "TICKET", *ENTITIES}
    payload, only = b'{"badge": "17"}', frozenset({"TICKET"})
    assert not engine().clear(payload, frozenset({"EMPLOYEE_ID"}), FLOOR)
    assert engine().near(payload, only, FLOOR) and found({"badge": "17"}, only) == []
    assert Engine().clear(payload, frozenset({"PERSON"}), FLOOR)
    with pytest.raises(LookupError, match="EMPLOYEE_ID"):
        Engine().prepare(frozenset({"EMPLOYEE_ID"}))


@pytest.mark.parametrize("name", ["*", "", "--", " * ", "staff_?no", "staff.*no|badge", "$.badge", "a\\b", "(a)"])
def test_what_can_be_no_key_is_refused(name: str) -> None:
    assert wrong_key(name)
    with pytest.raises(ValueError, match=r"sign of a key|no letter"):
        OwnKeys({"X": [name]})


WORDS = ["staff", "no", "badge", "personal", "nummer", "табельный", "номер", "case", "e2e", "run", "first", "name"]
WORDS += ["agency", "agencies", "prénom", "prenom", "interne", "заявки", "id"]
MEANT = [
    ["staff", "no"],
    ["badge"],
    ["personal", "nummer"],
    ["personal", "akten", "nummer"],
    ["табельный", "номер"],
]
MEANT += [["travel", "agency"], ["prenom", "interne"], ["case", "x"], ["e", "2", "e", "run"], ["first", "name"]]
MEANT += [["номер", "заявки", "id"], ["staff"], ["no"], ["номер"], ["value"], ["run"], ["id"], ["e2e"]]


@st.composite
def odd_keys(draw: st.DrawFn) -> str:
    """A key that is meant, or part of one, in one of the ways that people, forms and programs spell keys."""
    glued = draw(st.none() | st.sampled_from(["", "_", "-", " ", "."]))
    key = draw(st.sampled_from(["", "", "x", "my", "my ", "q" * 40, "q" * 53]))
    rest = draw(
        st.lists(st.sampled_from([*sorted(ENDINGS | NUMBERS), "1", "22", "s", "es", "'s", *WORDS]), max_size=2)
    )
    for word in [*draw(st.sampled_from(MEANT)), *rest]:
        key += draw(st.sampled_from(SPELLINGS))(word) + (draw(SIGNS) if glued is None else glued)
    return key


@settings(max_examples=1500, deadline=None)
@given(keyed(odd_keys()))
@example('{"staff\\\\no": "17"}')
@example('{"staff": "{\\"no\\": \\"17\\"}"}')
@example('{"b": "{\\"staff\\\\\\"no\\": 1234}"}')
@example('{"sta\\u0066f": [{"no": 1234}]}')
@example('{"badge": {"номер": 1234}}')
@example('{"badge\\u0435": {"x": 1234}}')
def test_what_is_clear_has_no_value_under_such_a_key_and_is_read_near_all_of_them(document: str) -> None:
    payload = document.encode(errors="replace")
    if engine().clear(payload, engine().entities, FLOOR):
        assert [leaf for leaf in JSON.read(payload) if said(leaf.path)] == []
    read_and_whole(document, engine())


@pytest.mark.parametrize("key", ["staff_no", "Staff No", "staffNo", "badge", "личный табельный номер", "caseload"])
@pytest.mark.parametrize("how", ESCAPES)
def test_a_value_under_such_a_key_makes_a_payload_unclear_in_every_spelling(key: str, how: str) -> None:
    spelt = "".join(map(ESCAPES[how], key))
    for payload in (f'{{"{spelt}":"x"}}', f'{{"{spelt}" : 1234}}', f'[{{"{spelt}":["", "x"]}}]'):
        assert any(said(leaf.path) for leaf in JSON.read(payload.encode()))
        for document in (payload, json.dumps({"body": payload}), json.dumps([json.dumps([payload])])):
            assert not engine().clear(document.encode(), engine().entities, FLOOR), document


def test_no_key_takes_long_to_be_read() -> None:
    keys = OwnKeys({"X": ["a*a*a*a*a*b", "*a*a*a*", "y" + "*z" * 10]})
    for key in ("a" * 63 + "c", "a_" * 32, "yz" * 32, "1" * 64):
        assert min(timeit.repeat(lambda: keys.entity(key, key), number=1, repeat=3)) < 0.02  # noqa: B023
