"""A TCP tunnel that passes bytes on as they are, or spoilt on purpose.

It is the control of every comparison: what differs through an honest tunnel differs by chance, and what a
spoiling one changes must be noticed. (A reset arrives as a FIN; the services cannot tell them apart.)
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

Spoil = Callable[[bytes], bytes]


class Tunnel:
    """Listens on an ephemeral port and connects to `port`; `spoil` alters what comes back from there."""

    def __init__(self, port: int, spoil: Spoil = bytes) -> None:
        self.upstream = ("127.0.0.1", port)
        self.spoil = spoil
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve)
        self.pairs: list[threading.Thread] = []

    def __enter__(self) -> Tunnel:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in (self.thread, *self.pairs):
            thread.join(10)
            assert not thread.is_alive()
        self.listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                client, _ = self.listener.accept()
                thread = threading.Thread(target=self._connect, args=(client,))
                self.pairs.append(thread)
                thread.start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.upstream) as upstream:
            back = threading.Thread(target=pump, args=(upstream, client, self.spoil))
            back.start()
            pump(client, upstream, bytes)
            back.join()


def pump(source: socket.socket, target: socket.socket, change: Spoil) -> None:
    """Pass on until the source ends, and pass that on too."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(change(data))
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
