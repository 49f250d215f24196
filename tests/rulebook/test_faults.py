"""A file that cannot go live says everything that is wrong with it, each with its place and a cure."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.load import build, shipped
from tests.rules import built, ground

HEAD = "version: 1\nrules:\n"
RULE = HEAD + "  - id: a\n    entities: [CRYPTO]\n"


def faults(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(RulesError) as caught:
        built("my.yaml", text)
    assert all(f.source == "my.yaml" for f in caught.value.faults)
    return [(f.line, f.column, f"{f.sentence}; {f.help}" if f.help else f.sentence) for f in caught.value.faults]


ONE = {
    "empty file": ("# nothing\n", 0, 0, "empty"),
    "not a mapping": ("- a\n", 1, 1, "mapping"),
    "no version": ("rules: []\n", 1, 1, "'version' is missing"),
    "another version": ("version: 2\n", 1, 10, "must be 1"),
    "version as text": ('version: "1"\n', 1, 10, "must be 1"),
    "version as flag": ("version: true\n", 1, 10, "must be 1"),
    "unknown key": ("version: 1\ntreshold: 0.6\n", 2, 1, "did you mean 'threshold'?"),
    "unknown key of a rule": (RULE + "    action: keep\n    direktion: both\n", 6, 5, "did you mean 'direction'?"),
    "unknown key of tests": (
        RULE + "    action: keep\n    tests: {nomatch: []}\n",
        6,
        13,
        "did you mean 'no_match'?",
    ),
    "key far from all others": ("version: 1\nzzz: 1\n", 2, 1, "known are allow, countries, description"),
    "text as number": ('version: 1\nthreshold: "0.5"\n', 2, 12, "must be a number"),
    "NO is a text": ("version: 1\nthreshold: NO\n", 2, 12, "must be a number"),
    "too high": ("version: 1\nthreshold: 1.5\n", 2, 12, "must be 1.0 or less"),
    "negative": ("version: 1\nthreshold: -1\n", 2, 12, "must be 0.0 or more"),
    "not a number": ("version: 1\nthreshold: .nan\n", 2, 12, "must be a number"),
    "a number for a name": ("version: 1\nname: 5\n", 2, 7, "must be a text"),
    "rules that are no list": ("version: 1\nrules: {}\n", 2, 8, "must be a list"),
    "entity nobody knows": (
        HEAD + "  - {id: a, entities: [SHOE], action: keep}\n",
        3,
        24,
        "known are BANK",
    ),
    "entity nearly right": (HEAD + "  - {id: a, entities: [EMAIL], action: keep}\n", 3, 24, "'EMAIL_ADDRESS'?"),
    "entity in lower case": (HEAD + "  - {id: a, entities: [crypto], action: keep}\n", 3, 24, "'CRYPTO'?"),
    "entities as a list": ("version: 1\nentities: [CRYPTO]\n", 2, 11, "must be a mapping"),
    "entity of a rule": (HEAD + "  - {id: a, entities: [PHONE], action: keep}\n", 3, 24, "'PHONE_NUMBER'?"),
    "no entities": (HEAD + "  - {id: a, entities: [], action: keep}\n", 3, 23, "must not be empty"),
    "no action": (RULE, 3, 5, "'action' is missing"),
    "unknown operator": (RULE + "    action: maks\n", 5, 13, "did you mean 'mask'?"),
    "two operators": (RULE + "    action: {mask: {}, keep: {}}\n", 5, 13, "an action is one operator"),
    "operator without a mapping": (RULE + "    action: {mask: 4}\n", 5, 13, "for example {mask: {keep_last: 4}}"),
    "unknown parameter": (RULE + "    action: {mask: {last: 4}}\n", 5, 21, "unknown key 'last'"),
    "bad parameter": (RULE + '    action: {mask: {char: "**"}}\n', 5, 27, "must be one character"),
    "flag for a count": (RULE + "    action: {mask: {keep_last: true}}\n", 5, 32, "must be a whole number"),
    "close code": (RULE + "    action: {close: {code: 1006}}\n", 5, 28, "must be a close code"),
    "direction": (RULE + "    action: keep\n    direction: up\n", 6, 16, "must be 'client_to_upstream'"),
    "bad id": (HEAD + '  - {id: "a b", entities: [CRYPTO], action: keep}\n', 3, 10, "must be 1 to 64 letters"),
    "an id ending in a line break": (
        HEAD + '  - {id: "a\\n", entities: [CRYPTO], action: keep}\n',
        3,
        10,
        "must be 1 to 64 letters",
    ),
    "id twice": (HEAD + "  - {id: a, entities: [CRYPTO], action: keep}\n" * 2, 4, 10, "id 'a' is taken"),
    "key twice": ("version: 1\nname: a\nname: b\n", 3, 1, "'name' stands here for a second time"),
    "key twice, deep": (RULE + "    action: {mask: {char: x, char: y}}\n", 5, 30, "second time"),
    "key that is no text": ("version: 1\n1: x\n", 2, 1, "a key must be a text"),
    "alias": ("version: 1\nname: &n x\ndescription: *n\n", 2, 7, "anchors and aliases"),
    "a loop": ("version: 1\nrules: &r [*r]\n", 2, 8, "anchors and aliases"),
    "merge key": ("version: 1\n<<: {name: x}\n", 2, 1, "unknown key '<<'"),
    "tag": ("version: 1\nname: !!python/name:os.system x\n", 2, 7, "tags"),
    "bytes": ("version: 1\nname: !!binary aGk=\n", 2, 7, "tags"),
    "half a character": ('version: 1\nname: "\\uD83D"\n', 2, 7, "surrogate"),
    "half a character in a key": ('version: 1\n"\\uD83D": 1\n', 2, 1, "surrogate"),
    "half a character in a list": (
        HEAD + '  - {id: "\\uDC00", entities: [CRYPTO], action: keep}\n',
        3,
        10,
        "surrogate",
    ),
    "nothing as a value": ("version: 1\nallow: [{values: [' '], reason: r}]\n", 2, 19, "must not be empty"),
    "two documents": ("version: 1\n---\nversion: 1\n", 2, 1, "not YAML"),
    "a tab": ("version: 1\n\tname: x\n", 2, 1, "not YAML"),
    "open bracket": ("version: 1\nentities: [CRYPTO\n", 3, 1, "not YAML"),
    "control character": ("version: 1\nname: a\x00b\n", 2, 8, "control character"),
    "missed example": (
        RULE + "    action: keep\n    tests:\n      match:\n        - bob@secret.example\n",
        8,
        11,
        "rule 'a' fails its own example: nothing is found",
    ),
    "example that is hit": (
        HEAD + "  - {id: a, entities: ['*'], action: keep, tests: {no_match: [hi, bob@secret.example]}}\n",
        3,
        67,
        "rule 'a' fails its own example: something is found",
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_a_fault_stands_where_it_is_and_says_the_cure(name: str) -> None:
    text, line, column, part = ONE[name]
    told = faults(text)
    assert len(told) == 1, told
    assert told[0][:2] == (line, column)
    assert part in told[0][2]
    assert "secret" not in told[0][2]


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    told = faults(
        "version: 1\n"
        "treshold: 1\n"
        "keys: {EMAIL: [mail]}\n"
        "rules:\n"
        "  - {id: a, entities: [PHONE, IBAN], action: {mask: {char: '', keep: 1}}}\n"
        "  - {id: a, action: {close: {code: 1, reason: 5}}, extra: 1}\n"
        "  - !tag x\n"
    )
    assert [place[:2] for place in told] == [
        (2, 1),
        (3, 8),
        *((5, 24), (5, 31), (5, 60), (5, 64)),
        *((6, 5), (6, 10), (6, 36), (6, 47), (6, 52)),
        (7, 5),
    ]


def test_a_fault_reads_like_a_compilers() -> None:
    assert str(Fault("my.yaml", 3, 5, "E012", "wrong", "mend")) == "my.yaml:3:5: error[E012] wrong; mend"
    assert str(Fault("my.yaml", 0, 0, "W001", "old")) == "my.yaml: warning[W001] old"
    first, second, other = (Fault(file, line, 1, "E001", "x") for file, line in (("b", 1), ("b", 2), ("a", 1)))
    assert RulesError([second, first, other, first]).faults == (first, second, other)


def test_a_key_cannot_write_to_the_terminal() -> None:
    ((_, _, sentence),) = faults('version: 1\n"\\x1b[2J": 1\n')
    assert sentence.isprintable()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "version: 1\nname: " + "[" * 60 + "]" * 60]
)
def test_a_file_that_is_nested_too_deep_is_a_fault_and_not_a_crash(text: str) -> None:
    assert any("deep" in sentence for _, _, sentence in faults(text))


def test_a_file_that_is_too_long_is_a_fault() -> None:
    assert "split the rules" in faults("# " + "x" * (1 << 20))[0][2]


def test_an_example_that_takes_too_long_is_a_fault() -> None:
    text = HEAD + "  - {id: a, entities: ['*'], action: keep, tests: {match: [bob@example.com]}}\n"
    with pytest.raises(RulesError, match="takes too long"):
        build("my.yaml", ground(budget=1e-9), {Path("my.yaml").absolute(): text.encode()})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_either_rules_or_faults(text: str) -> None:
    try:
        built("my.yaml", "version: 1\n" + text)
    except RulesError as error:
        assert error.faults


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("CRYPTO"))
KEYS = st.sampled_from(
    ["id", "entities", "action", "direction", "tests", "match", "mask", "char", "close", "code", "x"]
)


@settings(max_examples=300, deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)))
def test_any_rule_is_either_a_rule_or_a_fault(rule: object) -> None:
    import yaml

    text = yaml.safe_dump({"version": 1, "rules": [rule]}, allow_unicode=True)
    try:
        built("my.yaml", text)
    except RulesError as error:
        assert error.faults


def test_names_and_paths_that_lead_nowhere_say_what_there_is(tmp_path: Path) -> None:
    for name, part in (
        ("defualt", "did you mean 'default'?"),
        ("acme", f"known are {', '.join(shipped())} (a file needs its path: ./acme.yaml)"),
        (str(tmp_path / "none.yaml"), "No such file"),
        (str(tmp_path), "Is a directory"),
    ):
        with pytest.raises(RulesError) as caught:
            built(name)
        assert part in str(caught.value)


def test_a_file_that_is_not_utf_8_is_a_fault_that_quotes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_bytes("version: 1\nname: M\u00fcller\n".encode("latin-1"))
    with pytest.raises(RulesError, match="not UTF-8 at byte 18") as caught:
        built(str(file))
    assert caught.value.__suppress_context__
