"""The audit of a proxy, put together: keys and places before the workers are forked, and in each of them a journal
and what runs beside it. What is taken down, and how, is proxy/audit's matter.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from proxy import __version__
from proxy.audit import events, storage
from proxy.audit.layout import audit_directory
from proxy.audit.people.judged import newest
from proxy.audit.people.keys import Keys, KeysError, ReferredKeyError, exposed, keys_folder
from proxy.audit.proof.anchors import AnchorError, anchor
from proxy.audit.sinks.child import Children
from proxy.audit.sinks.cursor import CursorError, Lag, lags
from proxy.audit.sinks.place import PlaceError, place
from proxy.audit.writing.journal import Journal
from proxy.audit.writing.log import Log, LogError
from proxy.audit.writing.opening import open_log
from proxy.audit.writing.retention import Retention
from proxy.core.plugs import Mark
from proxy.core.tally import AuditState
from proxy.rulebook.live import Swap
from proxy.settings import Settings
from proxy.starting import StartError

log = logging.getLogger("hushwire")

TEND = 5.0  # seconds between two looks at keys and sinks
OFF = "there is no audit: nobody can tell later what left, what was removed, and by which rule (--audit off)"
NONE = "or --audit off, and then nobody can tell later what left, what was removed, and by which rule"


class Audit:
    """What all workers share. Made before they are forked."""

    def __init__(self, settings: Settings) -> None:
        """Raises StartError."""
        self.settings = settings
        self.directory = Path(settings.audit) if settings.audit else audit_directory()
        try:
            self.keys = Keys.open(keys_folder(), settings.audit_key, used=newest(self.directory))
            self.places = tuple(place(url) for url in settings.audit_ship)
            self.anchors = tuple(anchor(where, self.directory) for where in settings.audit_anchor)
        except ReferredKeyError as error:
            raise StartError(f"--audit-key: {error}") from None
        except KeysError as error:
            raise StartError(f"--audit: {error}") from None
        except OSError as error:
            raise StartError(f"--audit {self.directory}: it cannot be read ({error.strerror})") from None
        except PlaceError as error:
            raise StartError(f"--audit-ship: {error}", 2) from None
        except AnchorError as error:
            raise StartError(f"--audit-anchor: {error}", 2) from None
        for problem in (*exposed(keys_folder()), self.keys.loss):
            if problem:
                log.warning("audit: %s", problem)
        self.unfed: tuple[str, ...] = ()
        """Sinks that retention waits for although this proxy does not ship there."""
        self._try_to_write()
        self.unanchored = tuple(self._try_anchors())
        """What is wrong with anchors; they are tried again later, and nothing waits for them."""

    @property
    def mark(self) -> Mark | None:
        """What fingerprints values with, where events tell of findings."""
        return None if self.settings.audit_level == "sessions" else self.keys.mark

    def _try_to_write(self) -> None:
        """Now, while somebody reads what is said; workers come too late for that."""
        try:
            storage.make_directory(self.directory)
            with tempfile.TemporaryFile(dir=self.directory) as file:
                file.write(b"." * 4096)
            self._enlist()
        except OSError as error:
            sentence = f"--audit {self.directory}: nothing can be written there ({error.strerror})"
            raise StartError(f"{sentence}; name another directory, {NONE}") from None

    def _try_anchors(self) -> Iterator[str]:
        for one in self.anchors:
            try:
                one.ready()
            except AnchorError as error:
                problem = str(error)  # place, cause and cure in words of ours
                log.warning("audit: %s", problem)
                yield problem

    def _enlist(self) -> None:
        """Have retention wait for the sinks, before there is anything that it could remove."""
        others = Children(self.directory, self.places).enlist()
        if not (self.settings.audit_keep or self.settings.audit_keep_size):
            return  # nothing is ever removed, whoever is waited for
        self.unfed = tuple(others)
        for name in others:
            log.warning(
                "audit: nothing is removed before it is at %s, where this proxy does not ship; add that to "
                "--audit-ship, or end the waiting: hushwire audit ship --forget %s",
                name,
                name,
            )

    def open(self) -> Log:
        """The log of one worker. Raises StartError."""
        try:
            return open_log(self.directory, self.keys.signer)
        except LogError as error:
            raise StartError(f"--audit: {error}; {NONE}") from None


class Names:
    """How events name clients: by fingerprint, by network, or not at all."""

    def __init__(self, keys: Keys, how: str) -> None:
        self._keys = keys
        self.client: Callable[[str], str] = {
            "fingerprint": keys.client,
            "network": network,
            "none": lambda _: "",
        }[how]

    @property
    def epoch(self) -> int:
        """Of the fingerprints of findings."""
        return self._keys.epoch


def network(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of another; nothing for what is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


class Record:
    """The audit of one worker, on its loop. `journal` is what the wire is given."""

    def __init__(self, audit: Audit, kept: Log, worker: int, run: str) -> None:
        settings = audit.settings
        self.audit, self.worker = audit, worker
        names = Names(audit.keys, settings.audit_client)
        self.journal = Journal(
            kept,
            asyncio.get_running_loop(),
            names,
            run,
            level=settings.audit_level,
            durability=settings.audit_durability,
            retention=Retention(settings.audit_keep, settings.audit_keep_size),
            anchors=[partial(one.put, log=kept.id) for one in audit.anchors],
        )
        self.children = Children(audit.directory, audit.places) if audit.places and not worker else None
        self.lags: list[Lag] = []

    def start(self, policies: Mapping[str, str]) -> None:
        """The first event. `policies` are the digests by route."""
        short, keys = {name: digest[:16] for name, digest in policies.items()}, self.audit.keys
        self.journal.start(__version__, self.worker, short, keys.epoch, keys.check)

    def tell(self, kind: Callable[..., events.Event], **given: Any) -> None:
        """Take down an event of the admin port's, now. Raises OSError."""
        self.journal.note(kind, **given)
        self.journal.commit()

    def swapped(self, swap: Swap) -> None:
        """Rules went live, or were refused."""
        if swap.codes:
            self.journal.policy_rejected(list(swap.routes), list(swap.codes))
        else:
            self.journal.policy_applied(list(swap.routes), swap.name, swap.digest, swap.how)

    @property
    def problem(self) -> str | None:
        """Why the proxy is not ready, if it is this that is wrong."""
        problem = self.journal.problem
        return None if problem is None else f"the audit log cannot be written: {problem}"

    async def tend(self) -> None:
        """Take up keys that were rotated, and look how far the sinks are, until cancelled."""
        while True:
            try:
                self.audit.keys.refresh()
                if self.children is not None:
                    self.lags = await asyncio.to_thread(lags, self.audit.directory)
            except (KeysError, CursorError, OSError) as error:  # what was known before stays
                log.warning("audit: %s while looking after keys and sinks", type(error).__name__)
            await asyncio.sleep(TEND)

    async def ship(self) -> None:
        """Keep what ships the log running, until cancelled."""
        if self.children is not None:
            await self.children.watch()

    def state(self) -> AuditState:
        """For the metrics."""
        journal = self.journal
        return {
            "events": journal.counts.events,
            "blocks": journal.counts.blocks,
            "bytes": journal.log.written,
            "lost": journal.counts.lost,
            "waiting": journal.waiting,
            "stuck": int(journal.problem is not None),
            "stuck_seconds": journal.stuck,
            "unsynced": journal.unsynced,
            "unshipped": {lag.where: lag.events for lag in self.lags if lag.wanted},
        }

    async def close(self) -> bool:
        """The last event; what is signed goes to anchors and sinks. Whether everything is on the disk."""
        whole = True
        try:
            self.journal.close()
        except OSError as error:
            why = error.strerror or type(error).__name__
            log.error("audit: the end of the log cannot be written: %s", why)
            whole = False
        if self.children is not None:
            await self.children.close()
        return whole
