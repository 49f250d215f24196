"""The next block: what is drawn for its rows is used up, however many pages there are."""

from __future__ import annotations

import os

from proxy.audit.writing.page import SALT, SALTS, Pages
from proxy.core.session import Session
from tests.audit.writing import done, note


def test_of_the_salts_that_are_drawn_at_once_none_is_left_lying(monkeypatch):
    drawn, random = 0, os.urandom

    def urandom(size: int) -> bytes:
        nonlocal drawn
        drawn += size
        return random(size)

    monkeypatch.setattr(os, "urandom", urandom)
    pages, salts = Pages("01234567", 0, "0badcafe"), set()
    for number in range(3 * SALTS):
        pages.message(Session(1), note(done(mark=bytes(16))), number, 64, b"sent", 0.0)
        pages.keep(b"sent")
        _, _, _, rows, kept = pages.tear()
        salts |= {rows[12 : 12 + SALT], kept[12 : 12 + SALT]}
    assert len(salts) == 6 * SALTS, "each has a salt of its own"
    assert drawn == 6 * SALTS * SALT
