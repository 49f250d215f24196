"""Rules that follow their files: a real loop, a real disk, real notifications."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.detect.engine import Engine
from proxy.rulebook import watch as module
from proxy.rulebook.live import Rules
from proxy.rulebook.versions import Versions
from proxy.rulebook.watch import Watch, folders_of
from tests.rulebook.test_live import RULES, nothing_more, said
from tests.rules import NOW, ground

Play = Callable[[Watch, Rules[Engine]], Awaitable[None]]


def follow(source: Path, state: Path, play: Play, clock: Callable[[], float] = lambda: NOW) -> None:
    """Run `play` while the rules of `source` are looked after."""

    async def go() -> None:
        rules = Rules(["default"], str(source), ground(), nothing_more, Versions(state), clock)
        rules.try_swap()
        watch = Watch([rules])
        task = asyncio.create_task(watch.run())
        try:
            await asyncio.sleep(0.2)  # the first look
            await play(watch, rules)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            watch.close()

    asyncio.run(go())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in a thread
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is heard is heard from the system, not seen by a look that was due anyway."""
    monkeypatch.setattr(module, "SWEEP", 3600.0)


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "my.yaml").write_text(text)
    return folder / "my.yaml"


def test_an_edit_in_place_a_replaced_file_and_one_that_comes_back_are_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "rules", RULES % "A")

    async def play(_: Watch, rules: Rules[Engine]) -> None:
        path.write_text(RULES % "B")
        await until(lambda: said(rules) == "B")
        (path.parent / "new").write_text(RULES % "C")
        (path.parent / "new").replace(path)  # as editors write
        await until(lambda: said(rules) == "C")
        path.unlink()
        await until(lambda: rules.trouble is not None)
        path.write_text(RULES % "D")
        await until(lambda: said(rules) == "D" and rules.trouble is None)

    follow(path, tmp_path / "state", play)


def test_a_config_map_that_is_swapped_is_noticed(tmp_path: Path) -> None:
    """Kubernetes: the file is a link into ..data, which is a link to a folder, and that link is replaced."""
    mount = tmp_path / "mount"
    written(tmp_path, "")  # a neighbour that does not matter
    mount.mkdir()
    for name in "AB":
        written(mount / f"..{name}", RULES % name)
    (mount / "..data").symlink_to("..A")
    (mount / "my.yaml").symlink_to("..data/my.yaml")

    async def play(_: Watch, rules: Rules[Engine]) -> None:
        (mount / "..new").symlink_to("..B")
        (mount / "..new").replace(mount / "..data")
        await until(lambda: said(rules) == "B")

    follow(mount / "my.yaml", tmp_path / "state", play)


def test_a_folder_that_is_replaced_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP", 0.2)  # a folder that is gone tells nothing more
    path = written(tmp_path / "rules", RULES % "A")

    async def play(_: Watch, rules: Rules[Engine]) -> None:
        path.parent.rename(tmp_path / "old")
        await until(lambda: rules.trouble is not None)
        written(tmp_path / "rules", RULES % "B")
        await until(lambda: said(rules) == "B")
        path.write_text(RULES % "C")
        await until(lambda: said(rules) == "C")

    follow(path, tmp_path / "state", play)


def test_where_the_system_tells_nothing_files_are_looked_at_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left(*_: Any, **__: Any) -> Any:
        raise OSError(28, "no inotify watches left")

    monkeypatch.setattr(module, "awatch", none_left)
    monkeypatch.setattr(module, "SWEEP", 0.1)
    path = written(tmp_path / "rules", RULES % "A")

    async def play(_: Watch, rules: Rules[Engine]) -> None:
        path.write_text(RULES % "B")
        await until(lambda: said(rules) == "B")

    follow(path, tmp_path / "state", play)
    assert "looked at every" in caplog.text


def test_a_signal_builds_anew_although_nothing_changed(tmp_path: Path) -> None:
    async def play(watch: Watch, rules: Rules[Engine]) -> None:
        lanes = rules.live.lanes
        watch.reload()
        await until(lambda: rules.live.lanes is not lanes)

    follow(written(tmp_path / "rules", RULES % "A"), tmp_path / "state", play)


