"""The handshake from end to end: limits, request, dial, answer. Called by the FastAPI route of front.py."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl

from proxy.route import Denied
from proxy.settings import Settings
from proxy.wire.dial import BadAnswer, Opened, dial
from proxy.wire.edge import Edge
from proxy.wire.exchange import Exchange
from proxy.wire.headers import client_address, spell_request, upstream_headers
from proxy.wire.relay import Relay
from proxy.wire.routes import Routes, Way
from proxy.wire.subprotocols import agreed

log = logging.getLogger("hushwire")

BUSY = {
    "draining": "The proxy is shutting down.",
    "connections": "The proxy has reached its limit of connections (--max-connections).",
    "route_connections": "The route has reached its limit of connections (limits.connections).",
    "per_address": "Too many connections from this address (--max-per-address, or limits.per_address).",
}
UNLOGGED = "The audit log of this proxy cannot be written."
RETRY_AFTER = (b"Retry-After", b"5")
EXTRA = {503: (RETRY_AFTER,), 401: ((b"WWW-Authenticate", b'Bearer realm="hushwire"'),)}

AUTHORIZATION = b"authorization"

# TCP keepalive on both ends finds peers that vanished; WebSocket pings would be visible, and would kill
# connections whose pongs are not read while the other end is slow.
KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)


async def pass_through(edge: Edge, routes: Routes) -> None:
    """Answer one upgrade request: with the upstream's own answer, or with a sentence that says what failed."""
    request = edge.request
    at: Routes | Exchange = routes
    try:
        way, params = routes.find(request)
        at = way.exchange
        who = way.route.auth.check(request.values(AUTHORIZATION), request.values(b"origin"))
    except Denied as denied:
        _deny(edge, at, denied.reason, denied.status, str(denied))
        return
    key = client_address(request, way.route.settings.trusted_proxies)
    limit = way.exchange.admit(key)
    if limit is not None:
        _deny(edge, at, limit, 503, BUSY[limit])
        return
    # A token for this proxy is no business of the service's.
    headers = upstream_headers(request, way.route.settings, AUTHORIZATION if way.route.auth.digests else None)
    await _dial(edge, way, key, who, spell_request(request, headers, way.route.target(request.target, params)))


async def _dial(edge: Edge, way: Way, key: str, who: str, spelt: bytes) -> None:
    """Send the request upstream and pass the answer on. The client is counted in under `key`; `who` names its
    credential."""
    exchange, settings = way.exchange, way.route.settings
    relayed = False

    def opened(transport: asyncio.Transport, answer: Opened) -> None:
        nonlocal relayed
        relayed = True
        subprotocol = agreed(answer.head, way.route.match.subprotocols)
        start_relay(edge, exchange, key, transport, answer, subprotocol, who)

    try:
        sec_key = edge.request.values(b"sec-websocket-key")[0].decode("latin-1").strip()
        with exchange.dialling():
            async with asyncio.timeout(settings.connect_timeout or None):
                refused = await dial(settings.upstream, way.tls, spelt, sec_key, opened)
    except asyncio.CancelledError:
        if edge.gone or not exchange.closing:
            raise
        if not edge.answered:
            _deny(edge, exchange, "draining", 503, BUSY["draining"])
    except (BadAnswer, OSError) as error:
        if not edge.answered:  # the answer can come in the very turn in which the time is up
            _deny(edge, exchange, *_failure(error, settings))
    else:
        if refused is not None:
            _turned_away(exchange, "upstream_refusal")
            edge.answer_raw(refused.response)
    finally:
        if not relayed:
            exchange.leave(key)


def _failure(error: BadAnswer | OSError, settings: Settings) -> tuple[str, int, str]:
    """Why there is no upstream: the word for the metrics, the status and the sentence for the client."""
    match error:
        case BadAnswer():
            return "upstream_answer", 502, str(error)
        case TimeoutError():
            return "upstream_timeout", 504, f"The upstream did not answer within {settings.connect_timeout:g} s."
        case ssl.SSLError():
            log.warning("TLS to the upstream failed: %s", error.reason or type(error).__name__)
            return "upstream_tls", 502, "TLS to the upstream failed."
    log.warning("upstream unreachable: %s", error.strerror or type(error).__name__)
    return "upstream_unreachable", 502, "The upstream cannot be reached."


def _deny(edge: Edge, at: Exchange | Routes, reason: str, status: int, sentence: str) -> None:
    _turned_away(at, reason)
    edge.deny(status, sentence, EXTRA.get(status, ()))


def _turned_away(at: Exchange | Routes, reason: str) -> None:
    """Count a handshake that came to nothing, and have it noted."""
    at.tally.handshakes_refused[reason] += 1
    if at.journal is not None:
        try:
            at.journal.limited(at.name, reason)
        except Exception as error:  # nothing was let in
            log.error("%s while noting a handshake that was refused", type(error).__name__)


def start_relay(
    edge: Edge,
    exchange: Exchange,
    key: str,
    upstream: asyncio.Transport,
    answer: Opened,
    subprotocol: str = "",
    who: str = "",
) -> None:
    """Pass on the 101 and let frames flow. Runs in the turn of the loop in which the 101 was read."""
    edge.answered = True
    if edge.transport.is_closing() or exchange.closing:
        _let_go(edge, exchange, key, upstream, BUSY["draining"])
        return
    relay = Relay(exchange, next(exchange.crowd.sids), key, (edge.transport, upstream), answer.deflate)
    try:
        exchange.opened(relay, subprotocol, who)
    except Exception as error:  # what the log cannot take down is not begun
        log.error("session %s: %s while noting its beginning", relay.name, type(error).__name__)
        _turned_away(exchange, "audit")
        _let_go(edge, exchange, key, upstream, UNLOGGED)
        return
    for transport in (edge.transport, upstream):
        sock = transport.get_extra_info("socket")
        for option in KEEPALIVE if sock is not None else ():
            sock.setsockopt(*option)
    edge.transport.write(answer.head)
    early, edge.early = edge.early, b""
    relay.start((early, answer.rest))


def _let_go(edge: Edge, exchange: Exchange, key: str, upstream: asyncio.Transport, sentence: str) -> None:
    """Both ends of a connection that is not to be."""
    exchange.leave(key)
    upstream.abort()
    if not edge.transport.is_closing():
        edge.deny(503, sentence, (RETRY_AFTER,))
