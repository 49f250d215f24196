"""All connections of one route, what they share, and the timers that watch over them.

No clock is read and no timer set on the hot path: legs only leave marks (`active`, `stalled`), and one sweep
looks at them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from proxy.core.action import Cause
from proxy.core.live import Live
from proxy.core.message import Side
from proxy.core.plugs import Ending, Journal, NoteSink, Submit
from proxy.core.session import Session
from proxy.core.tally import Snapshot, Tally
from proxy.settings import Settings
from proxy.wire.crowd import Crowd
from proxy.wire.leg import Leg
from proxy.wire.relay import Relay

log = logging.getLogger("hushwire")

SWEEP = 1.0  # seconds between sweeps, less where a timer is shorter
TURN = 0.01  # seconds that one leg may look at what it has read before the others get a turn of the loop
SLICE = 2000  # relays looked at in one turn of the loop: about 1 ms


class Exchange:
    """Made once per route and process by the composition root; routes of one process share a `crowd`."""

    def __init__(
        self,
        settings: Settings,
        live: Live,
        submit: Submit,
        sink: NoteSink,
        tally: Tally,
        crowd: Crowd | None = None,
        name: str = "default",
        forget: Callable[[Session], None] = lambda _: None,
        journal: Journal | None = None,
    ) -> None:
        self.settings = settings
        self.name = name
        self.forget = forget  # whatever is remembered of a session that has ended
        self.crowd = crowd or Crowd(settings.max_connections)
        self.live = live
        self.turn = TURN
        self.submit = submit  # for messages too large to be looked at on the loop
        self.sink = sink
        self.journal = journal  # None: there is no audit
        self.tally = tally
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.relays: set[Relay] = set()
        self.handshakes = 0  # admitted, not yet relayed
        self.dials: set[asyncio.Task[Any]] = set()  # those that wait for the upstream
        self.per_address: Counter[str] = Counter()
        self.closing = False
        self.quiet = asyncio.Event()  # set when the last connection ends
        timers = [t for t in (settings.idle, settings.lifetime, settings.write_stall, settings.close_timeout) if t]
        self.interval = min([SWEEP, *(max(t / 4, 0.02) for t in timers)])
        self.sweeper = self.loop.create_task(self._sweep())

    # -- limits -------------------------------------------------------------------------------------------

    def admit(self, key: str) -> str | None:
        """Count a client in, or name the limit it hits: a key of `BUSY` in door.py."""
        settings = self.settings
        if self.closing:
            return "draining"
        if self.crowd.inside >= self.crowd.limit:
            return "connections"
        if len(self.relays) + self.handshakes >= settings.max_connections:
            return "route_connections"
        if settings.max_per_address and self.per_address[key] >= settings.max_per_address:
            return "per_address"
        self.per_address[key] += 1
        self.handshakes += 1
        self.crowd.inside += 1
        return None

    def leave(self, key: str) -> None:
        """Count a client out whose handshake came to nothing."""
        self.handshakes -= 1
        self._forget(key)

    def _forget(self, key: str) -> None:
        self.crowd.inside -= 1
        self.per_address[key] -= 1
        if self.per_address[key] <= 0:
            del self.per_address[key]

    @contextlib.contextmanager
    def dialling(self) -> Iterator[None]:
        """While the current task waits for the upstream: `shut` cancels it."""
        task = asyncio.current_task()
        assert task is not None
        self.dials.add(task)
        try:
            yield
        finally:
            self.dials.discard(task)

    # -- connections --------------------------------------------------------------------------------------

    def opened(self, relay: Relay, subprotocol: str = "", who: str = "") -> None:
        """Both handshakes are done. Raises what the audit log raises: then nothing has been opened."""
        if self.journal is not None:
            self.journal.opened(relay.session, subprotocol, relay.key, who)
        self.handshakes -= 1
        self.relays.add(relay)
        self.tally.connections += 1
        log.info("session %s opened on route %s", relay.name, self.name)

    def ended(self, relay: Relay) -> None:
        """Both transports are gone."""
        self.relays.discard(relay)
        if not self.relays:
            self.quiet.set()
        self._forget(relay.key)
        self.forget(relay.session)
        for leg in relay.legs:
            self.tally.messages[leg.side] += leg.messages
            self.tally.bytes[leg.side] += leg.bytes
        up, down = (leg.messages for leg in relay.legs)
        age = relay.now() - relay.born
        log.info("session %s closed by %s after %.1f s, %d up, %d down", relay.name, relay.first, age, up, down)
        if self.journal is not None:
            try:
                self.journal.closed(relay.session, ending(relay, age))
            except Exception as error:  # there is nothing left to close
                log.error("session %s: %s while noting its end", relay.name, type(error).__name__)

    def snapshot(self) -> Snapshot:
        """The counters, live connections included."""
        snapshot = self.tally.snapshot()
        for name in ("messages", "bytes"):
            total: list[int] = getattr(self.tally, name)
            snapshot[name] = [total[side] + sum(getattr(r.legs[side], name) for r in self.relays) for side in Side]
        snapshot["open"] = len(self.relays)
        return snapshot

    def post(self, call: Callable[..., Any], *args: Any) -> None:
        """Run `call` on the loop, from any thread; nothing once the loop is closed."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(call, *args)

    # -- timers -------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        idle_since: dict[Relay, float] = {}
        while True:
            await asyncio.sleep(self.interval)
            relays = list(self.relays)
            for start in range(0, len(relays), SLICE):
                now = self.loop.time()
                for relay in relays[start : start + SLICE]:
                    try:
                        self._check(relay, now, idle_since)
                    except Exception as error:  # must not end the timers of all others
                        log.error("session %s: %s in a timer; it was cut", relay.name, type(error).__name__)
                        relay.abort_both()
                await asyncio.sleep(0)
            for relay in [r for r in idle_since if r not in self.relays]:
                del idle_since[relay]

    def _check(self, relay: Relay, now: float, idle_since: dict[Relay, float]) -> None:
        settings = self.settings
        if relay.active:
            relay.active = False
            idle_since.pop(relay, None)
        elif now - idle_since.setdefault(relay, now) > settings.idle > 0 and not relay.deadline:
            relay.end(Cause.IDLE)
        if relay.overdue(now):
            relay.abort_both()
        elif not relay.deadline and 0 < settings.lifetime < now - relay.born:
            relay.end(Cause.LIFETIME)
        if settings.write_stall and any(self._stalled(leg, now) for leg in relay.legs):
            relay.end(Cause.STALL)  # counts it; the stalled side will not read its CLOSE
            relay.abort_both()

    def _stalled(self, leg: Leg, now: float) -> bool:
        """Whether the other end takes nothing. The kernel's queue counts too: it takes from ours in gulps of
        megabytes, for which a slow reader needs longer than the time that a dead one is given."""
        if not leg.stalled:
            return False
        size = leg.untaken()
        if size < leg.stall_size:
            leg.stalled = now
        leg.stall_size = size  # more than before, when a held message was let go
        return bool(now - leg.stalled > self.settings.write_stall)

    # -- the end ------------------------------------------------------------------------------------------

    async def shut(self, deadline: float) -> None:
        """Close every connection with 1012, wait up to `deadline` seconds for the answers, abort the rest."""
        self.closing = True
        for task in self.dials:
            task.cancel()
        for relay in list(self.relays):
            relay.end(Cause.SHUTDOWN)
        await self._until_quiet(deadline)
        for relay in list(self.relays):
            relay.abort_both()
        await self._until_quiet(1.0)
        self.sweeper.cancel()

    async def _until_quiet(self, seconds: float) -> None:
        if self.relays:
            self.quiet.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.quiet.wait(), seconds)


def ending(relay: Relay, seconds: float) -> Ending:
    """What is to be said of a connection that has ended."""
    client, upstream = relay.legs
    return Ending(
        first=relay.first,
        codes=(relay.codes[0], relay.codes[1]),
        reasons=(relay.reasons[0], relay.reasons[1]),
        messages=(client.messages, upstream.messages),
        bytes=(client.bytes, upstream.bytes),
        seconds=seconds,
    )
