"""What a policy is called: a hash of all that its rules mean, so that a record says which rules were in force."""

from __future__ import annotations

import json
from hashlib import sha256

from proxy.rulebook.expiry import live
from proxy.rulebook.files import Files
from proxy.rulebook.merge import Merged
from proxy.rulebook.pace import breathe
from proxy.rulebook.structure import fields_of


def digest(merged: Merged, entities: frozenset[str], files: Files, now: float) -> str:
    """A name for `merged`, which asks for `entities`, at `now`.

    Layout, comments, what the rules are called and exceptions that have ended do not count. What "*" meant on that
    day does, and so does whatever stands in files of lists and recognizers.
    """
    rules = [piece.written for piece in merged.rules]
    own = {member.path for member in merged.members}
    written = {
        "threshold": merged.threshold,
        "entities": sorted(entities),
        "rules": [rule.model_dump(mode="json", by_alias=True, exclude={"except_", "mode"}) for rule in rules],
        "shadow": [merged.shadow(rule) for rule in rules],
        "except": [[one.model_dump(mode="json") for _, one in live(rule, now)] for rule in rules],
        "definitions": {name: piece.written.model_dump(mode="json") for name, piece in merged.entities.items()},
        "keys": {name: piece.written for name, piece in merged.keys.items()},
        "countries": [piece.written for piece in merged.countries],
        "recognizers": [piece.written.model_dump(mode="json") for piece in merged.recognizers],
        "ignore": [piece.written for piece in merged.ignore],
        "fields": sorted(fields_of([piece.written for piece in merged.subprotocols])),
        "allow": [piece.written.model_dump(mode="json") for piece in merged.allow],
        "tests": [piece.written.model_dump(mode="json") for piece in merged.tests],
        "files": [file.sha256 for file in files.read if file.path not in own],
    }
    hashed = sha256()
    # In pieces: `json.dumps` would keep the GIL from every other thread for 16 ms with 500 rules.
    for piece in json.JSONEncoder(sort_keys=True, separators=(",", ":")).iterencode(written):
        hashed.update(piece.encode())
        breathe()
    return hashed.hexdigest()
