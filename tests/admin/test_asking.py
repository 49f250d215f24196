"""The process that reads the audit: late, busy, dead or idle, it is the asker's trouble and nobody else's."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from proxy.admin import asking
from proxy.admin.answering import answered, serve
from proxy.admin.asking import HEAD, AskError, Audit, Child
from proxy.admin.lookups import Lookups
from tests.audit.logs import HandMade, message

CHECKPOINT = {"ask": "checkpoint"}
SEARCH: dict[str, Any] = {"ask": "search", "question": {}, "limit": 5, "before": None}


@pytest.fixture
def log(tmp_path: Path) -> HandMade:
    made = HandMade(tmp_path)
    made.block(message(1))
    return made


def asked(directory: Path, script: Callable[[Audit], Awaitable[None]], **limits: Any) -> None:
    async def go() -> None:
        audit = Audit(directory, **limits)
        try:
            async with asyncio.timeout(60):
                await script(audit)
        finally:
            await audit.close()
            assert audit._children == []

    asyncio.run(go())


@contextmanager
def index_is_written(directory: Path) -> Iterator[None]:
    """By somebody else, who takes his time."""
    lock = os.open(directory / "index.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


async def ended(child: Child) -> None:
    while not child.ended:  # noqa: ASYNC110 - another process sets no event
        await asyncio.sleep(0.01)


def test_one_process_answers_one_after_the_other(tmp_path, log):
    async def script(audit: Audit) -> None:
        pieces = await asyncio.gather(*(audit.ask(CHECKPOINT) for _ in range(asking.WAITING)))
        assert [piece.status for piece in pieces] == [200] * asking.WAITING
        assert len(audit._children) == 1

    asked(tmp_path, script)


def test_more_questions_than_can_wait_are_turned_away(tmp_path, log):
    async def script(audit: Audit) -> None:
        results = await asyncio.gather(*(audit.ask(CHECKPOINT) for _ in range(20)), return_exceptions=True)
        turned_away = [one for one in results if isinstance(one, AskError)]
        assert len(turned_away) == 20 - asking.WAITING and {one.status for one in turned_away} == {503}
        assert (await audit.ask(CHECKPOINT)).status == 200

    asked(tmp_path, script)


def test_who_asks_too_much_hears_so_in_time_and_the_next_one_is_answered(tmp_path, log):
    async def script(audit: Audit) -> None:
        with index_is_written(tmp_path):
            with pytest.raises(AskError, match="ask for less") as caught:
                await audit.ask(SEARCH)
            assert caught.value.status == HTTPStatus.GATEWAY_TIMEOUT
            (late,) = audit._children
            await ended(late)  # it was not left to work on
        audit.limit = 30
        assert (await audit.ask(SEARCH)).events == 1

    asked(tmp_path, script, limit=0.5)


def test_a_process_that_dies_is_told_and_replaced(tmp_path, log):
    async def script(audit: Audit) -> None:
        await audit.ask(CHECKPOINT)
        (child,) = audit._children
        with index_is_written(tmp_path):
            question = asyncio.create_task(audit.ask(SEARCH))
            await asyncio.sleep(0.2)
            os.kill(child._process.pid, signal.SIGKILL)
            with pytest.raises(AskError, match="has ended") as caught:
                await question
        assert caught.value.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert (await audit.ask(SEARCH)).events == 1

    asked(tmp_path, script)


def test_a_process_that_died_between_two_questions_is_not_noticed(tmp_path, log):
    async def script(audit: Audit) -> None:
        await audit.ask(CHECKPOINT)
        (child,) = audit._children
        os.kill(child._process.pid, signal.SIGKILL)
        await ended(child)
        assert (await audit.ask(CHECKPOINT)).status == 200

    asked(tmp_path, script)


def test_a_process_that_nobody_asks_ends(tmp_path, log):
    async def script(audit: Audit) -> None:
        await audit.ask(CHECKPOINT)
        (child,) = audit._children
        await ended(child)
        assert child._process.returncode == 0
        assert (await audit.ask(CHECKPOINT)).status == 200

    asked(tmp_path, script, idle=0.05)


def test_the_process_ends_with_the_proxy_however_that_ends(tmp_path, log):
    async def script(audit: Audit) -> None:
        await audit.ask(CHECKPOINT)
        await anext(audit.stream({"ask": "tail", "question": {}, "behind": None}))
        for child in audit._children:
            child._writer.transport.abort()  # all that is left of a proxy that was killed
        for child in audit._children:
            await ended(child)

    asked(tmp_path, script)


def test_the_process_has_no_secrets_in_its_environment(tmp_path, log, monkeypatch):
    monkeypatch.setenv("HUSHWIRE_ADMIN_TOKEN", "s3cret")

    async def script(audit: Audit) -> None:
        await audit.ask(CHECKPOINT)
        (child,) = audit._children
        environment = await asyncio.to_thread(Path(f"/proc/{child._process.pid}/environ").read_bytes)
        assert b"PYTHONPATH" in environment and b"s3cret" not in environment

    asked(tmp_path, script)


# -- what it answers ------------------------------------------------------------------------------------------


def test_while_the_index_is_being_built_it_is_told_how_far_that_is(tmp_path, log):
    lookups = Lookups(tmp_path, patience=0.05)
    with index_is_written(tmp_path):
        for _ in range(2):  # the thread goes on, and is not started again
            status, said = answered(lookups, SEARCH)
            assert status == 503 and isinstance(said.body, dict) and "being built, 0 %" in said.body["detail"]
            assert lookups._catching_up is not None
    lookups._catching_up.join(10)
    status, said = answered(lookups, SEARCH)
    assert status == 200 and said.events == 1


def test_what_cannot_be_read_is_told_with_a_cure(tmp_path, log):
    (tmp_path / "index.lock").mkdir()
    status, said = answered(Lookups(tmp_path), SEARCH)
    assert status == 500 and isinstance(said.body, dict) and "--index" in said.body["detail"]
    (tmp_path / "public.key").unlink()
    status, said = answered(Lookups(tmp_path), CHECKPOINT)
    assert status == 500 and said.body == {"detail": "the audit cannot be read (No such file or directory)"}


def test_questions_are_answered_until_there_are_no_more(tmp_path, log):
    lines = [b'{"ask": "checkpoint"}\n', b'{"ask": "checkpoint"}\n', b""]
    pieces: list[bytes] = []
    serve(tmp_path, lambda: lines.pop(0), pieces.append)
    for piece in pieces:
        length, status, events = HEAD.unpack_from(piece)
        assert (len(piece) - HEAD.size, status, events) == (length, 200, 0)
    assert len(pieces) == 2
