"""Which codec a payload gets."""

import json

import pytest

from proxy.codecs import CODECS, choose
from proxy.core.message import Kind


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"", "text"),
        (b"hello", "text"),
        (b'{"a":1}', "json"),
        (b' \r\n\t["x"]', "json"),
        (b'"x"', "json"),
        (b'\xef\xbb\xbf {"a":1}', "json"),
        (b"{not json", "json"),
        (b'42["chat"]', "text"),
        (b"4111111111111111", "text"),
        (b"\xff\xfe", "text"),  # whose read raises: text must be UTF-8
    ],
)
def test_text_is_chosen_by_its_first_character(payload: bytes, name: str) -> None:
    assert choose(Kind.TEXT, payload).name == name


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"", "text"),
        (b"hello", "text"),
        ("grüße".encode(), "text"),
        (json.dumps({"a": "x"}).encode(), "json"),
        (json.dumps({"a": "ü"}, indent=2, ensure_ascii=False).encode(), "json"),
        (b"\x81\xa1a\xa1b", "opaque"),  # MessagePack
        (b"caf\xe9", "opaque"),
        (b'0\x0f\x00\x03a/b{"a":"bob"}', "opaque"),  # MQTT: valid UTF-8, but with lengths in it
        (b"\n\x03bob\x12\x03x.y", "opaque"),  # protobuf, likewise
        ('{"a":1}'.encode("utf-16"), "opaque"),
    ],
)
def test_binary_is_text_only_if_it_reads_as_text(payload: bytes, name: str) -> None:
    assert choose(Kind.BINARY, payload).name == name


def test_codecs_are_listed_by_name() -> None:
    assert {name: codec.name for name, codec in CODECS.items()} == {n: n for n in ("text", "json", "opaque")}
