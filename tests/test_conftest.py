"""The test run's own rules: what a skip means."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import ROOT

SKIPS = {
    "a test that calls skip": "import pytest\ndef test_a():\n    pytest.skip('apt-get install it')\n",
    "a test that is marked": "import pytest\n@pytest.mark.skip(reason='apt-get install it')\ndef test_a(): pass\n",
    "a whole module": "import pytest\npytest.skip('apt-get install it', allow_module_level=True)\n",
}


def _run(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_skipping.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    environment = {**os.environ, "CI": ci}
    return subprocess.run(
        [*command, "--rootdir", str(folder), str(folder / "test_skipping.py")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("source", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_fails_the_run_in_ci_and_says_why(tmp_path: Path, source: str) -> None:
    run = _run(tmp_path, source, ci="true")
    assert run.returncode != 0
    assert "A skip is a failure when CI=true" in run.stdout
    assert "apt-get install it" in run.stdout


@pytest.mark.parametrize("source", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_is_a_skip_elsewhere(tmp_path: Path, source: str) -> None:
    run = _run(tmp_path, source, ci="")
    assert run.returncode in (0, 5)  # 5: every test of the run was in the skipped module
    assert "1 skipped" in run.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_a():\n    assert False\n"
    run = _run(tmp_path, source, ci="true")
    assert run.returncode == 0
    assert "1 xfailed" in run.stdout
