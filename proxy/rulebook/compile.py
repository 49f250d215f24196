"""Rules as written -> Policy as run. Everything that could fail later fails here, all of it at once.

No rule files are read here (see proxy/rulebook/load.py), and recognizers are made in proxy/rulebook/supply.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path as FilePath
from types import MappingProxyType

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from proxy.codecs import choose
from proxy.core.message import Direction, Kind, Leaf
from proxy.core.policy import Policy, Rule
from proxy.rulebook.actions import Action
from proxy.rulebook.closed import Closed
from proxy.rulebook.document import Document, Path, read
from proxy.rulebook.faults import Fault, RulesError, quoted, unknown
from proxy.rulebook.ground import D, Ground, Prover
from proxy.rulebook.schema import ANY, Examples, PatternText, RecognizerText, RulesText, RuleText
from proxy.rulebook.supply import supply
from proxy.rulebook.verbs import verb

Read = tuple[FilePath, str]


def compile_rules(
    text: str, source: str, name: str, ground: Ground[D], folder: FilePath
) -> tuple[Policy, D, list[Read]]:
    """The policy that `text` describes, the detector for it, and what files it reads, with their SHA-256.

    `source` is what faults call the file. The files it names lie in `folder`. Raises RulesError.
    """
    document = read(text, source)
    faults = [*document.faults, *_twice(document)]
    supplied = supply(document, folder)
    faults += supplied.faults
    detector = ground.engine(supplied.recognizers, {})
    # With a recognizer missing, every entity of it would be a fault too.
    known = detector.entities if supplied.whole else None
    try:
        rules = RulesText.model_validate(document.data, context={"entities": known})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        told = [fault for detail in details for fault in _told(detail, document)]
        places = {(fault.line, fault.column) for fault in faults}  # what was left out there is told already
        raise RulesError([*faults, *(f for f in told if (f.line, f.column) not in places)]) from None
    faults += _idle(rules, document)
    if supplied.whole:
        faults += supplied.unused(document, {entity for rule in rules.rules for entity in rule.entities})
    if faults:
        raise RulesError(faults)
    policy = _policy(rules, name, detector.entities, [digest for _, digest in supplied.files])
    faults += _unproven(rules, policy, document, detector)
    if faults:
        raise RulesError(faults)
    return policy, detector, supplied.files


def _policy(rules: RulesText, name: str, known: frozenset[str], files: Sequence[str]) -> Policy:
    named = (
        {entity for rule in rules.rules for entity in rule.entities} if rules.entities is None else rules.entities
    )
    entities = known if ANY in named else frozenset(named)
    # Layout and comments do not count, but what "*" meant on that day does.
    canonical = rules.model_dump(mode="json") | {"entities": sorted(entities), "files": list(files)}
    digest = sha256(json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return Policy(rules.name or name, digest, rules.threshold, entities, tuple(map(_rule, rules.rules)))


def _rule(rule: RuleText) -> Rule:
    entities = None if ANY in rule.entities else frozenset(rule.entities)
    directions = frozenset(d for d in Direction if rule.direction in (d.label, "both"))
    made = verb(rule.action)
    return Rule(
        rule.id,
        entities,
        directions,
        rule.action.operator,
        made.rewrite,
        made.number,
        MappingProxyType(rule.action.params.model_dump(by_alias=True, exclude_none=True)),
        shadow=rule.mode == "shadow",
    )


def _told(detail: ErrorDetails, document: Document) -> Iterator[Fault]:
    """One of pydantic's errors as faults. Its own sentences may quote values, so few of them are used."""
    path: Path = detail["loc"]
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        yield document.fault(path, unknown("key", str(path[-1]), _keys(path[:-1])), at_key=True)
    elif detail["type"] == "missing":
        yield document.fault(path, f"the key '{path[-1]}' is missing", at_key=True)
    else:
        known = SENTENCES.get(detail["type"])
        yield document.fault(path, known.format(**context) if known else detail["msg"])


SENTENCES = {
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
    "literal_error": "must be {expected}",
    "string_type": "must be a text; put it in quotes",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "float_type": "must be a number",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "string_pattern_mismatch": "must be 1 to 64 letters, digits, '_', '.' or '-', and not start with a sign",
}


def _keys(path: Path) -> list[str]:
    """The keys that are allowed in the mapping at `path`."""
    names = [step for step in path if isinstance(step, str)]
    models: dict[str, type[Closed]] = {
        "": RulesText,
        "rules": RuleText,
        "tests": Examples,
        "recognizers": RecognizerText,
        "patterns": PatternText,
        **{name: field.annotation.__args__[0] for name, field in Action.model_fields.items()},  # type: ignore[union-attr]
    }
    fields = models[names[-1] if names else ""].model_fields
    return [field.alias or name for name, field in fields.items()]


def _twice(document: Document) -> Iterator[Fault]:
    """Ids are checked on the raw values, so that this is told together with everything else."""
    rules = document.data.get("rules") if isinstance(document.data, dict) else None
    seen: set[str] = set()
    for i, rule in enumerate(rules if isinstance(rules, list) else ()):
        name = rule.get("id") if isinstance(rule, dict) else None
        if isinstance(name, str):
            if name in seen:
                yield document.fault(("rules", i, "id"), f"the id {quoted(name)} is taken by a rule above")
            seen.add(name)


def _idle(rules: RulesText, document: Document) -> Iterator[Fault]:
    """Rules about entities that the file itself says nobody should look for."""
    if rules.entities is None:
        return
    for i, rule in enumerate(rules.rules):
        for j, entity in enumerate(rule.entities):
            if entity != ANY and entity not in rules.entities:
                sentence = f"nobody looks for {entity}: it is not in the list 'entities' of this file"
                yield document.fault(("rules", i, "entities", j), sentence)


def _unproven(rules: RulesText, policy: Policy, document: Document, detector: Prover) -> Iterator[Fault]:
    """Examples that do not come out as written, judged by the detector that will run."""
    for i, (written, rule) in enumerate(zip(rules.rules, policy.rules, strict=True)):
        entities = policy.entities if rule.entities is None else rule.entities
        for kind, texts in (("match", written.tests.match), ("no_match", written.tests.no_match)):
            for j, text in enumerate(texts):
                wrong = _verdict(text, kind == "match", entities, policy, detector)
                if wrong:
                    sentence = f"rule '{rule.id}' fails its own example: {wrong} in this text"
                    yield document.fault(("rules", i, "tests", kind, j), sentence)


def _leaves(text: str) -> Sequence[Leaf]:
    """An example as a message: JSON is read as such, so that keys can be proven too."""
    payload = text.encode()
    return choose(Kind.TEXT, payload).read(payload)


def _verdict(text: str, wanted: bool, entities: frozenset[str], policy: Policy, detector: Prover) -> str | None:
    try:
        # All that the policy looks for, as it will be when it runs: each set of entities is compiled anew.
        findings = detector.find(_leaves(text), policy.entities, policy.threshold)
    except TimeoutError:
        return "looking takes too long"
    found = any(finding.entity in entities for leaf in findings for finding in leaf)
    if found == wanted:
        return None
    return "nothing is found" if wanted else "something is found"
