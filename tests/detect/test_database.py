"""Compiling: in processes of their own, several at a time, once for all who start, and never only in part."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from time import sleep

import hyperscan
import pytest

from proxy.building import built_of, ground_of
from proxy.detect import database as module
from proxy.detect import gate
from proxy.detect.compiling import compiled
from proxy.detect.database import SMALL, Wanted, databases
from proxy.detect.engine import Engine
from proxy.detect.gate import GateError
from proxy.starting import StartError

MANY = [f"shoe{number:04}" for number in range(SMALL // 8 + 1)]
"""Too many to be compiled in this process."""


def hits(database: hyperscan.Database, data: bytes) -> list[int]:
    found: list[int] = []
    database.scan(data, lambda number, *_: found.append(number), 0, None, hyperscan.Scratch(database))
    return found


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many regexes each process was given, in the order of their start."""
    counted: list[int] = []
    real = module._elsewhere

    def count(regexes: Mapping[int, str], flags: int, anonymous: bool) -> tuple[bytes, set[int]]:
        counted.append(len(regexes))
        return real(regexes, flags, anonymous)

    monkeypatch.setattr(module, "_elsewhere", count)
    return counted


@pytest.fixture
def unshared(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process: nobody has opened a gate."""
    monkeypatch.setattr(gate, "_shared", {})


def test_a_process_of_its_own_makes_the_very_same_database(elsewhere: list[int]) -> None:
    bad = [*MANY, r"\bshoe", "(", "last"]
    ((database, untaken),) = databases([Wanted(bad)])
    assert elsewhere == [len(MANY) + 2]  # the first bad one cannot even be spelt
    here, taken = compiled(Wanted(bad).regexes, Wanted(bad).flags, anonymous=False)
    assert hyperscan.dumpb(database) == hyperscan.dumpb(here)
    assert untaken == set(range(len(bad))) - taken == {len(MANY), len(MANY) + 1}
    assert hits(database, b"a shoe0007 and the last") == [7, len(MANY) + 2]


def test_databases_come_in_the_order_of_the_wishes_and_the_longest_is_begun_first(elsewhere: list[int]) -> None:
    wishes = [MANY, [*MANY, "boot"], ["hat"], [*MANY, "boot", "sock"]]
    made = databases([Wanted(regexes) for regexes in wishes])
    assert sorted(elsewhere, reverse=True) == [len(MANY) + 2, len(MANY) + 1, len(MANY)]
    assert [hits(database, b"hat, sock") for database, _ in made] == [[], [], [0], [len(MANY) + 1]]
    effort = [Wanted(MANY).effort, Wanted(MANY, beyond_ascii=True).effort]
    assert effort[0] < effort[1]


def test_those_who_start_at_the_same_time_compile_once(tmp_path: Path, elsewhere: list[int]) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: databases([Wanted(MANY)], tmp_path), range(4)))
    assert elsewhere == [len(MANY)]
    assert [hits(database, b"shoe0001") for ((database, _),) in made] == [[1]] * 4


def test_without_a_directory_or_with_one_that_cannot_be_written_it_is_compiled_each_time(
    tmp_path: Path, elsewhere: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    for cache in (None, tmp_path / "file"):
        ((database, _),) = databases([Wanted(MANY)], cache)
        assert hits(database, b"shoe0001") == [1]
    assert elsewhere == [len(MANY)] * 2
    assert caplog.text.count("compiled again at the next start") == 1


def test_whoever_waits_is_told_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hushwire")
    databases([Wanted(["few"])], tmp_path)
    assert caplog.messages == []
    databases([Wanted(MANY)], tmp_path)
    assert [message.partition(":")[0] for message in caplog.messages] == ["compiling the rules"]
    databases([Wanted(MANY)], tmp_path)
    assert len(caplog.messages) == 1


SHELL = {
    "exit 3": "exit code 3",
    "kill -9 $$": "signal 9",
    "true": "exit code 0",  # it said nothing: that is no database
}


@pytest.mark.parametrize("script", SHELL)
def test_a_process_that_fails_is_an_error_and_never_a_gate_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\n{script}\n")
    broken.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(GateError, match=SHELL[script]):
        databases([Wanted(MANY)], tmp_path)
    assert not [*tmp_path.glob("gate-*")]


def test_a_process_that_cannot_be_started_or_never_ends_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(GateError, match="no process could be started"):
        databases([Wanted(MANY)])
    monkeypatch.undo()
    monkeypatch.setattr(module, "LIMIT", 0.01)
    with pytest.raises(GateError, match="took more than"):
        databases([Wanted(MANY)])


@pytest.mark.usefixtures("unshared")
def test_a_proxy_whose_rules_cannot_be_compiled_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(StartError, match="no process could be started"):
        built_of("default", ground_of("off"))


# -- what a start compiles ---------------------------------------------------------------------------------


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, unshared: None) -> list[int]:
    """How many databases were asked for, each time somebody asked. Keys have few names here, to be quick."""
    monkeypatch.setattr("proxy.detect.keygate._OURS", gate.Wish((gate.Trigger(0, '_name"'),), places=False))
    asked: list[int] = []
    real = databases

    def count(wanted: Sequence[Wanted], cache: Path | None = None) -> object:
        asked.append(len(wanted))
        return real(wanted, cache)

    monkeypatch.setattr("proxy.detect.gate_vectorscan.databases", count)
    return asked


def test_both_gates_of_an_engine_are_compiled_at_once_and_for_less_nothing_more(batches: list[int]) -> None:
    engine = Engine(budget=30)
    more, less = frozenset({"PERSON", "MAC_ADDRESS"}), frozenset({"PERSON"})
    engine.prepare(more)
    engine.prepare(less)
    engine.warm()
    assert engine.clear(b'{"a": "b"}', less, 0.5) and not engine.clear(b'{"first_name": "Ada"}', more, 0.5)
    assert batches == [6]  # two herds in ASCII, UTF-8 and places; of the keys, whose places nobody asks, two


def test_the_larger_set_of_two_directions_serves_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "version: 1\nname: two\nrules:\n"
        "- {id: one, entities: [MAC_ADDRESS], action: replace, direction: upstream_to_client}\n"
        "- {id: both, entities: [IBAN_CODE], action: replace}\n"
        "- {id: none, entities: [EMAIL_ADDRESS], action: keep}\n"
    )
    built_of(str(rules), ground_of("off")).detector.warm()
    assert len(batches) == 1


@pytest.mark.usefixtures("unshared")
def test_rules_that_look_at_nothing_compile_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = built_of("pass", ground_of("off"))
    built.detector.warm()
    assert (built.policy.entities, [*tmp_path.rglob("*")]) == (frozenset(), [])
    assert gate._shared == {}


def test_gates_are_shared_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch, batches: list[int]) -> None:
    first = gate.open_gate([gate.Trigger(0, "first")])
    for number in range(gate.SHARED - 1):
        gate.open_gate([gate.Trigger(0, f"n{number}")])
        assert gate.open_gate([gate.Trigger(0, "first")]) is first
    gate.open_gate([gate.Trigger(0, "more")])
    gate.open_gate([gate.Trigger(0, "n0")])
    assert gate.open_gate([gate.Trigger(0, "first")]) is first
    assert len(batches) == gate.SHARED + 2


def test_threads_that_want_the_same_gate_get_the_same(monkeypatch: pytest.MonkeyPatch, unshared: None) -> None:
    busy, most, lock = 0, 0, Lock()
    real = databases

    def slow(wanted: Sequence[Wanted], cache: Path | None = None) -> object:
        nonlocal busy, most
        with lock:
            busy, most = busy + 1, max(most, busy + 1)
        sleep(0.01)
        with lock:
            busy -= 1
        return real(wanted, cache)

    monkeypatch.setattr("proxy.detect.gate_vectorscan.databases", slow)
    with ThreadPoolExecutor(4) as pool:
        gates = list(pool.map(lambda _: gate.open_gate([gate.Trigger(0, "shoe")]), range(8)))
    assert (len(set(map(id, gates))), most) == (1, 1)
