"""The benchmark of the audit log measures every part and names what it could not; nothing here asserts a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.harness import ROOT

TINY = ["--rounds", "1", "--count", "2000", "--seconds", "0.2", "--events", "3000"]


def figures(tmp_path: Path, parts: str) -> tuple[str, dict]:
    """The tables and the JSON of one run."""
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.audit", *TINY, "--parts", parts, "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_a_writer_is_measured_beside_the_same_loop_without_one(tmp_path):
    text, found = figures(tmp_path, "cost,lag,durability")
    assert "500 in a block, journal and fingerprints" in text
    assert all(cpu > 0 and wall > 0 for samples in found["cost"].values() for cpu, wall in samples)
    assert len(found["lag"]) == 9
    assert {name.partition(",")[0] for name in found["durability"]} == {"async", "written", "synced"}


def test_every_reader_is_measured_on_a_log_that_is_read_whole(tmp_path):
    _, found = figures(tmp_path, "reading")
    assert found["reading"]["failures"] == {}
    assert {"verify", "tools/verify_audit.py", "subject", "show SID", "stats"} <= set(found["reading"]["times"])


def test_a_proxy_is_measured_in_every_mode(tmp_path):
    text, found = figures(tmp_path, "proxy")
    assert "What that is more than --audit off" in text
    assert len(found["proxy"]) == 20
