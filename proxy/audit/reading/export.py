"""What fits a question, handed on to other programs: as the lines stand, or a row for each finding.

Read from the segments, log by log in the order of seq, in bounded memory. JSON lines keep every event, byte for
byte; CSV and Parquet have a row for each finding of a message, because that is what spreadsheets can count.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar, get_type_hints

from proxy.audit import events
from proxy.audit.blocks import Reading, SegmentError
from proxy.audit.layout import Segment, logs, segments
from proxy.audit.reading.question import Asked, Question

ROWS = 50_000  # in a row group of Parquet
LINES = 1000  # written at once
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What begins so is calculated when a spreadsheet opens a CSV file (OWASP, CSV injection)."""
Tell = Callable[[int, int], None]
Some = TypeVar("Some")


class Line(NamedTuple):
    """An event, and how it stands in the log, without the line feed."""

    event: events.Any
    line: bytes


class Row(NamedTuple):
    """One finding, with the message it was in. `message` and sizes are 0 for one that a rule closed the connection
    for (verdict `refused`). `time` is Unix time in nanoseconds, `direction` up or down; sizes
    are bytes, `length` characters."""

    log: str
    seq: int
    time: int
    session: str
    route: str
    direction: str
    message: int
    entity: str
    rule: str
    operator: str
    recognizer: str
    mode: str
    length: int
    score: float
    verdict: str
    cause: str
    policy: str
    bytes_in: int
    bytes_out: int
    lat_us: int


class Export:
    """One export; `count` says how many lines or rows were handed on so far."""

    def __init__(self, directory: Path, question: Question, form: str) -> None:
        """`form` is one of FORMS."""
        self.directory, self.form = directory, form
        self.asked = Asked(question)
        self.count = 0

    def write(self, file: BinaryIO, tell: Tell = lambda _done, _of: None) -> None:
        """All of it. `tell` gets bytes of files, read and in all.

        Raises SegmentError, OSError, ImportError (Parquet without pyarrow).
        """
        FORMS[self.form](self, self.lines(tell), file)

    def lines(self, tell: Tell) -> Iterator[Line]:
        """Everything that fits."""
        every = [segment for log in logs(self.directory) for segment in segments(log)]
        sizes = [segment.path.stat().st_size for segment in every]
        done = 0
        for segment, size in zip(every, sizes, strict=True):
            for run in Reading(segment).runs():
                yield from self._fitting(segment, run)
            done += size
            tell(done, sum(sizes))

    def _fitting(self, segment: Segment, run: bytes) -> Iterator[Line]:
        for line in run[:-1].split(b"\n"):
            try:
                event: events.Any = events.decode(line)
            except ValueError:
                place = f"{segment.path.parent.name}/{segment.path.name}"
                raise SegmentError(f"{place} has a line that is no event") from None
            if self.asked.fits(event):
                yield Line(event, line)

    def rows(self, found: Iterable[Line]) -> Iterator[Row]:
        """The findings in messages that fit."""
        for event, _ in found:
            for finding in events.findings(event):
                if isinstance(event, events.Treated) and self.asked.finding_fits(finding):
                    self.count += 1
                    yield _row(event, finding)


def _row(event: events.Treated, finding: events.Finding) -> Row:
    cause = event.cause if isinstance(event.cause, str) else ""
    message = event if isinstance(event, events.Message) else None
    return Row(
        event.log,
        event.seq,
        event.t,
        event.sid,
        event.route,
        event.dir,
        0 if message is None else message.n,
        finding.entity,
        finding.rule,
        finding.op,
        finding.recognizer,
        finding.mode,
        finding.len,
        finding.score,
        "refused" if message is None else message.verdict,
        cause,
        event.policy,
        *((0, 0, 0) if message is None else (message.in_, message.out, message.lat_us)),
    )


def _jsonl(export: Export, found: Iterable[Line], file: BinaryIO) -> None:
    for some in _groups(found, LINES):
        file.write(b"\n".join(line for _, line in some) + b"\n")
        export.count += len(some)


def _csv(export: Export, found: Iterable[Line], file: BinaryIO) -> None:
    """As RFC 4180 has it, times in ISO 8601. Rules and routes have no names that a spreadsheet would take for a
    formula; a log that somebody else has written to may."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    try:
        written = csv.writer(text)
        written.writerow(Row._fields)
        for row in export.rows(found):
            when = datetime.fromtimestamp(row.time / 1e9, UTC).isoformat(timespec="milliseconds")
            written.writerow(map(_plain, (*row[:2], when, *row[3:])))
        text.flush()
    finally:
        text.detach()  # else it would close the file


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _parquet(export: Export, found: Iterable[Line], file: BinaryIO) -> None:
    """In row groups, of which one is in memory."""
    import pyarrow  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415

    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    kinds = {name: types[kind] for name, kind in get_type_hints(Row).items()}
    schema = pyarrow.schema({**kinds, "time": pyarrow.timestamp("ns", "UTC")})
    with parquet.ParquetWriter(file, schema, compression="zstd") as written:
        for some in _groups(export.rows(found), ROWS):
            columns = zip(zip(*some, strict=True), schema.types, strict=True)
            arrays = [pyarrow.array(column, kind) for column, kind in columns]
            written.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _groups(every: Iterable[Some], size: int) -> Iterator[list[Some]]:
    rest = iter(every)
    while group := list(islice(rest, size)):
        yield group


FORMS = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
