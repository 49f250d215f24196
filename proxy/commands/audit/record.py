"""The words of a record of processing: headings, sentences and tables, whatever they are shown in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from proxy.audit.reading.report import Report
from proxy.commands.audit.told import when
from proxy.commands.say import plural, printable

DIGITS = 12  # of a digest, as hushwire rollback shows them


class Heading(NamedTuple):
    """Of level 1 (the whole) or 2."""

    text: str
    level: int = 2


class Rows(NamedTuple):
    """A table; the last `numbers` columns are such."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: int = 0

    def right(self, at: int) -> bool:
        """Whether a column is aligned to the right."""
        return at >= len(self.head) - self.numbers


Part = Heading | Rows | str
SILENT = (
    "The log holds no values of what was found, and no client address as such. It cannot say what was in a message"
    " beyond the categories that the rules look for: what no rule looks for is not in here. Messages in which"
    " nothing was found are only counted, as part of their sessions, unless the log's level says otherwise."
    " Purposes, legal bases, recipients and your relation to the people concerned are not known to the proxy, and"
    " have to be added."
)
BODIES = (
    "This log was also written at level sanitised: beside it, what left is kept after redaction. That may hold"
    " personal data that no rule looks for, and is a processing of its own to be recorded."
)
DIRECTIONS = {"up": "client to service", "down": "service to client"}


def record(found: Report, now: datetime, directory: str, *, utc: bool) -> list[Part]:
    """A report in words, from top to bottom."""

    def at(t: int | None) -> str:
        return when(t, utc=utc, form="%Y-%m-%d %H:%M") if t is not None else "the beginning of the log"

    return [
        Heading("Record of processing: redaction of personal data in WebSocket traffic", 1),
        _scope(found, at, when(int(now.timestamp() * 1e9), utc=utc, form="%Y-%m-%d %H:%M %Z"), directory),
        Heading("Categories of personal data, and what was done"),
        *_categories(found),
        Heading("What was left as it was"),
        *_left(found),
        Heading("Rules in force"),
        *_rules(found, at),
        Heading("Refusals and sessions"),
        *_refusals(found),
        Heading("Requests, changes and gaps"),
        *_notable(found),
        Heading("Retention and proof"),
        *_proof(found, at, utc=utc),
        Heading("What this record does not say"),
        SILENT,
        *([BODIES] if "sanitised" in found.levels else []),
    ]


def _scope(found: Report, at: Callable[[int | None], str], now: str, directory: str) -> str:
    end = "this moment" if found.until is None else at(found.until)
    begin = at(found.since if found.since is not None else found.oldest)
    return (
        f"Made {now} by Hushwire from the audit log in {printable(directory)}, about the time from {begin} to"
        f" {end}. A proxy between clients and a service looked for personal data in every message and treated it"
        " as its rules say, before the message was passed on."
    )


def _categories(found: Report) -> Iterator[Part]:
    flows = [flow for flow in found.flows if flow.treated]
    if not flows:
        yield "No personal data was found and treated in this time."
        return
    total, kinds = sum(flow.treated for flow in flows), len({flow.entity for flow in flows})
    yield f"{plural(total, 'finding')} in {plural(kinds, 'category', 'categories')}."
    yield Rows(
        ("category", "route", "direction", "rule", "treatment", "findings"),
        [
            (
                *map(printable, (flow.entity, flow.route)),
                DIRECTIONS[flow.way],
                *map(printable, (flow.rule, flow.operator)),
                f"{flow.treated:,}",
            )
            for flow in flows
        ],
        1,
    )


