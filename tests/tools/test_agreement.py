"""Both verifiers, run as people run them, on directories that somebody has laid snares in: neither hangs, neither
dies of it, and they say the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.audit.layout import segments
from tests.audit import test_verify as made
from tests.audit.logs import HandMade
from tools import verify_audit as tool

PATIENCE = 30.0  # seconds; a verifier that waits for a pipe does so for ever


def runs(directory: Path) -> list[subprocess.CompletedProcess[str]]:
    """Of `audit verify`, and of the tool."""
    house = Path(tool.__file__).parents[1]
    commands = (
        [sys.executable, "-m", "proxy", "audit", "verify", "--audit", str(directory)],
        [sys.executable, tool.__file__, str(directory)],
    )
    given = {"capture_output": True, "text": True, "timeout": PATIENCE, "cwd": house}
    return [subprocess.run(command, check=False, **given) for command in commands]


def codes(directory: Path) -> tuple[int, int]:
    """What they exit with."""
    ours, lone = runs(directory)
    for done in (ours, lone):
        assert "Traceback" not in done.stderr, done.stderr
    return ours.returncode, lone.returncode


def pipe(name: str) -> Callable[[HandMade], None]:
    """One in the place of a file, or where none was."""

    def lay(log: HandMade) -> None:
        path = log.folder / name
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return lay


def blown_up(log: HandMade) -> None:
    os.truncate(log.folder / "checkpoint", 1 << 40)


def bomb(log: HandMade) -> None:
    packing = zlib.compressobj(9, wbits=31)
    packed = b"".join(packing.compress(bytes(1 << 20)) for _ in range(100)) + packing.flush()
    segments(log.folder)[0].path.write_bytes(packed)


def directories(log: HandMade) -> None:
    (log.folder / "20991231-000999.jsonl").mkdir()
    (log.folder.parent / "log-1").touch()


SNARES: dict[str, tuple[Callable[[HandMade], None], int]] = {
    "a pipe for a checkpoint": (pipe("checkpoint"), 1),
    "a pipe for a lock": (pipe("lock"), 0),
    "a pipe for a frontier": (pipe("frontier"), 1),
    "a pipe behind the last segment": (pipe("20991231-000999.jsonl"), 0),
    "a pipe for a segment": (pipe("20261119-000001.jsonl"), 4),
    "a checkpoint of a terabyte": (blown_up, 1),
    "a bomb": (bomb, 4),
    "directories for files, and a file for one": (directories, 0),
    "a log without a checkpoint yet": (lambda log: (log.folder.parent / "log-1").mkdir(), 0),
    "a copy by hand": (lambda log: shutil.copytree(log.folder, log.folder.with_name("log-20261123")) and None, 0),
    "a copy by hand, in other digits": (
        lambda log: shutil.copytree(log.folder, log.folder.with_name("log-00")),
        0,
    ),
    "a log of a large number": (lambda log: (log.folder.parent / "log-99999").mkdir(), 4),
}


@pytest.mark.parametrize("snare", SNARES)
def test_both_verifiers_get_over_what_is_no_file_of_a_log(tmp_path, snare):
    log = made.small(tmp_path)
    lay, code = SNARES[snare]
    lay(log)
    assert codes(tmp_path) == (code, code)


def test_logs_that_are_gone_are_told_in_one_sentence(tmp_path):
    made.small(tmp_path)
    (tmp_path / "log-4").mkdir()
    said, _ = tool.verify(tmp_path)
    assert said == ["log-1 to log-3 were removed"]
    assert [fault.says for fault in made.verify(tmp_path).faults] == said


def test_what_a_log_calls_itself_moves_no_cursor(tmp_path):
    """An auditor's terminal obeys what is printed on it."""
    log = made.small(tmp_path)
    (log.folder / "checkpoint").unlink()
    for segment in segments(log.folder)[1:]:
        segment.path.write_bytes(segment.path.read_bytes().replace(log.log.encode(), b"\\u001b]0;\\u0007"))
    segments(log.folder)[0].path.unlink()
    said = [run.stdout for run in runs(tmp_path)]
    assert not any("\x1b" in one or "\x07" in one for one in said), said
    assert codes(tmp_path) == (4, 4)


@pytest.mark.parametrize("written", [b'"seq":10.0', b'"seq":"10"', b'"seq":10,"adopted":"1"'])
def test_a_line_whose_numbers_are_none_is_no_event_to_both(tmp_path, written):
    log = made.small(tmp_path)
    head = b'{"b":7,"kind":"stop","v":1,"log":"%b",' % log.log.encode()
    with segments(log.folder)[-1].path.open("ab") as file:
        file.write(b'%b%b,"t":1,"mono":1,"run":"0badcafe"}\n' % (head, written))
    assert codes(tmp_path) == (5, 5)