def test_an_exception_that_ends_makes_the_rules_anew_at_that_moment(tmp_path: Path) -> None:
    now = [NOW]

    async def play(watch: Watch, rules: Rules[Engine]) -> None:
        lanes, rules.due = rules.live.lanes, NOW + 0.3
        watch._woken.set()  # from now on it waits for that
        await asyncio.sleep(0.1)
        assert rules.live.lanes is lanes
        now[0] += 1
        await until(lambda: rules.live.lanes is not lanes)
        assert rules.due is None

    follow(written(tmp_path / "rules", RULES % "A"), tmp_path / "state", play, lambda: now[0])


def test_the_last_change_wins_also_when_it_comes_during_a_build(tmp_path: Path) -> None:
    path = written(tmp_path / "rules", RULES % "A")

    async def play(watch: Watch, rules: Rules[Engine]) -> None:
        building, go_on = threading.Event(), threading.Event()

        def slowly(_: object) -> None:
            building.set()
            assert go_on.wait(10)

        rules.ready = slowly
        path.write_text(RULES % "B")
        assert await asyncio.to_thread(building.wait, 10)
        path.write_text(RULES % "C")  # B is being built
        watch.reload()
        go_on.set()
        await until(lambda: said(rules) == "C")
        await asyncio.sleep(0.5)
        assert said(rules) == "C"

    follow(path, tmp_path / "state", play)


def test_the_folders_of_a_link_are_its_own_and_the_one_behind_it(tmp_path: Path) -> None:
    real = written(tmp_path / "real", "")
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "my.yaml"
    link.symlink_to(real)
    assert folders_of([link]) == {tmp_path / "links", tmp_path / "real"}
    assert folders_of([tmp_path / "not" / "yet" / "my.yaml"]) == {tmp_path}


CIRCLE = "circle/list.txt"  # a link to itself
FAR = ["no\0path", f"{'x' * 300}/list.txt", CIRCLE]


@pytest.mark.parametrize("name", FAR)
def test_a_rule_file_that_names_an_odd_path_does_not_end_the_watch(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "rules", RULES % "A")
    (tmp_path / "rules" / "circle").symlink_to("circle")
    odd = RULES % "B" + f"allow: [{{file: {json.dumps(name)}, reason: because}}]\n"

    async def play(_: Watch, rules: Rules[Engine]) -> None:
        path.write_text(odd)
        await until(lambda: rules.trouble is not None)
        path.write_text(RULES % "C")
        await until(lambda: said(rules) == "C" and rules.trouble is None)

    follow(path, tmp_path / "state", play)


def test_rules_that_cannot_be_followed_are_loud_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "rules", RULES % "A")

    async def play(watch: Watch, rules: Rules[Engine]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(rules, "follow", lambda forced: 1 / 0)
            watch.reload()
            await until(lambda: "ZeroDivisionError while following" in caplog.text)
        path.write_text(RULES % "B")
        await until(lambda: said(rules) == "B")

    follow(path, tmp_path / "state", play)


def test_a_folder_that_may_not_be_looked_into_is_watched_from_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def denied(path: Any, *args: Any, **options: Any) -> os.stat_result:
        if "closed" in os.fspath(path):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)

    monkeypatch.setattr(os, "stat", denied)
    assert folders_of([tmp_path / "closed" / "inner" / "list.txt"]) == {tmp_path}


def test_who_waits_for_an_ear_to_close_can_be_stopped_meanwhile() -> None:
    """Or a proxy that changes the folders it watches would follow for ever."""

    async def go() -> None:
        ends = asyncio.Event()

        async def slow() -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                await ends.wait()

        ear = asyncio.create_task(slow())
        await asyncio.sleep(0)
        closing = asyncio.create_task(module._end(ear))
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing], timeout=5)
        assert closing.cancelled()
        ends.set()
        await asyncio.wait([ear])

    asyncio.run(go())
