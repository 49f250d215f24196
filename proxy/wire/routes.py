"""All routes of one process: which of them takes a request, and what they share.

Each has an Exchange of its own (rules, limits, counters, timers); a connection never changes its route.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import NamedTuple

from proxy.core.plugs import Journal
from proxy.core.tally import Snapshot, Tally
from proxy.route import Denied, Route, Table, Unclear
from proxy.template import Params
from proxy.wire.exchange import Exchange
from proxy.wire.headers import Request
from proxy.wire.relay import Relay


class Way(NamedTuple):
    """A route in service. `tls` is how its upstream is verified."""

    route: Route
    exchange: Exchange
    tls: ssl.SSLContext | None


class Routes:
    """Made once per process by the composition root. `tally` counts, and `journal` notes, what no route is to
    blame for."""

    name = "-"

    def __init__(self, ways: Sequence[Way], tally: Tally, journal: Journal | None = None) -> None:
        self.ways = tuple(ways)
        self.tally = tally
        self.journal = journal
        self.table = Table([way.route for way in ways])

    def find(self, request: Request) -> tuple[Way, Params]:
        """Whose request this is, with the parameters of its path. Raises Denied if it is nobody's."""
        if fault := request.fault():
            raise Denied("bad_request", 400, f"Bad WebSocket handshake: {fault}.")
        try:
            chosen = self.table.choose(request.target, request.values(b"host"), request.offered())
        except Unclear as unclear:
            raise Denied("unclear", 400, f"This request can be read in two ways: {unclear}.") from None
        if chosen is None:
            raise Denied("no_route", 404, "No route of this proxy takes this path, host and subprotocol.")
        return self.ways[chosen.place], chosen.params

    def relays(self) -> list[Relay]:
        """All connections there are now."""
        return [relay for way in self.ways for relay in way.exchange.relays]

    def snapshots(self) -> dict[str, Snapshot]:
        """The counters by the name of the route; under "" what no route counted."""
        return {"": self.tally.snapshot(), **{way.route.name: way.exchange.snapshot() for way in self.ways}}

    async def shut(self, deadline: float) -> None:
        """End every connection of every route with 1012, within `deadline` seconds."""
        await asyncio.gather(*(way.exchange.shut(deadline) for way in self.ways))
