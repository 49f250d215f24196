"""Whatever is done to a log is found, told by where and by what; what a crash leaves is told apart.

The small log is tried exhaustively: every byte changed, every line removed, doubled and swapped, every file cut
everywhere. `gzip` ignores some bytes of its header: then the events are what they were, and that is asked instead.
"""

from __future__ import annotations

import fcntl
import gzip
import itertools
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.audit import events
from proxy.audit.checkpoint import Signer
from proxy.audit.layout import segments
from proxy.audit.verdict import Anchored
from proxy.audit.verify import Audit, verify
from tests.audit.logs import HandMade, message

START = {"who": "proxy", "run": "0badcafe", "version": "0", "pid": 1, "worker": 0, "level": "findings"}
START |= {"durability": "written", "policies": {}}
STOP = (events.Stop, {"run": "0badcafe"})


class Kept:
    """An anchor in memory."""

    def __init__(self, **notes: list[str]) -> None:
        self._notes = notes

    def notes(self, log: str) -> list[Anchored]:
        return [Anchored(note, "memory") for note in self._notes.get(log.removeprefix("log_"), [])]

    def logs(self) -> list[str]:
        return list(self._notes)


def seal(log: HandMade) -> None:
    """Compress the first segment, as the writer does."""
    plain = segments(log.folder)[0].path
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    plain.unlink()


def small(directory: Path) -> HandMade:
    """Three segments, the first compressed; blocks of one and of more events; signed to the end."""
    log = HandMade(directory)
    log.block((events.Start, START))
    log.block(message(1), message(2))
    log.rotate()
    log.block((events.Limit, {"route": "default", "reason": "crowd", "count": 3}))
    log.block(STOP, (events.Start, START), STOP)
    log.rotate()
    log.block((events.Start, START))
    log.block(message(1))
    log.block(STOP)
    log.checkpoint()
    seal(log)
    return log


def test_a_log_as_it_was_written_is_whole(tmp_path):
    log = small(tmp_path)
    audit = verify(tmp_path)
    (report,) = audit.logs
    assert audit.verdict == "whole"
    assert (report.log, report.events, report.blocks, report.segments) == (log.log, 10, 7, 3)
    assert report.signed is not None
    assert (report.signed.point.seq, report.unsigned, report.anchored) == (10, 0, None)


# -- exhaustively -------------------------------------------------------------------------------------------

SMALL = "small"
DERIVED = ("leaves", "frontier")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("pristine") / SMALL
    small(directory)
    return directory


@pytest.fixture(scope="module")
def work(tmp_path_factory, pristine) -> Path:
    return Path(shutil.copytree(pristine, tmp_path_factory.mktemp("work") / SMALL))


FILES = [
    *("public.key", "log-0/checkpoint", "log-0/frontier"),
    *(f"log-0/20261119-00000{number}.leaves" for number in range(3)),
    *("log-0/20261119-000000.jsonl.gz", "log-0/20261119-000001.jsonl", "log-0/20261119-000002.jsonl"),
]


def content(path: Path) -> bytes | None:
    """The events in a segment; None if they cannot be read."""
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, ValueError):
        return None
    except Exception as error:  # zlib.error has no other base
        assert type(error).__name__ == "error"
        return None


def judged(work: Path, pristine: Path, name: str, changed: bytes) -> None:
    """With `changed` in the place of a file: it is found, and a derived file is not taken for tampering."""
    path, original = work / name, (pristine / name).read_bytes()
    path.write_bytes(changed)
    try:
        audit = verify(work)
        expected = "damaged" if name.endswith(DERIVED) else "tampered"
        same = changed == original or (name.endswith(".gz") and content(path) == content(pristine / name))
        assert audit.verdict == ("whole" if same else expected)
        if audit.verdict == "tampered" and "jsonl" in name:
            told(audit, pristine, path)
    finally:
        path.write_bytes(original)


def told(audit: Audit, pristine: Path, changed: Path) -> None:
    """The first bad event is in the range that is told. Of two equal lines either one is the one inserted."""
    first = next(fault for report in audit.logs for fault in report.faults)
    assert first.first is not None and first.last is not None
    assert first.first <= first_bad(pristine, changed) <= first.last + (first.look == "inserted"), first


