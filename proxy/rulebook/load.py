"""Rules by the name or path that a user gives: the one door to all that this room can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic

from proxy.core.policy import Policy
from proxy.rulebook.compile import Draft, compile_rules, draft_rules
from proxy.rulebook.family import SHIPPED, find, gather, shipped
from proxy.rulebook.faults import Fault
from proxy.rulebook.files import NOTHING, File, Files
from proxy.rulebook.ground import D, Ground

__all__ = ["SHIPPED", "Built", "Draft", "File", "build", "draft", "find", "shipped"]


@dataclass(frozen=True)
class Built(Generic[D]):
    """Rules that can go live: the policy, the detector made for it, and all files read, main one first.

    `remarks` are worth telling to whoever edits them, and no faults. `contents` are those of the files, by
    absolute path.
    """

    policy: Policy
    detector: D
    files: tuple[File, ...]
    remarks: tuple[Fault, ...] = ()
    contents: Mapping[Path, bytes] = field(default_factory=dict, repr=False)


def build(name_or_path: str, ground: Ground[D], contents: Mapping[Path, bytes] = NOTHING) -> Built[D]:
    """Rules that come with Hushwire by their name (`default`), or a file by its path (`./my.yaml`).

    `contents`, by absolute path, stand in for what files say. Raises RulesError with every fault.
    """
    return build_of(name_or_path, ground, Files(contents))


def build_of(name_or_path: str, ground: Ground[D], files: Files) -> Built[D]:
    """As `build`, of `files`, which know afterwards what was asked for. Raises RulesError."""
    members, faults = gather(name_or_path, files)
    made = compile_rules(members[0].path.stem, members, faults, files, ground)
    return Built(made.policy, made.detector, files.read, made.remarks, files.contents)


def draft(name_or_path: str, ground: Ground[D], contents: Mapping[Path, bytes] = NOTHING) -> Draft[D]:
    """The same rules before they have proven themselves, for whoever wants to see how: these never go live.

    Raises RulesError.
    """
    files = Files(contents)
    members, faults = gather(name_or_path, files)
    return draft_rules(members[0].path.stem, members, faults, files, ground)
