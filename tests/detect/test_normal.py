"""Hidden values come to light, lead back to exactly where they hide, and ordinary text stays as it is."""

# ruff: noqa: RUF001 - letters that look alike are the subject

from __future__ import annotations

import base64
import random
import re
import string
import time
from collections.abc import Callable
from urllib.parse import quote

import hyperscan
import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from proxy.detect.encoded import decoded
from proxy.detect.normal import VEILS, normalise
from proxy.detect.triggers import spelt

VALUES = [
    "bob@example.org",
    "jane.doe+x@corp.internal",
    "4111111111111111",
    "219-09-9999",
    "GB82WEST12345698765432",
]
LOOKALIKES = dict(zip("aceopxyABEKMHOPCTX", "асеорхуАВЕКМНОРСТХ", strict=True))


def each(change: Callable[[str], str], which: str = string.printable) -> Callable[[str], str]:
    return lambda value: "".join(change(char) if char in which else char for char in value)


def between(unseen: str) -> Callable[[str], str]:
    return unseen.join


def digits(zero: str) -> Callable[[str], str]:
    return each(lambda char: chr(ord(zero) + int(char)), string.digits)


def math(char: str) -> str:
    for first, upper in (("a", 0x1D41A), ("A", 0x1D400), ("0", 0x1D7CE)):
        if 0 <= ord(char) - ord(first) < (10 if first == "0" else 26):
            return chr(upper + ord(char) - ord(first))
    return char