def first_bad(pristine: Path, changed: Path) -> int:
    """By comparing lines with those of the log as it was; the first of the segment if it cannot be read."""
    seq = 0
    for segment in segments(pristine / "log-0"):
        old, new = content(segment.path), content(changed.parent / segment.path.name)
        assert old is not None
        pairs = itertools.zip_longest(old.splitlines(keepends=True), (new or b"").splitlines(keepends=True))
        for at, (one, other) in enumerate(pairs):
            if one != other:
                return seq + at
        seq += old.count(b"\n")
    raise AssertionError("nothing was changed")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_every_changed_byte_is_found(pristine, work, name, flip):
    data = (pristine / name).read_bytes()
    for at in range(len(data)):
        judged(work, pristine, name, data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])


@pytest.mark.parametrize("name", FILES)
def test_every_length_to_which_a_file_is_cut_is_found(pristine, work, name):
    data = (pristine / name).read_bytes()
    for length in range(len(data)):
        judged(work, pristine, name, data[:length])


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_is_missed(pristine, work, name):
    path = work / name
    path.rename(path.with_name("elsewhere"))
    try:
        assert verify(work).verdict == ("damaged" if name.endswith(DERIVED) else "tampered")
    finally:
        path.with_name("elsewhere").rename(path)


LINES = [name for name in FILES if name.endswith(("checkpoint", ".jsonl", "public.key", "frontier"))]


def variants(lines: list[bytes]) -> dict[str, list[bytes]]:
    """Every line removed, doubled behind every line, and swapped with every other one."""
    removed = {f"without {at}": lines[:at] + lines[at + 1 :] for at in range(len(lines))}
    places = itertools.product(range(len(lines)), range(len(lines) + 1))
    doubled = {f"{at} again at {to}": [*lines[:to], lines[at], *lines[to:]] for at, to in places}
    swapped = {}
    for one, other in itertools.combinations(range(len(lines)), 2):
        changed = list(lines)
        changed[one], changed[other] = lines[other], lines[one]
        swapped[f"{one} for {other}"] = changed
    return removed | doubled | swapped


@pytest.mark.parametrize("name", LINES)
def test_every_line_removed_doubled_or_swapped_is_found(pristine, work, name):
    for lines in variants((pristine / name).read_bytes().splitlines(keepends=True)).values():
        judged(work, pristine, name, b"".join(lines))


def test_lines_are_found_across_segments_and_in_compressed_ones(pristine, work):
    names = [name for name in FILES if "jsonl" in name]
    originals = [(pristine / name).read_bytes() for name in names]
    every = [line for name in names for line in (content(pristine / name) or b"").splitlines(keepends=True)]
    sizes = [(content(pristine / name) or b"").count(b"\n") for name in names]
    tried = 0
    for lines in variants(every).values():
        if b"".join(lines) != b"".join(every):
            start = 0
            for name, size in zip(names, sizes, strict=True):
                end = len(lines) if name == names[-1] else start + size
                data = b"".join(lines[start:end])
                (work / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
                start = end
            assert verify(work).verdict == "tampered"
            tried += 1
    for name, data in zip(names, originals, strict=True):
        (work / name).write_bytes(data)
    assert tried > 100


@pytest.mark.parametrize("name", FILES)
def test_what_is_appended_to_a_file_is_found(pristine, work, name):
    """But for white space behind JSON. A last line that is no event is what a crash leaves; a hash without a block
    is what is left when a block is cut off."""
    data = (pristine / name).read_bytes()
    for more in (b"x", b"\n", b"x\n", data[-40:], data):
        path = work / name
        path.write_bytes(data + more)
        verdict = verify(work).verdict
        path.write_bytes(data)
        expected = "damaged" if name.endswith(DERIVED) or name == FILES[-1] and more != data else "tampered"
        if name.endswith("frontier") and more == b"\n":
            expected = "whole"
        if name.endswith("000002.leaves") and len(more) >= 32:
            expected = "tampered"
        assert verdict == expected, more
