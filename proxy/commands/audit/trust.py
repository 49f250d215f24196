"""What the verbs that prove things are given alike: the key and the anchors that are believed, and how they are
read; a bar while a log is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from proxy.commands.audit.around import bar
from proxy.commands.say import stop

if TYPE_CHECKING:
    from proxy.audit.checkpoint import Verifier
    from proxy.audit.proof.anchors import Anchor

Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="VKEY|FILE",
        help="The verifier key, from where you keep it; without, the one in the directory is believed.",
    ),
]
Anchors = Annotated[
    list[str] | None,
    typer.Option("--anchor", metavar="WHERE", help="Where checkpoints are kept: file:DIR or git:DIR; repeatable."),
]
Roots = Annotated[
    Path | None,
    typer.Option("--tsa-ca", metavar="FILE", help="Believe time stamps that lead to these certificates (PEM)."),
]
OneLog = Annotated[str, typer.Option("--log", metavar="ID|log-N", help="Only this log.", show_default=False)]


def key_of(written: str | None) -> Verifier | None:
    """The key that was given; exit 2 if it is none."""
    from proxy.audit.checkpoint import CheckpointError, Verifier

    if written is None:
        return None
    path = Path(written)
    if "+" not in written and not path.exists():
        stop(
            f"--key: there is no file {written}, and a verifier key looks like hushwire-audit+1a2b3c4d+AQ...",
            code=2,
        )
    try:
        return Verifier.parse(path.read_text() if path.is_file() else written)
    except (CheckpointError, UnicodeDecodeError) as error:
        stop(f"--key: {error if isinstance(error, CheckpointError) else f'{written} is not text'}", code=2)
    except OSError as error:
        stop(f"--key: {written} cannot be read ({error.strerror})", code=2)


def believed(directory: Path, key: Verifier | None) -> Verifier:
    """The key that was given, or the one in the directory; exit 2 if there is none."""
    from proxy.audit.checkpoint import CheckpointError
    from proxy.audit.proof.verify import published

    if key is not None:
        return key
    try:
        return published(directory)
    except FileNotFoundError:
        stop(f"{directory} holds no public.key", "give the verifier key with --key", code=2)
    except CheckpointError as error:
        stop(f"{directory}/public.key: {error}", "give the verifier key with --key", code=2)


def anchors_of(directory: Path, written: Sequence[str], roots: Path | None) -> list[Anchor]:
    """The anchors that were named, and the time stamps that are kept if `roots` say whom to believe; exit 2 if one
    is not to be used."""
    from proxy.audit.proof.anchors import AnchorError, anchor

    if roots is not None and not roots.is_file():
        stop(f"--tsa-ca: there is no file {roots}", code=2)
    try:
        stamps = _stamps(directory) if roots is not None else []
        return [anchor(where, directory, roots) for where in [*written, *stamps]]
    except AnchorError as error:
        stop(f"--anchor: {error}", code=2)


def _stamps(directory: Path) -> list[str]:
    from proxy.audit.proof.anchors_tsa import authorities

    return [f"tsa:{url}" for url in authorities(directory)]


def one_of(directory: Path, named: str) -> Path:
    """The folder of the log that is meant; exit 2 if that cannot be told."""
    from proxy.audit.layout import logs
    from proxy.audit.proof.prove import ProofError, find
    from proxy.audit.proof.verify import named as id_of

    folders = logs(directory)
    if not folders:
        stop(f"there is no audit log in {directory}", "name its directory with --audit DIR", code=2)
    try:
        return find(folders, named, map(id_of, folders))
    except ProofError as error:
        stop(f"--log: {error}", code=2)


@contextmanager
def watched(what: str, total: int | None, unit: str = "events") -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, by `unit`; yields what is told how many were read since."""
    done = 0
    with bar(what, unit) as told:

        def tell(count: int) -> None:
            nonlocal done
            done += count
            told(done, total)

        yield tell


def claimed(folders: Sequence[Path], unit: Literal["events", "blocks"] = "events") -> int | None:
    """How many events or blocks the checkpoints speak of, unchecked: for a bar."""
    from proxy.audit.storage import content

    row, word = (3, b"seq ") if unit == "events" else (1, b"")
    total = 0
    for folder in folders:
        try:
            line = content(folder / "checkpoint").split(b"\n")[row]
        except (OSError, IndexError):
            return None
        number = line.removeprefix(word)
        if not number.isdigit() or len(number) > 18:
            return None
        total += int(number)
    return total or None
