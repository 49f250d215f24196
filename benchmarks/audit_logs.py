"""Big audit logs that look like weeks of real traffic, for measuring whatever reads a log.

    python -m benchmarks.audit_logs DIR --events 10000000 --days 30 --sealed

Written block by block as proxy/audit/layout.py says, without the writer, about 100,000 events/s; the same numbers
give the same log, byte for byte. Sessions open, talk and end, days are busier than nights, rules change now and
then, and a few messages are refused. With `mark` findings have fingerprints, of PEOPLE people who come again.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from proxy.audit import events
from proxy.audit.checkpoint import Checkpoint, Signer
from proxy.audit.layout import Segment
from proxy.audit.marks import ROW, commitment
from proxy.audit.tree import Frontier, leaf_hash

BEGIN = 1_795_000_000  # Unix time of the first event
PEOPLE = 50_000
ACTIVE = 300  # sessions at the same time
SEGMENT = 64 << 20  # bytes, as the writer's
SEED = bytes(range(32))
Made = tuple[type[events.Event], float, dict[str, Any]]
"""What kind of event, at which Unix time, with which fields."""


class Sort(NamedTuple):
    """One sort of finding: how often it comes by, and who deals with it."""

    weight: int
    entity: str
    rule: str
    recognizer: str
    op: str
    scores: tuple[float, ...]
    lengths: tuple[int, int]
    mode: str = "enforce"


SORTS = (
    Sort(420, "EMAIL_ADDRESS", "contact", "EmailRecognizer", "mask", (1.0,), (12, 34)),
    Sort(200, "PHONE_NUMBER", "contact", "PhoneRecognizer", "mask", (0.4, 0.75), (9, 16)),
    Sort(150, "PERSON", "names", "NerRecognizer", "tokenize", (0.85, 0.91, 0.97), (4, 24)),
    Sort(80, "CREDIT_CARD", "payment", "CreditCardRecognizer", "hash", (1.0,), (16, 19)),
    Sort(60, "IBAN_CODE", "payment", "IbanRecognizer", "replace", (1.0,), (18, 27)),
    Sort(30, "LOCATION", "names", "NerRecognizer", "mask", (0.85,), (4, 30), "shadow"),
    Sort(30, "IP_ADDRESS", "network", "IpRecognizer", "replace", (0.6, 0.95), (7, 15)),
    Sort(20, "DATE_TIME", "birthdays", "DateRecognizer", "mask", (0.6,), (8, 10), "shadow"),
    Sort(8, "EMAIL_ADDRESS", "contact", "EmailRecognizer", "keep", (1.0,), (12, 34), "exempt"),
    Sort(2, "SECRET_KEY", "secrets", "KeyRecognizer", "drop", (1.0,), (32, 64)),
)
ROUTES = {"support-chat": 60, "billing": 25, "telemetry": 12, "partners": 3}
ENDS = ("client 1000", "client 1001", "upstream 1000", "client FIN", "proxy idle", "lost")
CAUSES = {"budget": 4, "too_big": 6, "protocol": 3, "policy": 5, "pipeline": 1}


class Talk:
    """One connection that is open."""

    __slots__ = ("bytes", "findings", "left", "n", "opened", "route", "sid")

    def __init__(self, sid: str, route: str, opened: float, left: int) -> None:
        self.sid, self.route, self.opened, self.left = sid, route, opened, left
        self.n, self.bytes, self.findings = [0, 0], [0, 0], [0, 0]


class Weeks:
    """An endless stream of events of one proxy over `days` days, if `count` of them are taken."""

    def __init__(self, count: int, days: float, seed: int) -> None:
        self.random = random.Random(seed)
        self.run = f"{self.random.getrandbits(32):08x}"
        self.step = days * 86400 / count
        self.change = max(count // 6, 1000)  # events between two versions of the rules
        self.now = float(BEGIN)
        self.sids = itertools.count(1)
        self.talks: list[Talk] = []
        self.policies = {route: self._digest() for route in ROUTES}

    def __iter__(self) -> Iterator[Made]:
        given = {"version": "1.0.0", "pid": 4711, "worker": 0, "level": "findings", "durability": "written"}
        yield events.Start, self.now, {"who": "proxy", "run": self.run, "policies": dict(self.policies), **given}
        for number in itertools.count(1):
            self.now += self.step * self._pace() * self.random.expovariate(1)
            if number % self.change == 0:
                yield self._rules()
            yield self._next()

    def _digest(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def _pace(self) -> float:
        """Long steps by night: 0.4 at 14 o'clock, 1.6 at 2."""
        return 1 - 0.6 * math.cos((self.now % 86400 / 86400 - 14 / 24) * 2 * math.pi)

    def _rules(self) -> Made:
        route = self.random.choice(list(ROUTES))
        self.policies[route] = self._digest()
        told = {"routes": [route], "name": route, "policy": self.policies[route], "how": "file"}
        return events.PolicyApply, self.now, told

    def _next(self) -> Made:
        if len(self.talks) < ACTIVE:
            return self._open()
        index = self.random.randrange(ACTIVE)
        talk = self.talks[index]
        if talk.left > 0:
            talk.left -= 1
            return self._message(talk)
        self.talks[index] = self.talks[-1]
        self.talks.pop()
        if self.random.random() < 0.02:
            cause = self.random.choices(list(CAUSES), list(CAUSES.values()))[0]
            place = {"sid": talk.sid, "route": talk.route, "dir": "up", "policy": self.policies[talk.route]}
            return events.Refuse, self.now, {**place, "cause": cause}
        return self._close(talk)

    def _open(self) -> Made:
        route = self.random.choices(list(ROUTES), list(ROUTES.values()))[0]
        sid = f"{self.run}-{next(self.sids)}"
        self.talks.append(Talk(sid, route, self.now, int(self.random.paretovariate(1.2) * 5)))
        client = f"fp:{self.random.randrange(4000) * 0x9E3779B97F4A7C15 % 2**64:016x}"
        return events.SessionOpen, self.now, {"sid": sid, "route": route, "sub": "chat.v1", "client": client}

    def _message(self, talk: Talk) -> Made:
        draw = self.random
        way = int(draw.random() < 0.4)
        talk.n[way] += 1 + draw.randrange(6)  # clean messages in between
        found = [self._finding() for _ in range(draw.choices((1, 2, 3, 6), (75, 17, 6, 2))[0])]
        size = 60 + draw.randrange(900)
        talk.bytes[way] += size
        talk.findings[way] += len(found)
        verdict = "dropped" if any(f.op == "drop" for f in found) else "rewritten"
        if all(f.mode != "enforce" for f in found):
            verdict = "kept"
        return (
            events.Message,
            self.now,
            {
                "sid": talk.sid,
                "route": talk.route,
                "dir": events.WAYS[way],
                "n": talk.n[way],
                "op": "text",
                "in_": size,
                "out": 0 if verdict == "dropped" else size - draw.randrange(8),
                "policy": self.policies[talk.route],
                "verdict": verdict,
                "lat_us": 15 + int(draw.expovariate(0.02)),
                "f": found,
            },
        )

    def _finding(self) -> events.Finding:
        sort = self.random.choices(SORTS, cum_weights=WEIGHTS)[0]
        return events.Finding(
            entity=sort.entity,
            rule=sort.rule,
            recognizer=sort.recognizer,
            op=sort.op,
            len=self.random.randint(*sort.lengths),
            score=sort.scores[self.random.randrange(len(sort.scores))],
            mode=sort.mode,  # type: ignore[arg-type]
        )

    def _close(self, talk: Talk) -> Made:
        first = self.random.choice(ENDS)
        code = int(first[-4:]) if first[-4:].isdigit() else None
        return (
            events.SessionClose,
            self.now,
            {
                "sid": talk.sid,
                "route": talk.route,
                "first": first,
                "codes": (code, code),
                "reasons": (0, 0),
                "messages": tuple(talk.n),
                "bytes": tuple(talk.bytes),
                "findings": tuple(talk.findings),
                "ms": int((self.now - talk.opened) * 1000),
            },
        )


