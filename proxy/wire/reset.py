"""Ending a TCP connection with RST, as its peer did on the other side."""

from __future__ import annotations

import asyncio
import socket
import struct

LINGER_0 = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST instead of FIN

GONE_BY_RESET = "reset"
"""Message of the cancellation of a handshake whose client was lost to a RST."""


def reset(transport: asyncio.Transport) -> None:
    """Drop whatever is buffered and send RST."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    transport.abort()
