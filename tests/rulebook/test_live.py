"""Rules that change while they are in force: the one function behind every change, on real files."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from hashlib import sha256
from pathlib import Path

import pytest

from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from proxy.detect.engine import Engine
from proxy.rulebook.disk import ChangedError
from proxy.rulebook.faults import RulesError
from proxy.rulebook.live import Edit, Rules, Trouble
from proxy.rulebook.load import Built
from proxy.rulebook.versions import Versions
from tests.rules import NOW, ground

RULES = "version: 1\nrules:\n  - {id: a, entities: [CRYPTO], action: {replace: {with: '%s'}}}\n"
COIN = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
SECRET = "Bob Bobson"


def nothing_more(_: Built[Engine]) -> None:
    """What is compiled at first use is compiled at first use: a test can wait."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "rules" / "my.yaml"
    file.parent.mkdir()
    file.write_text(RULES % "A")
    return file


@pytest.fixture
def rules(path: Path, tmp_path: Path) -> Rules[Engine]:
    loaded = Rules(["default"], str(path), ground(), nothing_more, Versions(tmp_path / "state"), lambda: NOW)
    loaded.try_swap()
    return loaded


def said(rules: Rules[Engine]) -> str:
    """What becomes of a message now."""
    lane = rules.live.lanes[Direction.CLIENT_TO_UPSTREAM]
    return lane.work(Kind.TEXT, COIN.encode(), Session(1))[-1].payload.decode()  # type: ignore[union-attr]


