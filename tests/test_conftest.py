"""The test run's own rules: what a skip means, and that nothing personal is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canary import PLANTED
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


LEAVES = """
import os, pathlib
from tests import harness

def test_a(tmp_path):
    {}
"""
STATE = "(pathlib.Path(os.environ['XDG_STATE_HOME']) / 'core').write_text('{}')"
LINE = "harness.SAID['proxy 1'] = ['message: {}']"
AUDIT = "(tmp_path / 'public.key').touch(); (tmp_path / 'a.jsonl').write_text('{}'); harness.KEPT.add(tmp_path)"


@pytest.mark.parametrize("place", [STATE, LINE, AUDIT], ids=["state", "log line", "audit"])
def test_a_value_that_is_left_behind_fails_the_run_and_is_not_repeated(tmp_path: Path, place: str) -> None:
    run = _run(tmp_path, LEAVES.format(place.format(PLANTED["email"])), ci="")
    assert run.returncode == 1
    assert "personal data was left behind:\nemail, as it is: " in run.stdout
    assert PLANTED["email"] not in run.stdout


@pytest.mark.parametrize(("place", "code"), [(STATE, 0), (LINE, 1), (AUDIT, 1)])
def test_what_other_tests_say_may_stand_in_copies_of_rule_files_only(
    tmp_path: Path, place: str, code: int
) -> None:
    run = _run(tmp_path, LEAVES.format(place.format("bob@example.com")), ci="")
    assert run.returncode == code
