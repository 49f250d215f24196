"""The upgrade request on its way upstream: what is kept, dropped and added. Pure functions over raw headers.

Names keep their case and all headers their order; a header is `(name, value)` as bytes (latin-1).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from proxy.settings import Network, Settings
from proxy.wire.deflate import offer

Header = tuple[bytes, bytes]

# RFC 9110 section 7.6.1. Connection and Upgrade themselves are hop-by-hop too, but every hop of a WebSocket
# handshake sends the same ones, so the client's spelling goes on.
HOP_BY_HOP = frozenset(
    (b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer")
)
FORWARDED = frozenset((b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"))
EXTENSIONS = b"sec-websocket-extensions"


@dataclass(frozen=True, slots=True)
class Request:
    """An upgrade request as it came in: `target` is the raw request target, never decoded."""

    method: bytes
    target: bytes
    version: str
    headers: tuple[Header, ...]
    peer: str  # IP address of the TCP connection
    secure: bool

    def values(self, name: bytes) -> list[bytes]:
        """All values of the header `name` (lower case), in order."""
        return [value for key, value in self.headers if key.lower() == name]

    def offered(self) -> frozenset[str]:
        """The subprotocols that the client asks for."""
        values = self.values(b"sec-websocket-protocol")
        return frozenset(token.strip().decode("latin-1") for value in values for token in value.split(b","))

    def fault(self) -> str | None:
        """Why this request must not be passed on, or None."""
        if not self.target.startswith(b"/"):
            return "the request target must be a path, for example /chat"
        if self.method != b"GET":
            return "a WebSocket handshake is a GET request (RFC 6455 section 4.1)"
        if self.version != "1.1":  # RFC 9110 section 7.8: an Upgrade in HTTP/1.0 means nothing
            return "a WebSocket handshake is a request in HTTP/1.1 (RFC 6455 section 4.1)"
        if self.values(b"transfer-encoding") or any(v.strip() != b"0" for v in self.values(b"content-length")):
            return "a WebSocket handshake has no body"
        if len(self.values(b"sec-websocket-key")) != 1:
            return "a WebSocket handshake has one Sec-WebSocket-Key header (RFC 6455 section 4.1)"
        return None


def trusted(peer: str, networks: Sequence[Network]) -> bool:
    """Whether X-Forwarded-* of this TCP peer is believed."""
    if not networks:
        return False
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False  # a Unix socket or no address: not in any network
    return any(address in network for network in networks)


def client_address(request: Request, networks: Sequence[Network]) -> str:
    """Who the client is: the last address that no trusted proxy vouches for going backwards, else the peer."""
    address = request.peer
    chain = [
        part.strip()
        for value in request.values(b"x-forwarded-for")
        for part in value.decode("latin-1").split(",")
        if part.strip()
    ]
    while chain and trusted(address, networks):
        address = chain.pop()
    return address


def upstream_headers(request: Request, settings: Settings, kept: bytes | None = None) -> list[Header]:
    """The headers to send upstream for a client's. `kept` (lower case) names one that is for this proxy only."""
    named = {t.strip().lower() for v in request.values(b"connection") for t in v.split(b",")} - {
        b"upgrade",
        b"close",
    }
    drop = HOP_BY_HOP | {name for name in named if not name.startswith(b"sec-websocket-")} | {EXTENSIONS}
    drop |= {kept} if kept else set()
    believed = trusted(request.peer, settings.trusted_proxies)
    if settings.forwarded:
        drop |= FORWARDED
    headers: list[Header] = []
    extensions = offer(request.values(EXTENSIONS)) if settings.deflate else None
    for name, value in request.headers:
        lower = name.lower()
        if lower == EXTENSIONS and extensions is not None:
            headers.append((name, extensions.encode("latin-1")))
            extensions = None
        elif lower == b"host" and not settings.keep_host:
            headers.append((name, settings.upstream.authority.encode()))
        elif lower not in drop:
            headers.append((name, value))
    if settings.forwarded:
        headers += forwarded_headers(request, believed)
    return headers


def forwarded_headers(request: Request, believed: bool) -> list[Header]:
    """X-Forwarded-For, -Proto and -Host and Forwarded (RFC 7239) for this hop, behind what is believed."""
    host = b"".join(request.values(b"host")[:1])
    proto = b"https" if request.secure else b"http"
    peer = request.peer.encode("latin-1")
    node = b'"[' + peer + b']"' if b":" in peer else peer
    entry = b"for=" + node + b';host="' + host.replace(b"\\", b"").replace(b'"', b"") + b'";proto=' + proto
    before = {name: request.values(name) if believed else [] for name in FORWARDED}
    return [
        (b"X-Forwarded-For", b", ".join([*before[b"x-forwarded-for"], peer])),
        (b"X-Forwarded-Proto", b"".join(before[b"x-forwarded-proto"][:1]) or proto),
        (b"X-Forwarded-Host", b"".join(before[b"x-forwarded-host"][:1]) or host),
        (b"Forwarded", b", ".join([*before[b"forwarded"], entry])),
    ]


def spell_request(request: Request, headers: Sequence[Header], target: bytes) -> bytes:
    """The request as bytes, for `target` at the upstream."""
    line = b"%b %b HTTP/%b\r\n" % (request.method, target, request.version.encode())
    return line + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"
