"""`hushwire demo`: a small service, the real proxy in front of it, and a client that talks to it.

The proxy is started as a user would start it, in a process of its own, and the transcript shows what really
arrived on each side. It is checked, too: exit code 1 if a value came through, or anything else was changed.
All people, cards, numbers and addresses here are made up.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.resources import files
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.http11 import Request, Response

from proxy.banner import python
from proxy.core.message import Side
from proxy.transcript import Line, show

START = 60.0  # seconds for the proxy to start; it loads its rules first
STEP = 15.0  # seconds for one message to arrive
SAW = "the service saw: "  # demo.html takes it off again
STAGE = "/the-demo"  # the path on which the service answers by the script; elsewhere it says what it saw

# Who says what, with the personal parts in <<...>>. The client speaks first; each line is answered by the next.
SCRIPT = (
    (
        Side.CLIENT,
        "My card <<4111 1111 1111 1111>> was charged twice, please write to <<jana.novak@mail.example.com>>",
    ),
    (Side.UPSTREAM, "Sorry! You can reach our desk at <<+44 20 7946 0958>> or <<ruth@billing.example.org>>"),
    (
        Side.CLIENT,
        '{"type": "refund", "amount": 49.90, "iban": "<<DE89 3704 0044 0532 0130 00>>", "ip": "<<81.2.69.142>>"}',
    ),
    (
        Side.UPSTREAM,
        '{"type": "refund.done", "id": 7, "from": "<<GB29 NWBK 6016 1331 9268 19>>", '
        '"text": "Questions? Call <<+1 415 555 2671>>"}',
    ),
    (Side.CLIENT, "Great, thank you!"),
    (Side.UPSTREAM, "You are welcome. Have a nice day!"),
)


NEXT = """
Next, put it in front of a service of your own:
  [bold cyan]hushwire run --upstream ws://HOST:PORT[/bold cyan]
"""


class Broken(Exception):  # noqa: N818 - told to the user as one sentence
    """The demo cannot go on."""


@dataclass(slots=True)
class Stage:
    """The script being played: lines as sent, and as they arrived."""

    lines: list[Line] = field(default_factory=lambda: [Line.marked(side, text) for side, text in SCRIPT])
    page: str | None = None  # for browsers, once there is a proxy to connect to

    async def service(self, connection: ServerConnection) -> None:
        """The service behind the proxy. On the stage it answers by the script; a visitor hears what it saw."""
        visitor = connection.request is None or connection.request.path != STAGE
        with suppress(ConnectionClosed):  # whoever leaves early is missed on the other side, in the transcript
            await (self.echo(connection) if visitor else self.answer(connection))

    async def echo(self, connection: ServerConnection) -> None:
        """Say what was seen, until the visitor leaves."""
        async for message in connection:
            await connection.send(f"{SAW}{message}" if isinstance(message, str) else message)

    async def answer(self, connection: ServerConnection) -> None:
        """The service's half of the script."""
        for asked, answer in zip(self.lines[::2], self.lines[1::2], strict=True):
            asked.arrived = str(await connection.recv())
            await connection.send(answer.sent)

    def browser(self, connection: ServerConnection, request: Request) -> Response | None:
        """The page, for a request that is no WebSocket handshake; None goes on with the handshake."""
        if self.page is None or "Upgrade" in request.headers:
            return None
        if request.path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "There is only one page here: /\n")
        response = connection.respond(HTTPStatus.OK, self.page)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    async def client(self, url: str) -> None:
        """The client, through the proxy at `url`."""
        async with connect(url + STAGE, proxy=None) as connection:
            for asked, answer in zip(self.lines[::2], self.lines[1::2], strict=True):
                await connection.send(asked.sent)
                answer.arrived = str(await asyncio.wait_for(connection.recv(), STEP))


def main(rules: str, *, stay: bool) -> int:
    """Play the demo with `rules`; with `stay`, keep serving until a signal. Returns the exit code."""
    try:
        return asyncio.run(play(Console(highlight=False), rules, stay=stay))
    except Broken as broken:
        Console(stderr=True, highlight=False).print(f"The demo stopped: {broken}", style="red", markup=False)
        return 1
    except asyncio.CancelledError:
        return 130  # by a signal, before there was anything to see


