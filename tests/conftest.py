"""Rules for the whole test run. Other fixtures live beside the tests that use them.

A test whose tool is missing (node, Chromium) is skipped on somebody's laptop, with a reason that says how to
install it. Under CI=true nothing is optional: there the same skip is a failure, of a test or of a whole module.

When all tests are done, what proxies have left is searched for the personal data that tests sent through them: one
value in a log, an audit or a state directory is an error of the last test (of each worker of xdist).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import harness
from tests.canary import COMMON, PLANTED, Canaries, told


@pytest.fixture(autouse=True, scope="session")
def _state() -> Iterator[None]:
    """What proxies keep of the rules of tests is nothing that anybody will want to put back."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", folder)
        yield
        _sweep(Path(folder))


def _sweep(state: Path) -> None:
    """Fail if a value of the tests stands in what proxies and commands have left in `state` and elsewhere."""
    kept = [path for path in {state, *harness.KEPT} if path.is_dir()]
    audits = [audit for path in kept for audit in (path, *path.rglob("audit")) if (audit / "public.key").exists()]
    planted, every = Canaries(PLANTED), Canaries({**PLANTED, **COMMON})
    found = planted.in_files(*kept) + every.in_files(*audits)  # rule files in `versions` hold examples
    for process, lines in harness.SAID.items():
        found += every.in_text("".join(lines), f"stderr of {process}")
    if found:
        pytest.fail(f"personal data was left behind:\n{told(found)}", pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests of sockets, timers and children wait for a third of their time."""
    return len(os.sched_getaffinity(0)) + 1


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"A skip is a failure when CI=true. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report
