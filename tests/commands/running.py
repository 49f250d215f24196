"""Commands run as people run them: in a process of their own, without a terminal, in a folder of the test's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.harness import ROOT


def hushwire(*arguments: str, folder: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """`hushwire ARGUMENTS` in `folder`."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(folder / ".state"),
        "COLUMNS": "120",
    }
    done = subprocess.run(
        [sys.executable, "-m", "proxy", *arguments],
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
