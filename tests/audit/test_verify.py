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
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.audit import bodies, events, marks
from proxy.audit.blocks import blocks
from proxy.audit.checkpoint import Signer
from proxy.audit.layout import segments
from proxy.audit.proof import committed
from proxy.audit.proof import verify as tested
from proxy.audit.proof.repair import BusyError, repair
from proxy.audit.proof.verify import Audit
from proxy.audit.tree import Frontier, leaf_hash
from proxy.audit.verdict import Anchored
from proxy.audit.writing.restore import restore
from tests.audit.logs import DAY, HandMade, finding, message
from tests.audit.verified import verify
from tools import verify_audit as tool

START = {"who": "proxy", "run": "0badcafe", "version": "0", "pid": 1, "worker": 0, "level": "findings"}
START |= {"durability": "written", "policies": {}}
STOP = (events.Stop, {"run": "0badcafe"})


class Kept:
    """An anchor in memory."""

    def __init__(self, notes: list[str], log: str = "3f9ac21b") -> None:
        self._notes = {log: notes}

    def notes(self, log: str) -> list[Anchored]:
        return [Anchored(note, "memory") for note in self._notes.get(log, [])]

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
        expected = "damaged" if name.endswith(DERIVED) or (name == FILES[-1] and more != data) else "tampered"
        if name.endswith("frontier") and more == b"\n":
            expected = "whole"
        if name.endswith("000002.leaves") and len(more) >= 32:
            expected = "tampered"
        assert verdict == expected, more


# -- the end of a log: what is not signed -------------------------------------------------------------------


def faults(audit: Audit) -> list[str]:
    return [fault.says for report in audit.logs for fault in report.faults] + [
        fault.says for fault in audit.faults
    ]


def damages(audit: Audit) -> list[str]:
    return [damage.says for report in audit.logs for damage in report.damages]


def unsigned(directory: Path) -> HandMade:
    """Signed up to event 2, three blocks of three events behind it, whose hashes are not on the disk yet."""
    log = HandMade(directory)
    log.block(message(1), message(2))
    log.checkpoint()
    for n in range(3, 12, 3):
        log.block(message(n), message(n + 1), message(n + 2))
    path = log.folder / f"{log.name}.leaves"
    path.write_bytes(path.read_bytes()[:32])
    return log


def test_what_is_not_signed_yet_is_counted_apart(tmp_path):
    unsigned(tmp_path)
    (report,) = verify(tmp_path).logs
    assert (report.verdict, report.events, report.unsigned) == ("whole", 11, 9)


def test_a_torn_last_line_is_what_a_crash_leaves(tmp_path):
    log = unsigned(tmp_path)
    path = segments(log.folder)[0].path
    data = path.read_bytes()
    signed = data.index(b'{"b":1,')
    for length in range(signed, len(data)):
        path.write_bytes(data[:length])
        whole = data[length - 1 : length] == b"\n"
        assert verify(tmp_path).verdict == ("whole" if whole else "damaged"), length


@pytest.mark.parametrize(
    ("change", "look", "seq"),
    [
        (lambda lines: [*lines[:4], *lines[5:]], "removed", 4),
        (lambda lines: [*lines[:4], lines[3], *lines[4:]], "inserted", 4),
        (lambda lines: [*lines[:6], lines[7], lines[6], *lines[8:]], "swapped", 6),
        (lambda lines: [*lines[:3], b"{}\n", *lines[4:]], "changed", 3),
        (lambda lines: [*lines[:2], lines[2].replace(b'"b":1', b'"b":7'), *lines[3:]], "changed", 2),
        (lambda lines: [*lines[:2], lines[2].replace(b"3f9ac21b", b"00000000"), *lines[3:]], "changed", 2),
    ],
)
def test_what_is_not_signed_must_be_in_order(tmp_path, change, look, seq):
    log = unsigned(tmp_path)
    path = segments(log.folder)[0].path
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    ((fault,),) = [report.faults for report in verify(tmp_path).logs]
    assert (fault.look, fault.first, fault.last) == (look, seq, seq)


def test_a_power_cut_may_leave_the_next_segment_and_not_the_end_of_the_one_before(tmp_path):
    log = unsigned(tmp_path)
    first = segments(log.folder)[0].path
    log.rotate()
    log.block(message(9))
    log.block(message(10))
    data = first.read_bytes()
    for length in (len(data) - 20, data.index(b'{"b":3,')):
        first.write_bytes(data[:length])
        audit = verify(tmp_path)
        assert audit.verdict == "damaged"
        assert "a power cut has taken event" in damages(audit)[0]


