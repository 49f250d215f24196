"""The vocabulary of conversations, and the transcript that is kept of one.

A script is a function that is told a Stage; it is performed once directly and once through whatever
stands in between, and the two transcripts must be equal. What differs by design is left out here, in one
place: the names and values in LEFT_OUT and `plain`, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import cast
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.examples.rude import Rude
from tests.examples.service import PATIENCE, Service, Visit

Row = tuple[object, ...]
Transcript = list[Row]
Clean = Callable[[str | bytes], object]
Pairs = Iterable[tuple[str, str]]

# Written by a proxy that says who it forwards for.
LEFT_OUT = frozenset({"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded"})


def plain(headers: Pairs, authority: str) -> list[tuple[str, str]]:
    """Headers without what differs from one run to the next: in order, names spelt as they came."""
    return [
        (name, settled(name.lower(), value, authority)) for name, value in headers if name.lower() not in LEFT_OUT
    ]


def settled(name: str, value: str, authority: str) -> str:
    """The value of a header, or what can be said of it that does not depend on the run."""
    match name:
        case "sec-websocket-key" | "sec-websocket-accept" | "date":
            return "(random)"  # the client has checked that key and accept belong together
        case "sec-websocket-extensions":  # each leg may negotiate its own parameters
            return ", ".join(extension.split(";")[0].strip() for extension in value.split(","))
        case "host" if value == authority:
            return "(as dialled)"
        case _:
            return value


class Actor:
    """A client in a conversation. Every method writes down what was observed."""

    def __init__(self, name: str, connection: ClientConnection, transcript: Transcript) -> None:
        self.name = name
        self.connection = connection
        self.transcript = transcript

    def _write(self, *row: object) -> None:
        self.transcript.append((self.name, *row))

    def says(self, *messages: str | bytes | Sequence[str]) -> None:
        """Send messages; a list of texts is one message in fragments."""
        for message in messages:
            self.connection.send(message)

    def hears(self, count: int = 1, clean: Clean = lambda message: message) -> None:
        """Write down the next messages, each put through `clean`."""
        for _ in range(count):
            message = self.connection.recv(PATIENCE)
            self._write("text" if isinstance(message, str) else "binary", clean(message))

    def asks(self, *messages: str | bytes | Sequence[str]) -> None:
        """Send messages one by one and hear one answer to each."""
        for message in messages:
            self.says(message)
            self.hears()

    def pings(self, payload: bytes) -> None:
        """Send a ping and wait for the pong with the same payload."""
        self._write("pong", payload, self.connection.ping(payload).wait(PATIENCE))

    def leaves(self, code: int = 1000, reason: str = "") -> None:
        """Close, then write down what was still unheard and how the close was answered."""
        self.connection.close(code, reason)
        self.sees_the_end()

    def sees_the_end(self) -> None:
        """Write down every message up to the close, then the close as both sides put it, and who was first."""
        try:
            while True:
                self.hears()
        except ConnectionClosed as closed:
            self._write("close", words(closed.rcvd), words(closed.sent), closed.rcvd_then_sent)


def words(close: Close | None) -> tuple[int, str] | None:
    """The content of a CLOSE frame; None if there was none."""
    return None if close is None else (close.code, close.reason)


class Stage:
    """Where one performance of a script takes place."""

    def __init__(self, url: str, compression: str | None) -> None:
        self.url = url
        self.authority = urlsplit(url).netloc
        self.compression = compression
        self.transcript: Transcript = []
        self.connections = ExitStack()  # closes what the script leaves open, for example because it failed

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.connections.close()

    def enters(
        self,
        name: str,
        path: str,
        headers: Mapping[str, str] | Pairs = (),
        subprotocols: Sequence[str] | None = None,
        origin: str | None = None,
    ) -> Actor:
        """A client connects and is accepted. Raises InvalidStatus, written down as well, if it is refused."""
        try:
            opening = connect(
                self.url + path,
                proxy=None,
                compression=self.compression,
                additional_headers=Headers(headers),
                subprotocols=cast("Sequence[Subprotocol] | None", subprotocols),
                origin=cast("Origin | None", origin),
                open_timeout=PATIENCE,
                close_timeout=PATIENCE,
            )
            connection = self.connections.enter_context(opening)
        except InvalidStatus as refused:
            self._write_handshake(name, refused.response)
            raise
        assert connection.response is not None
        self._write_handshake(name, connection.response)
        self.transcript.append((name, "subprotocol", connection.subprotocol))
        return Actor(name, connection, self.transcript)

    def knocks(self, name: str, path: str, **options: object) -> None:
        """A client connects and is refused."""
        try:
            self.enters(name, path, **options)  # type: ignore[arg-type]
        except InvalidStatus:
            return
        raise AssertionError(f"{name} was let in at {path}")

    def breaks_in(self, path: str) -> Rude:
        """A client connects and will not behave; nothing of it is written down but what the others see."""
        return self.connections.enter_context(Rude(self.url + path))

    def _write_handshake(self, name: str, response: Response) -> None:
        headers = plain(response.headers.raw_items(), self.authority)
        body = bytes(response.body or b"")
        self.transcript.append((name, "handshake", response.status_code, response.reason_phrase, headers, body))


Script = Callable[[Stage], None]


def perform(script: Script, url: str, service: Service, compression: str | None = None) -> Transcript:
    """Play `script` against `url` and return what the clients and then what `service` observed."""
    start = len(service.watch.visits)
    with Stage(url, compression) as stage:
        script(stage)
    for number, visit in enumerate(service.visits_since(start), 1):
        assert visit.failure is None, f"the service failed with {visit.failure}"
        stage.transcript += visit_rows(f"service {number}", visit, stage.authority)
    return stage.transcript


def visit_rows(name: str, visit: Visit, authority: str) -> Transcript:
    """What the service observed of one connection."""
    headers = plain(visit.headers, authority)
    request = (name, "request", visit.path, visit.query, visit.subprotocols, headers)
    return [request, *((name, *event) for event in visit.events)]


def answer_to(transcript: Transcript, name: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of the first handshake of `name`."""
    row = next(row for row in transcript if row[:2] == (name, "handshake"))
    status, _, headers, body = cast("tuple[int, str, list[tuple[str, str]], bytes]", row[2:])
    return status, {key.lower(): value for key, value in headers}, body


def heard(transcript: Transcript, name: str, kind: str = "text") -> list[object]:
    """What came to `name`: contents of messages, or of what else `kind` names."""
    return [row[2] for row in transcript if row[:2] == (name, kind)]
