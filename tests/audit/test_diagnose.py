"""What is said about a change is what was done: a table, on logs whose leaves tell what was signed, and others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.audit.layout import segments
from proxy.audit.proof.diagnose import WINDOW
from proxy.audit.verdict import Report
from tests.audit.logs import HandMade, finding, message
from tests.audit.verified import verify
from tests.audit.writing import block, opened

Lines = list[tuple[int, bytes]]  # with the segment that they stand in
Change = Callable[[Lines], Lines]
SIZES = ((1, 2, 3), (2, 1), (3, 1, 2))
"""Events of the blocks of three segments: 0 | 1 2 | 3 4 5 || 6 7 | 8 || 9 10 11 | 12 | 13 14."""
END = 15


def made(directory: Path) -> Path:
    """Signed to the end; the first segment is compressed."""
    log = HandMade(directory)
    for number, sizes in enumerate(SIZES):
        if number:
            log.rotate()
        for size in sizes:
            log.block(*[message(f=[finding("CREDIT_CARD")])] * size)
    log.checkpoint()
    first = segments(log.folder)[0].path
    first.with_name(first.name + ".gz").write_bytes(gzip.compress(first.read_bytes()))
    first.unlink()
    return log.folder


def rewritten(folder: Path, change: Change) -> None:
    lines: Lines = []
    for one in segments(folder):
        data = (gzip.decompress if one.sealed else bytes)(one.path.read_bytes())
        lines += [(one.number, line) for line in data.splitlines(keepends=True)]
    lines = change(lines)
    for one in segments(folder):
        data = b"".join(line for number, line in lines if number == one.number)
        one.path.write_bytes(gzip.compress(data) if one.sealed else data)


def edit(*which: int, old: bytes = b"CREDIT_CARD", new: bytes = b"PHONE_NUMBER") -> Change:
    def change(lines: Lines) -> Lines:
        done = [(home, line.replace(old, new) if at in which else line) for at, (home, line) in enumerate(lines)]
        assert [at for at, line in enumerate(done) if line != lines[at]] == list(which)
        return done

    return change


def remove(first: int, count: int = 1) -> Change:
    return lambda lines: lines[:first] + lines[first + count :]


def copy(which: int, to: int) -> Change:
    return lambda lines: [*lines[:to], (lines[to - 1][0], lines[which][1]), *lines[to:]]


def swap(one: int, other: int) -> Change:
    def change(lines: Lines) -> Lines:
        lines = list(lines)
        (home, line), (away, there) = lines[one], lines[other]
        lines[one], lines[other] = (home, there), (away, line)
        return lines

    return change


def both(one: Change, other: Change) -> Change:
    return lambda lines: other(one(lines))


BLOCKS_SWAPPED: Change = lambda lines: [*lines[:9], lines[12], *lines[9:12], *lines[13:]]  # noqa: E731
SAME = {"old": b"CREDIT_CARD", "new": b"PHONE_CARDS"}
GARBLED = {"old": b'"n":1,', "new": b'"n":x,'}

TABLE: list[tuple[str, Change, str, int]] = [
    # what was done, how, what is said, and the first event that it was done to
    ("one line edited, of another length", edit(4), "changed", 4),
    ("one line edited, of the same length", edit(4, **SAME), "changed", 4),
    ("the first line edited", edit(0), "changed", 0),
    ("the last line edited", edit(14), "changed", 14),
    ("a block of one line edited", edit(8), "changed", 8),
    ("the last line of a segment that is compressed edited", edit(5), "changed", 5),
    ("several lines of a block edited", edit(3, 5), "changed", 3),
    ("several blocks edited, one after the other", edit(1, 2, 4), "changed", 1),
    ("blocks edited here and there", edit(2, 7, 12), "changed", 2),
    ("blocks edited up to the end", edit(8, 9, 12, 14), "changed", 8),
    ("all edited", edit(*range(END)), "changed", 0),
    ("all edited, of the same length", edit(*range(END), **SAME), "changed", 0),
    ("the last two blocks edited", edit(12, 13), "changed", 12),
    ("a line is no event any more", edit(4, **GARBLED), "changed", 4),
    ("the last line of a segment is none", edit(8, **GARBLED), "changed", 8),
    ("the last line of all is none", edit(14, **GARBLED), "changed", 14),
    ("a block has another number", edit(9, old=b'{"b":5,', new=b'{"b":6,'), "changed", 9),
    ("a line removed from the middle of a block", remove(4), "removed", 4),
    ("the last line of a block removed", remove(2), "removed", 2),
    ("the first line of a block removed", remove(3), "removed", 3),
    ("a block removed", remove(1, 2), "removed", 1),
    ("the first block removed", remove(0), "removed", 0),
    ("several blocks removed", remove(6, 6), "removed", 6),
    ("one edited, and one after it removed", both(remove(10), edit(2)), "changed", 2),
    ("one removed, and one after it edited", both(edit(13), remove(4)), "removed", 4),
    ("the last line removed", remove(14), "cut off", 14),
    ("the last block removed", remove(13, 2), "cut off", 13),
    ("a line copied behind itself", copy(4, 5), "inserted", 5),
    ("a line copied to the end of a block", copy(1, 3), "inserted", 3),
    ("a line of later copied to before", copy(11, 4), "inserted", 4),
    ("a block copied behind itself", copy(8, 9), "inserted", 9),
    ("lines of a block swapped", swap(3, 5), "swapped", 3),
    ("lines of two blocks swapped", swap(4, 10), "swapped", 4),
    ("blocks of one line swapped", swap(8, 12), "swapped", 8),
    ("neighbouring blocks swapped", BLOCKS_SWAPPED, "swapped", 9),
]
NAMES = [row[0] for row in TABLE]


def starts() -> list[int]:
    found, seq = [], 0
    for size in [size for sizes in SIZES for size in sizes]:
        found.append(seq)
        seq += size
    return found


def reported(folder: Path) -> Report:
    (report,) = verify(folder.parent).logs
    assert report.verdict == "tampered"
    return report


@pytest.mark.parametrize(("change", "look", "first"), [row[1:] for row in TABLE], ids=NAMES)
def test_what_was_done_is_what_is_said(tmp_path, change, look, first):
    folder = made(tmp_path)
    rewritten(folder, change)
    report = reported(folder)
    (fault,) = report.faults
    assert fault.first is not None
    assert fault.last is not None
    assert (fault.look, fault.first <= first <= fault.last) == (look, True), fault.says
    *_, before, whole = [0, *(start for start in starts() if start <= first)]
    assert report.right in (before, whole)  # before the bad block; it has grown together with the one before
    assert fault.last - fault.first <= 3, "it is told to within a block or two"


@pytest.mark.parametrize(("change", "look", "first"), [row[1:] for row in TABLE], ids=NAMES)
def test_without_leaves_no_more_is_said_than_is_known(tmp_path, change, look, first):
    folder = made(tmp_path)
    rewritten(folder, change)
    for path in folder.glob("*.leaves"):
        path.unlink()
    report = reported(folder)
    (fault,) = report.faults
    assert fault.first == 0
    assert fault.last is not None
    assert fault.last >= min(first, END - 1)
    known = {"one edited, and one after it removed": "removed"}
    done = NAMES[[row[1] for row in TABLE].index(change)]
    assert (fault.look, report.right) == (known.get(done, look), None), fault.says


@pytest.mark.parametrize("count", [1, 3, WINDOW + 5])
@pytest.mark.parametrize("new", [b"crown", b"nobody"])
def test_a_log_that_the_writer_has_closed_and_somebody_edits_was_changed(tmp_path, count, new):
    log = opened(tmp_path)
    for _ in range(WINDOW + 20):
        block(log, 2)
    log.close()
    path = segments(log.folder)[0].path
    lines = path.read_bytes().splitlines(keepends=True)
    edited = [line.replace(b'"crowd"', b'"%b"' % new) for line in lines[6 : 6 + 2 * count]]
    assert edited[0] != lines[6]
    path.write_bytes(b"".join([*lines[:6], *edited, *lines[6 + 2 * count :]]))
    report = reported(log.folder)
    assert [fault.says for fault in report.faults] == ["an event from 6 to 7 was changed"]
    assert report.right == 6


def test_how_much_is_still_what_was_signed_is_shown(tmp_path):
    from typer.testing import CliRunner

    from proxy.commands.audit import app

    rewritten(made(tmp_path), edit(4, 7))
    shown = CliRunner().invoke(app, ["verify", "--audit", str(tmp_path)], env={"COLUMNS": "100"})
    assert shown.exit_code == 4
    assert "an event from 3 to 5 was changed" in shown.stdout
    assert "up to 2" in shown.stdout
    assert "removed" not in shown.stdout
    asked = CliRunner().invoke(app, ["verify", "--audit", str(tmp_path), "--json"])
    assert json.loads(asked.stdout)["logs"][0]["right"] == 3
