"""A conversation is printed as it left, and played once more against a real service."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner
from websockets.sync.server import ServerConnection, serve

from proxy.audit import events
from proxy.audit.bodies import erase
from proxy.audit.layout import segments
from proxy.audit.reading.conversation import spoken
from proxy.commands.audit import app
from proxy.commands.audit.play import PlayError, play
from tests.audit.logs import finding, message
from tests.audit.test_conversation import Talking

SID = "0badcafe-1"
MAX = float("inf")


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["replay", *arguments, "--audit", str(folder)], prog_name="hushwire audit")
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def log(tmp_path: Path) -> Talking:
    made = Talking(tmp_path)
    made.block((events.SessionOpen, {"sid": SID, "route": "chat", "sub": "chat.v1"}))
    made.say(b"write to j***", f=[finding(), finding(), finding("CRYPTO", op="drop", mode="shadow")])
    made.say(b"noted: write to j***", dir="down", f=[])
    made.block(message(2, verdict="dropped", out=0, f=[finding("CRYPTO", op="drop")]))
    made.say(b"\x00\xff", op="binary", verdict="clean", f=[])
    made.say(b"\x00\xff", dir="down", op="binary", verdict="clean", f=[])
    made.block(
        (
            events.SessionClose,
            {
                **{"sid": SID, "route": "chat", "first": "client 1000", "codes": (1000, 1000), "reasons": (0, 0)},
                **{"messages": (3, 2), "bytes": (99, 98), "findings": (3, 0), "ms": 6500},
            },
        )
    )
    return made


@contextmanager
def service(answer: Callable[[ServerConnection], None]) -> Iterator[str]:
    """A service on loopback that talks with `answer`, at its URL."""
    with serve(answer, "127.0.0.1", 0, subprotocols=["chat.v1"]) as server:  # type: ignore[list-item] # a NewType
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


class Hearing:
    """Notes what comes, and answers as the recorded service did."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.subprotocol: str | None = None

    def __call__(self, connection: ServerConnection) -> None:
        self.subprotocol = connection.subprotocol
        for said in connection:
            self.heard.append(said)
            connection.send(f"noted: {said}" if isinstance(said, str) else said)


def test_a_conversation_is_printed_as_it_left(tmp_path, log):
    code, out, _ = run(tmp_path, SID)
    lines = [line.rstrip() for line in out.splitlines()]
    assert code == 0
    assert lines[0].startswith("     0.000  opened ") and lines[0].endswith(", route chat, chat.v1")
    assert lines[1:] == [
        "     1.000  client -->  write to j***",
        "                        EMAIL_ADDRESS\N{RIGHTWARDS ARROW}mask \N{MULTIPLICATION SIGN}2",
        "     2.000  <-- service noted: write to j***",
        "     3.000  client -->  (dropped)",
        "                        CRYPTO\N{RIGHTWARDS ARROW}drop",
        "     4.000  client -->  (2 bytes) 00 ff",
        "     5.000  <-- service (2 bytes) 00 ff",
        "     6.000  closed by client 1000, after 6.500 s",
    ]


def test_the_same_as_json_is_one_object_a_line(tmp_path, log):
    erase(segments(log.folder)[0].beside("bodies"), {2})
    code, out, _ = run(tmp_path, SID, "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and {one["sid"] for one in told} == {SID}
    assert [one.get("text") or one.get("base64") or one.get("absent") or one["kind"] for one in told] == [
        *("session.open", "write to j***", "erased", "dropped", "AP8=", "AP8=", "session.close"),
    ]
    assert [one.get("dir") for one in told] == [None, "up", "down", "up", "up", "down", None]
    assert [one["seconds"] for one in told] == [0, 1, 2, 3, 4, 5, 6]


def test_a_control_character_is_not_obeyed_by_the_terminal(tmp_path):
    Talking(tmp_path).say(b"a\x1b[2Jb\nc")
    assert "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c" in run(tmp_path, SID)[1]


def test_a_session_that_is_not_there_and_an_audit_without_bodies_are_told(tmp_path):
    log = Talking(tmp_path)
    log.block(message())
    code, _, err = run(tmp_path, "0badcafe-2")
    assert code == 2 and "there is no session 0badcafe-2" in err
    code, out, err = run(tmp_path, SID)
    assert code == 1 and "(not kept)" in out and "sanitised" in err
    code, out, err = run(tmp_path, SID, "--to", "ws://127.0.0.1:1")
    assert code == 1 and "Connection refused" in err


def test_a_conversation_that_was_erased_is_not_said_to_have_never_been_kept(tmp_path):
    log = Talking(tmp_path)
    log.say(b"one")
    erase(segments(log.folder)[0].beside("bodies"), {0})
    code, out, err = run(tmp_path, SID)
    assert code == 1 and "(erased)" in out and "was erased" in err and "sanitised" not in err


def test_a_damaged_log_is_told_with_its_place(tmp_path, log):
    path = segments(log.folder)[0].path
    path.write_bytes(path.read_bytes().replace(b'"lat_us"', b'"lat_xx"', 1))
    code, _, err = run(tmp_path, SID)
    assert code == 1 and "log-0/20261119-000000.jsonl" in err and "verify" in err


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "inf", "nan"])
def test_a_speed_is_a_number_above_nothing_or_max(tmp_path, log, speed):
    code, _, err = run(tmp_path, SID, "--to", "ws://127.0.0.1:1", f"--speed={speed}")
    assert code == 2 and "max" in err