@pytest.mark.parametrize("left", [b"", b'{"b":'])
def test_a_power_cut_may_leave_only_the_name_of_the_next_segment(tmp_path, left):
    log = unsigned(tmp_path)
    first = segments(log.folder)[0].path
    first.write_bytes(first.read_bytes()[:-20])
    log.rotate()
    (log.folder / f"{log.name}.jsonl").write_bytes(left)
    audit = verify(tmp_path)
    assert audit.verdict == "damaged"
    assert "ends with a torn line" in damages(audit)[0]


def test_bytes_that_are_no_event_in_front_of_another_segment_were_put_there(tmp_path):
    log = small(tmp_path)
    with segments(log.folder)[1].path.open("ab") as file:
        file.write(b"residue")
    assert "ends with 7 bytes that are no event" in faults(verify(tmp_path))[0]


def test_a_log_that_is_being_written_to_is_not_damaged(tmp_path):
    log = unsigned(tmp_path)
    path = segments(log.folder)[0].path
    path.write_bytes(path.read_bytes()[:-30])
    assert verify(tmp_path).verdict == "damaged"
    with (log.folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (report,) = verify(tmp_path).logs
    assert (report.verdict, report.live) == ("whole", True)


def test_what_is_left_of_compressing_is_what_a_crash_leaves(tmp_path):
    log = small(tmp_path)
    plain = segments(log.folder)[1].path
    plain.with_name(plain.name + ".gz").write_bytes(b"half of it")
    assert "is left over from compressing" in damages(verify(tmp_path))[0]
    plain.with_name("20200101-000001.jsonl").write_bytes(plain.read_bytes())
    assert "two segments have number 1" in faults(verify(tmp_path))


# -- anchors ------------------------------------------------------------------------------------------------


def grown(directory: Path) -> tuple[HandMade, list[str]]:
    """A log, and its checkpoints after every other block."""
    log, notes = HandMade(directory), []
    for n in range(1, 9):
        log.block(message(n))
        if n % 2 == 0:
            notes.append(log.checkpoint())
    return log, notes


def test_anchored_and_signed_are_told_apart(tmp_path):
    _, notes = grown(tmp_path)
    (report,) = verify(tmp_path, anchors=[Kept(notes[:3])]).logs
    assert report.anchored is not None
    assert report.signed is not None
    assert (report.anchored.point.seq, report.anchored.by, report.signed.point.seq) == (6, "memory", 8)
    assert (report.signed.by, report.anchors, report.verdict) == ("checkpoint", 3, "whole")


def test_an_older_copy_of_a_log_is_told_by_an_anchor_alone(tmp_path):
    log = HandMade(tmp_path)
    log.block(message(1))
    log.checkpoint()
    shutil.copytree(log.folder, tmp_path / "copy")
    log.block(message(2))
    newest = log.checkpoint()
    shutil.rmtree(log.folder)
    (tmp_path / "copy").rename(log.folder)
    assert verify(tmp_path).verdict == "whole"
    audit = verify(tmp_path, anchors=[Kept([newest])])
    assert "an older copy was put in the place" in faults(audit)[0]
    assert audit.logs[0].faults[0].first == 1


def test_a_log_that_was_made_anew_with_the_same_key_is_told_by_an_anchor_alone(tmp_path):
    _, notes = grown(tmp_path / "true")
    log = HandMade(tmp_path / "false")
    for n in range(1, 9):
        log.block(message(n, out=61 if n == 5 else 60))
    log.checkpoint()
    assert verify(tmp_path / "false").verdict == "whole"
    audit = verify(tmp_path / "false", anchors=[Kept(notes)])
    (fault,) = audit.logs[0].faults
    assert (fault.first, fault.last) == (4, 5)  # between the last anchor that is right and the first that is not
    assert audit.logs[0].anchored is not None
    assert audit.logs[0].anchored.point.seq == 4


def test_logs_that_are_gone_are_missed(tmp_path):
    anchor = Kept(grown(tmp_path)[1])
    others = [HandMade(tmp_path, log=f"0000000{number}", number=number) for number in (1, 2)]
    for log in others:
        log.block(message())
        log.checkpoint()
    assert verify(tmp_path, anchors=[anchor]).verdict == "whole"
    shutil.rmtree(others[0].folder)
    assert "log-1 was removed" in faults(verify(tmp_path))
    shutil.rmtree(tmp_path / "log-0")
    (tmp_path / "log-2").rename(tmp_path / "log-0")
    assert verify(tmp_path).verdict == "whole"
    assert faults(verify(tmp_path, anchors=[anchor])) == ["log 3f9ac21b is gone; an anchor knows it"]


def test_a_log_is_there_once(tmp_path):
    log = small(tmp_path)
    shutil.copytree(log.folder, tmp_path / "log-1")
    assert "2 folders say that they are log 3f9ac21b" in faults(verify(tmp_path))


def test_a_key_from_elsewhere_is_believed_before_the_one_in_the_directory(tmp_path):
    log = HandMade(tmp_path, seed=bytes(32))
    log.block(message())
    log.checkpoint()
    assert verify(tmp_path).verdict == "whole"
    assert verify(tmp_path, key=log.signer.verifier).verdict == "whole"
    audit = verify(tmp_path, key=Signer(bytes(range(32))).verifier)
    assert "the file public.key is not the key that was given" in faults(audit)
    assert any("signed by another key" in says for says in faults(audit))


# -- what was removed and erased ----------------------------------------------------------------------------


def prune(log: HandMade, *, said: bool = True) -> None:
    """Remove the first segment as the writer does."""
    first = segments(log.folder)[0]
    data = content(first.path) or b""
    tree = Frontier()
    for block in blocks(first):
        tree.add(leaf_hash(block.data))
    pruned = {"pruned": log.log, "first": 0, "last": data.count(b"\n") - 1, "size": tree.size, "segments": 1}
    if said:
        log.block((events.Prune, pruned))
        log.checkpoint()
    peaks = [peak.hex() for peak in tree.peaks]
    kept = {"size": tree.size, "seq": data.count(b"\n"), "peaks": peaks, "segment": first.number + 1, "offset": 0}
    (log.folder / "pruned").write_text(json.dumps(kept))
    first.path.unlink()
    first.beside("leaves").unlink()


def test_a_log_that_was_pruned_is_whole_and_every_change_of_the_file_that_says_so_is_found(tmp_path):
    log = small(tmp_path)
    prune(log)
    (report,) = verify(tmp_path).logs
    assert (report.verdict, report.start, report.first, report.events) == ("whole", 2, 3, 11)
    path = log.folder / "pruned"
    data = path.read_bytes()
    for at in range(len(data)):
        for flip in (0x01, 0x80):
            path.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
            earlier = b'"segment": 0' in path.read_bytes()  # which there is none of
            assert verify(tmp_path).verdict == ("whole" if earlier else "tampered"), (at, flip)
        path.write_bytes(data[:at])
        assert verify(tmp_path).verdict == "tampered", at


def test_what_was_pruned_without_an_event_was_removed(tmp_path):
    prune(small(tmp_path), said=False)
    (fault,) = verify(tmp_path).logs[0].faults
    assert (fault.look, fault.first, fault.last) == ("removed", 0, 2)
    assert "no event says that they were pruned" in fault.says


def adopting(log: HandMade) -> None:
    """The next writer finds what is not signed, goes on behind it, and signs it all. It tells how much it was."""
    log.block((events.Start, START | {"adopted": 1}))
    log.checkpoint()


def behind_its_back(log: HandMade, tell: Callable[[], object]) -> None:
    """Let somebody who has no key write to the log: its checkpoint does not change."""
    kept = (log.folder / "checkpoint").read_bytes(), (log.folder / "frontier").read_bytes()
    tell()
    (log.folder / "checkpoint").write_bytes(kept[0])
    (log.folder / "frontier").write_bytes(kept[1])


@pytest.mark.parametrize("adopted", [False, True])
def test_what_nobody_has_signed_explains_no_removal(tmp_path, adopted):
    """Else whoever can write to the directory would only have to say so."""
    log = small(tmp_path)
    behind_its_back(log, lambda: prune(log))
    if adopted:
        adopting(log)
    (fault,) = verify(tmp_path).logs[0].faults
    assert (fault.look, fault.first, fault.last) == ("removed", 0, 2)
    _, (alone,) = tool.verify(tmp_path)
    assert "no event says that they were pruned" in alone.bad[0]


@pytest.mark.parametrize("adopted", [False, True])
def test_what_nobody_has_signed_explains_no_erasure(tmp_path, adopted):
    log, path = marked(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:56] + bytes(32) + data[88:])
    log.block((events.Erase, {"request": "r1", "what": "subject", "rows": [(log.log, 1, 0)]}))
    if adopted:
        adopting(log)
    assert faults(verify(tmp_path)) == ["the fingerprint of finding 0 of event 1 was erased, and no event says so"]


