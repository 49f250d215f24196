"""What an operator's command takes down is on the disk when it goes on."""

from __future__ import annotations

import os

import pytest

from proxy import __version__
from proxy.audit import events
from proxy.audit.people.keys import Keys
from proxy.audit.proof.verify import verify
from proxy.audit.writing.desk import desk
from proxy.audit.writing.log import LogError
from tests.audit.writing import Disk, lines, opened


@pytest.fixture
def keys(tmp_path):
    return Keys.open(tmp_path / "keys")


def test_a_command_has_a_start_its_events_and_a_stop(tmp_path, keys):
    with desk(tmp_path / "audit", keys) as opened_desk:
        opened_desk.write(events.Lookup, entity="PERSON", found=3)
        assert len(lines(tmp_path / "audit" / "log-0")) == 2
    start, lookup, stop = lines(tmp_path / "audit" / "log-0")
    assert isinstance(start, events.Start)
    assert (start.who, start.version, start.pid, start.durability) == ("desk", __version__, os.getpid(), "synced")
    assert (lookup.entity, lookup.found) == ("PERSON", 3)
    assert stop.run == start.run
    assert verify(tmp_path / "audit").verdict == "whole"


def test_commands_share_the_first_log_that_nobody_has(tmp_path, keys):
    proxy = opened_by(keys, tmp_path)
    for _ in range(3):
        with desk(tmp_path / "audit", keys):
            pass
    assert [path.name for path in sorted((tmp_path / "audit").glob("log-*"))] == ["log-0", "log-1"]
    assert [line.seq for line in lines(tmp_path / "audit" / "log-1")] == list(range(6))
    proxy.close()


def opened_by(keys, tmp_path):
    from proxy.audit.writing.opening import open_log

    return open_log(tmp_path / "audit", keys.signer)


def test_what_cannot_be_taken_down_is_an_error(tmp_path, keys, monkeypatch):
    disk = Disk(monkeypatch)
    with desk(tmp_path / "audit", keys):
        pass
    disk.room = 400
    with pytest.raises(OSError, match="No space left"), desk(tmp_path / "audit", keys) as opened_desk:
        for number in range(10):
            opened_desk.write(events.Lookup, entity="PERSON", found=number)
    disk.room = None
    with desk(tmp_path / "audit", keys):
        pass
    assert verify(tmp_path / "audit").verdict == "whole"


def test_a_command_that_fails_is_taken_down_all_the_same(tmp_path, keys):
    with pytest.raises(ZeroDivisionError), desk(tmp_path / "audit", keys) as opened_desk:
        opened_desk.write(events.Export, form="jsonl", count=1)
        raise ZeroDivisionError
    kinds = [type(line) for line in lines(tmp_path / "audit" / "log-0")]
    assert kinds == [events.Start, events.Export, events.Stop]


def test_another_key_than_the_directory_s_is_refused(tmp_path, keys):
    opened(tmp_path / "audit").close()
    with pytest.raises(LogError, match="another signing key"), desk(tmp_path / "audit", keys):
        pass