def test_what_is_no_address_is_told(tmp_path, log):
    code, _, err = run(tmp_path, SID, "--to", "http://127.0.0.1:1")
    assert code == 1 and "ws://HOST:PORT" in err


def test_the_service_gets_what_left_and_its_answers_are_the_same(tmp_path, log):
    hearing = Hearing()
    with service(hearing) as url:
        code, out, _ = run(tmp_path, SID, "--to", url, "--speed", "max")
    assert hearing.heard == ["write to j***", b"\x00\xff"] and hearing.subprotocol == "chat.v1"
    assert (code, out) == (0, "2 messages sent; 2 of 2 answers came as before\n")


def test_answers_that_differ_or_lack_or_are_new_are_told_without_what_they_say(tmp_path, log):
    def answer(connection: ServerConnection) -> None:
        connection.send("welcome")
        connection.recv()
        connection.send("something else")
        connection.recv()

    with service(answer) as url:
        code, out, _ = run(tmp_path, SID, "--to", url, "--speed", "max", "--patience", "0.3")
        assert code == 1 and "welcome" not in out and "something" not in out
        assert "0 of 2 answers came as before" in out
        assert "answer 1 differs: text, 7 bytes, then text, 20 bytes" in out
        code, out, _ = run(tmp_path, SID, "--to", url, "--speed", "max", "--patience", "0.3", "--json")
    told = json.loads(out)
    assert (told["sent"], told["answers"], told["same"], told["ended"]) == (2, 2, 0, None)
    assert [(one["answer"], one["now"]) for one in told["different"]] == [
        (1, {"op": "text", "bytes": 7}),
        (2, {"op": "text", "bytes": 14}),
    ]


def test_a_service_that_hangs_up_is_told(tmp_path, log):
    with service(lambda connection: connection.close(1008, "no")) as url:
        code, out, _ = run(tmp_path, SID, "--to", url, "--speed", "max")
    assert (
        code == 1
        and "the service ended the connection: 1008" in out
        and "did not come" not in out.splitlines()[-1]
    )


def test_an_erased_message_is_not_sent_and_counted(tmp_path, log):
    erase(segments(log.folder)[0].beside("bodies"), {1})
    hearing = Hearing()
    with service(hearing) as url:
        played = play(spoken(tmp_path, sid=SID), url, MAX, 0.2, lambda _sent: None)
    assert hearing.heard == [b"\x00\xff"] and (played.sent, played.absent, played.same) == (1, 1, 1)
    assert not played.alike  # the answer to what was erased lacks


def test_a_message_waits_for_the_answers_that_came_before_it(tmp_path, log):
    order: list[str] = []

    def slow(connection: ServerConnection) -> None:
        for said in connection:
            order.append("heard")
            time.sleep(0.2)
            order.append("answered")
            connection.send(said)

    with service(slow) as url:
        play(spoken(tmp_path, sid=SID), url, MAX, 5, lambda _sent: None)
    assert order == ["heard", "answered"] * 2


def test_pauses_are_as_they_were_divided_by_the_speed(tmp_path, log):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with service(Hearing()) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr("proxy.commands.audit.play.asyncio", _Sleeping(sleep))
        play(spoken(tmp_path, sid=SID), url, 2, 5, lambda _sent: None)
    assert slept[0] == pytest.approx(0.5, abs=0.2) and slept[1] == pytest.approx(2, abs=0.3)


class _Sleeping:
    """asyncio, but for its sleep."""

    def __init__(self, sleep: object) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)


def test_a_service_that_is_not_there_is_told(tmp_path, log):
    with pytest.raises(PlayError, match="cannot connect"):
        play(spoken(tmp_path, sid=SID), "ws://127.0.0.1:1", MAX, 1, lambda _sent: None)
