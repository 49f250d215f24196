"""JSON by offsets: which strings are leaves, where they stand, and what a splice leaves alone."""

import json

import pytest

from proxy.codecs import JSON
from proxy.core.message import Edit, Leaf
from tests.codecs.rewriting import rewrite, texts, values


def test_keys_and_values_are_leaves_in_the_order_in_which_they_stand() -> None:
    assert JSON.read(b'{"a":"x","b":[1,"y"]}') == [
        Leaf("$.a~", "a", 2, 3, 1),
        Leaf("$.a", "x", 6, 7, 1),
        Leaf("$.b~", "b", 10, 11, 1),
        Leaf("$.b[1]", "y", 17, 18, 1),
    ]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ('"bob@x.org"', {"$": "bob@x.org"}),
        (' \n"x"\t', {"$": "x"}),
        ('""', {"$": ""}),
        ('\ufeff{"a":"x"}', {"$.a": "x"}),
        ("{}", {}),
        (" [ ] ", {}),
        ("[[],{},[[ ]]]", {}),
        ('{"a":{"b":[{"c":"x"},["y","z"]]}}', {"$.a.b[0].c": "x", "$.a.b[1][0]": "y", "$.a.b[1][1]": "z"}),
        ('[NaN,Infinity,-Infinity,-0,1.5e+10,true,false,null,"x"]', {"$[4]": "1.5e+10", "$[8]": "x"}),
        ('{"we ird":"x","card-no":"y","":"z"}', {'$["we ird"]': "x", "$.card-no": "y", '$[""]': "z"}),
        ('{"\\u0061b":"x"}', {"$.ab": "x"}),
        ('{"a~":"x"}', {'$["a~"]': "x"}),
        ('["\\u00e9\\n\\/\\"\\\\ \\ud83d\\ude00"]', {"$[0]": 'é\n/"\\ 😀'}),
        ('["😀", "x"]', {"$[0]": "😀", "$[1]": "x"}),
    ],
)
def test_every_string_value_is_a_leaf_with_its_path(payload: str, expected: dict[str, str]) -> None:
    json.loads(payload.removeprefix("\ufeff"))
    assert values(JSON, payload) == expected


@pytest.mark.parametrize("around", [r'{"a":"{\"n\":\u0031%s}"}', r'{"a":"{\"b\":\"{\\\"n\\\":\\u0031%s}\"}"}'])
def test_a_number_within_a_string_is_a_leaf_however_it_is_spelt(around: str) -> None:
    payload = (around % "234").encode()
    (leaf,) = (leaf for leaf in JSON.read(payload) if leaf.number)
    assert leaf.text == "1234"
    assert JSON.write(payload, [Edit(leaf, 1, 4, "")]) == (around % "").encode()


def test_numbers_of_three_characters_and_more_are_leaves_and_can_be_replaced() -> None:
    payload = b'{"card": 4111111111111111, "n": 12, "t": [1.25e3]}'
    leaves = [leaf for leaf in JSON.read(payload) if leaf.number]
    assert [(leaf.path, leaf.text) for leaf in leaves] == [("$.card", "4111111111111111"), ("$.t[0]", "1.25e3")]
    out = JSON.write(payload, [Edit(leaves[0], 0, 16, "0")])
    assert out == b'{"card": 0, "n": 12, "t": [1.25e3]}'


def test_duplicate_keys_are_all_seen() -> None:
    assert texts(JSON, '{"a":"one","a":"two"}') == ["a", "one", "a", "two"]


def test_a_key_can_be_rewritten() -> None:
    assert rewrite(JSON, '{"bob@x.org": 1}', "bob@x.org", "<E>") == b'{"<E>": 1}'


def test_only_the_edited_span_changes() -> None:
    payload = '\ufeff{ "n" : 1.50e+3 ,\r\n\t"a":"\\u00e9 \\/ bob\\u0040x.org \\u00E9 \\t",\n "a" : -0 }\n'
    expected = payload.replace("bob\\u0040x.org", "<E>")
    assert rewrite(JSON, payload, "bob@x.org", "<E>") == expected.encode()


def test_new_text_is_escaped_for_json() -> None:
    out = rewrite(JSON, '["bob"]', "bob", 'a"b\\c\n\x00é')
    assert out == '["a\\"b\\\\c\\n\\u0000é"]'.encode()


