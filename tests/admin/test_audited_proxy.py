"""A real proxy whose audit keeps what leaves: it is what the other side got, and the admin port tells of it."""

from __future__ import annotations

import base64
import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from tests.commands.running import hushwire
from tests.harness import Hushwire

TOKEN = "s3cret"
SAID: list[str | bytes] = [
    "write to jana.novak@mail.example.com",
    "nothing to see here",
    '{"iban": "GB33 BUKB 2020 1555 5555 55", "name": "\u017d\u00edt"}',
    b"\x00\x01\xff",
    "",
    "x" * 200_000 + " jana.novak@mail.example.com",
]
VALUES = (b"jana.novak", b"BUKB 2020", b"BUKB2020", b"ruth@billing")


class Service:
    """Remembers what it got, and says it back; `personal` comes on top."""

    def __init__(self) -> None:
        self.got: list[str | bytes] = []

    def __call__(self, connection: ServerConnection) -> None:
        for said in connection:
            self.got.append(said)
            connection.send(said)
            connection.send("ask ruth@billing.example.org")


@contextmanager
def serving(service: Service) -> Iterator[str]:
    with serve(service, "127.0.0.1", 0, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


class Lines:
    """Server-sent events of a live tail, in a thread of their own."""

    def __init__(self, url: str, query: str) -> None:
        self.events: list[dict[str, Any]] = []
        self.ready, self.enough = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._read, args=(url, query))
        self.thread.start()
        assert self.ready.wait(30)

    def _read(self, url: str, query: str) -> None:
        with httpx.stream("GET", f"{url}/-/audit/events{query}", headers=HEADERS, timeout=30) as answer:
            for line in answer.iter_lines():
                self.ready.set()
                if line.startswith("data: "):
                    self.events.append(json.loads(line[6:]))
                    if self.events[-1]["kind"] == "session.close":
                        return


HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def test_what_is_kept_is_what_the_other_side_got_and_can_be_played_again(tmp_path: Path) -> None:
    audit, token = tmp_path / "audit", tmp_path / "token"
    token.write_text(TOKEN)
    service = Service()
    options = ("--audit", str(audit), "--audit-level", "sanitised", "--admin-token-file", str(token))
    state = {"XDG_STATE_HOME": str(tmp_path / ".state")}
    with serving(service) as upstream, Hushwire(upstream, *options, variables=state) as proxy:
        admin = f"http://{proxy.admin}"
        tail = Lines(admin, "?kind=message&kind=session.close&kind=session.open")
        got = _talk(proxy.url)
        tail.thread.join(30)
        found = httpx.get(f"{admin}/-/audit?kind=message&limit=100", headers=HEADERS, timeout=30).json()["events"]
        messages = [event for event in tail.events if event["kind"] == "message"]
        assert [event["seq"] for event in messages] == [event["seq"] for event in found[::-1]]
        assert len(messages) == len(service.got) + len(got)
        assert tail.events[0]["kind"] == "session.open"
        sid = messages[0]["sid"]
        _is_what_left(audit, sid, service.got, got, tmp_path)
    search = hushwire(
        "audit", "search", "--kind", "export", "--json", "--audit", str(audit), folder=tmp_path
    ).stdout
    shown = [json.loads(line) for line in search.splitlines()]
    assert {(one["form"], one["count"]) for one in shown} == {("api", len(found)), ("api", len(tail.events))}
    again = Service()
    with serving(again) as upstream:
        play = ("audit", "replay", sid, "--audit", str(audit), "--to", upstream, "--speed", "max", "--json")
        told = json.loads(hushwire(*play, folder=tmp_path).stdout)
    assert again.got == service.got
    assert told["sent"] == len(SAID) and told["same"] == len(SAID)  # the others were redacted then

    _holds_nothing_found(tmp_path)


def _talk(url: str) -> list[str | bytes]:
    got: list[str | bytes] = []
    with connect(url, max_size=None) as connection:
        for one in SAID:
            connection.send(one)
            got += [connection.recv(30), connection.recv(30)]
    return got


def _is_what_left(audit: Path, sid: str, up: list[str | bytes], down: list[str | bytes], folder: Path) -> None:
    done = hushwire("audit", "replay", sid, "--json", "--audit", str(audit), folder=folder)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for way, got in (("up", up), ("down", down)):
        said = [one for one in told if one["kind"] == "message" and one["dir"] == way]
        assert [one["text"] if "text" in one else base64.b64decode(one["base64"]) for one in said] == got


def _holds_nothing_found(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    (bodies,) = [path for path in files if path.suffix == ".bodies"]
    assert stat.S_IMODE(bodies.stat().st_mode) == 0o600 and b"nothing to see here" in bodies.read_bytes()
    for path in files:
        content = path.read_bytes()
        assert not any(value in content for value in VALUES), path
        assert path == bodies or b"nothing to see here" not in content, path


@pytest.mark.parametrize("option", [(), ("--audit", "off")])
def test_without_a_token_or_an_audit_the_doors_stay_shut(tmp_path: Path, option: tuple[str, ...]) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path)}
    with serving(Service()) as upstream, Hushwire(upstream, *option, variables=state) as proxy:
        assert httpx.get(f"http://{proxy.admin}/-/audit", timeout=30).status_code == 403