async def play(console: Console, rules: str, *, stay: bool) -> int:
    """Service, proxy, client; then the transcript."""
    cancel_on_signal()
    stage = Stage()
    console.print("Starting a small service and the proxy in front of it (slower the first time) ...", style="dim")
    async with (
        serve(stage.service, "127.0.0.1", 0, process_request=stage.browser) as service,
        proxy(port_of(service), rules) as running,
    ):
        try:
            await stage.client(running.url)
        except (WebSocketException, TimeoutError, OSError) as error:
            raise Broken(f"the conversation broke off ({type(error).__name__})") from None
        if not show(console, stage.lines):
            return 1
        console.print(NEXT, soft_wrap=True)
        if stay:
            page = files("proxy").joinpath("demo.html").read_text("utf-8")
            stage.page = page.replace("{{url}}", f"{running.url}/")
            await receive_visitors(console, running, f"http://127.0.0.1:{port_of(service)}/")
    return 0


def cancel_on_signal() -> None:
    """Ctrl-C and SIGTERM end the demo through its `async with` blocks, so that the proxy is ended too."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def port_of(server: Server) -> int:
    """The port the system chose."""
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


@dataclass(frozen=True, slots=True)
class Running:
    """A started proxy."""

    process: asyncio.subprocess.Process
    url: str
    admin: str


# Quiet, so that the transcript stays whole; and gone soon after Ctrl-C, even if a visitor is still connected.
QUIETLY = ("--json", "--log-level", "warning", "--drain-wait", "0", "--drain-deadline", "1s")
WHERE = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--max-connections", "100")


@asynccontextmanager
async def proxy(port: int, rules: str) -> AsyncIterator[Running]:
    """`hushwire run` before the service on `port`; ended on the way out. Raises Broken if it does not start."""
    command = [sys.executable, "-m", "proxy", "run", *QUIETLY, *WHERE]
    # What the user has set for a proxy of their own is not meant for this one, nor is their audit.
    mine = {name: value for name, value in os.environ.items() if not name.startswith("HUSHWIRE_")}
    with TemporaryDirectory(prefix="hushwire-demo-") as state:
        process = await asyncio.create_subprocess_exec(
            *command,
            *("--upstream", f"ws://127.0.0.1:{port}", "--rules", rules),
            stdin=DEVNULL,
            stdout=PIPE,
            env={**mine, "XDG_STATE_HOME": state},
            # A session of its own: Ctrl-C shall reach the demo alone, which then ends the proxy in good order.
            start_new_session=True,
        )
        try:
            ready = await first_event(process)
            yield Running(process, f"ws://{ready['listen']}", f"http://{ready['admin']}")
        finally:
            await end(process)


async def first_event(process: asyncio.subprocess.Process) -> dict[str, str]:
    """What the proxy says when it is ready. Raises Broken."""
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START)
    except TimeoutError:
        raise Broken(f"the proxy did not start within {START:.0f} seconds") from None
    if not line:
        raise Broken(f"the proxy did not start (exit code {await process.wait()})")
    event: dict[str, str] = json.loads(line)
    return event


async def end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, and SIGKILL if that does not help."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STEP)
        except TimeoutError:
            process.kill()
            await process.wait()


async def receive_visitors(console: Console, running: Running, page: str) -> None:
    """Keep serving until a signal. Raises Broken if the proxy ends before."""
    console.print("Or talk to this one, and see what the service sees:")
    for label, line in (
        ("a page", page),
        ("a terminal", f"{python()} -m websockets {running.url}/"),
        ("the counters", f"curl {running.admin}/-/metrics"),
    ):
        console.print(Text.assemble(f"  {label:<13} ", (line, "bold cyan")), soft_wrap=True)
    console.print("\nCtrl-C stops the demo.", style="dim")
    try:
        code = await running.process.wait()
    except asyncio.CancelledError:
        return  # the signal the visitor was asked to send
    raise Broken(f"the proxy ended with exit code {code}")
