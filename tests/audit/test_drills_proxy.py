"""A real proxy whose disk is full, and one that is killed: nothing with a finding leaves without its event.

A full disk is one of two: a tmpfs of 1 MiB in a mount namespace of the proxy's own, where we may make one, and
RLIMIT_FSIZE everywhere. Both show themselves first as a short write.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from benchmarks.audit_kills import kills, verified
from benchmarks.audit_traffic import lines
from proxy.audit import events
from tests.harness import Hushwire
from tests.wire.drill import Service, admin_answer, eventually
from tests.wire.ends import End, opened
from tests.wire.frames import CLOSE, TEXT, close

MOUNT = 'mount -t tmpfs -o size=1m,mode=700 none "$0" && exec "$@"'
UNSHARED = ["unshare", "--mount", "--propagation", "private"]


def may_mount() -> bool:
    """Whether this user can have a mount namespace with a disk of its own."""
    try:
        done = subprocess.run(
            [*UNSHARED, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0


@dataclass
class Disk:
    """How the disk of a proxy is filled, and emptied again."""

    under: list[str] = field(default_factory=list)
    fill: Callable[[Hushwire], None] = lambda _: None
    empty: Callable[[Hushwire], None] = lambda _: None
    seen: Callable[[Hushwire], Path] | None = None


def small(audit: Path) -> Disk:
    """A tmpfs of 1 MiB at `audit`, seen from outside through the proxy's root."""
    audit.mkdir()

    def inside(proxy: Hushwire) -> Path:
        return Path(f"/proc/{proxy.process.pid}/root{audit}")

    def fill(proxy: Hushwire) -> None:
        with (inside(proxy) / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    return Disk(
        [*UNSHARED, "sh", "-c", MOUNT, str(audit)], fill, lambda p: (inside(p) / "filler").unlink(), inside
    )


def limited(audit: Path) -> Disk:
    """No file may grow any more."""

    def fill(proxy: Hushwire) -> None:
        sizes = [path.stat().st_size for path in audit.rglob("*.jsonl")]
        limit = max(sizes) + 30  # bytes: the next write is short
        resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def empty(proxy: Hushwire) -> None:
        everything = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, everything)

    return Disk([], fill, empty, lambda _: audit)


DISKS = {"limit": limited} | ({"tmpfs": small} if may_mount() else {})


class Heard:
    """An upstream that writes down what it hears, and answers clean messages with themselves."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.closes: list[int] = []

    def __call__(self, end: End) -> None:
        end.accept()
        while (frame := end.hears()) is not None:
            if frame.opcode == TEXT:
                self.payloads.append(frame.payload)
                end.say(TEXT, frame.payload)
            elif frame.opcode == CLOSE:
                self.closes.append(int.from_bytes(frame.payload[:2]))
                end.say(CLOSE, frame.payload)
                return


@pytest.fixture(params=DISKS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Disk, Path]]:
    audit = tmp_path / "audit"
    yield DISKS[request.param](audit), audit


@pytest.mark.parametrize("durability", ["written", "synced"])
def test_a_full_disk_lets_nothing_with_a_finding_leave_and_is_survived(disk, durability):
    small, audit = disk
    heard = Heard()
    options = ("--audit", str(audit), "--audit-durability", durability)
    with Service(heard) as service, Hushwire(service.url, *options, under=small.under) as proxy:
        with opened(proxy) as client, opened(proxy) as clean:
            client.say(TEXT, b"one bob@example.com")
            assert client.hears_payload() == b"one <EMAIL_ADDRESS>"
            clean.say(TEXT, b"nothing to find")
            assert clean.hears_payload() == b"nothing to find"
            small.fill(proxy)
            taken, took = until_held(client)
            assert 0.5 < took < 4, "patience is a second"
            client.say(CLOSE, close(1013))
            clean.say(TEXT, b"still nothing to find")
            assert clean.hears_payload() == b"still nothing to find"
            assert eventually(lambda: heard.closes == [1013])
            assert [b"more" in payload for payload in heard.payloads].count(True) == taken
            status, said = admin_answer(proxy, "/-/ready")
            assert status == 503
            assert "the audit log cannot be written" in said
            small.empty(proxy)
            assert eventually(lambda: admin_answer(proxy, "/-/ready")[0] == 200)
            clean.say(TEXT, b"three bob@example.com")
            assert clean.hears_payload() == b"three <EMAIL_ADDRESS>"
        at = small.seen(proxy)  # the file system ends with the proxy
        assert eventually(lambda: kinds(at).count("session.close") == 2)
        verdict, found = verified(at), written(at)
    assert verdict == "whole"
    refused = [event for event in found if isinstance(event, events.Refuse)]
    assert [(event.cause, event.lost) for event in refused] == [("audit", 1)]
    numbers = [(event.dir, event.n) for event in found if isinstance(event, events.Message)]
    assert numbers == [("up", n) for n in [*range(1, taken + 3), 3]]


def until_held(client: End) -> tuple[int, float]:
    """Say findings until one is held and the connection is closed: how many left before (there may be room in the
    last page of a file), and after how many seconds that was."""
    for taken in range(50):
        since = monotonic()
        client.say(TEXT, b"more bob@example.com")
        frame = client.hears()
        assert frame is not None
        if frame.opcode == CLOSE:
            assert int.from_bytes(frame.payload[:2]) == 1013
            return taken, monotonic() - since
        assert frame.payload == b"more <EMAIL_ADDRESS>"
    raise AssertionError("the disk is not full")


def written(audit: Path) -> list[events.Any]:
    return [events.decode(line) for line in lines(audit) if line.endswith(b"\n")]


def kinds(audit: Path) -> list[str]:
    return [str(event.__struct_config__.tag) for event in written(audit)]


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_proxies_leave_an_event_for_all_that_they_released(tmp_path, workers):
    found = asyncio.run(kills(tmp_path, 3, workers=workers, clients=6))
    assert found.faults() == []
    assert found.kills == 3
    assert found.released > 100
