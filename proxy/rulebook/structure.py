"""Protocol fields: places whose values are names of the protocol, and never somebody's words.

The lists lie in rules/structure, one file a subprotocol; `any` holds everywhere. They only say where nobody should
guess (the language model). They never hide what tells itself by its form or a checksum: a subprotocol is the
client's claim, and whoever writes a card number into a `type` wants it to pass. A place where nobody looks at all
is a decision of the user's, and stands in his rules: `structure: {ignore: [...]}`.
"""

from __future__ import annotations

from functools import cache

from pydantic import Field, ValidationError

from proxy.rulebook.closed import Closed
from proxy.rulebook.document import read
from proxy.rulebook.family import SHIPPED
from proxy.rulebook.faults import RulesError
from proxy.rulebook.schema import FieldPath, Version
from proxy.rulebook.told import told

FOLDER = SHIPPED / "structure"
EVERYWHERE = "any"


class FieldsText(Closed):
    """A file of rules/structure: what the subprotocol is called in `Sec-WebSocket-Protocol`, and its fields."""

    version: Version
    subprotocols: list[str] = Field(default_factory=list)
    fields: list[FieldPath]


@cache
def subprotocols() -> dict[str, tuple[str, ...]]:
    """Paths of fields by the name of a subprotocol, and by EVERYWHERE. Raises RulesError."""
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        document = read(file.read_text("utf-8"), f"structure/{file.name}")
        if document.faults:
            raise RulesError(document.faults)
        try:
            written = FieldsText.model_validate(document.data)
        except ValidationError as error:
            raise RulesError(told(error, document, FieldsText)) from None
        for name in (file.stem, *written.subprotocols):
            found[name] = tuple(written.fields)
    return found


def fields_of(names: list[str]) -> frozenset[str]:
    """The fields of any protocol, and those of the subprotocols with these names, which are known."""
    known = subprotocols()
    return frozenset(path for name in (EVERYWHERE, *names) for path in known[name])
