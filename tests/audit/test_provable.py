"""A9: retention, holds, erasure and destroyed keys never make a log look tampered with, in any order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.audit import events
from proxy.audit.layout import segments
from proxy.audit.marks import rows
from proxy.audit.people import erase, hold
from proxy.audit.people.keys import Keys
from proxy.audit.people.subject import occurrences
from proxy.audit.writing.desk import desk
from proxy.audit.writing.retention import Retention, prune
from proxy.audit.writing.sealing import finished, seal
from tests.audit.people import ANNA, BOB, MAIL, nothing
from tests.audit.verified import verify
from tests.commands.audit.written import Writing, written

TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_audit.py"
SMALL = 1200  # bytes of a segment: three messages


class Installation:
    """A proxy that writes small segments, and what operators do to them."""

    def __init__(self, folder: Path) -> None:
        self.directory, self.keys = folder / "audit", Keys.open(folder / "keys")
        self.proxy = Writing(self.directory, self.keys, SMALL)

    def say(self) -> None:
        self.proxy.say(ANNA, BOB, body=b"to <EMAIL_ADDRESS>")
        self.proxy.say(BOB, sid="0badcafe-8")

    def seal(self) -> None:
        self.proxy.log.sync()
        for segment in finished(self.proxy.log.folder, self.proxy.log.settled):
            seal(segment)

    def look(self) -> None:
        with desk(self.directory, self.keys) as opened:
            opened.write(events.Lookup, entity=MAIL, found=len(self.found(ANNA)))

    def found(self, value: str) -> list[object]:
        return list(occurrences(self.directory, self.keys.fingerprints(value, MAIL).values(), nothing))

    def erase(self) -> None:
        prints = self.keys.fingerprints(ANNA, MAIL).values()
        self._erase("subject", lambda: erase.of_subject(self.directory, prints, nothing))

    def erase_session(self) -> None:
        self._erase("session", lambda: erase.of_session(self.directory, "0badcafe-8", nothing))

    def _erase(self, what, choose) -> None:
        def record(parts) -> None:
            with desk(self.directory, self.keys) as opened:
                for named in parts:
                    opened.write(events.Erase, request="DSR-1", what=what, rows=named)

        if not hold.holds(self.directory):
            erase.erase(self.directory, choose, record)

    def hold(self) -> None:
        hold.place(self.directory, "case 7", 0, session="0badcafe-7")

    def release(self) -> None:
        for held in hold.holds(self.directory):
            hold.release(self.directory, held.id, 1)

    def rotate(self) -> None:
        self.keys.epochs.begin(self.keys.epoch + 1, 0)
        self.keys.refresh()

    def destroy(self) -> None:
        """The key of an old epoch; and its rows are as good as gone."""
        old = [epoch.number for epoch in self.keys.all[:-1] if epoch.key is not None]
        if old:
            with desk(self.directory, self.keys) as opened:
                opened.write(events.KeyRotate, epoch=old[0], state="destroyed")
            self.keys.epochs.destroy(old[0], 0)
            self.keys.refresh()

    def prune(self) -> None:
        def told(kind, **given) -> None:
            with desk(self.directory, self.keys) as opened:
                opened.write(kind, **given)

        log = self.proxy.log
        log.sync()
        prune(log.folder, log.settled, log.signed, Retention(size=3000), told)

    def close(self) -> None:
        self.proxy.log.sync()
        self.proxy.log.close()


def complaints(directory: Path) -> list[object]:
    audit = verify(directory)
    assert audit.logs
    return audit.faults + [one for log in audit.logs for one in (*log.faults, *log.damages)]


STEPS = ["say", "seal", "look", "erase", "erase_session", "hold", "release", "rotate", "destroy", "prune"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=14))
def test_whatever_is_done_to_a_log_in_order_it_stays_whole(tmp_path_factory, steps):
    here = Installation(tmp_path_factory.mktemp("provable"))
    here.say()
    for step in [*steps, "say"]:
        getattr(here, step)()
    here.close()
    assert complaints(here.directory) == []


def test_a_life_of_a_log_is_whole_to_the_independent_verifier_too(tmp_path):
    here = Installation(tmp_path)
    for step in [
        "say",
        "say",
        "say",
        "seal",
        "look",
        "erase",
        "rotate",
        "say",
        "destroy",
        "say",
        "say",
        "prune",
        "say",
    ]:
        getattr(here, step)()
    here.close()
    kinds = {type(event).__name__ for event in written(here.directory, events.Event)}
    assert {"Lookup", "Erase", "KeyRotate", "Prune"} <= kinds
    assert segments(here.proxy.log.folder)[0].number > 0, "something was pruned"
    assert complaints(here.directory) == []
    told = subprocess.run(
        [sys.executable, str(TOOL), str(here.directory)], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_a_hold_keeps_segments_that_are_too_old(tmp_path):
    here = Installation(tmp_path)
    here.hold()
    for _ in range(5):
        here.say()
    here.prune()
    assert segments(here.proxy.log.folder)[0].number == 0
    here.release()
    here.prune()
    assert segments(here.proxy.log.folder)[0].number > 0
    here.close()
    assert complaints(here.directory) == []


@pytest.mark.parametrize("named", [True, False])
def test_an_erasure_that_was_cut_short_is_none_to_verify_unless_nothing_was_said(tmp_path, named):
    """Events first, rows then: so a crash in between leaves no row that is gone without a trace."""
    here = Installation(tmp_path)
    here.say()
    chosen = erase.of_subject(here.directory, here.keys.fingerprints(ANNA, MAIL).values(), nothing)
    if named:
        with desk(here.directory, here.keys) as opened:
            opened.write(events.Erase, request="DSR-1", what="subject", rows=chosen.named)
        here.proxy.log.sync()
        assert complaints(here.directory) == [], "named, and not yet gone"
    erase.zero(chosen)
    here.close()
    assert bool(complaints(here.directory)) is not named
    assert any(row.gone for row in rows(segments(here.proxy.log.folder)[0].beside("marks")))