def test_an_interrupted_pruning_leaves_what_a_crash_leaves(tmp_path):
    log = small(tmp_path)
    first = segments(log.folder)[0].path
    data = first.read_bytes()
    prune(log)
    first.write_bytes(data)
    audit = verify(tmp_path)
    assert (audit.verdict, damages(audit)) == (
        "damaged",
        [f"{first.name} is left over from pruning, which was interrupted"],
    )


def marked(directory: Path) -> tuple[HandMade, Path]:
    """A log with a row of marks for each of its events."""
    log, rows = HandMade(directory), b""
    for n in range(1, 4):
        salt, print_ = bytes([n]) * 16, bytes([n + 100]) * 16
        rows += marks.ROW.pack(log.seq, 0, 1, salt, print_)
        log.block(message(n, f=[finding(c=marks.commitment(salt, print_))]))
    log.checkpoint()
    path = segments(log.folder)[0].beside("marks")
    path.write_bytes(rows)
    return log, path


def test_a_row_that_is_not_what_its_event_commits_to_is_found(tmp_path):
    _, path = marked(tmp_path)
    assert verify(tmp_path).verdict == "whole"
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        epoch = at % marks.ROW.size in (10, 11)  # which only the fingerprint, and who has the keys, can tell
        assert verify(tmp_path).verdict == ("whole" if epoch else "tampered"), at
        path.write_bytes(data[:at])
        assert verify(tmp_path).verdict == "tampered", at


