"""A record of processing from the audit: what kinds of personal data flowed where, and what was done about them.

Counts and names only, from the index; where the proof stands is read off the signed checkpoints. Nothing is
judged in here: whether the log is whole, proxy/audit/proof/verify.py says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from proxy.audit.checkpoint import CheckpointError, Verifier
from proxy.audit.layout import logs
from proxy.audit.reading.asking import shapes_of
from proxy.audit.reading.hits import Hit, hits_of
from proxy.audit.reading.index import Index
from proxy.audit.reading.question import Question
from proxy.audit.reading.stats import SECOND, Sessions, Stats

NOTABLE = {
    *("gap", "policy.reject", "prune", "erase", "hold", "key.rotate"),
    *("subject.lookup", "export", "admin", "limit"),
}
KEEP = "keep"  # the operator that changes nothing
ENFORCE = "enforce"
RULES = ("start", "policy.apply")


@dataclass(frozen=True, slots=True)
class Flow:
    """Findings of one entity on one route in one direction, with what one rule did about them."""

    entity: str
    route: str
    way: str
    rule: str
    operator: str
    treated: int
    kept: int
    """In force, and left as they were: the rule says keep."""
    shadow: int
    exempt: int
    stopped: int = 0
    """In force, and the connection was closed: nothing of the message was passed on."""

    def as_json(self) -> dict[str, Any]:
        """With the names that the log has."""
        return {{"way": "dir", "operator": "op"}.get(name, name): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Force:
    """Rules of a route by the digest of their policy; `since` and `until` are Unix time in nanoseconds. None:
    from before the oldest event, or still."""

    route: str
    policy: str
    since: int | None
    until: int | None


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest checkpoint of the log in a folder: its events below `end` are signed, as of `t` (Unix time in
    nanoseconds); or why there is none."""

    name: str
    end: int
    t: int
    problem: str = ""


@dataclass(slots=True)
class Report:
    """Everything a record says. Times are Unix time in nanoseconds; `since` and `until` those asked for, in whole
    quarters of an hour."""

    since: int | None
    until: int | None
    oldest: int | None
    newest: int | None
    flows: list[Flow]
    messages: dict[str, int]
    """By verdict."""
    sessions: Sessions
    refusals: dict[str, int]
    force: list[Force]
    notable: Counter[str]
    """Events by kind, of NOTABLE ones."""
    lost: int
    """Events that could not be written."""
    levels: list[str]
    """At which the log was ever written (events.Level)."""
    signed: list[Signed]
    unread: int
    leaked: int = field(default=0)
    """Messages that went on without having been looked at, because their route says so."""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        told = asdict(self) | {"sessions": self.sessions._asdict(), "notable": dict(self.notable)}
        return told | {"flows": [flow.as_json() for flow in self.flows]}


def report(index: Index, question: Question) -> Report:
    """Of what fits `question`; only its times and routes count."""
    counts, state = Stats(index.db, question), index.state()
    messages: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    notable: Counter[str] = Counter()
    for row in counts.events():
        if row.kind == "message":
            messages[row.verdict or ""] += row.events
        elif row.kind == "refuse":
            refusals[row.cause or ""] += row.events
    every = Stats(index.db, Question(since=question.since, until=question.until))  # what is no route's too
    for row in every.events():
        if row.kind in NOTABLE:
            notable[row.kind] += row.events
    started = _of_kinds(index, Question(until=question.until), ("start",))
    return Report(
        counts.since,
        counts.until,
        state.oldest,
        state.newest,
        flows(counts),
        dict(messages),
        counts.sessions(),
        dict(refusals),
        in_force(index, question),
        notable,
        sum(int(hit.more["lost"]) for hit in _of_kinds(index, question, ("gap",))),
        sorted({hit.more["level"] for hit in started if hit.more["who"] == "proxy"}),
        checkpoints(index.directory),
        state.unread,
        messages["leaked"] + messages["unseen"],
    )


def flows(counts: Stats) -> list[Flow]:
    """By entity, route and direction."""
    sums: dict[tuple[str, str, str, str, str], Counter[str]] = {}
    for row in counts.findings():
        key = (row.entity, row.route, row.way, row.rule, row.operator)
        became = "stopped" if row.stopped and row.mode == ENFORCE else row.mode
        sums.setdefault(key, Counter())[became] += row.findings
    return [_flow(key, sums[key]) for key in sorted(sums)]


def _flow(key: tuple[str, str, str, str, str], sums: Counter[str]) -> Flow:
    enforced, keeps = sums[ENFORCE], key[-1] == KEEP
    treated, kept = (0, enforced) if keeps else (enforced, 0)
    return Flow(*key, treated, kept, sums["shadow"], sums["exempt"], sums["stopped"])


def in_force(index: Index, question: Question) -> list[Force]:
    """Which rules were in force when, by route: what starts and changes of the rules say. Of several processes the
    first to say so counts."""
    began: dict[str, list[tuple[int, str]]] = {}
    for hit in sorted(_of_kinds(index, Question(until=question.until), RULES), key=lambda one: one.t):
        for route, policy in _said(hit).items():
            before = began.setdefault(route, [])
            if not before or before[-1][1] != policy:
                before.append((hit.t, policy))
    found: list[Force] = []
    for route in sorted(set(question.route or began) & set(began)):
        for place, (since, policy) in enumerate(began[route]):
            until = began[route][place + 1][0] if place + 1 < len(began[route]) else None
            if question.since is None or until is None or until > question.since:
                found.append(Force(route, policy, since, until))
    return found


def _said(hit: Hit) -> dict[str, str]:
    if hit.kind == "start":
        return {route: str(policy)[:16] for route, policy in hit.more["policies"].items()}
    return {route: str(hit.policy)[:16] for route in hit.routes}


def _of_kinds(index: Index, question: Question, kinds: tuple[str, ...]) -> list[Hit]:
    """All events of these kinds, which are few, within the times of a question."""
    since, until = question.since or 0, question.until or 1 << 62
    found: list[int] = []
    for shape in shapes_of(index.db, Question(kind=kinds)):
        rows = index.db.execute(
            "SELECT id FROM events WHERE shape = ? AND t >= ? AND t < ?", (shape, since, until)
        )
        found += [number for (number,) in rows]
    return hits_of(index.db, found)


def checkpoints(directory: Path) -> list[Signed]:
    """Up to where each log is signed by the key of the audit."""
    return [_signed(directory, log) for log in logs(directory)]


def _signed(directory: Path, log: Path) -> Signed:
    try:
        verifier = Verifier.parse((directory / "public.key").read_text("utf-8"))
        made = verifier.open((log / "checkpoint").read_text("utf-8"))
    except CheckpointError as error:
        return Signed(log.name, 0, 0, str(error))
    except OSError as error:
        return Signed(log.name, 0, 0, error.strerror or "it cannot be read")
    return Signed(log.name, made.seq, made.time * SECOND)
