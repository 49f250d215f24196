"""What the doors of the audit are asked, answered from its index and its files: in the child of asking.py alone.

The index is brought up to date in a thread, because the first time that takes as long as a log is large, and who
asks should hear how far it is instead of nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC
from http import HTTPStatus
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from proxy.audit import events
from proxy.audit.checkpoint import CheckpointError, Verifier
from proxy.audit.events import encode
from proxy.audit.layout import logs, segments
from proxy.audit.pick import first, pick, present
from proxy.audit.proof.prove import ProofError, prove
from proxy.audit.reading.index import Index, NoIndexError
from proxy.audit.reading.question import Question
from proxy.audit.reading.search import Cursor, Hit, search
from proxy.audit.reading.stats import Stats, Sum, by, by_time

LARGEST = 8 << 20  # bytes of events in an answer
LONGEST = 10_000  # events of a timeline
PATIENCE = 7.0  # seconds for the index; asking.py waits for 10

MODES = ("enforce", "shadow", "exempt")
EVENTS = ("verdict", "cause")
FINDINGS: dict[str, Callable[[Sum], str]] = {
    **{name: attrgetter(name) for name in ("entity", "rule", "operator", "recognizer", "route", "policy")},
    "direction": attrgetter("way"),
}
Asking = dict[str, Any]


class Said(NamedTuple):
    """An answer, and how many events are in it."""

    body: object
    events: int = 0


class NoAnswerError(Exception):
    """There is none; `status` is what to say in HTTP."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Lookups:
    """Of the audit in `directory`. To be used in one thread."""

    def __init__(self, directory: Path, patience: float = PATIENCE) -> None:
        self.directory, self.patience = directory, patience
        self._index = Index(directory)
        self._catching_up: CatchingUp | None = None
        self.answers: dict[str, Callable[[Asking], Said]] = {
            "search": self.search,
            "session": self.session,
            "event": self.event,
            "stats": self.stats,
            "proof": self.proof,
            "checkpoint": self.checkpoint,
        }

    def index(self) -> Index:
        """With all that the logs have. Raises NoAnswerError, NoIndexError, OSError."""
        running = self._catching_up or CatchingUp(self.directory)
        self._catching_up = running
        running.join(self.patience)
        if running.is_alive():
            sentence = (
                f"the index of the audit is being built, {running.percent} % so far; ask again in a few seconds"
            )
            raise NoAnswerError(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
        self._catching_up = None
        if running.error is not None:
            raise running.error
        self._index.catch_up()  # the little that came in the meantime
        return self._index

    def search(self, asking: Asking) -> Said:
        """A page of events."""
        page = search(self.index(), question_of(asking), asking["limit"], cursor(asking["before"]))
        told, hits = _fitting(page.hits)
        after = page.after if len(hits) == len(page.hits) else Cursor(hits[-1].t, hits[-1].id)
        return Said({"events": told, "next": None if after is None else f"{after.t}.{after.id}"}, len(told))

    def session(self, asking: Asking) -> Said:
        """Everything about a connection, oldest first."""
        sid = asking["session"]
        page = search(self.index(), Question(session=sid), LONGEST)
        if not page.hits:
            raise NoAnswerError(HTTPStatus.NOT_FOUND, f"there is no session {sid} in this audit")
        told, _ = _fitting(page.hits[::-1])
        complete = len(told) == len(page.hits) and not page.more
        return Said({"session": sid, "events": told, "complete": complete}, len(told))

    def event(self, asking: Asking) -> Said:
        """One event, from the log itself."""
        seq, logs = asking["seq"], ids(self.directory)
        found = event_of(self._log(asking["log"], logs, "there is no event yet"), seq)
        if found is None:
            raise NoAnswerError(HTTPStatus.NOT_FOUND, f"there is no event {seq} in this log (any more)")
        return Said({"event": found}, 1)

    def stats(self, asking: Asking) -> Said:
        """Counts by names, and by hours."""
        stats = Stats(self.index().db, question_of(asking))
        every, counted = stats.findings(), {}
        findings = [one for one in every if not one.stopped]
        in_force = [one for one in findings if one.mode == "enforce"]
        for name in asking["by"] or [*FINDINGS, *EVENTS, "hour"]:
            if name == "operator":
                counted[name] = by(
                    [one for one in every if one.mode == "enforce"], attrgetter("became"), _findings
                )
            elif name in FINDINGS:
                counted[name] = by(in_force, FINDINGS[name], _findings)
            elif name in EVENTS:
                counted[name] = by(stats.events(), attrgetter(name), attrgetter("events"))
            else:
                hours = by_time(stats.over_time(), days=False, zone=UTC)
                counted[name] = [(hour.strftime("%Y-%m-%dT%H:%MZ"), count) for hour, count in hours]
        return Said(
            {
                "findings": {mode: sum(one.findings for one in findings if one.mode == mode) for mode in MODES},
                "sessions": stats.sessions()._asdict(),
                "by": {name: [{"name": key, "count": count} for key, count in of] for name, of in counted.items()},
            }
        )

    def proof(self, asking: Asking) -> Said:
        """That an event is in its log, as far as that is signed."""
        try:
            verifier = Verifier.parse(self._key())
            signed = {verifier.open(note).log: log for log in logs(self.directory) if (note := _note(log))}
            made = prove(self._log(asking["log"], signed, "nothing is signed yet"), asking["seq"], verifier)
        except (CheckpointError, ProofError) as error:
            raise NoAnswerError(HTTPStatus.NOT_FOUND, f"there is no proof: {error}") from None
        return Said(made, made["block"].count("\n"))

    def _log(self, wanted: str | None, known: Mapping[str, Path], none: str) -> Path:
        """The log of that id among those that are known, or the only one; `none` says that there is not any."""
        if wanted is None and len(known) == 1:
            return next(iter(known.values()))
        if wanted is None or wanted not in known:
            sentence = f"say of which log, ?log=ID of {', '.join(sorted(known))}" if known else none
            raise NoAnswerError(HTTPStatus.NOT_FOUND, sentence)
        return known[wanted]

    def _key(self) -> str:
        return (self.directory / "public.key").read_text().strip()

    def checkpoint(self, _asking: Asking) -> Said:
        """The key, and the newest signed checkpoint of each log."""
        signed = [{"folder": log.name, "checkpoint": _note(log)} for log in logs(self.directory)]
        return Said({"key": self._key(), "logs": signed})


class CatchingUp(threading.Thread):
    """Takes what is new into the index, with a connection of its own. `error` is why it could not."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self.percent = 0
        self.error: NoIndexError | OSError | None = None
        self.start()

    def run(self) -> None:
        """In this thread."""
        try:
            with Index(self._directory) as index:
                index.catch_up(self._tell)
        except (NoIndexError, OSError) as error:
            self.error = error

    def _tell(self, done: int, whole: int) -> None:
        self.percent = 100 * done // whole if whole else 100


def ids(directory: Path) -> dict[str, Path]:
    """Logs by their ids, but for those without an event."""
    begun = ((log, segments(log)) for log in logs(directory))
    firsts = ((log, first(present(every[0]))) for log, every in begun if every)
    return {event.log: log for log, event in firsts if event is not None}


def event_of(log: Path, seq: int) -> events.Any | None:
    """Event `seq` of a log; None if there is none (any more). Raises SegmentError, OSError."""
    for segment in map(present, reversed(segments(log))):
        begin = first(segment)
        if begin is not None and begin.seq <= seq:
            return pick(segment, [seq]).get(seq)
    return None


def _findings(one: Sum) -> int:
    return one.findings


def question_of(asking: Asking) -> Question:
    """As proxy/admin/audit.py wrote it."""
    asked: dict[str, Any] = {
        name: tuple(given) if isinstance(given, list) else given for name, given in asking["question"].items()
    }
    return Question(**asked)


def cursor(written: str | None) -> Cursor | None:
    """Of `before`. Raises NoAnswerError."""
    if written is None:
        return None
    t, _, number = written.partition(".")
    if not (t.isdigit() and number.isdigit() and len(t) < 20 and len(number) < 20):
        sentence = "before is what the answer before has as next"
        raise NoAnswerError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)
    return Cursor(int(t), int(number))


def _fitting(hits: list[Hit]) -> tuple[list[dict[str, Any]], list[Hit]]:
    """As many as one answer may have, and at least one."""
    told: list[dict[str, Any]] = []
    size = 0
    for hit in hits:
        one = hit.as_json()
        size += len(encode(one))
        if told and size > LARGEST:
            break
        told.append(one)
    return told, hits[: len(told)]


def _note(log: Path) -> str | None:
    try:
        return (log / "checkpoint").read_text("utf-8")
    except FileNotFoundError:
        return None