def test_a_row_may_be_erased_if_an_event_says_so(tmp_path):
    log, path = marked(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:56] + bytes(32) + data[88:])
    assert faults(verify(tmp_path)) == ["the fingerprint of finding 0 of event 1 was erased, and no event says so"]
    log.block((events.Erase, {"request": "r1", "what": "subject", "rows": [(log.log, 1, 0)]}))
    log.checkpoint()
    assert verify(tmp_path).verdict == "whole"


def test_that_a_key_was_destroyed_explains_no_row_that_is_gone(tmp_path):
    """Which epoch a row is of, nothing signed says: whoever erases one could write there what he likes."""
    log, path = marked(tmp_path)
    data = path.read_bytes()
    path.write_bytes(b"".join(data[at : at + 12] + bytes(32) for at in range(0, len(data), 44)))
    log.block((events.KeyRotate, {"epoch": 1, "state": "destroyed"}))
    log.checkpoint()
    assert len(faults(verify(tmp_path))) == 3


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_however_many_rows_are_gone_all_are_told(tmp_path, monkeypatch, limit):
    log, path = marked(tmp_path)
    data = path.read_bytes()
    path.write_bytes(b"".join(data[at : at + 12] + bytes(32) for at in range(0, len(data), 44)))
    expected = faults(verify(tmp_path))
    monkeypatch.setattr(committed, "LIMIT", limit)
    assert faults(verify(tmp_path)) == expected
    log.block((events.Erase, {"request": "r1", "what": "subject", "rows": [(log.log, 1, 0)]}))
    log.checkpoint()
    assert faults(verify(tmp_path)) == [expected[0], expected[2]]


def read_again(*_: object) -> None:
    raise AssertionError("it was read twice")


def test_a_log_that_was_pruned_is_read_once(tmp_path, monkeypatch):
    log = small(tmp_path)
    prune(log)
    monkeypatch.setattr(tested, "admitted", read_again)
    assert verify(tmp_path).verdict == "whole"


