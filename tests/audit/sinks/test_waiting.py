"""Retention waits for sinks: the writer's own log, its own retention, and a shipper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proxy.audit.layout import segments
from proxy.audit.sinks.cursor import CursorError, enlist, forget, lags
from proxy.audit.sinks.shipper import Shipper
from proxy.audit.writing.retention import Retention, prune
from tests.audit.logs import DAY
from tests.audit.sinks.remote import PLACE, Memory
from tests.audit.writing import NOON, SECOND, block, opened

OLD = Retention(seconds=86_400)
LATER = DAY + 10 * 86_400
EVENTS = 7


def written(directory: Path) -> Any:
    """A log with a segment for each of four days, all signed."""
    log = opened(directory)
    for day in range(4):
        block(log, EVENTS, NOON + day * 86_400 * SECOND)
    log.sync()
    return log


def removed(log: Any, retention: Retention = OLD) -> int:
    return prune(log.folder, log.settled, log.signed, retention, lambda *_, **__: None, now=LATER)


def test_what_a_sink_has_not_got_stays_however_old_it_is(tmp_path: Path):
    log = written(tmp_path)
    enlist(tmp_path, [PLACE])
    assert len(segments(log.folder)) == 4
    assert removed(log) == 0
    Shipper(tmp_path, PLACE, Memory()).once()
    assert removed(log) == 3
    log.close()


def test_a_sink_that_is_forgotten_is_not_waited_for(tmp_path: Path):
    log = written(tmp_path)
    enlist(tmp_path, [PLACE])
    forget(tmp_path, PLACE.name)
    assert removed(log) == 3
    log.close()


def test_a_cursor_that_cannot_be_read_lets_nothing_be_removed(tmp_path: Path):
    log = written(tmp_path)
    enlist(tmp_path, [PLACE])
    (tmp_path / f"ship-{PLACE.name}.json").write_text("?")
    with pytest.raises(CursorError):
        removed(log)
    assert len(segments(log.folder)) == 4
    log.close()


def test_a_log_that_grows_too_large_is_cut_although_the_sink_lacks_it_and_that_is_counted(tmp_path: Path):
    log, sink = written(tmp_path), Memory()
    enlist(tmp_path, [PLACE])
    sizes = [
        sum(path.stat().st_size for path in log.folder.glob(f"{one.path.stem}.*")) for one in segments(log.folder)
    ]
    assert removed(log, Retention(86_400, sum(sizes[1:3]))) == 1
    sink.events.update({(log.id, seq): b"" for seq in range(EVENTS)})  # not to be taken for a hole
    Shipper(tmp_path, PLACE, sink).once()
    assert sink.seq(log.id) == 4 * EVENTS
    assert lags(tmp_path)[0].missed == EVENTS
    log.close()
