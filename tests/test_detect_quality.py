"""The comparison of detectors counts what it says, and admits what it could not have."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import detect_quality, finders
from benchmarks.detect_quality import measure
from benchmarks.finders import MissingError, Peer
from benchmarks.quality_tables import Set, tables
from benchmarks.scoring import Span

ROOT = Path(__file__).resolve().parent.parent
TEXTS = [('{"v":"ab 12"}', (Span(9, 11, "PHONE_NUMBER"),), None), ('{"v":"cd"}', (Span(6, 8, "PERSON"),), None)]


def digits(text: str) -> list[tuple[int, int, str, float]]:
    """A detector of two digits, and of the quote before them if there is one."""
    return [(*match.span(), "PHONE", 0.6) for match in re.finditer(r'"?\d\d', text)]


def test_found_missed_wrong_and_broken_are_counted() -> None:
    peer = Peer("digits", digits, 0.5, slow=False)
    result = measure(peer, [Set("some", TEXTS)], {"made up": ['{"n":"42"}', "{}"]}, 10)
    total = result.boards["some"].total
    assert (total.gold, total.found, total.predicted, total.right) == (2, 1, 1, 1)
    assert result.touched == {"made up": (1, 2)}
    assert result.broken == (1, 4), "a quote was eaten"
    assert [line.split(" ")[0] for line in (*result.misses, *result.wrong)] == ["some", "made"]
    shown = tables({"digits": result}, [Set("some", TEXTS)], ["made up"])
    assert "1/2" in shown and "50.0 100.0 55.6" in shown and "PHONE_NUMBER" in shown


def test_a_threshold_hides_what_scores_less() -> None:
    assert Peer("digits", digits, 0.5, slow=False).find("12") == [Span(0, 2, "PHONE_NUMBER")]
    assert Peer("digits", digits, 0.7, slow=False).find("12") == []
    assert Peer("digits", digits, 0.5, slow=False).redact('{"n":"42"}') == '{"n":<PHONE_NUMBER>"}'


def test_a_slow_detector_sees_a_sample_that_is_spread_evenly() -> None:
    seen: list[str] = []
    peer = Peer("deaf", lambda text: seen.append(text) or [], 0.0, slow=True)
    measure(peer, [], {"made up": [str(n) + "x" for n in range(100)]}, 10)
    assert seen == [f"{n}x" for n in range(0, 100, 10)]


def test_a_detector_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datafog", None)
    with pytest.raises(MissingError, match="pip install datafog"):
        finders.datafog()


def test_the_command_runs_without_the_data_of_others_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    words = ["--only", "none", "--quick", "--data", str(tmp_path / "absent"), "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.detect_quality", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "n/a synth v2" in done.stdout and "hushwire" in done.stdout
    figures = json.loads(file.read_text())
    assert set(figures["detectors"]) == {"hushwire"}
    plain = figures["detectors"]["hushwire"]["sets"]["plain"]["total"]
    assert plain["gold"] > 1000 and plain["found"] > 0
    assert detect_quality.DATA.parts[-2:] == ("shared", "data")
