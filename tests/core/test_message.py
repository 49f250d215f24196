"""The nouns: their numbers are those of the wire, their names those of rule files."""

from __future__ import annotations

import dataclasses

import pytest

from proxy.core.message import Close, Direction, Edit, Kind, Leaf, Side

LEAF = Leaf("$.a", "text", 7, 11, 1)


def test_a_direction_starts_at_the_side_of_the_same_number():
    assert Side(Direction.CLIENT_TO_UPSTREAM) is Side.CLIENT
    assert Side(Direction.UPSTREAM_TO_CLIENT) is Side.UPSTREAM


@pytest.mark.parametrize("one", [*Direction, *Side])
def test_the_other_one_of_the_other_one_is_the_first(one):
    assert one.other is not one
    assert one.other.other is one
    assert type(one.other) is type(one)


def test_the_labels_are_the_names_that_rule_files_use():
    assert [direction.label for direction in Direction] == ["client_to_upstream", "upstream_to_client"]


def test_kinds_are_the_opcodes_of_rfc_6455():
    assert (Kind.TEXT, Kind.BINARY) == (0x1, 0x2)


@pytest.mark.parametrize(
    "noun",
    [
        Close(1000, "bye"),
        LEAF,
        Edit(LEAF, 0, 4, "new"),
    ],
)
def test_nouns_are_values(noun):
    assert noun == dataclasses.replace(noun)
    for field in dataclasses.fields(noun):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(noun, field.name, None)
    assert not hasattr(noun, "__dict__")
