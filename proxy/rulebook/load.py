"""Rule files by the name or path that a user gives. The only place of this room that reads rule files."""

from __future__ import annotations

import re
from pathlib import Path

from proxy.core.policy import Policy
from proxy.rulebook.compile import Prover, compile_rules
from proxy.rulebook.faults import Fault, RulesError, unknown

_ROOM = Path(__file__).resolve().parent.parent
# In a wheel they lie inside the package, in a checkout beside it.
SHIPPED = next(
    (folder for folder in (_ROOM / "rules", _ROOM.parent / "rules") if folder.is_dir()), _ROOM / "rules"
)


def shipped() -> list[str]:
    """The names of the rules that come with Hushwire."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def load(name_or_path: str, detector: Prover) -> Policy:
    """Rules that come with Hushwire by their name (`default`), or a file by its path (`./my.yaml`).

    Raises RulesError with every fault.
    """
    path = find(name_or_path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        sentence = f"cannot be read: {error.strerror}"
        raise RulesError([Fault(name_or_path, 0, 0, sentence)]) from None
    except UnicodeDecodeError as error:
        sentence = f"not UTF-8 at byte {error.start}"
        raise RulesError([Fault(name_or_path, 0, 0, sentence)]) from None
    source = path.name if path.parent == SHIPPED else name_or_path
    return compile_rules(text, source, path.stem, detector, path.parent)


def find(name_or_path: str) -> Path:
    """The file of `name_or_path`; a bare name is never looked up in the working directory."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", name_or_path):
        return Path(name_or_path)
    if name_or_path in shipped():
        return SHIPPED / f"{name_or_path}.yaml"
    sentence = f"{unknown('rules', name_or_path, shipped())} (a file needs its path: ./{name_or_path}.yaml)"
    raise RulesError([Fault(name_or_path or "rules", 0, 0, sentence)])
