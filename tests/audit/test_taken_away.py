"""A log that somebody moves, removes or cuts while it is written to: nothing leaves any more, and nothing of
another log is overwritten."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.audit.layout import segments
from proxy.audit.proof.verify import verify
from proxy.audit.storage import LostError
from proxy.audit.writing.journal import Journal
from proxy.core.message import Direction
from proxy.core.session import Session
from tests.audit.writing import Leg, Names, block, done, note, opened

UP, _ = Direction


def moved(directory: Path) -> None:
    directory.rename(directory.with_name("elsewhere"))


def moved_and_begun_anew(directory: Path) -> None:
    moved(directory)
    opened(directory).close()


def lock_removed(directory: Path) -> None:
    (directory / "log-0" / "lock").unlink()


def lock_made_anew(directory: Path) -> None:
    lock_removed(directory)
    opened(directory).close()


def segment_removed(directory: Path) -> None:
    segments(directory / "log-0")[-1].path.unlink()


def segment_cut(directory: Path) -> None:
    os.truncate(segments(directory / "log-0")[-1].path, 10)


WAYS = [
    shutil.rmtree,
    moved,
    moved_and_begun_anew,
    lock_removed,
    lock_made_anew,
    segment_removed,
    segment_cut,
]


@pytest.mark.parametrize("take_away", WAYS)
def test_a_log_that_is_taken_away_is_not_synced(tmp_path, take_away: Callable[[Path], None]):
    log = opened(tmp_path / "audit")
    block(log)
    log.sync()
    take_away(tmp_path / "audit")
    block(log)
    with pytest.raises(LostError, match="by somebody; restart the proxy"):
        log.sync()
    with pytest.raises(OSError, match=r"by somebody|No such file|has lost"):
        log.close()


@pytest.mark.parametrize("take_away", WAYS)
def test_no_message_leaves_once_its_event_would_be_nowhere(tmp_path, caplog, take_away: Callable[[Path], None]):
    async def play() -> bool:
        log = opened(tmp_path / "audit")
        journal = Journal(
            log,
            asyncio.get_running_loop(),
            Names(),
            "0badcafe",
            level="findings",
            durability="written",
            patience=0.1,
        )
        journal.start("1.2.3", 0, {})
        session = Session("chat")
        journal.message(session, note(done()), 1, 64, b"sent", 0.0)
        await asyncio.sleep(0.05)
        take_away(tmp_path / "audit")
        begun = time.monotonic()
        while journal.problem is None and time.monotonic() - begun < 5:  # a few milliseconds
            journal.message(session, note(done()), 2, 64, b"sent", 0.0)
            await asyncio.sleep(0.005)
        leg = Leg()
        journal.message(session, note(done()), 3, 64, b"sent", 0.0)
        journal.wait(leg)
        told = await asyncio.wait_for(leg.told, 5)
        with suppress(OSError):
            journal.close()
        return told

    assert asyncio.run(play()) is False
    assert "restart the proxy" in caplog.text


def test_a_log_in_the_place_of_one_that_was_moved_is_left_alone(tmp_path):
    """The old writer would put its checkpoint over the other's."""
    audit = tmp_path / "audit"
    log = opened(audit)
    block(log)
    moved(audit)
    other = opened(audit)
    block(other)
    other.sync()
    with pytest.raises(LostError):
        log.sync()
    with suppress(OSError):
        log.close()
    other.close()
    assert verify(audit).verdict == "whole"


def test_a_log_that_comes_back_is_gone_on_with(tmp_path):
    audit = tmp_path / "audit"
    log = opened(audit)
    block(log)
    moved(audit)
    with pytest.raises(LostError):
        log.sync()
    (tmp_path / "elsewhere").rename(audit)
    block(log)
    log.close()
    assert verify(audit).verdict == "whole"