WEIGHTS = list(itertools.accumulate(sort.weight for sort in SORTS))


class Pen:
    """Writes one log; what is `sealed` is compressed as soon as the next segment begins."""

    def __init__(self, folder: Path, log: str, *, sealed: bool, mark: Callable[[str, str], bytes] | None) -> None:
        self.folder, self.log, self.sealed, self.mark = folder, log, sealed, mark
        self.tree, self.signer, self.draw = Frontier(), Signer(SEED), random.Random(log)
        self.seq = self.number = self.size = 0
        self.folder.mkdir(parents=True)
        (self.folder / "lock").touch()

    def block(self, made: list[Made]) -> None:
        """Append a block."""
        day = datetime.fromtimestamp(made[0][1], UTC).strftime("%Y%m%d")
        if not self.size:
            path = self.folder / f"{day}-{self.number:06}.jsonl"
            self.segment = Segment(self.number, path)
            self.files = [path.open("wb"), *(self.segment.beside(kind).open("wb") for kind in ("leaves", "marks"))]
        lines, rows = [], []
        for kind, when, given in made:
            if kind is events.Message and self.mark is not None:
                rows += self._marks(given["f"])
            t = int(when * 1e9)
            lines.append(events.encode(kind(log=self.log, seq=self.seq, t=t, mono=t - BEGIN * 10**9, **given)))
            self.seq += 1
        written = events.block(self.tree.size, lines)
        leaf = leaf_hash(written)
        self.tree.add(leaf)
        for file, data in zip(self.files, (written, leaf, b"".join(rows)), strict=True):
            file.write(data)
        self.size += len(written)
        if self.size > SEGMENT:
            self._rotate()

    def _marks(self, found: list[events.Finding]) -> Iterator[bytes]:
        assert self.mark is not None
        for index, finding in enumerate(found):
            value = f"person{self.draw.randrange(PEOPLE)}@example.com"
            salt, fingerprint = self.draw.randbytes(16), self.mark(value, finding.entity)
            finding.c = commitment(salt, fingerprint)
            yield ROW.pack(self.seq, index, 1, salt, fingerprint)

    def _rotate(self) -> None:
        for file in self.files:
            file.close()
        if self.mark is None:
            self.segment.beside("marks").unlink()
        if self.sealed:
            path = self.segment.path
            with gzip.open(f"{path}.gz", "wb", compresslevel=1) as packed:
                packed.write(path.read_bytes())
            path.unlink()
        self.number, self.size = self.number + 1, 0

    def close(self) -> None:
        """Sign the tree as it is."""
        if self.size:
            sealed, self.sealed = self.sealed, False
            self._rotate()
            self.sealed = sealed
        note = self.signer.sign(Checkpoint(self.log, self.tree.size, self.tree.root(), self.seq, BEGIN))
        (self.folder / "checkpoint").write_text(note)
        peaks = [peak.hex() for peak in self.tree.peaks]
        (self.folder / "frontier").write_text(
            json.dumps({"size": self.tree.size, "seq": self.seq, "peaks": peaks})
        )


