"""What somebody asks of the log: which events, by when, where, what was found and what became of it.

One question is asked in two ways: of events one by one (`Asked.fits`: tail, export), and of the index, in SQL
(search.py). Empty fields ask for anything. Reading a time as people write it is in here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, tzinfo
from typing import Any

from proxy.audit import events

Names = tuple[str, ...]
SECOND = 10**9
UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
AGO = re.compile(rf"(\d+(?:\.\d+)?) *({'|'.join(UNITS)})(?: ago)?")
FARTHEST = 1 << 62  # nanoseconds from 1970: the year 2116, and what SQLite can compare
DAYS = {"today": 0, "yesterday": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Events that fit every field; a field with several names is fitted by any of them.

    `since` and `until` are Unix time in nanoseconds, `until` is outside. `session` is `RUN-SID`. An event fits
    entity, rule, operator, recognizer and mode if one of its findings fits all of them. `policy` are first digits
    of digests, `client` what events call a client (SessionOpen.client). Without `desks`, events with which a desk
    begins and ends do not fit: two for each command of an operator, beside the one that says what it did.
    """

    since: int | None = None
    until: int | None = None
    session: str | None = None
    route: Names = ()
    way: Names = ()
    kind: Names = ()
    verdict: Names = ()
    cause: Names = ()
    policy: Names = ()
    client: Names = ()
    entity: Names = ()
    rule: Names = ()
    operator: Names = ()
    recognizer: Names = ()
    mode: Names = ()
    desks: bool = True

    @property
    def about_findings(self) -> bool:
        """Whether only events with findings can fit."""
        return bool(self.entity or self.rule or self.operator or self.recognizer or self.mode)

    def given(self) -> dict[str, Any]:
        """The fields that ask for something."""
        asked = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "desks"}
        return {name: value for name, value in asked.items() if value not in (None, ())}


class Asked:
    """A question, asked of the events of any number of logs, each in its order: it remembers who has connected.

    A client is named when a session opens and never again, so events of a session whose beginning is not there
    (any more) fit no client.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self._clients: set[str] = set()
        """Sessions of the clients asked for that are open."""
        self._desks: set[str] = set()
        """Runs of desks that are open."""

    def fits(self, event: events.Any) -> bool:
        """Whether the event is an answer."""
        asked = self.question
        return (
            (asked.desks or not self._is_desk(event))  # must see every event, as _when
            and self._when(event)
            and (not asked.kind or kind_of(event) in asked.kind)
            and _any(event, "route", asked.route)
            and _any(event, "dir", asked.way)
            and _any(event, "verdict", asked.verdict)
            and _any(event, "cause", asked.cause)
            and (asked.session is None or getattr(event, "sid", None) == asked.session)
            and (not asked.policy or str(getattr(event, "policy", "")).startswith(asked.policy))
            and (not asked.about_findings or any(map(self.finding_fits, events.findings(event))))
        )

    def _when(self, event: events.Any) -> bool:
        """Whether time and client fit; must see every event, also those that fit nothing else."""
        asked = self.question
        if asked.client and not self._is_client(event):
            return False
        return (asked.since is None or event.t >= asked.since) and (asked.until is None or event.t < asked.until)

    def _is_client(self, event: events.Any) -> bool:
        sid = getattr(event, "sid", None)
        if isinstance(event, events.SessionOpen) and event.client in self.question.client:
            self._clients.add(event.sid)
        if isinstance(event, events.SessionClose) and sid in self._clients:
            self._clients.discard(event.sid)
            return True
        return sid in self._clients

    def _is_desk(self, event: events.Any) -> bool:
        """Whether a desk begins or ends."""
        if isinstance(event, events.Start) and event.who == "desk":
            self._desks.add(event.run)
            return True
        if isinstance(event, events.Stop) and event.run in self._desks:
            self._desks.discard(event.run)
            return True
        return False

    def finding_fits(self, finding: events.Finding) -> bool:
        """Whether one finding fits what is asked of findings."""
        asked = self.question
        return (
            (not asked.entity or finding.entity in asked.entity)
            and (not asked.rule or finding.rule in asked.rule)
            and (not asked.operator or finding.op in asked.operator)
            and (not asked.recognizer or finding.recognizer in asked.recognizer)
            and (not asked.mode or finding.mode in asked.mode)
        )


def kind_of(event: events.Any) -> str:
    """`message`, `session.open`, ...: as it stands in the line."""
    return str(event.__struct_config__.tag)


def _any(event: events.Any, name: str, wanted: Names) -> bool:
    if not wanted:
        return True
    routes = getattr(event, "routes", ()) if name == "route" else ()
    return getattr(event, name, None) in wanted or any(route in wanted for route in routes)


def moment(written: str, now: datetime, zone: tzinfo | None = None) -> int:
    """Unix time in nanoseconds of `2h`, `30m ago`, `today`, `2026-11-20`, `14:30` or a time in ISO 8601.

    What has no zone is of `zone`, by default this machine's. ValueError or OverflowError if it is nothing of that,
    or too far away.
    """
    text, here = written.strip().lower(), now.astimezone(zone)
    if match := AGO.fullmatch(text):
        when = now - timedelta(seconds=float(match[1]) * UNITS[match[2]])
    elif text == "now":
        when = now
    elif text in DAYS:
        when = datetime.combine(here.date() - timedelta(days=DAYS[text]), datetime.min.time())
    elif re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
        when = datetime.fromisoformat(f"{here.date()} {text}")
    else:
        when = datetime.fromisoformat(text.upper().replace(" UTC", "Z"))
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone) if zone is not None else when.astimezone()
    found = round(when.timestamp() * 1e6) * 1000
    if abs(found) > FARTHEST:
        raise ValueError("no event can be so far away")
    return found
