"""Legal holds: what must neither be pruned nor erased, in `holds.json` of the audit directory.

A hold covers events by time, session and route; what it does not say, it does not narrow. Released holds stay in
the file, so that ids are never used twice. Who cannot read the file must prune and erase nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from proxy.audit import storage
from proxy.audit.tend import turn

FILE = "holds.json"
SECOND = 1_000_000_000


class HoldError(Exception):
    """Holds cannot be read or changed. The text says which, why and what to do."""


class Hold(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One hold. Times are Unix times in seconds; `begin` and `end` bound the events it covers."""

    id: str
    reason: str
    placed: int
    begin: int | None = None
    end: int | None = None
    session: str | None = None
    route: str | None = None
    released: int | None = None

    @property
    def scope(self) -> str:
        """What it covers, as its event says it; times are Unix times in seconds."""
        bounds = {"session": self.session, "route": self.route, "from": self.begin, "to": self.end}
        return " ".join(f"{name} {bound}" for name, bound in bounds.items() if bound is not None) or "everything"

    def covers(self, t: int, sid: str | None, route: str | None) -> bool:
        """Whether it covers an event at `t` (nanoseconds); None: of what the event does not say."""
        if not self.spans(t, t):
            return False
        return all(mine is None or its in (None, mine) for mine, its in ((self.session, sid), (self.route, route)))

    def spans(self, first: int, last: int) -> bool:
        """Whether events between these times (nanoseconds) may be covered: what retention has to ask."""
        return (self.begin is None or last >= self.begin * SECOND) and (
            self.end is None or first < (self.end + 1) * SECOND
        )


def holds(directory: Path) -> list[Hold]:
    """The holds in force. Raises HoldError."""
    return [hold for hold in every(directory) if hold.released is None]


def every(directory: Path) -> list[Hold]:
    """Released ones too, in the order in which they were placed. Raises HoldError."""
    path = directory / FILE
    try:
        return msgspec.json.decode(storage.content(path), type=list[Hold])
    except FileNotFoundError:
        return []
    except OSError as error:
        why = f"({error.strerror}); are you who runs the proxy?"
        raise HoldError(f"the holds in {path} cannot be read {why}") from None
    except msgspec.MsgspecError:
        raise HoldError(f"{path} is damaged: restore it; until then nothing is pruned or erased") from None


def place(
    directory: Path,
    reason: str,
    now: int,
    *,
    begin: int | None = None,
    end: int | None = None,
    session: str | None = None,
    route: str | None = None,
) -> Hold:
    """A new hold, in force when this returns. Raises HoldError."""
    try:
        with turn(directory, alone=True):
            known = every(directory)
            made = Hold(
                id=f"hold-{len(known) + 1}",
                reason=reason,
                placed=now,
                begin=begin,
                end=end,
                session=session,
                route=route,
            )
            _write(directory, [*known, made])
    except OSError as error:
        raise HoldError(f"no hold can be kept in {directory} ({error.strerror})") from None
    return made


def one(directory: Path, name: str) -> Hold:
    """The hold in force with this id. Raises HoldError."""
    for hold in every(directory):
        if hold.id == name:
            if hold.released is not None:
                raise HoldError(f"{name} was released already")
            return hold
    raise HoldError(f"there is no hold '{name}'; hushwire audit hold list shows them")


def release(directory: Path, name: str, now: int) -> None:
    """End a hold. Raises HoldError."""
    try:
        with turn(directory, alone=True):
            one(directory, name)
            known = [
                msgspec.structs.replace(hold, released=now) if hold.id == name else hold
                for hold in every(directory)
            ]
            _write(directory, known)
    except OSError as error:
        raise HoldError(f"no hold can be released in {directory} ({error.strerror})") from None


def _write(directory: Path, known: list[Hold]) -> None:
    storage.replace(directory / FILE, msgspec.json.format(msgspec.json.encode(known)) + b"\n")
    storage.sync_directory(directory)