TRICKS: dict[str, Callable[[str], str]] = {
    "full width": each(lambda char: chr(ord(char) + 0xFEE0), string.ascii_letters + string.digits + "@.+-"),
    "full width digits": digits("\uff10"),
    "mathematical letters": each(math),
    "arabic digits": digits("\u0660"),
    "persian digits": digits("\u06f0"),
    "devanagari digits": digits("\u0966"),
    "superscript": each(lambda char: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(char)], string.digits),
    "circled": each(lambda char: "⓪①②③④⑤⑥⑦⑧⑨"[int(char)], string.digits),
    "keycaps": each(lambda char: char + "\ufe0f\u20e3", string.digits),
    "struck out": each(lambda char: char + "\u0336", string.ascii_letters + string.digits),
    "hebrew points": lambda value: re.sub(r"(?<=\d)(?=\d)", "\u05b0", value),
    "zero width space": between("\u200b"),
    "zero width joiner": between("\u200d\u2060"),
    "soft hyphen": between("\u00ad"),
    "bidi marks": between("\u202a\u202c"),
    "variation selectors": between("\ufe0e"),
    "tags": between("\U000e0041"),
    "controls": between("\x00\x1f"),
    "controls and zero width": between("\x00\u200b\x07"),
    "cyrillic": lambda value: each(lambda char: LOOKALIKES.get(char, char))(value) if "@" in value else value,
    "cyrillic O for a zero": lambda value: re.sub(r"(?<=\d)0(?=\d)", "О", value),
    "html decimal": each(lambda char: f"&#{ord(char)};"),
    "html hexadecimal": each(lambda char: f"&#x{ord(char):X};"),
    "html padded": each(lambda char: f"&#00000{ord(char)};"),
    "html names": lambda value: value.replace("@", "&commat;").replace(".", "&period;").replace("+", "&plus;"),
    "html twice": each(lambda char: f"&amp;#{ord(char)};", "@."),
    "percent": each(lambda char: f"%{ord(char):02x}"),
    "percent twice": each(lambda char: f"%25{ord(char):02X}"),
    "percent and unicode": each(lambda char: quote(chr(ord(char) + 0xFEE0)), string.ascii_letters + string.digits),
    "javascript": each(lambda char: f"%u00{ord(char):02x}"),
    "brackets": lambda value: value.replace("@", "[at]").replace(".", "(dot)"),
    "brackets and spaces": lambda value: value.replace("@", " { AT } ").replace(".", " [ . ] "),
    "dashes": lambda value: value.replace("-", "\u2011"),
    "ideographic dots": lambda value: value.replace(".", "\u3002"),
    "half width dots": lambda value: value.replace(".", "\uff61"),
}


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("write to ", ", please"), ("“é ", " ！…"), ("(", ")")])
def test_a_hidden_value_is_seen_and_leads_back_to_where_it_hides(
    trick: str, value: str, before: str, after: str
) -> None:
    hidden = TRICKS[trick](value)
    text = before + hidden + after
    normal = normalise(text)
    if hidden == value:
        assert value in (normal.text if normal else text)
        return
    assert normal is not None
    at = normal.text.index(value)
    assert normal.span(at, at + len(value)) == (len(before), len(before) + len(hidden))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("4111\u00a01111\u20071111\u202f1111", "4111 1111 1111 1111"),
        ("+49 30 \u2013 1234", "+49 30 - 1234"),
        ("4111\u00b71111\u20221111\u30fb1111", "4111.1111.1111.1111"),
        ("GВ82 WЕSТ 1234", "GB82 WEST 1234"),
        ("jose\u0301@x.org", "jos\u00e9@x.org"),
        ("bob (at) x (dot) org", "bob@x.org"),
        ("x[.]org", "x.org"),
        ("\ufb01sh@x.org", "fish@x.org"),
        ("&commat;&#0064&#x40", "@@@"),
        ("&#1114112;&#xD800;&nosuch;a", None),
        ("100%FF", None),
    ],
)
def test_tricks_in_one_text(text: str, seen: str | None) -> None:
    normal = normalise(text)
    assert (normal and normal.text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "Hello there",
        "deploy is green (merging now), thanks [1] & all 100% {ok}",
        "Привет, как дела? Увидимся завтра в 6 часов.",
        "Zoë läuft für Jörg über die Straße — schön, “nicht”?",
        "今日はいい天気ですね。明日（土）も晴れるでしょうか？",
        "می‌خواهم نمی‌دانم",
        "❤️ hi 👨‍👩‍👧 there 🇩🇪",
        "Πού είσαι; Έρχομαι.",
        '{"type":6}\x1e{"type":6}\x1e',
        "SEND\n\nbody\x00",
        "https://x.org/?a=1&b=2&c=3",
        "\x1b[31mred\x1b[0m",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert normalise(text) is None


PIECES = st.one_of(
    st.text(max_size=6),
    st.text(
        alphabet="\u200b\u00ad\ufe0f\x00\x1f\u2013\u00a0\u3002 -.@1aаоЗ\u0301\u20e3\u05b0\uff11ﬁ⑩½", max_size=12
    ),
    st.sampled_from(VALUES).flatmap(lambda value: st.sampled_from(list(TRICKS.values())).map(lambda t: t(value))),
    st.from_regex(
        r"&#?[xX]?[0-9a-z]{1,9};?|%[0-9a-fu]{1,5}|%25%?[0-9]{2}|[\[({] ?(at|dot|\.) ?[\])}]", fullmatch=True
    ),
    st.binary(min_size=9, max_size=30).map(lambda data: base64.b64encode(data).decode()),
    st.text(min_size=9, max_size=30).map(lambda text: base64.urlsafe_b64encode(text.encode()).decode()),
    st.text(alphabet=string.printable, min_size=8, max_size=20).map(lambda text: text.encode().hex()),
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)


@given(TEXTS)
def test_spans_are_monotone_and_cover(text: str) -> None:
    normal = normalise(text)
    if normal is None:
        return
    assert normal.text != text
    assert len(normal.text) <= 4 * len(text)
    spans = [normal.span(at, at + 1) for at in range(len(normal.text))]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert [end for _, end in spans] == sorted(end for _, end in spans)
    if spans:
        assert normal.span(0, len(spans)) == (spans[0][0], spans[-1][1])


@given(st.text(alphabet=string.ascii_letters + string.digits + " .,:;!?'\"@+-_/=<>|\t\n"))
def test_plain_ascii_is_not_folded(text: str) -> None:
    assert normalise(text) is None


@given(TEXTS.filter(lambda text: not set(text) & set("&%")))
def test_nothing_that_is_seen_is_left_out(text: str) -> None:
    normal = normalise(text)
    if normal is None:
        return
    covered: set[int] = set()
    for at in range(len(normal.text)):
        covered.update(range(*normal.span(at, at + 1)))
    assert not any(char in string.printable for at, char in enumerate(text) if at not in covered)


PYTHON_VEILS = [re.compile(veil) for veil in VEILS]
RE2_VEILS = re2.compile("|".join(f"(?:{spelt(veil, beyond_ascii=True)})" for veil in VEILS).encode())


def vectorscan(beyond_ascii: bool) -> hyperscan.Database:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_UTF8 if beyond_ascii else 0)
    expressions = [spelt(veil, beyond_ascii).encode() for veil in VEILS]
    made.compile(expressions, list(range(len(VEILS))), len(VEILS), [flags] * len(VEILS))
    return made


DATABASES = vectorscan(False), vectorscan(True)


