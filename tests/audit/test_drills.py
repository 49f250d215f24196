"""Kills, power cuts, clocks that jump: what was released stands in the log, and the log verifies.

Short versions of benchmarks/audit_drills.py; those with real proxies are in tests/audit/test_drills_proxy.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.audit_cuts import Talk, cuts
from benchmarks.audit_journal import begin
from benchmarks.audit_kills import verified
from benchmarks.audit_power import Disk
from benchmarks.audit_traffic import lines
from proxy.audit import events
from proxy.audit.people.keys import Keys
from tests.harness import ROOT

BOTH = pytest.mark.parametrize("durability", ["written", "synced"])


@BOTH
def test_no_kill_takes_the_event_of_a_message_that_was_released(durability):
    command = [sys.executable, "-m", "benchmarks.audit_drills", "journal", "--json", "--kills", "25"]
    done = subprocess.run(
        [*command, "--durability", durability], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["kills"], found["unlogged"], found["disorder"], found["logs"]) == (25, 0, 0, 1)
    assert found["released"] > 1000


@BOTH
def test_a_power_cut_takes_only_what_was_promised_to_nobody(tmp_path, durability):
    found = cuts(tmp_path, 12, durability, seed=3)
    assert (found.faults(), found.holes, found.begun) == ([], 0, 0)
    assert found.cuts == 12
    if durability == "synced":
        assert found.lost == 0


def test_the_drill_of_power_cuts_sees_what_is_not_synced(tmp_path):
    """It would be worth nothing if every byte counted as kept."""
    (tmp_path / "log").mkdir()
    path, dice = tmp_path / "log" / "file", random.Random(1)
    with Disk(tmp_path / "log") as disk, path.open("wb") as file:
        file.write(b"kept")
        file.flush()

        os.fdatasync(file.fileno())
        file.write(b"hoped for")
        file.flush()
        seen = set()
        for number in range(60):
            disk.cut(tmp_path / f"{number}", dice)
            seen.add((tmp_path / f"{number}" / "file").read_bytes())
    assert min(seen) == b"kept"
    assert max(seen) == b"kepthoped for"
    assert len(seen) == 10


def test_clocks_that_jump_change_no_order(tmp_path, monkeypatch):
    dice, days = random.Random(5), 86_400 * 10**9
    real, drift = time.time_ns, 0

    def jumping() -> int:
        nonlocal drift
        drift += dice.choice((0, 0, 0, 3_600_000_000_000, -3_600_000_000_000, 5 * days, -5 * days))
        return real() + drift

    async def talk() -> int:
        monkeypatch.setattr(time, "time_ns", jumping)
        for _ in range(3):  # each goes on with the log
            journal = begin(tmp_path / "audit", Keys.open(tmp_path / "keys"), "0badcafe", "written", 20_000)
            talk = Talk(journal, "0badcafe", dice)
            await talk.for_a_while(0.1)
            journal.close()
        return talk.said

    said = asyncio.run(talk())
    found = [events.decode(line) for line in lines(tmp_path / "audit")]
    assert len(found) > said > 0
    assert [event.seq for event in found] == list(range(len(found)))
    assert len({event.t // days for event in found}) > 2, "the clock did jump"
    assert any(after.t < before.t for before, after in pairwise(found))
    assert verified(tmp_path / "audit") == "whole"
    numbers = sorted(int(path.name[9:15]) for path in Path(tmp_path / "audit" / "log-0").glob("*.jsonl*"))
    assert numbers == list(range(len(numbers))), "days may go back, numbers are the order"


def test_a_log_is_whole_while_its_segments_are_compressed(tmp_path):
    async def talk() -> None:
        journal = begin(tmp_path / "audit", Keys.open(tmp_path / "keys"), "0badcafe", "written", 3_000)
        talk, verdicts = Talk(journal, "0badcafe", random.Random(3)), set()
        for _ in range(25):
            await talk.for_a_while(0.02)
            verdicts.add(await asyncio.to_thread(verified, tmp_path / "audit"))
        journal.close()
        assert verdicts == {"whole"}
        assert len(list((tmp_path / "audit" / "log-0").glob("*.gz"))) > 10

    asyncio.run(talk())
