"""Holds cover what they say, and nobody who cannot read them goes on."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from proxy.audit.people.hold import FILE, SECOND, Hold, HoldError, every, holds, one, place, release

NOW = 1_795_000_000


def hold(**given) -> Hold:
    return Hold(id="hold-1", reason="case 7", placed=NOW, **given)


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ({}, True),
        ({"begin": 100, "end": 200}, True),
        ({"begin": 151}, False),
        ({"end": 149}, False),
        ({"end": 150}, True),
        ({"session": "a-1"}, True),
        ({"session": "a-2"}, False),
        ({"route": "chat"}, True),
        ({"route": "shop"}, False),
        ({"session": "a-1", "route": "shop"}, False),
    ],
)
def test_a_hold_covers_what_it_does_not_exclude(given, covered):
    assert hold(**given).covers(150 * SECOND + 1, "a-1", "chat") is covered


def test_events_that_do_not_say_their_session_are_covered():
    assert hold(session="a-1").covers(0, None, None)


def test_retention_asks_about_a_span():
    held = hold(begin=100, end=200, session="a-1")
    assert held.spans(150 * SECOND, 160 * SECOND)
    assert held.spans(0, 100 * SECOND)
    assert held.spans(200 * SECOND + 5, 300 * SECOND)
    assert not held.spans(0, 99 * SECOND)
    assert not held.spans(201 * SECOND, 300 * SECOND)


def test_holds_are_placed_released_and_never_forgotten(tmp_path):
    assert holds(tmp_path) == []
    first = place(tmp_path, "case 7", NOW, session="a-1")
    second = place(tmp_path, "case 8", NOW, begin=1, end=2, route="chat")
    assert (first.id, second.id) == ("hold-1", "hold-2")
    assert holds(tmp_path) == [first, second]
    assert one(tmp_path, "hold-1") == first
    release(tmp_path, "hold-1", NOW + 5)
    assert holds(tmp_path) == [second]
    assert [held.released for held in every(tmp_path)] == [NOW + 5, None]
    assert place(tmp_path, "case 9", NOW).id == "hold-3"
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_hold_is_released_once(tmp_path):
    place(tmp_path, "case 7", NOW)
    release(tmp_path, "hold-1", NOW)
    with pytest.raises(HoldError, match="released already"):
        release(tmp_path, "hold-1", NOW)
    with pytest.raises(HoldError, match="no hold 'hold-2'"):
        release(tmp_path, "hold-2", NOW)


@pytest.mark.parametrize("content", [b"", b"[{]", b'[{"id": 1}]', b'[{"id":"a","reason":"b","placed":1,"x":2}]'])
def test_a_damaged_file_holds_everything(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(HoldError, match="nothing is pruned or erased"):
        holds(tmp_path)
    with pytest.raises(HoldError):
        place(tmp_path, "case 7", NOW)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_file_that_cannot_be_read_is_no_file_without_holds(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(HoldError, match="cannot be read"):
        holds(tmp_path)


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(HoldError, match="no hold can be kept"):
        place(tmp_path / "nowhere", "case 7", NOW)
    with pytest.raises(HoldError, match="no hold can be released"):
        release(tmp_path / "nowhere", "hold-1", NOW)


def test_holds_placed_at_once_all_stand(tmp_path):
    threads = [threading.Thread(target=place, args=(tmp_path, f"case {n}", NOW)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {held.id for held in holds(tmp_path)} == {f"hold-{n}" for n in range(1, 9)}


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(HoldError, match="cannot be read"):
        holds(tmp_path)