def write(
    directory: Path,
    count: int,
    *,
    days: float = 10,
    block: int = 5,
    logs: int = 1,
    sealed: bool = False,
    seed: int = 7,
    mark: Callable[[str, str], bytes] | None = None,
    tell: Callable[[int], None] = lambda _done: None,
) -> None:
    """Make an audit of `logs` logs with `count` events in all, in blocks of `block` on average.

    With `mark` (proxy.core.plugs.Mark) all values are `person{n}@example.com`, n below PEOPLE.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "public.key").write_text(Signer(SEED).verifier.vkey + "\n")
    each = count // logs
    for number in range(logs):
        weeks = iter(Weeks(each, days, seed + number))
        draw = random.Random(f"{seed}-{number}")
        pen = Pen(directory / f"log-{number}", f"{draw.getrandbits(32):08x}", sealed=sealed, mark=mark)
        while pen.seq < each:
            size = min(1 + int(draw.expovariate(1 / block)) if block > 1 else 1, each - pen.seq)
            pen.block(list(itertools.islice(weeks, size)))
            tell(number * each + pen.seq)
        pen.close()


def main(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where; it must not have logs yet.")],
    count: Annotated[int, typer.Option("--events", help="In all logs together.")] = 1_000_000,
    days: Annotated[float, typer.Option(help="From the first event to the last.")] = 10,
    block: Annotated[int, typer.Option(help="Events in a block, on average.")] = 5,
    logs: Annotated[int, typer.Option(help="Logs, as of so many workers.")] = 1,
    seed: Annotated[int, typer.Option(help="The same number gives the same logs.")] = 7,
    sealed: Annotated[bool, typer.Option("--sealed", help="Compress all segments but the last.")] = False,
) -> None:
    """Write a big audit log."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("events", total=count)
        tell = lambda done: bar.update(task, completed=done)  # noqa: E731
        write(directory, count, days=days, block=block, logs=logs, sealed=sealed, seed=seed, tell=tell)


if __name__ == "__main__":
    typer.run(main)
