"""Chromium, headless, as a client: a page on loopback takes calls, holds them and posts the reports.

One browser serves a whole test run. It gets a new profile, reaches no address but
127.0.0.1, and ends with its group.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from tests.clients.script import DEADLINE, Call, Event

PAGE = Path(__file__).with_name("browser.html")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def require_chromium() -> str:
    """Where Chromium is; skips the test if it is missing (which fails it in CI)."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is missing; install it with: apt-get install chromium")
    return chromium


class Page(ThreadingHTTPServer):
    """Serves the page, hands out calls, and takes the reports."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PageRequest)
        self.calls: queue.Queue[dict[str, Any]] = queue.Queue()
        self.reports: queue.Queue[list[Event]] = queue.Queue()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The browser is killed while it waits for a call, so a lost connection is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class PageRequest(BaseHTTPRequestHandler):
    """GET / is the page, GET /call waits a little for a call (null: none), POST /report takes the outcome."""

    server: Page

    def do_GET(self) -> None:
        if self.path == "/":
            self._reply("text/html", PAGE.read_bytes())
        elif self.path == "/call":
            try:
                call = self.server.calls.get(timeout=1)
            except queue.Empty:
                call = None
            self._reply("application/json", json.dumps(call).encode())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reports.put(json.loads(body))
        self._reply("application/json", b"{}")

    def _reply(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: pytest's output is for results."""


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class Chromium:
    """The browser as a client. It offers deflate always, sets no headers, and hides the status of a refusal."""

    name = "chromium"
    can = frozenset({"deflate", "pin"})  # pin: trusts the certificate whose key it was told at its start

    def __init__(self, *flags: str) -> None:
        self.flags = flags

    def __enter__(self) -> Self:
        chromium = require_chromium()
        self.page = Page()
        threading.Thread(target=self.page.serve_forever, daemon=True).start()
        self.profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        bound = ["setpriv", "--pdeathsig", "KILL"]  # a test run that is killed takes its browser along
        command = [*bound, chromium, *FLAGS, f"--user-data-dir={self.profile.name}", *self.flags]
        self.process = subprocess.Popen(
            [*command, f"{self.page.origin}/"],
            env={**os.environ, "TMPDIR": self.profile.name},  # what it leaves goes with the profile
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __call__(self, call: Call, cookie: str = "", framed: bool = False) -> list[Event]:
        """`framed`: the socket belongs to a frame of the page, which the step ["leave"] takes away."""
        milliseconds = (DEADLINE - 5) * 1000  # the page gives up first, and is free for the next call
        self.page.calls.put(
            {**asdict(call), "ca": None, "cookie": cookie, "framed": framed, "milliseconds": milliseconds}
        )
        try:
            return self.page.reports.get(timeout=DEADLINE)
        except queue.Empty:
            raise AssertionError(f"no report from Chromium (exit code so far: {self.process.poll()})") from None

    def __exit__(self, *raised: object) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # the group that __enter__ made: browser, renderers, network
        self.process.wait(DEADLINE)
        while _alive(self.process.pid):  # killed, so it ends; init reaps what the browser had started
            time.sleep(0.01)
        self.page.shutdown()
        self.page.server_close()
        self.profile.cleanup()
