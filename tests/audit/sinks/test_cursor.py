from __future__ import annotations

import time
from pathlib import Path

import pytest

from proxy.audit.sinks.cursor import CursorError, alone, enlist, forget, lags, load, save, shipped
from proxy.audit.sinks.place import Place
from proxy.audit.sinks.shipper import Shipper
from tests.audit.logs import message
from tests.audit.sinks.remote import PLACE, Memory
from tests.audit.sinks.test_shipper import grown

OTHER = Place("memory", "memory://b", "memory-11111111", "memory://b", "memory://b")


def test_retention_waits_for_nobody_unless_a_sink_is_configured(tmp_path: Path):
    log = grown(tmp_path)
    Shipper(tmp_path, PLACE, Memory()).once()  # by hand
    assert shipped(tmp_path, log.log) is None


def test_retention_waits_for_the_sink_that_is_furthest_behind(tmp_path: Path):
    log = grown(tmp_path)
    assert enlist(tmp_path, [PLACE, OTHER]) == []
    assert shipped(tmp_path, log.log) == 0
    Shipper(tmp_path, PLACE, Memory()).once()
    assert shipped(tmp_path, log.log) == 0
    Shipper(tmp_path, OTHER, Memory()).once()
    assert shipped(tmp_path, log.log) == 6
    assert shipped(tmp_path, "ffffffff") == 0


def test_a_sink_that_is_configured_no_more_is_waited_for_until_somebody_says_otherwise(tmp_path: Path):
    log = grown(tmp_path)
    enlist(tmp_path, [PLACE, OTHER])
    assert enlist(tmp_path, [OTHER]) == [PLACE.name]
    forget(tmp_path, PLACE.name)
    assert enlist(tmp_path, [OTHER]) == []
    assert shipped(tmp_path, log.log) == 0


def test_to_be_enlisted_again_changes_no_cursor(tmp_path: Path):
    log = grown(tmp_path)
    Shipper(tmp_path, PLACE, Memory()).once()
    enlist(tmp_path, [PLACE])
    assert shipped(tmp_path, log.log) == 6


@pytest.mark.parametrize("data", [b"", b"{}", b'{"where":"x","logs":{"a":{"seq":1,"size":1,"peaks":[]}}}'])
def test_a_damaged_cursor_lets_nothing_be_pruned(tmp_path: Path, data: bytes):
    enlist(tmp_path, [PLACE])
    (tmp_path / f"ship-{PLACE.name}.json").write_bytes(data)
    with pytest.raises(CursorError, match=f"--forget {PLACE.name}"):
        shipped(tmp_path, "3f9ac21b")
    with pytest.raises(CursorError, match="damaged"):
        Shipper(tmp_path, PLACE, Memory())


def test_a_cursor_that_was_lost_lets_nothing_be_pruned(tmp_path: Path):
    enlist(tmp_path, [PLACE])
    (tmp_path / f"ship-{PLACE.name}.json").unlink()
    with pytest.raises(CursorError, match="cannot be read"):
        shipped(tmp_path, "3f9ac21b")


def test_a_lag_grows_with_the_log_even_if_the_shipper_hangs(tmp_path: Path):
    log, sink = grown(tmp_path), Memory()
    enlist(tmp_path, [PLACE])
    (lag,) = lags(tmp_path)
    assert (lag.state, lag.events, lag.shipped, lag.wanted) == ("new", 6, 0, True)
    Shipper(tmp_path, PLACE, sink).once()
    (lag,) = lags(tmp_path)
    assert (lag.events, lag.shipped, lag.seconds) == (0, 6, 0)
    cursor = load(tmp_path, PLACE.name)
    cursor.even = time.time() - 100
    cursor.logs[log.log].t = 0
    save(tmp_path, PLACE.name, cursor)
    log.block(message())
    assert lags(tmp_path)[0].events == 0  # nothing that could be shipped
    log.checkpoint()
    (lag,) = lags(tmp_path)
    assert lag.events == 1
    assert 100 <= lag.seconds < 130


def test_a_cursor_is_for_its_owner_only_and_replaced_whole(tmp_path: Path):
    enlist(tmp_path, [PLACE])
    file = tmp_path / f"ship-{PLACE.name}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    cursor = load(tmp_path, PLACE.name)
    cursor.where = object()  # type: ignore[assignment] # cannot be written
    with pytest.raises(TypeError):
        save(tmp_path, PLACE.name, cursor)
    assert load(tmp_path, PLACE.name).where == PLACE.where
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".wanted"]


def test_only_one_ships_to_a_sink(tmp_path: Path):
    with (
        alone(tmp_path, PLACE.name),
        alone(tmp_path, OTHER.name),
        pytest.raises(CursorError, match="already"),
        alone(tmp_path, PLACE.name),
    ):
        raise AssertionError
    with alone(tmp_path, PLACE.name):
        pass
