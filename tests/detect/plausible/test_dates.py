"""A day of birth is written in many ways, and is one on which somebody alive can have been born."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from proxy.detect.plausible.dates import birth_date

FEBRUARY = """
1980-02-29|1980/2/29|29.02.1980|02/29/1980|29. 02. 1980|29-2-80|19800229|1980-02-29T00:00:00Z
1980-02-29 07:30|February 29, 1980|29 feb 1980|29. Februar 1980|29 luty 1980|29 fev. 1980
29021980|02291980|29 février 1980
"""


@pytest.mark.parametrize("text", FEBRUARY.strip().replace("\n", "|").split("|"))
def test_a_day_is_written_in_many_ways(text: str) -> None:
    assert birth_date(text)
    assert not birth_date(text.replace("1980", "1981").replace("80", "81"))  # which has no such day


MONTHS = """
january januari enero gennaio styczeń februar febbraio luty march märz mrt maart marzec april abril avril kwiecień
may maggio mei maj june giugno czerwiec juin july luglio lipiec juillet august agosto août sierpień
september setembro wrzesień październik october oktober ottobre outubro november listopad december dezembro
diciembre grudzień décembre
"""


@pytest.mark.parametrize("month", MONTHS.split())
def test_months_are_known_in_the_languages_that_keys_are(month: str) -> None:
    assert birth_date(f"5 {month} 1980")


@pytest.mark.parametrize(
    "text",
    ["yes", "1980", "1980-13-40", "1889-12-31", "2199-01-01", "5 foo 1980", "March 1980", "00.00.1980", "1.2.3.4"],
)
def test_other_days_are_nobodys(text: str) -> None:
    assert not birth_date(text)


def test_nobody_was_born_tomorrow() -> None:
    assert birth_date(date.today().isoformat())
    assert not birth_date((date.today() + timedelta(days=2)).isoformat())


def test_a_sentence_that_holds_a_date_is_none() -> None:
    assert not birth_date("the meeting was held on March 5, 1980, and nobody came")
