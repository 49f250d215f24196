"""A telephone number is found however people of its country write it, and told under which spelling."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proxy.audit.people.spelling import spelling
from proxy.audit.people.telephone import NumberError, RegionError, known, spellings

MEANS = spelling("PHONE_NUMBER")


def spelt(text: str, region: str) -> dict[str, set[str]]:
    """What is looked for, by its name, as digits."""
    found: dict[str, set[str]] = {}
    for one in spellings(text, region):
        found.setdefault(one.name, set()).add(MEANS(one.text).decode())
    return found


@pytest.mark.parametrize(
    ("text", "region", "else_"),
    [
        ("+49 30 1234567", "DE", {"national": {"0301234567"}}),
        ("0049 (0)30 1234567", "DE", {"national": {"0301234567"}}),
        ("030 1234567", "DE", {"international": {"49301234567"}}),
        ("+49 30 1234567", "US", {"dialled": {"01149301234567"}}),
        ("011 49 30 1234567", "US", {"international": {"49301234567"}}),
        ("+49 30 1234567", "FR", {}),  # 00 in front, which means a plus anyway
        ("+1 212 555 0142", "US", {"national": {"2125550142"}}),
        ("(212) 555-0142", "CA", {"international": {"12125550142"}}),
        ("+39 06 123 4567", "IT", {"national": {"061234567"}}),  # whose 0 belongs to the number
        ("+44 20 7946 0958", "JE", {"national": {"02079460958"}}),
        ("+36 1 234 5678", "HU", {"national": {"0612345678"}}),
        ("+54 9 11 2345 6789", "AR", {"national": {"011152345" + "6789", "091123456789"}}),
        ("+55 11 91234-5678", "BR", {"national": {"11912345678", "011912345678"}}),
        ("+49 30 1234567 ext. 12", "DE", {"national": {"030123456712"}}),
    ],
)
def test_a_number_is_looked_for_as_people_of_its_country_write_it(text, region, else_):
    given = {"given": {MEANS(text).decode()}}
    assert spelt(text, region) == given | else_


NUMBERS = st.tuples(st.sampled_from(["30", "40", "89", "171", "6221"]), st.integers(100_000, 9_999_999))


@given(NUMBERS)
def test_whichever_spelling_is_given_all_of_them_are_looked_for(number):
    area, rest = number
    written = [f"+49 {area} {rest}", f"0049{area}{rest}", f"0{area}/{rest}", f"(0{area}) {rest}"]
    every = [{MEANS(one.text) for one in spellings(text, "DE")} for text in written]
    assert all(one == {f"49{area}{rest}".encode(), f"0{area}{rest}".encode()} for one in every)


@given(st.text(max_size=30), st.sampled_from(["DE", "US", "JP", "AR"]))
def test_what_is_no_number_there_is_refused_without_being_quoted(text, region):
    assume(text.strip())
    try:
        first, *others = spellings(text, region)
    except NumberError as error:
        assert str(error) == ""
    else:
        assert (first.name, first.text) == ("given", text)
        assert len({MEANS(one.text) for one in others} | {MEANS(text)}) == len(others) + 1


@pytest.mark.parametrize("text", ["anna 30", "0", "+", "+49", "030 123456789012345678"])
def test_what_is_no_whole_number_has_no_spellings(text):
    with pytest.raises(NumberError):
        spellings(text, "DE")


@pytest.mark.parametrize("region", ["XX", "de", "UK", "", "Germany"])
def test_a_country_is_two_letters(region):
    assert not known(region)
    with pytest.raises(RegionError):
        spellings("030 1234567", region)


def test_the_numbering_plans_are_imported_by_whoever_asks_for_a_country_alone():
    asked = "import sys, proxy.audit.people.telephone as t; print('phonenumbers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