def veiled(text: str) -> bool:
    """What Vectorscan says; RE2 and `re` must say the same."""
    data = text.encode()
    hits: list[int] = []
    DATABASES[not data.isascii()].scan(data, match_event_handler=lambda number, *_: hits.append(number))
    assert (RE2_VEILS.search(data) is not None) == bool(hits)
    assert any(veil.search(text) for veil in PYTHON_VEILS) == bool(hits)
    return bool(hits)


@given(TEXTS)
def test_without_a_veil_nothing_is_hidden(text: str) -> None:
    if normalise(text) is not None or decoded(text):
        assert veiled(text)


@pytest.mark.parametrize("trick", TRICKS)
def test_every_trick_is_a_veil(trick: str) -> None:
    for value in VALUES:
        hidden = TRICKS[trick](value)
        assert hidden == value or veiled(f"x {hidden} y")


UNITS = ["%41", "&#65;", "ａ", "²a", "a\x01", "a\u200b", "a\u0301", "жa", "о1", "&a", "( ", " (at) ", "ﬁ", "%25"]
RUNS = ["ж", "\u200b", " \u200b", "\u2013", "\u0301", "\u05b0", "\x01"]


@pytest.mark.parametrize("unit", UNITS + RUNS)
def test_folding_takes_linear_time(unit: str) -> None:
    def cost(size: int) -> float:
        whole = "1" + unit * (size // len(unit))
        began = time.perf_counter()
        normalise(whole)
        return time.perf_counter() - began

    small, large = min(cost(4_000) for _ in range(5)), min(cost(64_000) for _ in range(3))
    assert large < 16 * 5 * small + 0.01


SECRETS = [
    "write to bob@example.org now",
    "card 4111 1111 1111 1111",
    '{"sub":"1","email":"jane@corp.internal"}',
    "名前 太郎 taro@example.jp",
]


@pytest.mark.parametrize("value", SECRETS)
@pytest.mark.parametrize("before", ["", "x=", "/users/", "id_", "Basic ", "0x", "token:"])
def test_text_in_base64_and_hex_is_read(value: str, before: str) -> None:
    for run in (
        base64.b64encode(value.encode()).decode(),
        base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
        value.encode().hex(),
        value.encode().hex().upper(),
    ):
        if before == "0x" and not set(run) <= set(string.hexdigits):
            continue
        text = f"{before}{run}, ok"
        (found,) = decoded(text)
        assert found.text == value
        assert text[found.start : found.end] == run.rstrip("=")
        assert found.span(0, 1) == (found.start, found.end)


def test_a_token_is_read_and_answers_as_a_whole() -> None:
    parts = ['{"alg":"HS256","typ":"JWT"}', '{"sub":"42","email":"bob@example.org"}']
    token = (
        ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + ".c2lnbmF0dXJl"
    )
    found = decoded(f"Bearer {token}!")
    assert [run.text for run in found] == parts
    assert {run.span(3, 5) for run in found} == {(7, 7 + len(token))}


@pytest.mark.parametrize(
    "text",
    [
        "7b9f3c52-8a41-4d0e-bb6e-0f5c2a9d7e13",
        "3f2504e04f8911d39a0c0305e82c3301aabbccdd",
        "UklGRuQXAABXQVZFZm10IBAAAAABAAEAwF0AAIC7AAACABAAZGF0YcAXAAAAAAAAAQD",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
        "internationalization/documentation/deployment-production",
        "4111111111111111",
        "17638597241230001763859724123000",
    ],
)
def test_ids_hashes_and_images_are_no_texts(text: str) -> None:
    assert decoded(text) == []


def test_random_ids_hardly_ever_look_like_text() -> None:
    draw = random.Random(20)
    kinds: dict[str, Callable[[], str]] = {
        "base64 of 12 bytes": lambda: base64.b64encode(draw.randbytes(12)).decode(),
        "base64 of 16 bytes": lambda: base64.urlsafe_b64encode(draw.randbytes(16)).decode().rstrip("="),
        "letters and digits": lambda: "".join(draw.choices(string.ascii_letters + string.digits, k=20)),
        "capitals and digits": lambda: "".join(draw.choices(string.ascii_uppercase + string.digits, k=20)),
        "hex of 8 bytes": lambda: draw.randbytes(8).hex(),
        "digits": lambda: "".join(draw.choices(string.digits, k=18)),
    }
    for kind, make in kinds.items():
        read = sum(bool(decoded(make())) for _ in range(30_000))
        assert read <= 6, kind  # 3 would be 1 in 10,000
