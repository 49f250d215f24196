"""JSON in JSON strings, to a bounded depth, and strings encoded more often than they need to be."""

import json

import pytest

from proxy.codecs import JSON
from tests.codecs.rewriting import rewrite, texts, values


def nested(levels: int, text: str = "bob@x.org") -> str:
    payload = json.dumps({"to": text})
    for _ in range(levels):
        payload = json.dumps({"body": payload})
    return payload


def unnested(payload: str | bytes, levels: int) -> str:
    for _ in range(levels):
        payload = json.loads(payload)["body"]
    text = json.loads(payload)["to"]
    assert isinstance(text, str)
    return text


def test_the_strings_inside_are_leaves_and_the_outer_string_is_not() -> None:
    payload = '{"body":"{\\"to\\":\\"bob\\\\u0040x.org\\"}","n":"x"}'
    leaves = JSON.read(payload.encode())
    assert [(leaf.path, leaf.text, leaf.depth) for leaf in leaves] == [
        ("$.body~", "body", 1),
        ("$.body.to~", "to", 2),
        ("$.body.to", "bob@x.org", 2),
        ("$.n~", "n", 1),
        ("$.n", "x", 1),
    ]
    assert payload[leaves[2].start : leaves[2].end] == "bob\\\\u0040x.org"


@pytest.mark.parametrize("levels", range(10))
def test_an_edit_is_spelt_for_the_depth_at_which_it_stands(levels: int) -> None:
    out = rewrite(JSON, nested(levels), "bob", 'x"\\\n')
    if levels < 8:
        assert unnested(out, levels) == 'x"\\\n@x.org'
    else:  # deeper than is followed: spelt for the last level that is, and still JSON up to there
        json.loads(out)


@pytest.mark.parametrize("levels", range(10))
def test_plain_new_text_arrives_at_any_depth(levels: int) -> None:
    payload = nested(levels)
    assert rewrite(JSON, payload, "bob@x.org", "<E>").decode() == payload.replace("bob@x.org", "<E>")


def test_the_last_level_followed_is_a_leaf_and_what_lies_deeper_is_its_text() -> None:
    assert [leaf.depth for leaf in JSON.read(nested(7).encode())][-1] == 8
    deeper = JSON.read(nested(8).encode())[-1]
    assert deeper.depth == 8
    assert json.loads(deeper.text) == {"to": "bob@x.org"}


def test_json_in_a_key_is_followed() -> None:
    payload = json.dumps({json.dumps({"bob@x.org": "amy@x.org"}): 1})
    assert texts(JSON, payload) == ["bob@x.org", "amy@x.org"]


def test_numbers_alone_in_a_string_stay_a_text() -> None:
    assert values(JSON, '{"card":"[4111111111111111]","x":"[\\n1]"}') == {
        "$.card": "[4111111111111111]",
        "$.x": "[\n1]",
    }


@pytest.mark.parametrize(
    "inner",
    [
        '"bob\\u0040x.org"',  # a JSON string in a JSON string
        '{"to":"bob\\u0040x.org"',  # cut short
        '42["bob\\u0040x.org"]',  # Socket.IO
        "bob\\u0040x.org",  # escaped once too often
        "bob\\\\u0040x.org",
        "bob\\@x.org",  # Markdown
    ],
)
def test_a_string_that_someone_may_decode_again_is_looked_at_decoded(inner: str) -> None:
    payload = json.dumps({"a": inner})
    assert "bob@x.org" in values(JSON, payload)["$.a"]
    out = json.loads(rewrite(JSON, payload, "bob@x.org", "<E>"))["a"]
    assert "<E>" in out
    assert "x" not in out


def test_spelling_around_an_edit_two_levels_down_stays_as_it_was() -> None:
    payload = '{"body":"[ \\"\\\\u00e9 \\u0062ob \\\\/\\" ,1.0]"}'
    assert values(JSON, payload) == {"$.body[0]": "é bob /", "$.body[1]": "1.0"}
    assert rewrite(JSON, payload, "bob", "X") == b'{"body":"[ \\"\\\\u00e9 X \\\\/\\" ,1.0]"}'
