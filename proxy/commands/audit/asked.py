"""The filters that verbs which read the log have alike, as options; what they ask for; and an index to ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proxy.commands.audit.around import bar
from proxy.commands.audit.given import audit_of
from proxy.commands.say import stop

if TYPE_CHECKING:
    import sqlite3

    from proxy.audit.reading.index import Index
    from proxy.audit.reading.question import Question

PLACE = "Where and how"
WHEN = "2h, 3d, today, 14:30, 2026-11-20, or a time in ISO 8601"


TABLE: list[tuple[str, str, str, str]] = [  # field of Question, option, what is written, help
    ("since", "--since", "TIME", f"From then on: {WHEN}."),
    ("until", "--until", "TIME", "Before then."),
    ("session", "--session", "SESSION", "RUN-SID; the number alone if that is unique."),
    ("route", "--route", "NAME", "On this route."),
    ("entity", "--entity", "ENTITY", "With a finding of it: EMAIL_ADDRESS ..."),
    ("rule", "--rule", "ID", "With a finding that this rule decided about."),
    ("operator", "--operator", "NAME", "With a finding that it was applied to: mask ..."),
    ("mode", "--mode", "MODE", "enforce, shadow (it only would have), exempt (the rule has an exception)."),
    ("recognizer", "--recognizer", "NAME", "With a finding of this recognizer."),
    ("verdict", "--verdict", "VERDICT", "What became of the message: rewritten, kept, dropped, leaked ..."),
    ("kind", "--kind", "KIND", "message, refuse, session.open, session.close, policy.apply, gap ..."),
    ("cause", "--cause", "CAUSE", "Refused because of it: budget, policy, too_big ..."),
    ("way", "--direction", "up|down", "up: from client to upstream."),
    ("policy", "--policy", "DIGEST", "Under these rules; first digits will do."),
    ("client", "--client", "ADDRESS", "Of this client: its address, or its name in the log (fp:...)."),
]
ONCE = {"since", "until", "session"}


def _parameter(field: str, option: str, metavar: str, help_: str) -> Parameter:
    kind = str | None if field in ONCE else list[str] | None
    given = typer.Option(option, metavar=metavar, help=help_, show_default=False, rich_help_panel="Filters")
    return Parameter(field, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, given])


def filtered(verb: Callable[..., None], *, without: Collection[str] = ()) -> Callable[..., None]:
    """Give a verb the options of TABLE too, which it gets by their fields."""
    own = signature(verb, eval_str=True)
    kept = [one for one in own.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    filters = [_parameter(*row) for row in TABLE if row[0] not in without]
    verb.__signature__ = own.replace(parameters=[*kept, *filters])  # type: ignore[attr-defined]
    return verb


IndexFile = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="FILE|memory",
        help="Where the index is kept; by default in the audit directory.",
        rich_help_panel=PLACE,
        show_default=False,
    ),
]
Utc = Annotated[
    bool, typer.Option("--utc", metavar=" ", help="Times in UTC, not in this zone.", rich_help_panel=PLACE)
]
All = Annotated[
    bool,
    typer.Option(
        "--all", metavar=" ", help="Where commands open and close a log too; so does --kind start or stop."
    ),
]
KNOWN = {
    "kind": (
        *("message", "refuse", "session.open", "session.close", "start", "stop", "limit", "gap", "policy.apply"),
        *("policy.reject", "subject.lookup", "erase", "hold", "key.rotate", "prune", "export", "admin"),
    ),
    "mode": ("enforce", "shadow", "exempt"),
    "way": ("up", "down"),
}
"""Words that are the log's own: others are refused. What operators name is asked of the index."""
COLUMN = {"route": "outlines", "verdict": "outlines", "cause": "outlines"}


def question_of(given: Mapping[str, Any], now: datetime, *, utc: bool = False, desks: bool = True) -> Question:
    """What the options ask for, but for the session; exit 2 for what cannot be asked. Without `desks`, their
    beginnings and ends are asked for only by their kinds."""
    from proxy.audit.reading.question import Question

    names: dict[str, Any] = {field: tuple(value) for field, value in given.items() if field not in ONCE and value}
    for field, known in KNOWN.items():
        for name in names.get(field, ()):
            if name not in known:
                option = next(option for one, option, *_ in TABLE if one == field)
                stop(
                    f"{option}: there is no '{name}'{perhaps(name, known)}",
                    f"there are {', '.join(known)}",
                    code=2,
                )
    since, until = (_moment(f"--{name}", given.get(name), now, utc=utc) for name in ("since", "until"))
    if since is not None and until is not None and since >= until:
        stop("--until: it is not after --since, so nothing can be in between", code=2)
    if "client" in names:
        names["client"] = _clients(names["client"])
    for digits in names.get("policy", ()):
        if not re.fullmatch("[0-9a-f]+", digits):
            stop(f"--policy: '{digits}' is no digest; write its first hex digits, as show tells them", code=2)
    desks = desks or not {"start", "stop"}.isdisjoint(names.get("kind", ()))
    return Question(since=since, until=until, desks=desks, **names)