def test_a_lone_surrogate_survives_beside_an_edit() -> None:
    assert texts(JSON, '["\\ud800 bob \\udc00"]') == ["\ud800 bob \udc00"]
    assert rewrite(JSON, '["\\ud800 bob \\udc00"]', "bob", "X") == b'["\\ud800 X \\udc00"]'


def test_half_of_a_surrogate_pair_cannot_be_cut_off() -> None:
    assert rewrite(JSON, '["\\ud83d\\ude00bob"]', "😀", "X") == b'["Xbob"]'


@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_ten_thousand_levels_of_nesting_are_read(brackets: str) -> None:
    opening, closing = brackets[:-1], brackets[-1]
    payload = opening * 10_000 + '"bob@x.org"' + closing * 10_000
    leaf = JSON.read(payload.encode())[-1]
    assert (leaf.text, leaf.depth) == ("bob@x.org", 1)
    assert len(leaf.path) < 300
    assert rewrite(JSON, payload, "bob@x.org", "<E>").decode() == payload.replace("bob@x.org", "<E>")


def test_a_hundred_thousand_keys_are_read() -> None:
    document = {str(number): "v" for number in range(100_000)}
    leaves = JSON.read(json.dumps(document).encode())
    assert len(leaves) == 200_000
    assert leaves[-1].path == "$.99999"


def test_a_huge_key_does_not_make_huge_paths() -> None:
    payload = '{"' + "k" * 100_000 + '":[' + ",".join(['"x"'] * 1000) + "]}"
    assert max(len(leaf.path) for leaf in JSON.read(payload.encode())) < 100


def test_a_megabyte_of_white_space_is_read() -> None:
    gap = " \n" * 500_000
    assert texts(JSON, f'{gap}{{{gap}"a"{gap}:{gap}"x"{gap}}}{gap}') == ["a", "x"]


BROKEN = [
    '{"a":"bob@x.org"',
    '{"a":"bob@x.org',
    '{"a":"bob@x.org"}}',
    '{"a":"bob@x.org"} {"b":1}',
    '{"a":"bob@x.org",}',
    '["bob@x.org",]',
    '["bob@x.org" "b"]',
    '{"a" "bob@x.org"}',
    '{"a":"bob@x.org" /* c */}',
    '// c\n{"a":"bob@x.org"}',
    "{'a':'bob@x.org'}",
    '{a:"bob@x.org"}',
    '["bob@x.org\n"]',
    '["bob@x.org\x00"]',
    '["bob@x.org\\x"]',
    '["bob@x.org\\u12"]',
    '["bob@x.org",01]',
    '["bob@x.org",1.]',
    '["bob@x.org",.5]',
    '["bob@x.org",+1]',
    '["bob@x.org",True]',
    '["bob@x.org"}',
    '{"a":["bob@x.org"}',
    '"bob@x.org""',
    '"bob@x.org',
    '["bob@x.org"\xa0]',
    '[{"bob@x.org"}]',
    '{1:"bob@x.org"}',
    '{"a":[,"bob@x.org"]}',
    '\ufeff\ufeff["bob@x.org"]',
]


@pytest.mark.parametrize("payload", BROKEN)
def test_what_is_not_json_is_one_text(payload: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(payload)
    (leaf,) = JSON.read(payload.encode())
    assert (leaf.path, leaf.start, leaf.end) == ("", 0, len(payload))
    assert rewrite(JSON, payload, "bob@x.org", "<E>").decode() == payload.replace("bob@x.org", "<E>")


@pytest.mark.parametrize("payload", BROKEN)
def test_an_escape_hides_nothing_in_broken_json(payload: str) -> None:
    hidden = payload.replace("@", "\\u0040")
    assert "bob@x.org" in texts(JSON, hidden)[0]
    assert rewrite(JSON, hidden, "bob@x.org", "<E>").decode() == payload.replace("bob@x.org", "<E>")


def test_a_huge_broken_document_costs_no_memory_for_its_nesting() -> None:
    (leaf,) = JSON.read(b"[" * 300_000)
    assert len(leaf.text) == 300_000


def test_json_that_is_not_utf8_raises_unicode_decode_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        JSON.read(b'["caf\xe9"]')


def test_an_edit_of_another_payload_is_refused() -> None:
    leaf = JSON.read(b'["bob"]')[0]
    with pytest.raises(ValueError, match="payload"):
        JSON.write(b'["amy"]', [Edit(leaf, 0, 3, "")])