def _left(found: Report) -> Iterator[Part]:
    """What a reader must not miss."""
    every = found.flows
    kept, shadow, exempt = (sum(getattr(flow, how) for flow in every) for how in ("kept", "shadow", "exempt"))
    if found.leaked:
        yield (
            f"{plural(found.leaked, 'message')} went on as they were without having been looked at, because"
            " their route says so (on_error: pass, or binary: pass)."
        )
    if kept:
        yield f"{plural(kept, 'finding')} met a rule that says keep, and were passed on as they were."
    if shadow:
        yield (
            f"{plural(shadow, 'finding')} met a rule in shadow mode, which only noted what it would have done;"
            " another rule may have treated them."
        )
    if exempt:
        yield f"{plural(exempt, 'finding')} met an exception of a rule, and were passed on as they were."
    flows = [flow for flow in every if flow.kept or flow.shadow or flow.exempt]
    if flows:
        yield Rows(
            ("category", "route", "direction", "rule", "kept", "shadow", "exempt"),
            [
                (
                    *map(printable, (flow.entity, flow.route)),
                    DIRECTIONS[flow.way],
                    printable(flow.rule),
                    *(f"{count:,}" for count in (flow.kept, flow.shadow, flow.exempt)),
                )
                for flow in flows
            ],
            3,
        )
    if not (found.leaked or flows):
        yield "Nothing that was found was passed on as it was."


def _rules(found: Report, at: Callable[[int | None], str]) -> Iterator[Part]:
    if not found.force:
        yield "The log does not say (any more) which rules were in force."
        return
    yield "By the digest of each policy; hushwire rollback lists what they said, on the machine that kept them."
    yield Rows(
        ("route", "policy", "from", "until"),
        [
            (
                printable(one.route),
                printable(one.policy[:DIGITS]),
                at(one.since),
                "now" if one.until is None else at(one.until),
            )
            for one in found.force
        ],
    )


def _refusals(found: Report) -> Iterator[Part]:
    sessions = found.sessions
    yield (
        f"{plural(sessions.opened, 'connection')} opened and {sessions.closed:,} ended, with"
        f" {plural(sessions.messages, 'message')} on those that ended."
    )
    if found.refusals:
        causes = ", ".join(f"{count:,} for {printable(cause)}" for cause, count in sorted(found.refusals.items()))
        times = plural(sum(found.refusals.values()), "time")
        yield f"The proxy refused a message or ended a connection {times}: {causes}."
        yield from _stopped(found)
    else:
        yield "The proxy refused nothing and ended no connection by itself."


def _stopped(found: Report) -> Iterator[Part]:
    flows = [flow for flow in found.flows if flow.stopped]
    if flows:
        total = plural(sum(flow.stopped for flow in flows), "finding")
        yield f"Rules closed connections because of messages with {total}, of which nothing was passed on."
        yield Rows(
            ("category", "route", "direction", "rule", "stopped"),
            [
                (
                    *map(printable, (flow.entity, flow.route)),
                    DIRECTIONS[flow.way],
                    printable(flow.rule),
                    f"{flow.stopped:,}",
                )
                for flow in flows
            ],
            1,
        )


SENTENCES = {
    "subject.lookup": "somebody looked up where a person's value occurs",
    "erase": "fingerprints or kept messages were erased on request",
    "hold": "a legal hold was placed or released",
    "key.rotate": "keys of fingerprints were changed or destroyed",
    "prune": "retention removed old parts of the log",
    "export": "the log was exported or searched from outside",
    "policy.reject": "changed rules were refused, and those before stayed in force",
    "limit": "handshakes were turned away",
    "admin": "something else was done through the admin port",
    "gap": "events could not be written",
}


def _notable(found: Report) -> Iterator[Part]:
    rows = [(SENTENCES[kind], f"{found.notable[kind]:,}") for kind in SENTENCES if found.notable[kind]]
    if rows:
        yield Rows(("what happened", "entries"), rows, 1)
    if found.lost:
        yield (
            f"{plural(found.lost, 'event')} could not be written and are missing; no message that was changed"
            " left without its event, unless durability was set to async."
        )
    else:
        yield "The log has no gaps: every event that was due was written."


def _proof(found: Report, at: Callable[[int | None], str], *, utc: bool) -> Iterator[Part]:
    if found.oldest is not None:
        yield f"The oldest event that is left is of {at(found.oldest)}, the newest of {at(found.newest)}."
    rows = [
        (one.name, f"{one.end:,}" if not one.problem else "-", one.problem or when(one.t, utc=utc))
        for one in found.signed
    ]
    yield Rows(("log", "signed events", "signed at"), rows)
    if found.unread:
        yield "Some lines of the log are no events and were left out: hushwire audit verify says which."
    yield (
        "That a signature is there is not yet a proof: hushwire audit verify checks every event against it, and"
        " against copies kept elsewhere."
    )
