"""An event as a database wants it: columns for what people search by, and the line itself, exact.

    log seq t kind sid route dir n verdict cause policy entities rules operators line

`t` is Unix time in nanoseconds here; each database has its own. Lists are sorted and hold each name once.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from proxy.audit.sinks import Batch
from proxy.audit.sinks.follow import DamagedError


class Row(NamedTuple):
    """One event; None for what its kind does not say."""

    log: str
    seq: int
    t: int
    kind: str
    sid: str | None
    route: str | None
    dir: str | None
    n: int | None
    verdict: str | None
    cause: str | None
    policy: str | None
    entities: tuple[str, ...]
    rules: tuple[str, ...]
    operators: tuple[str, ...]
    line: str


class _Finding(msgspec.Struct, gc=False):
    entity: str
    rule: str
    op: str


class _Line(msgspec.Struct, gc=False):
    """The fields that become columns. The rest is skipped, which takes a third of the time of decoding all."""

    log: str
    seq: int
    t: int
    kind: str
    sid: str | None = None
    route: str | None = None
    dir: str | None = None
    n: int | None = None
    verdict: str | None = None
    cause: str | None = None
    policy: str | None = None
    f: list[_Finding] = []


_decode = msgspec.json.Decoder(_Line).decode


def rows(batch: Batch) -> list[Row]:
    """The events of a batch. Raises DamagedError if a line is none, or not where it belongs."""
    try:
        made = [_row(line) for line in batch.lines()]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DamagedError("a line is no event") from None
    if any(row.seq != seq or row.log != batch.log for seq, row in enumerate(made, batch.first)):
        raise DamagedError("an event has another's number, or another log's name")
    return made


def _row(line: bytes) -> Row:
    said = _decode(line)
    return Row(
        said.log,
        said.seq,
        said.t,
        said.kind,
        said.sid,
        said.route,
        said.dir,
        said.n,
        said.verdict,
        said.cause,
        said.policy,
        _names([one.entity for one in said.f]),
        _names([one.rule for one in said.f]),
        _names([one.op for one in said.f]),
        line.decode(),
    )


def _names(names: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names))) if len(names) > 1 else tuple(names)
