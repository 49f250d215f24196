"""The demo must fail when the filter fails; else it shows nothing."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest
from rich.console import Console
from websockets.asyncio.client import connect

from proxy.core.message import Side
from proxy.demo import SAW, SCRIPT
from proxy.transcript import Line, show
from tests.harness import ROOT


def line(arrived: str | None, text: str = "mail <<bob@x.example>> or <<carol@x.example>> now") -> Line:
    """A line of which `arrived` came through."""
    made = Line.marked(Side.CLIENT, text)
    made.arrived = arrived
    return made


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "proxy", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "HUSHWIRE_LISTEN": "192.0.2.1:1"},  # is not for the demo's own proxy
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize(
    "arrived", ["mail <EMAIL_ADDRESS> or <EMAIL_ADDRESS> now", "mail *** or *** now", "mail  or  now"]
)
def test_a_line_whose_personal_parts_are_gone_is_right(arrived: str) -> None:
    assert line(arrived).problem() is None


@pytest.mark.parametrize(
    ("arrived", "problem"),
    [
        (None, "did not arrive"),
        ("mail bob@x.example or carol@x.example now", "arrived with 2 of 2 personal values in it"),
        ("mail <X> or carol@x.example now", "arrived with 1 of 2 personal values in it"),
        ("mail <X> or <X>", "was changed in other places than its personal parts"),
        ("MAIL <X> or <X> now", "was changed in other places than its personal parts"),
        ("", "was changed in other places than its personal parts"),
    ],
)
def test_a_line_that_is_not_right_says_why_without_the_value(arrived: str | None, problem: str) -> None:
    assert line(arrived).problem() == problem


def test_a_json_line_must_stay_json() -> None:
    text = '{"n": <<41111>>}'
    assert line('{"n": 0}', text).problem() is None
    assert line('{"n": <X>}', text).problem() == "is not JSON any more"


def test_a_line_without_personal_parts_must_arrive_as_it_was_sent() -> None:
    assert line("hello", "hello").problem() is None
    assert line("hello ", "hello").problem() is not None


@pytest.mark.parametrize("arrived", ["mail <X> or <X> now", "mail <X> or carol@x.example now", "", None])
def test_the_verdict_is_the_sum_of_the_lines(arrived: str | None) -> None:
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    good = show(console, [line("mail <X> or <X> now"), line(arrived)])
    said = console.export_text()
    assert good == (line(arrived).problem() is None)
    assert ("None came through" in said) == good
    assert ("Message 2 " in said) == (not good)


def test_client_and_service_take_turns_and_both_say_personal_things() -> None:
    assert [side for side, _ in SCRIPT] == [Side.CLIENT, Side.UPSTREAM] * (len(SCRIPT) // 2)
    lines = [Line.marked(side, text) for side, text in SCRIPT]
    for side in Side:
        assert sum(len(one.personal) for one in lines if one.side is side) >= 3
        assert any(one.sent.startswith("{") for one in lines if one.side is side)
        assert any(not one.personal for one in lines if one.side is side)


def test_the_demo_shows_both_sides_and_ends_well_without_a_terminal() -> None:
    result = demo()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "None came through" in result.stdout
    assert "hushwire run --upstream" in result.stdout
    assert "Ctrl-C" not in result.stdout
    for value in ("4111 1111 1111 1111", "jana.novak@mail.example.com", "+44 20 7946 0958"):
        assert result.stdout.count(value) == 1  # on the side that sent it, and there only
    assert result.stderr == ""


def test_the_demo_fails_loudly_when_the_rules_let_everything_pass() -> None:
    result = demo("--once", "--rules", "pass")
    assert result.returncode == 1
    assert "Message 1 arrived with 2 of 2 personal values in it." in result.stdout
    assert "None came through" not in result.stdout


def test_the_demo_fails_when_its_proxy_does_not_start() -> None:
    result = demo("--rules", "no-such-rules")
    assert result.returncode == 1
    assert "The demo stopped: the proxy did not start (exit code 3)" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_page_takes_off_what_the_service_puts_before_its_answer() -> None:
    assert f'const prefix = "{SAW}";' in (ROOT / "proxy" / "demo.html").read_text("utf-8")


def test_at_a_terminal_the_demo_stays_for_visitors_until_ctrl_c() -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "proxy", "demo"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1"},
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    try:
        said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", read_until(parent, "Ctrl-C stops the demo."))
        url, page = re.search(r"-m websockets (ws://\S+)", said), re.search(r"a page +(http://\S+)", said)
        assert url is not None, said
        assert page is not None, said
        assert "None came through" in said
        with urllib.request.urlopen(page[1], timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert f'new WebSocket("{url[1]}")' in answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(page[1] + "other", timeout=10)
        heard = asyncio.run(visit(url[1]))
        assert heard.startswith(f"{SAW}I am ")
        assert "eve@mail.example.com" not in heard
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        watchdog.cancel()
        os.close(parent)
    with pytest.raises(OSError):  # the proxy went with it
        asyncio.run(visit(url[1]))


async def visit(url: str) -> str:
    """Say something personal, and hear what the service saw of it."""
    async with connect(url, proxy=None, open_timeout=10) as connection:
        await connection.send("I am eve@mail.example.com")
        return str(await asyncio.wait_for(connection.recv(), 10))


def read_until(descriptor: int, end: str) -> str:
    """What a terminal shows, up to and with `end`; everything, if the program ends before."""
    said = ""
    while end not in said:
        try:
            said += os.read(descriptor, 4096).decode(errors="replace")
        except OSError:  # EIO: nobody holds the other end
            break
    return said
