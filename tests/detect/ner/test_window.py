"""Cutting into windows and joining again."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from proxy.detect.ner.model import Span
from proxy.detect.ner.window import OVERLAP, SIZE, union, windows

TEXTS = st.text(alphabet="ab é\n한.", max_size=3000)
SPANS = st.lists(
    st.builds(
        lambda entity, start, length, score: Span(entity, start, start + length, score),
        st.sampled_from(["PERSON", "LOCATION"]),
        st.integers(0, 60),
        st.integers(1, 20),
        st.floats(0.5, 1.0),
    )
)


@given(TEXTS)
def test_windows_cover_the_text_overlap_and_stay_small(text: str) -> None:
    spans = windows(text)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    assert all(end - start <= SIZE for start, end in spans)
    for (start, end), (following, _) in pairwise(spans):
        assert start < following <= end - OVERLAP // 2


def test_a_window_ends_between_words() -> None:
    text = "word " * 300
    assert all(text[start] == "w" for start, _ in windows(text))
    assert all(text[end - 1] == " " for _, end in windows(text))


@given(SPANS)
def test_a_union_covers_what_its_spans_cover_and_overlaps_nowhere(spans: list[Span]) -> None:
    def cover(of: list[Span], entity: str) -> set[int]:
        return {at for span in of if span.entity == entity for at in range(span.start, span.end)}

    joined = union(spans)
    for entity in ("PERSON", "LOCATION"):
        assert cover(joined, entity) == cover(spans, entity)
        own = [span for span in joined if span.entity == entity]
        assert all(one.end <= other.start for one, other in pairwise(own))
