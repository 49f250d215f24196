"""Kills of real proxies under load, and what the log then lacks: nothing that was released may lack its event.

`SIGKILL` at a random moment; with workers, to one of them, which the supervisor replaces. After each kill the log
must verify as whole or as damaged by a crash, and the proxy goes on with the same directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

from benchmarks.audit_traffic import Traffic, logged, unlogged
from benchmarks.proc import Process, cores, family, python
from proxy.audit.proof.verify import verify

RULES = "version: 1\nname: drill\nrules:\n  - {id: mail, entities: [EMAIL_ADDRESS], action: mask}\n"
START_LIMIT = 60.0  # seconds
SLOW = 2.2  # seconds a worker must have lived, or the supervisor takes its death for its own fault
SOUND = ("whole", "damaged")


@dataclass(slots=True)
class Found:
    """What a drill of kills has shown."""

    kills: int = 0
    workers: int = 1
    released: int = 0
    """Messages with a finding that arrived, both ways."""
    unlogged: int = 0
    leaked: int = 0
    events: int = 0
    torn: int = 0
    """Torn last lines that a start has repaired."""
    gaps: int = 0
    connections: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    """Of `verify` after each kill."""
    seconds: float = 0.0

    def faults(self) -> list[str]:
        """What must not be."""
        bad = [name for name in ("unlogged", "leaked") if getattr(self, name)]
        bad += [verdict for verdict in self.verdicts if verdict not in SOUND]
        return bad if self.released else [*bad, "nothing was released"]

    def as_json(self) -> dict[str, object]:
        """Every figure."""
        return asdict(self)


class Proxy:
    """A proxy that audits into `folder`/audit; it is started again and again."""

    def __init__(self, folder: Path, upstream: int, *options: str, workers: int = 1) -> None:
        self.folder, self.audit = folder, folder / "audit"
        rules = folder / "drill.yaml"
        rules.write_text(RULES)
        self.command = python("proxy", "run", "--json", "--log-level", "warning", "--rules", str(rules))
        self.command += ["--upstream", f"ws://127.0.0.1:{upstream}", "--listen", "127.0.0.1:0", "--admin", "off"]
        self.command += ["--workers", str(workers), "--audit", str(self.audit), *options]
        self.process = self._new(0)
        self.starts = 0

    def _new(self, number: int) -> Process:
        return Process(f"proxy-{number}", self.command, self.folder, cores()[0])

    async def start(self) -> None:
        """Until it accepts connections. Raises NotRunningError."""
        self.starts += 1
        self.process = self._new(self.starts)
        self.process.start()
        await self.process.wait_ready(monotonic() + START_LIMIT)

    def kill(self) -> None:
        """SIGKILL, and gone."""
        assert self.process.popen is not None
        self.process.popen.kill()
        self.process.stop()

    def kill_worker(self) -> None:
        """SIGKILL to one worker: the supervisor starts another."""
        workers = family(self.process.pid)[1:]
        os.kill(random.choice(workers), signal.SIGKILL)


def verified(audit: Path) -> str:
    """What `verify` says of an audit, in a word; for a tampered one also why."""
    found = verify(audit)
    faults = found.faults + [fault for log in found.logs for fault in log.faults]
    return ": ".join((found.verdict, *(fault.says for fault in faults[:1])))


async def kills(
    folder: Path,
    count: int,
    *,
    workers: int = 1,
    clients: int = 12,
    options: tuple[str, ...] = (),
    seed: int | None = None,
    told: Callable[[Found], None] = lambda _: None,
) -> Found:
    """Kill `count` times; `told` hears of each."""
    dice, traffic, found, began = random.Random(seed), Traffic(), Found(workers=workers), monotonic()
    verdicts: Counter[str] = Counter()
    await traffic.open()
    proxy = Proxy(folder, traffic.upstream_port, *options, workers=workers)
    try:
        await proxy.start()
        traffic.start(proxy.process.port, clients)
        while found.kills < count:
            await asyncio.sleep(dice.uniform(0.05, 0.6) + (SLOW if workers > 1 else 0))
            await once(proxy, traffic, workers)
            verdicts[verified(proxy.audit)] += 1
            found.kills += 1
            found.verdicts, found.seconds = dict(verdicts), monotonic() - began
            told(found)
        await traffic.stop()
    finally:
        with contextlib.suppress(OSError):
            proxy.process.stop()
        await traffic.close()
    return _judged(found, proxy.audit, traffic)


async def once(proxy: Proxy, traffic: Traffic, workers: int) -> None:
    """One kill; what is left of the last moment arrives."""
    if workers > 1:
        proxy.kill_worker()
        await asyncio.sleep(0.1)
        return
    proxy.kill()
    await asyncio.sleep(0.05)
    await proxy.start()
    traffic.port = proxy.process.port


def _judged(found: Found, audit: Path, traffic: Traffic) -> Found:
    log = logged(audit)
    found.released, found.leaked = len(traffic.record.arrived), traffic.record.leaked
    found.unlogged = len(unlogged(traffic.record, log))
    found.events, found.torn, found.gaps = log.events, log.torn, log.gaps
    found.connections = traffic.connections
    return found
