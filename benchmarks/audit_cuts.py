"""Power cuts of a journal at random moments: what may be left must verify, and may lack only what is allowed.

The journal keeps a log on a watched disk (benchmarks/audit_power.py). Each cut is a copy of what the machine may
find when it comes back; it is verified, continued by a writer, and verified again. `synced` may lose nothing that
was released; `written` only the end of it, as old as the last sync.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

import uvloop

from benchmarks.audit_journal import begin
from benchmarks.audit_kills import SOUND, verified
from benchmarks.audit_power import Disk
from benchmarks.audit_traffic import lines
from proxy.audit import events
from proxy.audit.layout import logs
from proxy.audit.people.keys import Keys
from proxy.audit.writing.journal import Journal
from proxy.audit.writing.opening import open_log
from proxy.core.action import Done, Note
from proxy.core.message import Direction, Kind
from proxy.core.session import Session

SEGMENT = 96 << 10  # bytes: the log goes to the next segment every few turns
BURSTS = (1, 3, 40)  # messages in a turn
LIFE = 6  # cuts in the life of one journal


@dataclass(slots=True)
class Found:
    """What a drill has shown. Ages are milliseconds from the release of a message to the cut that lost it."""

    durability: str
    cuts: int = 0
    released: int = 0
    lost: int = 0
    oldest: float = 0.0
    ages: list[float] = field(default_factory=list)
    """The oldest loss of each cut."""
    holes: int = 0
    """Losses that are not the end of the log."""
    begun: int = 0
    """Copies with which no writer went on: another log was begun."""
    verdicts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def faults(self) -> list[str]:
        """What must not be."""
        bad = [name for name in ("holes", "begun") if getattr(self, name)]
        bad += ["lost"] if self.lost and self.durability == "synced" else []
        bad += [verdict for verdict in self.verdicts if verdict not in SOUND]
        return bad if self.released else [*bad, "nothing was released"]

    def as_json(self) -> dict[str, object]:
        """Every figure; of the ages the median."""
        ages = sorted(self.ages)
        return asdict(self) | {"ages": round(ages[len(ages) // 2], 1) if ages else 0.0}


class Leg:
    """Remembers when messages up to `number` were released."""

    def __init__(self, talk: Talk, number: int) -> None:
        self.talk, self.number = talk, number

    def written(self) -> None:
        """They leave."""
        self.talk.released.append((self.number, monotonic()))

    def unwritten(self) -> None:
        """They do not."""


class Talk:
    """A session that says a burst every turn of the loop."""

    def __init__(self, journal: Journal, run: str, dice: random.Random) -> None:
        self.journal, self.sid, self.dice = journal, f"{run}-1", dice
        self.session = Session(1)
        self.said = 0
        self.released: list[tuple[int, float]] = []

    async def for_a_while(self, seconds: float) -> None:
        """Say, as fast as it goes."""
        done = (Done("EMAIL_ADDRESS", "email", "replace", "email", 17, 1.0, "enforce", bytes(16)),)
        note = Note(Direction.CLIENT_TO_UPSTREAM, Kind.TEXT, "rewritten", None, "0" * 32, done)
        until = monotonic() + seconds
        while monotonic() < until:
            for _ in range(self.dice.choice(BURSTS)):
                self.said += 1
                self.journal.message(self.session, note, self.said, 60, b"x", 1e-5)
            self.journal.wait(Leg(self, self.said))
            await asyncio.sleep(self.dice.choice((0, 0, 0.001)))


def cuts(
    folder: Path,
    count: int,
    durability: str,
    seed: int | None = None,
    told: Callable[[Found], None] = lambda _: None,
) -> Found:
    """Cut the power `count` times."""
    found, dice, began = Found(durability), random.Random(seed), monotonic()
    keys = Keys.open(folder / "keys")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        while found.cuts < count:
            life = folder / f"life-{found.cuts}"
            runner.run(_life(life, keys, min(LIFE, count - found.cuts), dice, found, told))
            shutil.rmtree(life)
            found.seconds = monotonic() - began
    return found


async def _life(
    folder: Path, keys: Keys, count: int, dice: random.Random, found: Found, told: Callable[[Found], None]
) -> None:
    run = f"{dice.getrandbits(32):08x}"
    with Disk(folder / "audit") as disk:
        journal = begin(folder / "audit", keys, run, found.durability, SEGMENT)
        talk = Talk(journal, run, dice)
        copies = []
        for number in range(count):
            await talk.for_a_while(dice.uniform(0.002, 0.15))
            copy, at = folder / f"copy-{number}" / "audit", monotonic()
            disk.cut(copy, dice)
            copies.append((copy, at, list(talk.released)))
        journal.close()
    if not disk.synced:
        raise RuntimeError("the journal synced by ways that this drill does not see")
    verdicts = Counter(found.verdicts)
    for copy, at, released in copies:
        _judge(copy, at, released, talk.sid, keys, found, verdicts)
        found.cuts, found.verdicts = found.cuts + 1, dict(verdicts)
        told(found)


def _judge(
    copy: Path,
    at: float,
    released: list[tuple[int, float]],
    sid: str,
    keys: Keys,
    found: Found,
    verdicts: Counter[str],
) -> None:
    verdicts[verified(copy)] += 1
    open_log(copy, keys.signer).close()
    verdicts[verified(copy)] += 1
    found.begun += len(logs(copy)) - 1
    if len(logs(copy)) > 1:
        return
    kept = [event.n for event in map(events.decode, lines(copy)) if isinstance(event, events.Message)]
    found.holes += kept != list(range(1, len(kept) + 1))
    last, before = len(kept), 0
    oldest = 0.0
    for number, when in released:
        found.released += number - before
        if number > last:
            found.lost += number - max(last, before)
            oldest = max(oldest, at - when)
        before = number
    found.ages.append(oldest * 1e3)
    found.oldest = max(found.oldest, oldest * 1e3)