def test_what_is_said_while_a_log_is_read_counts_too(tmp_path, monkeypatch):
    log = small(tmp_path)
    log.rotate()
    row = marks.ROW.pack(log.seq, 0, 1, bytes(16), bytes(16))
    erased = {"request": "r1", "what": "subject", "rows": [(log.log, log.seq, 0)]}
    log.block(message(n=1, f=[finding(c="ab" * 16)]))
    segments(log.folder)[-1].beside("marks").write_bytes(row)
    prune(log)
    assert faults(verify(tmp_path)) == [
        "the fingerprint of finding 0 of event 10 was erased, and no event says so"
    ]
    examine = tested.examine

    def saying(*given: object, **more: bool) -> object:
        try:
            return examine(*given, **more)
        finally:
            log.block((events.Erase, erased))
            log.checkpoint()

    monkeypatch.setattr(tested, "examine", saying)
    assert tested.verify(tmp_path).verdict == "whole"


def test_an_event_of_another_log_explains_too_and_may_have_been_pruned_with_it(tmp_path):
    log, path = marked(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:56] + bytes(32) + data[88:])
    desk = HandMade(tmp_path, log="de5cde5c", number=1)
    desk.block((events.Erase, {"request": "r1", "what": "subject", "rows": [(log.log, 1, 0)]}), at=DAY + 100)
    desk.rotate()
    desk.block(message(), at=DAY + 200)
    desk.checkpoint()
    assert verify(tmp_path).verdict == "whole"
    prune(desk)
    audit = verify(tmp_path)
    assert audit.verdict == "whole"
    assert "a log that was pruned since may have said so" in audit.logs[0].remarks[0]


def test_a_body_that_is_not_what_its_event_commits_to_is_found(tmp_path):
    log, rows = HandMade(tmp_path), b""
    for n in range(1, 4):
        salt, payload = bytes([n]) * 16, b"hello %d" % n
        rows += bodies.row(log.seq, salt, payload)
        log.block(message(n, body=bodies.commitment(salt, payload)))
    log.checkpoint()
    path = segments(log.folder)[0].beside("bodies")
    path.write_bytes(rows)
    assert verify(tmp_path).verdict == "whole"
    for at in range(len(rows)):
        path.write_bytes(rows[:at] + bytes([rows[at] ^ 1]) + rows[at + 1 :])
        assert verify(tmp_path).verdict == "tampered", at
    path.write_bytes(rows)
    bodies.erase(path, {1})
    assert faults(verify(tmp_path)) == ["the body of event 1 was erased, and no event says so"]


# -- mended -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["leaves", "frontier", "jsonl", "gz"])
def test_what_a_crash_leaves_is_mended(tmp_path, name):
    log = small(tmp_path)
    last = segments(log.folder)[-1].path
    match name:
        case "leaves":
            last.with_suffix(".leaves").unlink()
        case "frontier":
            (log.folder / "frontier").unlink()
        case "jsonl":
            last.write_bytes(last.read_bytes() + b'{"b":7,"ki')
        case "gz":
            last.with_name(last.name + ".gz").write_bytes(b"half")
    (report,) = verify(tmp_path).logs
    assert report.verdict == "damaged"
    with (log.folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="has a writer"):
            repair(log.folder, report.damages, log.signer.verifier)
    assert len(repair(log.folder, report.damages, log.signer.verifier)) == 1
    assert verify(tmp_path).verdict == "whole"
    restored = restore(log.folder, log.signer.verifier)
    assert (restored.place.size, restored.torn, restored.lost) == (7, 0, ())


# -- larger ones --------------------------------------------------------------------------------------------

SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SIZES, st.data())
def test_any_change_of_any_log_is_found_in_its_place(tmp_path_factory, sizes, data):
    directory = tmp_path_factory.mktemp("log")
    log, notes = HandMade(directory), []
    for number, size in enumerate(sizes):
        if number and data.draw(st.booleans()):
            log.rotate()
        log.block(*[message()] * size)
        notes += [log.checkpoint()] if data.draw(st.booleans()) else []
    log.checkpoint()
    anchors = [Kept(notes)]
    assert verify(directory, anchors=anchors).verdict == "whole"
    pristine = shutil.copytree(directory, directory / "pristine")
    segment = data.draw(st.sampled_from(segments(log.folder))).path
    written = segment.read_bytes()
    at, flip = data.draw(st.integers(0, len(written) - 1)), data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, 3)) == 0
    segment.write_bytes(written[:at] if cut else written[:at] + bytes([written[at] ^ flip]) + written[at + 1 :])
    if data.draw(st.booleans()):
        for leaves in log.folder.glob("*.leaves"):
            leaves.unlink()
    audit = verify(directory, anchors=anchors)
    assert audit.verdict == "tampered"
    told(audit, pristine, segment)
