"""A client that does not say goodbye, which no WebSocket library will let one be."""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.uri import parse_uri

from tests.examples.service import PATIENCE


class Rude:
    """A client that shook hands properly and then only owns a socket."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80), PATIENCE)
        self.protocol = ClientProtocol(parse_uri(url))
        self.protocol.send_request(self.protocol.connect())
        self._flush()
        while self.protocol.handshake_exc is None and not self._accepted():
            self.protocol.receive_data(self.socket.recv(65536))

    def _accepted(self) -> bool:
        return any(isinstance(event, Response) for event in self.protocol.events_received())

    def _flush(self) -> None:
        self.socket.sendall(b"".join(self.protocol.data_to_send()))

    def __enter__(self) -> Rude:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.socket.close()

    def says(self, text: str) -> None:
        """Send a text."""
        self.protocol.send_text(text.encode())
        self._flush()

    def says_last(self, text: str) -> None:
        """Send a text and the CLOSE in one segment, so that no answer can be sent any more."""
        self.protocol.send_text(text.encode())
        self.protocol.send_close(1000)
        self._flush()

    def vanishes(self, how: Literal["fin", "rst"]) -> None:
        """End the TCP connection without a CLOSE: quietly, or by a reset (SO_LINGER 0)."""
        if how == "rst":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