def _moment(option: str, written: str | None, now: datetime, *, utc: bool) -> int | None:
    from proxy.audit.reading.question import moment

    if written is None:
        return None
    try:
        return moment(written, now, UTC if utc else None)
    except (ValueError, OverflowError):
        stop(f"{option}: '{written}' is no time; write it like {WHEN}", code=2)


def perhaps(name: str, known: Collection[str]) -> str:
    """`; did you mean EMAIL_ADDRESS?` if one of those that are known is near."""
    from difflib import get_close_matches

    near = {one.casefold(): one for one in known}
    found = get_close_matches(name.casefold(), near, 1, 0.6)
    return f"; did you mean {near[found[0]]}?" if found else ""


def _clients(written: Sequence[str]) -> tuple[str, ...]:
    """How the log may name these clients: as somebody copied it from there, or by the fingerprints of an address,
    made with the keys of this installation."""
    from ipaddress import ip_address

    from proxy.audit.people.keys import Keys, KeysError, keys_folder

    names: list[str] = []
    for one in written:
        names.append(one)
        try:
            address = str(ip_address(one))
        except ValueError:
            continue  # it is no address: a fingerprint, or a network
        try:
            names += Keys.open(keys_folder(), made=False).clients(address).values()
        except KeysError:
            warn("addresses cannot be compared: the keys of this installation are not here (hushwire keys status)")
    return tuple(names)


# -- the index ----------------------------------------------------------------------------------------------


@contextmanager
def index_of(written: str | None, where: str | None, *, anew: bool = False, kept: bool = False) -> Iterator[Index]:
    """The index of an audit, with everything in it that the logs have now; exit 1 if there can be none. Where it
    cannot be kept beside the log, and nobody said where else, it is made for once, unless it is to be `kept`."""
    from proxy.audit.reading.index import MEMORY, Index, NowhereError

    directory = audit_of(written)
    with ExitStack() as opened:
        index = opened.enter_context(Index(directory, where))
        try:
            _brought_up(index, anew=anew)
        except NowhereError as error:
            if where is not None or kept:
                stop(str(error), code=1)
            warn(f"no index can be kept in {directory}: one is made for this command; --index FILE keeps it")
            index = opened.enter_context(Index(directory, MEMORY))
            _brought_up(index)
        if index.state().unread:
            warn(f"some lines are no events and are left out; hushwire audit verify --audit {directory} says why")
        yield index


def _brought_up(index: Index, *, anew: bool = False) -> None:
    """Up to date, or exit 1. NowhereError is the caller's."""
    from proxy.audit.reading.index import NoIndexError, NowhereError

    try:
        if anew:
            index.discard()
        caught_up(index)
    except NowhereError:
        raise
    except NoIndexError as error:
        stop(str(error), code=1)
    except OSError as error:
        stop(f"{error.filename or index.directory}: {error.strerror}", "are you who runs the proxy?", code=1)


def caught_up(index: Index) -> int:
    """Take in what is new, visibly; how many events."""
    with bar("indexing", "bytes") as tell:
        return index.catch_up(tell)


def hint(index: Index, question: Question) -> None:
    """Say which names of a question no event has, and which was probably meant."""
    for field in ("route", "entity", "rule", "operator", "recognizer", "verdict", "cause"):
        for name in getattr(question, field):
            known = _known(index.db, field)
            if name not in known:
                warn(f"no event has the {field} '{name}'{perhaps(name, known)}")
    for digits in question.policy:
        if not _any(index.db, "SELECT 1 FROM outlines WHERE substr(policy, 1, length(?)) = ?", digits, digits):
            warn(f"no event is under rules '{digits}'; hushwire rollback lists those there were")
    clients = question.client
    if clients and not any(_any(index.db, "SELECT 1 FROM sessions WHERE client = ?", one) for one in clients):
        warn(f"no session is of the client '{clients[0]}'; write its address, or its name in the log (fp:...)")


def _any(db: sqlite3.Connection, query: str, *given: str) -> bool:
    return db.execute(f"{query} LIMIT 1", given).fetchone() is not None


def _known(db: sqlite3.Connection, field: str) -> list[str]:
    table = COLUMN.get(field, "treatments")
    rows = db.execute(f"SELECT DISTINCT {field} FROM {table} WHERE {field} IS NOT NULL")  # noqa: S608 - words of ours
    return [name for (name,) in rows]


def session_of(index: Index, written: str) -> str:
    """The one session that is meant; exit 2 if it is none, or several."""
    from proxy.audit.reading.sessions import MOST, meant

    names = meant(index.db, written)
    if not names:
        stop(f"no session '{written}' is in the log; hushwire audit search shows their names", code=2)
    if len(names) > 1:
        shown = ", ".join(names[:MOST]) + (", ..." if len(names) > MOST else "")
        stop(f"several sessions are meant by '{written}'; say which one: {shown}", code=2)
    return names[0]


def warn(sentence: str) -> None:
    """On stderr, so that answers stay what they are."""
    from rich.console import Console

    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(sentence, style="yellow")
