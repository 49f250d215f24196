"""Kills of a journal: a child keeps one, and a pipe stands for what it releases.

The child is forked from a process that has loaded everything, so 200 kills take seconds. It tells the pipe of a
message only when it is told `written`; the parent kills it some time and looks for every message in the log.
Each child goes on with the log that the one before has left.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import select
import signal
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import NoReturn

import uvloop
from msgspec import UNSET

from benchmarks.audit_journal import begin
from benchmarks.audit_traffic import lines
from benchmarks.proc import PR_SET_PDEATHSIG
from proxy.audit import events
from proxy.audit.layout import logs
from proxy.audit.people.keys import Keys
from proxy.audit.writing.journal import Journal
from proxy.audit.writing.opening import open_log
from proxy.core.action import Done, Note
from proxy.core.message import Direction, Kind
from proxy.core.session import Session

RELEASED = struct.Struct("<IIQ")  # run, session, number of the last message that may leave
SESSIONS = 3
SEGMENT = 4 << 20  # bytes
BURSTS = (1, 1, 2, 7, 50, 400)  # messages in a turn: large blocks are what a kill tears


@dataclass(slots=True)
class Found:
    """What a drill has shown."""

    kills: int = 0
    released: int = 0
    unlogged: int = 0
    disorder: int = 0
    """Places where seq does not go on by one."""
    events: int = 0
    torn: int = 0
    logs: int = 0
    seconds: float = 0.0

    def faults(self) -> list[str]:
        """What must not be."""
        bad = [name for name in ("unlogged", "disorder") if getattr(self, name)]
        return bad if self.released else [*bad, "nothing was released"]

    def as_json(self) -> dict[str, object]:
        """Every figure."""
        return asdict(self)


# -- the child ----------------------------------------------------------------------------------------------


class Leg:
    """Releases messages of one session up to `number`."""

    def __init__(self, pipe: int, run: int, session: int, number: int) -> None:
        self.pipe, self.record = pipe, RELEASED.pack(run, session, number)

    def written(self) -> None:
        """They leave."""
        os.write(self.pipe, self.record)

    def unwritten(self) -> None:
        """They do not."""


async def _talk(journal: Journal, run: int, pipe: int, dice: random.Random) -> NoReturn:
    sessions = [Session(number) for number in range(1, SESSIONS + 1)]
    said = [0] * SESSIONS
    done = (Done("EMAIL_ADDRESS", "email", "replace", "email", 17, 1.0, "enforce", bytes(16)),)
    note = Note(Direction.CLIENT_TO_UPSTREAM, Kind.TEXT, "rewritten", None, "0" * 32, done)
    while True:
        for index, session in enumerate(sessions):
            for _ in range(dice.choice(BURSTS)):
                said[index] += 1
                waits = journal.message(session, note, said[index], 60, b"x", 1e-5)
            leg = Leg(pipe, run, session.sid, said[index])
            journal.wait(leg) if waits else leg.written()
        await asyncio.sleep(0)


async def _keep(audit: Path, keys: Keys, durability: str, pipe: int, seed: int) -> None:
    run = random.Random(seed).getrandbits(32)
    journal = begin(audit, keys, f"{run:08x}", durability, SEGMENT)
    await _talk(journal, run, pipe, random.Random(seed))


def _child(audit: Path, keys: Keys, durability: str, pipe: int, seed: int) -> NoReturn:
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_keep(audit, keys, durability, pipe, seed))
    finally:
        os._exit(1)


# -- the parent ---------------------------------------------------------------------------------------------


def kills(
    folder: Path,
    count: int,
    durability: str,
    seed: int | None = None,
    told: Callable[[Found], None] = lambda _: None,
) -> Found:
    """Kill `count` children. Only in a process without threads: it forks."""
    dice, found, began = random.Random(seed), Found(), monotonic()
    audit, keys = folder / "audit", Keys.open(folder / "keys")
    released: dict[tuple[int, int], int] = {}
    while found.kills < count:
        data = _one(audit, keys, durability, dice)
        for run, session, number in RELEASED.iter_unpack(data[: len(data) // RELEASED.size * RELEASED.size]):
            released[run, session] = max(number, released.get((run, session), 0))
        found.kills += 1
        found.seconds = monotonic() - began
        told(found)
    open_log(audit, keys.signer).close()  # repairs what the last one has left
    return _judged(found, audit, released)


def _one(audit: Path, keys: Keys, durability: str, dice: random.Random) -> bytes:
    """One child; returns all that it has released."""
    reading, writing = os.pipe()
    seed = dice.getrandbits(32)
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(audit, keys, durability, writing, seed)
    os.close(writing)
    data, deadline = bytearray(), monotonic() + 10
    kill_at = None
    while True:
        wait = (deadline if kill_at is None else kill_at) - monotonic()
        if wait <= 0 or not select.select([reading], [], [], wait)[0]:
            break
        piece = os.read(reading, 1 << 16)
        if not piece:
            break  # it has ended by itself: nothing is released, and that is told
        data += piece
        kill_at = kill_at or monotonic() + dice.uniform(0, 0.08)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while piece := os.read(reading, 1 << 16):
        data += piece
    os.close(reading)
    return bytes(data)


def _judged(found: Found, audit: Path, released: dict[tuple[int, int], int]) -> Found:
    written: dict[str, set[int]] = {}
    expected: dict[str, int] = {}
    for line in lines(audit):
        event = events.decode(line)
        found.events += 1
        found.disorder += event.seq != expected.get(event.log, 0)
        expected[event.log] = event.seq + 1
        if isinstance(event, events.Message):
            written.setdefault(event.sid, set()).add(event.n)
        elif isinstance(event, events.Start):
            found.torn += event.repaired is not UNSET
    for (run, session), last in released.items():
        found.released += last
        found.unlogged += len(set(range(1, last + 1)) - written.get(f"{run:08x}-{session}", set()))
    found.logs = len(logs(audit))
    return found
