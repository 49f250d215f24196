"""What stands in the place of a value is a value of no sort, however it is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.detect.plausible.other import NOBODY, SENTENCE
from proxy.detect.plausible.people import full_name, name, spoken_name
from proxy.detect.plausible.places import address, city, place, road, street
from proxy.detect.plausible.secrets import cookie, passphrase, password, token

Check = Callable[[str], bool]


@pytest.mark.parametrize(
    "possible", [name, spoken_name, full_name, street, city, password, passphrase, token, cookie]
)
def test_a_word_of_a_form_or_a_schema_is_no_value(possible: Check) -> None:
    assert [word for word in NOBODY for text in (word, word.upper(), word.title()) if possible(text)] == []


@pytest.mark.parametrize("possible", [name, spoken_name, full_name, street, road, address, place, city])
def test_a_text_with_a_word_of_a_message_is_no_value(possible: Check) -> None:
    assert [word for word in SENTENCE if possible(f"Baker {word}") or possible(f"5 Baker {word.upper()}")] == []
