"""What verbs about a person share: asking for a value without showing it, the ways in which it may be written, and
saying what cannot be found.

A value never stands among the arguments of a command, which every process of the machine may read.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.audit.asked import warn
from proxy.commands.say import plural, stop

if TYPE_CHECKING:
    from proxy.audit.people.epochs import Epoch
    from proxy.audit.people.keys import Keys

Entity = Annotated[
    str | None,
    typer.Option(
        "--entity", metavar="ENTITY", help="What the value is: EMAIL_ADDRESS, PHONE_NUMBER ...", show_default=False
    ),
]
Stdin = Annotated[
    bool, typer.Option("--stdin", metavar=" ", help="Read the value from stdin; on a terminal it is asked for.")
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="CC",
        help="Of a telephone number: in every way in which people of this country write it (two letters: DE).",
        show_default=False,
    ),
]
Prints = Mapping[bytes, str]
"""The names of spellings (proxy/audit/people/telephone.py), by the fingerprints of a value that is spelt so."""
WAYS = {
    "given": "as given",
    "international": "international (with its country's code)",
    "national": "national (without that code: may be somebody else's in another country)",
    "dialled": "as dialled from {region}",
}
UNTOLD = (
    "A telephone number has other fingerprints where it is written with, or without, its country's code:"
    " --region CC (such as DE, for what people in Germany write) looks for those too"
)


def entity_of(name: str | None) -> str:
    """The name of an entity; exit 2 for what cannot be one."""
    if name is None:
        stop("say what the value is: --entity EMAIL_ADDRESS, for example", code=2)
    if not re.fullmatch("[A-Z][A-Z0-9_]*", name):  # not repeated: it may be the value
        stop("--entity: this is no name of an entity; they are written like EMAIL_ADDRESS or PHONE_NUMBER", code=2)
    return name


def value_of(stdin: bool, entity: str) -> str:
    """The value somebody asks for; exit 2 if there is none."""
    if stdin:
        raw = sys.stdin.buffer.read()
    elif sys.stdin.isatty():
        raw = str(typer.prompt(f"{entity} (not shown)", hide_input=True, err=True)).encode(
            errors="surrogateescape"
        )
    else:
        stop("say --stdin and write the value there: among arguments every process could read it", code=2)
    try:
        value = raw.decode().strip("\r\n")
    except UnicodeDecodeError:
        stop("the value is not UTF-8; convert it first", code=2)
    if not value.strip():
        stop("there is no value on stdin", code=2)
    if "\n" in value:
        warn("there are several lines on stdin: they are taken as one value; ask for one at a time")
    return value


def region_of(region: str | None, entity: str) -> str | None:
    """The country whose spellings are looked for too; exit 2 if that makes no sense."""
    from proxy.audit.people.spelling import TELEPHONES
    from proxy.audit.people.telephone import known

    if region is None:
        return None
    if entity not in TELEPHONES:
        stop(f"--region: it is for telephone numbers ({', '.join(sorted(TELEPHONES, reverse=True))})", code=2)
    if not known(region.upper()):  # not repeated: it may be the value
        stop("--region: there is no such country; write its two letters, such as DE, GB or US", code=2)
    return region.upper()


def prints_of(keys: Keys, entity: str, value: str, region: str | None) -> Prints:
    """What the log may have of a value. Exit 2 if it is no telephone number of `region`; a hint where a region
    would find more."""
    from proxy.audit.people.spelling import TELEPHONES
    from proxy.audit.people.telephone import NumberError, Spelling, spellings

    try:
        every = [Spelling("given", value)] if region is None else spellings(value, region)
    except NumberError:
        stop(
            f"the value is no telephone number of {region}, nor one that can be dialled from there",
            "without --region it is looked for as it is given",
            code=2,
        )
    if region is None and entity in TELEPHONES:
        warn(UNTOLD)
    return {mark: one.name for one in every for mark in keys.fingerprints(one.text, entity).values()}


def counted(prints: Prints, found: Iterable[bytes]) -> dict[str, int]:
    """How often each spelling that was looked for was found."""
    counts = Counter(prints[fingerprint] for fingerprint in found)
    return {name: counts[name] for name in WAYS if name in prints.values()}


def told(counts: Mapping[str, int], region: str) -> str:
    """`2 as given, 1 national`, and what that means."""
    return ", ".join(f"{count:,} {WAYS[name].format(region=region)}" for name, count in counts.items() if count)


def unsure(counts: Mapping[int, int], keys: Keys) -> Iterator[str]:
    """What cannot be judged for want of the right keys, as sentences."""
    there = {epoch.number for epoch in keys.all}
    for number, count in counts.items():
        why = "its key is not the one they were made with" if number in there else "its key is gone"
        path = keys.epochs.folder / f"{number}.key"
        yield f"{plural(count, 'fingerprint')} of epoch {number} cannot be judged: {why} (restore {path})"


def shredded(epochs: list[Epoch]) -> str | None:
    """What cannot be found any more, as a sentence."""
    gone = [str(epoch.number) for epoch in epochs if epoch.key is None]
    if not gone:
        return None
    which = f"epoch {gone[0]} was" if len(gone) == 1 else f"epochs {', '.join(gone)} were"
    return f"The key of {which} destroyed: what was found then cannot be told any more."
