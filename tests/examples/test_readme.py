"""examples/README.md: every example has a line, and what the lines say can be typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.harness import ROOT

EXAMPLES = ROOT / "examples"
README = (EXAMPLES / "README.md").read_text()


class Line(NamedTuple):
    """One line of the table: the commands as they are to be typed."""

    name: str
    start: str
    proxy: str
    talk: str

    @property
    def target(self) -> str:
        """Path and query of the address to talk to."""
        url = urlsplit(shlex.split(self.talk)[-1])
        return url.path + (f"?{url.query}" if url.query else "")


CELLS = re.compile(r"^\| \[(\w+)\]\((\w+)\.py\) \| [^|]+ \| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
LINES = [Line(*match.group(1, 3, 4, 5)) for match in CELLS.finditer(README)]


def start(line: Line) -> subprocess.Popen[str]:
    """Run the command of `line` as typed, except that the system chooses the port."""
    python, *rest = shlex.split(line.start)
    assert python == "python"
    command = [sys.executable, *rest[:-1], "0"]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def port_of(process: subprocess.Popen[str]) -> int:
    """The port that uvicorn says it listens on."""
    assert process.stderr is not None
    for text in process.stderr:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", text):
            return int(found[1])
    raise AssertionError("the service ended before it listened")


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """All services at once, started as the table says; name -> port."""
    processes = {line.name: start(line) for line in LINES}
    try:
        yield {name: port_of(process) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.communicate(timeout=10)


def test_every_example_has_a_line() -> None:
    applications = {path.stem for path in EXAMPLES.glob("*.py") if "app = FastAPI(" in path.read_text()}
    assert [line.name for line in LINES if line.name in applications] == [line.name for line in LINES]
    assert {line.name for line in LINES} == applications
    assert len(applications) == 9


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_the_commands_of_a_line_belong_together(line: Line) -> None:
    port = line.start.rpartition(" ")[2]
    assert line.start == f"python -m uvicorn examples.{line.name}:app --port {port}"
    assert line.proxy == f"hushwire run --upstream ws://127.0.0.1:{port}"
    assert line.talk.strip('"').startswith("python -m websockets ")
    assert [line.start.rpartition(" ")[2] for line in LINES].count(port) == 1


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_the_service_starts_as_the_line_says_and_answers_there(line: Line, ports: dict[str, int]) -> None:
    url = f"ws://127.0.0.1:{ports[line.name]}{line.target}"
    if line.name == "bearer":
        with pytest.raises(InvalidStatus, match="401"), connect(url, proxy=None):
            pass
    else:
        with connect(url, proxy=None) as connection:
            assert connection.ping().wait(10)


def test_the_program_with_a_token_runs(ports: dict[str, int], tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    assert "127.0.0.1:8080" in program
    path = tmp_path / "program.py"
    path.write_text(program.replace("127.0.0.1:8080", f"127.0.0.1:{ports['bearer']}"))
    done = subprocess.run([sys.executable, path], check=True, capture_output=True, text=True, timeout=20)
    assert done.stdout.splitlines() == ["Authenticated as alice", "Echo: I am bob@example.com"]
