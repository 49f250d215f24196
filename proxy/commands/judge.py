"""Files judged as `hushwire run` would: rules, and hushwire.yaml with the rules of its routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from proxy.building import compiled
from proxy.commands.say import plural, sound
from proxy.config import read as read_config
from proxy.config.schema import ConfigText
from proxy.detect.engine import Engine
from proxy.detect.ner.model import ENTITIES as IN_PROSE
from proxy.rulebook.document import read as read_document
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.files import NOTHING, Files, Unreadable
from proxy.rulebook.ground import Ground
from proxy.rulebook.load import Built, build, find
from proxy.rulebook.schema import RulesText
from proxy.settings import Settings

Contents = Mapping[Path, bytes]
DEFAULT = str(Settings.model_fields["rules"].default)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said about one file: its faults, or else what it comes to, and what is worth knowing."""

    name: str
    faults: tuple[Fault, ...]
    remarks: tuple[Fault, ...] = ()
    about: str = ""
    notes: tuple[str, ...] = ()


def judge(name: str, ground: Ground[Engine], contents: Contents = NOTHING, *, prose: bool) -> Verdict:
    """Judge the rules or the config of that name or path; `prose`: a language model reads along.

    `contents`, by absolute path, stand in for what rule files say.
    """
    if is_config(name):
        return _config(name, ground, prose=prose)
    return _rules(name, ground, contents, prose=prose)


def is_config(name: str) -> bool:
    """Whether a file is meant to be a hushwire.yaml: told by its keys, whatever it is called."""
    try:
        data = read_document(Files().text(find(name)), name).data
    except (RulesError, Unreadable):
        return False  # told as what is read
    keys = set(data) if isinstance(data, dict) else set()
    own = keys & ConfigText.model_fields.keys() - RulesText.model_fields.keys()
    others = keys & RulesText.model_fields.keys() - ConfigText.model_fields.keys()
    return len(own) > len(others)


def _rules(name: str, ground: Ground[Engine], contents: Contents = NOTHING, *, prose: bool) -> Verdict:
    try:
        with sound(name):
            built = build(name, ground, contents)
            compiled(built)
    except RulesError as error:
        return Verdict(name, error.faults)
    policy = built.policy
    rules, entities = plural(len(policy.rules), "rule"), plural(len(policy.entities), "kind")
    about = f"{rules} about {entities} of personal data, digest {policy.digest[:12]}"
    return Verdict(name, (), built.remarks, about, tuple(_notes(built, prose=prose)))


def _notes(built: Built[Engine], *, prose: bool) -> Iterator[str]:
    wanted = IN_PROSE & built.policy.entities
    if wanted and not prose:
        names = " and ".join(sorted(wanted))
        yield f"without a language model (--ner) {names} are found under their JSON keys only, not in prose"


def _config(name: str, ground: Ground[Engine], *, prose: bool) -> Verdict:
    try:
        config = read_config(Path(name))
    except RulesError as error:
        return Verdict(name, error.faults)
    sources = {(str(route.values.get("rules", DEFAULT)), route.shadow) for route in config.routes}
    verdicts = [_rules(source, replace(ground, shadow=shadow), prose=prose) for source, shadow in sorted(sources)]
    return Verdict(
        name,
        tuple(fault for verdict in verdicts for fault in verdict.faults),
        tuple(fault for verdict in verdicts for fault in verdict.remarks),
        f"{plural(len(config.routes), 'route')} under {plural(len(verdicts), 'set')} of rules",
        tuple(dict.fromkeys(note for verdict in verdicts for note in verdict.notes)),
    )
