"""How findings that overlap become groups, each of which is rewritten as one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from proxy.core.finding import Finding, clusters, strength


def at(start: int, end: int, score: float = 1.0, entity: str = "E") -> Finding:
    return Finding(entity, start, end, score, "test")


FINDINGS = st.builds(
    lambda start, size, score, entity: at(start, start + size, score, entity),
    st.integers(0, 40),
    st.integers(1, 12),
    st.sampled_from([0.5, 0.85, 1.0]),
    st.sampled_from(["A", "B"]),
)


def test_findings_that_only_touch_are_not_one():
    assert clusters([at(0, 3), at(3, 6)]) == [[at(0, 3)], [at(3, 6)]]


def test_findings_that_share_a_character_are_one():
    assert clusters([at(2, 6), at(0, 3)]) == [[at(0, 3), at(2, 6)]]


def test_findings_are_one_through_a_third_that_bridges_them():
    assert clusters([at(0, 3), at(5, 9), at(2, 6)]) == [[at(0, 3), at(2, 6), at(5, 9)]]


def test_a_short_finding_inside_does_not_hide_how_far_a_long_one_reaches():
    assert clusters([at(0, 20), at(1, 2), at(10, 12)]) == [[at(0, 20), at(1, 2), at(10, 12)]]


def test_nothing_found_is_no_group():
    assert clusters([]) == []


def test_the_strongest_is_the_surest_then_the_longest_then_the_leftmost():
    weak, short, right, best = at(0, 9, 0.5), at(1, 2), at(5, 9), at(4, 8)
    assert sorted([best, right, weak, short], key=strength) == [weak, short, right, best]


@given(st.lists(FINDINGS))
def test_every_finding_is_in_one_group_and_groups_stand_apart(findings):
    groups = clusters(findings)
    assert sorted(map(repr, findings)) == sorted(repr(one) for group in groups for one in group)
    spans = [(group[0].start, max(one.end for one in group)) for group in groups]
    assert all(left_end <= right_start for (_, left_end), (right_start, _) in pairwise(spans))


@given(st.lists(FINDINGS))
def test_every_member_of_a_group_overlaps_one_before_it(findings):
    for group in clusters(findings):
        assert all(max(one.end for one in group[:i]) > group[i].start for i in range(1, len(group)))


@given(st.lists(FINDINGS), st.randoms())
def test_the_order_in_which_a_detector_names_them_does_not_matter(findings, random):
    shuffled = list(findings)
    random.shuffle(shuffled)
    outlines = [
        [(group[0].start, max(one.end for one in group), max(group, key=strength)) for group in clusters(order)]
        for order in (findings, shuffled)
    ]
    assert [o[:2] for o in outlines[0]] == [o[:2] for o in outlines[1]]
    assert [strength(o[2]) for o in outlines[0]] == [strength(o[2]) for o in outlines[1]]
