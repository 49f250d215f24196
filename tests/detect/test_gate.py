"""The gate and its windows: no verdict is changed by them, in either engine, whatever a text is made of."""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.gate_proof import differences
from benchmarks.texts import Texts
from proxy.core.finding import Finding
from proxy.detect import gate as gates
from proxy.detect.deadline import Deadline
from proxy.detect.engine import Engine
from proxy.detect.gate import Trigger, Wish
from proxy.detect.gate_vectorscan import DENSE, FEW, VectorscanGate, open_all
from proxy.detect.look import Look
from proxy.detect.recognizer import FLOOR
from proxy.detect.windows import Reach, Window, windows
from tests.detect.looking import detector, leaf
from tests.detect.test_laws import TEXTS


def gate_of(triggers: list[Trigger], cache: Path | None = None) -> VectorscanGate:
    """A gate of its own, shared with nobody."""
    (gate,) = open_all([Wish(tuple(triggers), places=False)], cache)
    return gate


class Shoes:
    """A user's recognizer: finds `shoe`, with triggers that are asked of it."""

    name, entity, before, after = "shoes", "SHOE", 2, 2

    def __init__(self, *triggers: str) -> None:
        self.triggers = triggers

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        for match in re.compile("shoe").finditer(text, start, end):
            yield Finding("SHOE", *match.span(), 1.0, self.name)


@pytest.mark.parametrize("triggers", [(), (r"\bshoe\b",), ("s.*shoe|shoe",), ("shoe",), ("sh", "oe")])
def test_a_recognizer_is_asked_whatever_its_triggers_are(triggers: tuple[str, ...]) -> None:
    look = Look([Shoes("hat"), Shoes(*triggers)], by_key=False)
    texts = ["", "a shoe", "nothing", "x" * 3000 + "shoe"]
    found = [(w.text, f) for w in look.windows(texts) if w.owner == 1 for f in _find(look, texts, w)]
    assert {(text, f.start) for text, f in found} == {(1, 2), (3, 3000)}
    assert not any(w.owner == 0 for w in look.windows(texts))
    assert not look.clear(b"a shoe")
    assert look.clear(b"nothing") == (triggers not in {(), (r"\bshoe\b",)})


def _find(look: Look, texts: list[str], window: Window) -> Iterator[Finding]:
    text, owner, start, end = window
    return look.recognizers[owner].find(texts[text], start, end, 0.5, Deadline(5))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text("ab\u00e9\u4e16\U0001f600- \ud800", max_size=12), max_size=5))
def test_windows_are_where_the_hits_are_and_never_leave_their_text(texts: list[str]) -> None:
    gate = gate_of([Trigger(0, "ab"), Trigger(1, "\u00e9-?b")])
    reaches = [Reach(0, 2 + 1, 2), Reach(1, 3, 0)]
    found = list(windows(texts, gate, reaches))
    for text, _, start, end in found:
        assert 0 <= start < end <= len(texts[text])
    for number, text in enumerate(texts):
        for owner, pattern, before, after in ((0, "ab", 1, 2), (1, "\u00e9-?b", 0, 0)):
            for hit in regex.finditer(pattern, text, overlapped=True):
                start, end = max(0, hit.start() - before), min(len(text), hit.end() + after)
                assert any(
                    w.text == number and w.owner == owner and w.start <= start and end <= w.end for w in found
                )
    looked_at = Counter((w.text, w.owner, at) for w in found for at in range(w.start, w.end))
    assert not looked_at or max(looked_at.values()) == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_leaves_that_are_scanned_together_are_found_what_is_found_in_each_alone(texts: list[str]) -> None:
    together = detector().find([leaf(text) for text in texts], detector().entities, FLOOR)
    alone = [detector().find([leaf(text)], detector().entities, FLOOR)[0] for text in texts]
    assert [set(found) for found in together] == [set(found) for found in alone]


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("10.0.0.1/37")
@example("fe80::1%" + "a" * 300 + " x")
@example("AB12 GB82 WEST 1234 5698 7654 32 2 days")
@example("BEARER -7ZR2LX9TB4WM8KCV3NYH5PD")
def test_with_the_gate_and_without_it_the_findings_are_equal(text: str) -> None:
    without = detector().search([text], detector().entities, FLOOR)
    with_it = detector().find([leaf(text)], detector().entities, FLOOR)
    assert set(with_it[0]) == set(without[0])


