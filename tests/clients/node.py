"""The npm clients and server, run by node. What they speak is script.py's vocabulary in JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import pytest

from tests.clients.script import DEADLINE, Call, Event
from tests.clients.upstream import MAIL, REFUSAL, Seen, Upstream

HERE = Path(__file__).parent


def require_node() -> str:
    """Where node is; skips the test if it or its packages are missing (which fails it in CI)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing; install it with: apt-get install nodejs npm")
    if not (HERE / "node_modules" / "ws").is_dir():
        pytest.skip("the npm packages are missing; install them with: npm ci --prefix tests/clients")
    return node


def run_node(program: str, message: dict[str, Any]) -> Any:
    """Run one of the programs beside this file, which reads `message` from standard input and prints an answer."""
    done = subprocess.run(
        [require_node(), str(HERE / program)],
        input=json.dumps(message),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, f"{program} ended with {done.returncode}:\n{done.stderr}"
    return json.loads(done.stdout)


class NodeWs:
    """The npm package `ws` as a client."""

    name = "npm-ws"
    can = frozenset({"ping", "fragments", "headers", "status", "no-deflate", "ca", "deflate"})

    def __call__(self, call: Call) -> list[Event]:
        message = {**asdict(call), "ca": str(call.ca) if call.ca else None}
        report: list[Event] = run_node("node_client.mjs", message)
        return report


class NodeServer(Upstream):
    """The npm package `ws` as a server."""

    name = "npm-ws"

    def __init__(self, deflate: bool = True) -> None:
        super().__init__()
        self.arguments = [MAIL, REFUSAL, "deflate" if deflate else "plain"]

    def __enter__(self) -> Self:
        command = [require_node(), str(HERE / "node_server.mjs"), *self.arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"ws://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            seen = json.loads(line)
            headers = [(name, value) for name, value in seen["headers"]]
            self.records.put(Seen(seen["path"], headers, seen["messages"], (seen["closed"][0], seen["closed"][1])))

    def __exit__(self, *raised: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
