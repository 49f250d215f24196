"""Processes that digest segments ahead of the walk, one for each core: hashing is nearly all that verifying costs.

Plain processes (digesting.py), started by vfork from any thread, with a pipe each way: nothing of the program that
asks is imported again. One is given a segment when it has nothing to do, so no pipe is ever full at both ends. All
are at most AHEAD segments each before the walk. A process that ends too early is an error, never a part of a
verdict. Little logs are not worth the start of a process, 0.1 s.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from proxy.audit.layout import Segment, segments
from proxy.audit.proof.digest import Digest, Task
from proxy.audit.proof.digesting import LENGTH, Answer, decoded, encoded
from proxy.audit.proof.walk import Ahead, nobody

MODULE = "proxy.audit.proof.digesting"
WORTH = 96 << 20  # bytes of segments: 0.2 s for one core
PACKED = 6  # times smaller is a segment that is compressed
AHEAD = 2  # segments for each process; what comes of one has 0.1 MiB at most
HANDED_ON = ("PATH", "HOME", "TZ", "LANG", "LC_ALL")  # no secrets


class CrewError(Exception):
    """A process ended before it was done. The text says which segment it read, and what to do."""


def cores() -> int:
    """How many processes can run at once."""
    return len(os.sched_getaffinity(0))


@contextmanager
def crew(folders: Iterable[Path], jobs: int) -> Iterator[Ahead]:
    """Who digests segments of these logs ahead of a walk, in `jobs` processes; nobody, if that is not worth it.
    They end with this. Raises OSError, and CrewError where the walk asks for a digest."""
    if jobs < 2 or _weight(folders) < WORTH:
        yield nobody
        return
    with closing(Crew(jobs)) as hands:
        yield hands.digests


def _weight(folders: Iterable[Path]) -> int:
    """Bytes of events in these logs, roughly."""
    return sum(_size(one) for folder in folders for one in segments(folder))


def _size(segment: Segment) -> int:
    with suppress(FileNotFoundError):  # it was compressed or pruned this moment
        return segment.path.stat().st_size * (PACKED if segment.sealed else 1)
    return 0


class Crew:
    """Up to `jobs` processes, which are started when there is something to do."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.idle: list[Hand] = []
        self.busy: dict[int, Hand] = {}
        """By the number of their task."""

    def digests(self, tasks: Sequence[Task]) -> Generator[Digest | None]:
        """The digests of these, in their order. Raises OSError as reading them does, and CrewError."""
        done: dict[int, Digest | None] = {}
        given = 0
        try:
            for number in range(len(tasks)):
                while number not in done:
                    while given < len(tasks) and given - number < AHEAD * self.jobs and (hand := self._free()):
                        self.busy[given] = hand
                        hand.give(tasks[given])
                        given += 1
                    done.update(self._finished())
                yield done.pop(number)
        finally:
            self._dismiss()

    def close(self) -> None:
        """End all processes."""
        self._dismiss()
        for hand in self.idle:
            hand.end()
        self.idle.clear()

    def _free(self) -> Hand | None:
        if self.idle:
            return self.idle.pop()
        return Hand() if len(self.busy) < self.jobs else None

    def _finished(self) -> dict[int, Digest | None]:
        """What those have found who are done first."""
        with selectors.DefaultSelector() as waiting:
            for number, hand in self.busy.items():
                waiting.register(hand.answers, selectors.EVENT_READ, number)
            ready = [key.data for key, _ in waiting.select()]
        found = {}
        for number in ready:
            found[number] = self.busy[number].take()
            self.idle.append(self.busy.pop(number))
        return found

    def _dismiss(self) -> None:
        """Who is not heard out cannot be given anything else."""
        for hand in self.busy.values():
            hand.end()
        self.busy.clear()


class Hand:
    """One process. Raises OSError if it cannot be started."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C is for whoever asks, who ends it
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.tasks, self.answers = self.process.stdin, self.process.stdout
        self.segment = ""

    def give(self, task: Task) -> None:
        """Something to do, when it has nothing. Raises CrewError."""
        self.segment = task.segment.path.name
        try:
            self.tasks.write(encoded(task))
            self.tasks.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def take(self) -> Digest | None:
        """What came out, waited for. Raises CrewError, and OSError as reading the segment does."""
        head = self.answers.read(LENGTH.size)
        length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        body = self.answers.read(length)
        if not length or len(body) < length:
            raise self._ended()
        answer = decoded(body, Answer)
        if answer.failed is not None:
            number, name = answer.failed
            raise OSError(number, os.strerror(number), name)
        return answer.digest

    def end(self) -> None:
        """Now, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.answers.close()
        with suppress(BrokenPipeError):  # of a task that it did not read
            self.tasks.close()

    def _ended(self) -> CrewError:
        code = self.process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return CrewError(f"the process that read {self.segment} {how}, so nothing can be said of this log")
