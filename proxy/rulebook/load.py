"""Rule files by the name or path that a user gives. The only place of this room that reads rule files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Generic, NamedTuple

from proxy.core.policy import Policy
from proxy.rulebook.compile import compile_rules
from proxy.rulebook.faults import Fault, RulesError, unknown
from proxy.rulebook.ground import D, Ground

_ROOM = Path(__file__).resolve().parent.parent
# In a wheel they lie inside the package, in a checkout beside it.
SHIPPED = next(
    (folder for folder in (_ROOM / "rules", _ROOM.parent / "rules") if folder.is_dir()), _ROOM / "rules"
)


class File(NamedTuple):
    """A file as it was when it was read."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Built(Generic[D]):
    """Rules that can go live: the policy, the detector made for it, and all files read, main one first."""

    policy: Policy
    detector: D
    files: tuple[File, ...]


def shipped() -> list[str]:
    """The names of the rules that come with Hushwire."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def build(name_or_path: str, ground: Ground[D], text: str | None = None) -> Built[D]:
    """Rules that come with Hushwire by their name (`default`), or a file by its path (`./my.yaml`).

    With `text`, as if the file said that. Raises RulesError with every fault.
    """
    path = find(name_or_path)
    try:
        raw = path.read_bytes() if text is None else text.encode()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        sentence = f"cannot be read: {error.strerror}"
        raise RulesError([Fault(name_or_path, 0, 0, sentence)]) from None
    except UnicodeDecodeError as error:
        sentence = f"not UTF-8 at byte {error.start}"
        raise RulesError([Fault(name_or_path, 0, 0, sentence)]) from None
    source = path.name if path.parent == SHIPPED else name_or_path
    policy, detector, more = compile_rules(text, source, path.stem, ground, path.parent)
    files = [File(path, sha256(raw).hexdigest()), *(File(*one) for one in more)]
    return Built(policy, detector, tuple(files))


def find(name_or_path: str) -> Path:
    """The file of `name_or_path`; a bare name is never looked up in the working directory."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", name_or_path):
        return Path(name_or_path)
    if name_or_path in shipped():
        return SHIPPED / f"{name_or_path}.yaml"
    sentence = f"{unknown('rules', name_or_path, shipped())} (a file needs its path: ./{name_or_path}.yaml)"
    raise RulesError([Fault(name_or_path or "rules", 0, 0, sentence)])