def sha(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def refused(rules: Rules[Engine], edit: Edit | None = None) -> RulesError:
    with pytest.raises(RulesError) as caught:
        rules.try_swap(edit)
    return caught.value


def test_an_edited_file_is_in_force_when_somebody_looks(rules: Rules[Engine], path: Path) -> None:
    assert said(rules) == "A"
    before = rules.live.policy.digest
    path.write_text(RULES % "B")
    assert said(rules) == "A"
    rules.follow()
    assert said(rules) == "B"
    assert rules.live.policy.digest != before
    assert rules.state()["reloads"] == {"applied": 1}


def test_a_file_that_says_the_same_is_not_built_again(rules: Rules[Engine], path: Path) -> None:
    lanes = rules.live.lanes
    os.utime(path)
    path.rename(path.with_suffix(".old"))
    path.write_text(RULES % "A")
    rules.follow()
    assert rules.live.lanes is lanes
    rules.follow(forced=True)  # unless somebody insists
    assert rules.live.lanes is not lanes


@pytest.mark.parametrize("break_it", ["bad", "half", "gone", "folder", "binary", "empty"])
def test_a_bad_file_changes_nothing_and_is_loud(
    rules: Rules[Engine], path: Path, break_it: str, caplog: pytest.LogCaptureFixture
) -> None:
    lanes = rules.live.lanes
    if break_it == "bad":
        path.write_text(RULES % SECRET + f"  - {{id: b, entities: [NOBODY], description: {SECRET}}}\n")
    elif break_it == "half":
        path.write_text((RULES % SECRET)[:-7])
    elif break_it == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    elif break_it == "empty":
        path.write_text("")
    else:
        path.unlink()
        if break_it == "folder":
            path.mkdir()
    rules.follow()
    assert rules.live.lanes is lanes and said(rules) == "A"
    assert rules.trouble is not None and rules.trouble.since == NOW and rules.trouble.faults
    assert rules.state()["stale"] == 1 and rules.state()["reloads"] == {"refused": 1}
    assert str(path) in caplog.text and "stay in force" in caplog.text
    assert SECRET not in caplog.text
    told = len(caplog.records)
    rules.follow()
    assert len(caplog.records) == told  # once is enough, as long as nothing changes
    if break_it == "folder":
        path.rmdir()
    path.write_text(RULES % "B")
    rules.follow()
    assert said(rules) == "B" and rules.trouble is None and rules.state()["stale"] == 0


def test_how_long_it_has_been_wrong_counts_from_the_first_failure(path: Path, tmp_path: Path) -> None:
    times = iter(range(100))
    rules = Rules(["a"], str(path), ground(), nothing_more, Versions(tmp_path), lambda: float(next(times)))
    rules.try_swap()
    path.write_text("first")
    rules.follow()
    assert rules.trouble is not None
    since = rules.trouble.since
    path.write_text("second")
    rules.follow()
    assert rules.trouble.since == since


def test_nobody_sees_new_rules_and_still_the_trouble_with_those_before(rules: Rules[Engine], path: Path) -> None:
    path.write_text("version: 1\nnonsense\n")
    rules.follow()
    assert rules.trouble is not None
    seen: list[Trouble | None] = []
    rules.told = lambda _: seen.append(rules.trouble)
    path.write_text(RULES % "B")
    rules.follow()
    assert seen == [None]


def test_the_places_of_faults_are_logged_but_not_all_of_a_thousand(
    rules: Rules[Engine], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text("version: 1\nrules:\n" + "  - {id: '', action: keep}\n" * 1000)
    rules.follow()
    assert f"{path}:3:" in caplog.text
    assert len(caplog.records) < 30


def test_rules_that_stop_the_builder_change_nothing(path: Path, tmp_path: Path) -> None:
    broken: list[str] = []

    def warm(_: Built[Engine]) -> None:
        if broken:
            raise MemoryError(SECRET)

    rules = Rules(["a"], str(path), ground(), warm, Versions(tmp_path / "state"))
    rules.try_swap()
    broken.append("now")
    path.write_text(RULES % "B")
    rules.follow()
    assert said(rules) == "A"
    assert rules.trouble is not None
    assert "MemoryError" in str(rules.trouble.faults[0]) and SECRET not in str(rules.trouble.faults[0])


def test_a_save_is_proven_written_and_in_force(rules: Rules[Engine], path: Path) -> None:
    new = (RULES % "B").encode()
    rules.try_swap(Edit({rules.main: new}, sha(path)))
    assert said(rules) == "B" and path.read_bytes() == new
    lanes = rules.live.lanes
    rules.follow()
    assert rules.live.lanes is lanes  # the file says what is in force


def test_a_save_of_bad_rules_leaves_the_file_as_it_was(rules: Rules[Engine], path: Path) -> None:
    before = path.read_bytes()
    error = refused(rules, Edit({rules.main: b"version: 1\nrules: [{}]\n"}, sha(path)))
    assert error.faults and path.read_bytes() == before and said(rules) == "A"
    assert rules.trouble is None  # what is on disk is in force
    assert rules.state()["reloads"] == {"refused": 1}


def test_of_two_saves_at_once_one_is_told_that_it_came_second(rules: Rules[Engine], path: Path) -> None:
    seen = sha(path)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def save(mine: str) -> None:
        start.wait()
        try:
            rules.try_swap(Edit({rules.main: (RULES % mine).encode()}, seen))
            outcomes.append(mine)
        except ChangedError:
            outcomes.append("changed")

    threads = [threading.Thread(target=save, args=(mine,)) for mine in "BC"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = said(rules)
    assert sorted(outcomes) == sorted([winner, "changed"]) and (RULES % winner) == path.read_text()


def test_a_candidate_can_be_judged_without_consequences(rules: Rules[Engine], path: Path) -> None:
    lanes, before = rules.live.lanes, path.read_bytes()
    digest = rules.candidate({rules.main: (RULES % "B").encode()}).policy.digest
    assert digest != rules.live.policy.digest
    with pytest.raises(RulesError):
        rules.candidate({rules.main: b"rules: 1"})
    assert rules.live.lanes is lanes and path.read_bytes() == before and rules.state()["reloads"] == {}


def test_every_version_that_was_in_force_is_kept(rules: Rules[Engine], path: Path) -> None:
    first = rules.live.policy.digest
    path.write_text(RULES % "B")
    rules.follow()
    path.write_text("bad")
    rules.follow()
    kept = rules.versions.all(rules.main)
    assert {version.digest for version in kept} == {first, rules.live.policy.digest}
    assert rules.versions.contents(rules.versions.find(first, rules.main)) == {rules.main: (RULES % "A").encode()}


def test_a_full_disk_keeps_no_version_but_new_rules_go_live(
    rules: Rules[Engine], path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules.versions = Versions(path / "no folder")
    path.write_text(RULES % "B")
    rules.follow()
    assert said(rules) == "B" and "cannot be kept" in caplog.text


def test_a_file_that_was_missed_is_looked_for(rules: Rules[Engine], path: Path) -> None:
    path.write_text("version: 1\nextends: [./base.yaml]\n")
    rules.follow()
    assert rules.trouble is not None
    (path.parent / "base.yaml").write_text(RULES % "B")
    rules.follow()
    assert rules.trouble is None and said(rules) == "B"
    (path.parent / "base.yaml").write_text(RULES % "C")
    rules.follow()
    assert said(rules) == "C"


EXCEPT = """\
version: 1
rules:
  - id: a
    entities: [CRYPTO]
    action: {replace: {with: A}}
    except: [{values: [%s], reason: a test, expires: 2027-01-20}]
"""
EXPIRED = 1_800_403_200.0  # 2027-01-20


def excepting(path: Path, state: Path, now: list[float]) -> Rules[Engine]:
    path.write_text(EXCEPT % COIN)
    rules = Rules(["a"], str(path), ground(), nothing_more, Versions(state), lambda: now[0])
    rules.try_swap()
    return rules


def test_an_exception_ends_in_time(path: Path, tmp_path: Path) -> None:
    now = [NOW]
    rules = excepting(path, tmp_path / "state", now)
    assert said(rules) == COIN and rules.due is not None and NOW < rules.due <= EXPIRED + 86400
    now[0] = rules.due - 1
    rules.follow()
    assert said(rules) == COIN
    now[0] += 2
    rules.follow()
    assert said(rules) == "A" and rules.due is None


def test_an_exception_ends_in_time_although_the_file_has_faults_by_then(path: Path, tmp_path: Path) -> None:
    now = [NOW]
    rules = excepting(path, tmp_path / "state", now)
    path.write_text("bad")
    rules.follow()
    assert said(rules) == COIN and rules.due is not None
    now[0] = rules.due + 1
    rules.follow()
    assert said(rules) == "A"
    assert rules.trouble is not None and rules.trouble.since == NOW  # the file is as bad as before


def test_who_comes_later_has_what_the_others_have(path: Path, tmp_path: Path) -> None:
    """A worker that takes the place of a fallen one was forked with the rules of the start."""
    now = [NOW]
    first, late = (
        Rules(["a"], str(path), ground(), nothing_more, Versions(tmp_path / "state"), lambda: now[0])
        for _ in range(2)
    )
    for rules in (first, late):
        rules.try_swap()
    path.write_text(RULES % "B")
    now[0] += 1
    first.follow()
    path.write_text("bad")
    late.catch_up()
    assert said(late) == said(first) == "B"
    assert late.trouble is not None
    path.write_text(RULES % "C")
    late.catch_up()
    assert said(late) == "C" and late.trouble is None


def test_what_is_no_longer_in_force_is_freed(rules: Rules[Engine], path: Path) -> None:
    old = weakref.ref(rules.live.lanes[0].detector)
    path.write_text(RULES % "B")
    rules.follow()
    gc.collect()
    assert old() is None


def test_a_message_that_was_begun_ends_under_the_rules_it_began_with(rules: Rules[Engine], path: Path) -> None:
    lane = rules.live.lanes[Direction.CLIENT_TO_UPSTREAM]
    path.write_text(RULES % "B")
    rules.follow()
    note, send = lane.work(Kind.TEXT, COIN.encode(), Session(1))
    assert send.payload == b"A" and note.digest == lane.policy.digest != rules.live.policy.digest  # type: ignore[union-attr]