@pytest.fixture(scope="module")
def portable() -> Iterator[Engine]:
    """An engine on a machine that has no Vectorscan."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "hyperscan", None)
        engine = Engine(budget=10.0)
        engine.prepare(engine.entities)
    yield engine


def test_without_vectorscan_re2_serves_and_a_log_line_names_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert gates.open_gate([Trigger(0, "x")]).engine == "vectorscan"
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    assert gates.open_gate([Trigger(0, "x")]).engine == "re2"
    assert ["vectorscan" in caplog.text, "re2" in caplog.text] == [True, True]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_both_engines_let_the_same_be_found(portable: Engine, text: str) -> None:
    payload = text.encode(errors="replace")
    assert portable.clear(payload, portable.entities, FLOOR) == detector().clear(payload, portable.entities, FLOOR)
    one = portable.find([leaf(text), leaf("x")], portable.entities, FLOOR)
    other = detector().find([leaf(text), leaf("x")], portable.entities, FLOOR)
    assert [set(found) for found in one] == [set(found) for found in other]


def test_generated_texts_of_nine_locales_show_no_difference() -> None:
    """A slice of `make gate-proof`."""
    tally = Counter[str]()
    assert list(differences(detector(), Texts(2).texts(SLICE), tally)) == []
    assert tally["texts"] == SLICE and tally["findings"] > SLICE // 3 and tally["clear"] > SLICE // 100


SLICE = 3_000


def test_a_text_full_of_hits_is_looked_at_whole() -> None:
    gate = gate_of([Trigger(0, r"\d"), Trigger(1, "never")])
    few = gate.scan(b"1" * FEW)
    assert (len(few.hits), few.whole) == (FEW, frozenset())
    data = b"1" * FEW * 2
    assert len(data) > FEW + len(data) // DENSE
    assert gate.scan(data) == ((), {0, 1})


def kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("gate-*.db"))


def test_a_gate_is_kept_and_a_damaged_or_foreign_one_replaced(tmp_path: Path) -> None:
    triggers = [Trigger(0, "shoe"), Trigger(1, "(")]
    first = gate_of(triggers, tmp_path / "gates")
    assert kept(tmp_path / "gates") == []  # what does not compile is not kept
    triggers[1] = Trigger(1, "good")
    gate_of(triggers, tmp_path / "gates")
    files = kept(tmp_path / "gates")
    assert len(files) == 2
    contents = [file.read_bytes() for file in files]
    for damage in (
        b"",
        b"x" * 100,
        contents[0][:-50],
        contents[1],
        bytes([*contents[0][:900], contents[0][900] ^ 1]) + contents[0][901:],
    ):
        files[0].write_bytes(damage)
        gate = gate_of(triggers, tmp_path / "gates")
        assert not gate.clear(b"a shoe") and not gate.clear("\u00e9 shoe".encode()) and gate.clear(b"a hat")
        assert files[0].read_bytes() == contents[0]
    gate_of([Trigger(0, "shoes")], tmp_path / "gates")
    assert len(kept(tmp_path / "gates")) == 4
    assert first.blind == {1}


def test_a_directory_that_cannot_be_written_costs_time_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    gate = gate_of([Trigger(0, "shoe")], tmp_path / "file")
    assert not gate.clear(b"a shoe")
    assert "gate" in caplog.text


def test_many_threads_scan_at_once() -> None:
    gate = gate_of([Trigger(0, "ab"), Trigger(1, r"\d")])
    texts = ["ab" * n + " \u00e9" * (n % 2) + "7" * (n % 3) for n in range(200)]
    alone = [gate.scan(text.encode()) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: gate.scan(text.encode()), texts * 10)) == alone * 10
