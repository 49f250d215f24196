"""Rules as written -> Policy as run. Everything that could fail later fails here, all of it at once.

Files are read in proxy/rulebook/family.py and merged in merge.py; recognizers are made in supply.py, the policy in
make.py; and what the files say about themselves is proven in proof.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Generic

from proxy.core.policy import Policy
from proxy.pseudonyms.tokens import Vaults
from proxy.rulebook.expiry import ended
from proxy.rulebook.family import Member
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.files import Files
from proxy.rulebook.ground import D, Fields, Ground
from proxy.rulebook.make import Maker, allowed_of, verbs_of
from proxy.rulebook.meaning import idle, outdone, twice, unheard, unspoken
from proxy.rulebook.merge import Merged, merge
from proxy.rulebook.paths import among
from proxy.rulebook.proof import unproven
from proxy.rulebook.structure import fields_of, subprotocols
from proxy.rulebook.supply import Supplied, partly, supply

NO_KEYS: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True)
class Draft(Generic[D]):
    """Rules that make sense, and are not proven yet: never in force. `staged` is the policy as proofs see it.

    What examples say is nobody's, and a vault may be away: proofs keep tokens in memory. A rehearsal is proven as
    if it were none.
    """

    merged: Merged
    policy: Policy
    staged: Policy
    detector: D
    now: float


@dataclass(frozen=True)
class Compiled(Generic[D]):
    """A policy, the detector for it, and what is worth saying about it."""

    policy: Policy
    detector: D
    remarks: tuple[Fault, ...]


def compile_rules(
    name: str, members: Sequence[Member], faults: Sequence[Fault], files: Files, ground: Ground[D]
) -> Compiled[D]:
    """The policy that `members` describe, proven. The arguments are those of `draft_rules`. Raises RulesError."""
    draft = draft_rules(name, members, faults, files, ground)
    merged, policy = draft.merged, draft.policy
    if wrong := unproven(merged.performed(), draft.staged, draft.detector, ground.now):
        raise RulesError(wrong)
    return Compiled(policy, draft.detector, (*ended(merged, ground.now), *outdone(merged, policy)))


def draft_rules(
    name: str, members: Sequence[Member], faults: Sequence[Fault], files: Files, ground: Ground[D]
) -> Draft[D]:
    """The policy that `members` describe, the main file first. `faults` were found when they were read.

    It is called `name` unless the main file says otherwise. Raises RulesError.
    """
    fitting = all(member.rules is not None for member in members)
    merged, disputes = merge(members, shadow=ground.shadow) if fitting else (partly(members), [])
    allowed, unread = allowed_of(merged, files)
    verbs, keyless = verbs_of(merged, ground)
    supplied = supply(merged, files)
    fields = _fields(merged)
    plain = ground.engine(supplied.recognizers, NO_KEYS, fields)
    wrong = [*faults, *disputes, *unread, *keyless, *_unsaid(supplied.faults, faults)]
    wrong += _unsaid(_meaningless(merged, supplied, plain.entities, fitting=fitting), faults)
    if wrong:
        raise RulesError(wrong)
    keys = {entity: tuple(piece.written) for entity, piece in merged.keys.items()}
    detector = ground.engine(supplied.recognizers, keys, fields) if keys else plain
    maker = Maker(name, allowed, files, ground.now)
    aside, _ = verbs_of(merged, replace(ground, vaults=Vaults.in_memory()))
    staged = maker.policy(merged.performed(), detector.entities, aside)
    return Draft(merged, maker.policy(merged, detector.entities, verbs), staged, detector, ground.now)


def _fields(merged: Merged) -> Fields:
    """Where nobody needs to guess; of subprotocols that nobody knows, nothing."""
    known = subprotocols()
    fields = among(fields_of([piece.written for piece in merged.subprotocols if piece.written in known]))
    assert fields is not None  # some hold everywhere
    return fields


def _unsaid(faults: Iterable[Fault], told: Iterable[Fault]) -> Iterator[Fault]:
    """Of `faults` those at other places: what breaks the schema is told in better words."""
    places = {(fault.source, fault.line, fault.column) for fault in told}
    return (fault for fault in faults if (fault.source, fault.line, fault.column) not in places)


def _meaningless(merged: Merged, supplied: Supplied, found: frozenset[str], *, fitting: bool) -> Iterator[Fault]:
    """What makes no sense although it may be well written; `found` is what the recognizers find."""
    documents = [member.document for member in merged.members]
    for document in documents:
        yield from twice(document)
        yield from unspoken(document)
    strange = []
    if supplied.whole:  # with a recognizer missing, every entity of it would be a fault too
        known = found | merged.entities.keys()
        strange = [fault for document in documents for fault in unheard(document, known)]
    yield from strange
    if fitting and not strange:  # who is meant by a strange name is not idle
        yield from idle(merged, supplied, found)
