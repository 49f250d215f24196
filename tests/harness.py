"""Start real programs on loopback for a test, and end them by their own id.

`Hushwire` runs `python -m proxy run --json ...`, which prints one JSON object per line on stdout; the
first event tells the addresses in use: {"event": "ready", "listen": "127.0.0.1:40001", "admin": ..., "pid": ...}.

What each of them said on stderr, and where it kept its state, is remembered in `SAID` and `KEPT` until the session
ends: tests/conftest.py then looks for personal data there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
SAID: dict[str, list[str]] = {}
"""Lines of stderr, by the process."""
KEPT: set[Path] = set()
"""Audit directories, and the states that they are in by default."""


def state_of(command: list[str], environment: Mapping[str, str]) -> Iterator[Path]:
    """The directories in which a proxy keeps what it makes."""
    if "XDG_STATE_HOME" in environment:
        yield Path(environment["XDG_STATE_HOME"])
    if "--audit" in command and (named := command[command.index("--audit") + 1]) != "off":
        yield Path(named)


class Hushwire:
    """A proxy process in front of `upstream` ("ws://127.0.0.1:1234"); usable as a context manager.

    `upstream` may also be a hushwire.yaml. `variables` are added to the environment. `under`
    is a command that runs the one behind it in its own place, such as unshare(1).
    """

    def __init__(
        self,
        upstream: str | Path,
        *options: str,
        rules: str = "default",
        timeout: float = 60.0,
        variables: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> None:
        command = [*under, sys.executable, "-m", "proxy", "run", "--json", "--listen", "127.0.0.1:0"]
        if isinstance(upstream, Path):
            command += ["--config", str(upstream)]
        else:
            command += ["--upstream", upstream, "--rules", rules]
        command += ["--admin", "127.0.0.1:0", *options]
        environment = {**os.environ, **(variables or {})}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        self.log = SAID.setdefault(f"proxy {self.process.pid}, begun {time.time():.3f}", [])
        KEPT.update(state_of(command, environment))
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        watchdog = threading.Timer(timeout, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line:
            self.process.wait(10)
            self._reader.join(5)
            raise RuntimeError(f"hushwire did not start ({self.process.returncode}):\n" + "".join(self.log))
        self.ready = json.loads(line)
        host, _, port = self.ready["listen"].rpartition(":")
        self.host, self.port = host, int(port)
        self.admin: str | None = self.ready.get("admin")
        self.url = f"ws://{self.ready['listen']}"

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)

    def stop(self, sig: signal.Signals = signal.SIGTERM, timeout: float = 30.0) -> int:
        """Send `sig`, wait, and return the exit code (killed after `timeout`)."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code

    def __enter__(self) -> Hushwire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()
