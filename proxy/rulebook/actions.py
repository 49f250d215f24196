"""Actions as written: an operator by its name, or by its name and its parameters. One closed model an operator.

What they become is made in proxy/rulebook/verbs.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from proxy.rulebook.closed import Closed, Reference, unheard, wrong

CLOSE_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))  # RFC 6455 section 7.4 and IANA
LONGEST_REASON = 123  # bytes: RFC 6455 section 5.5
Way = Literal["client_to_upstream", "upstream_to_client", "both"]
Count = Annotated[int, Field(ge=0)]


def _char(text: str) -> str:
    if len(text) != 1:
        raise wrong("E013", "must be one character")
    return text


def _code(value: int) -> int:
    if not any(value in codes for codes in CLOSE_CODES):
        raise wrong("E013", "must be a close code an endpoint may send: 1000-1003, 1007-1014 or 3000-4999")
    return value


def _reason(text: str) -> str:
    if len(text.encode()) > LONGEST_REASON:
        raise wrong("E013", "must be a text of at most 123 bytes")
    return text


class Replace(Closed):
    """The name of the entity, `<EMAIL_ADDRESS>`, or a text of yours."""

    with_: str | None = Field(None, alias="with")


class Mask(Closed):
    """Stars, as many as there were characters."""

    char: Annotated[str, AfterValidator(_char)] = "*"
    keep_first: Count = 0
    keep_last: Count = 0
    keep_separators: bool = False


class Redact(Closed):
    """Nothing is left of it."""


class Hash(Closed):
    """A keyed hash (HMAC-SHA-256) in `length` hexadecimal digits: the same value always gives the same."""

    length: Annotated[int, Field(ge=8, le=64)] = 16
    key: Reference | None = None


class Tokenize(Closed):
    """A numbered token, `[EMAIL_ADDRESS_1]`, that turns into the value again when it comes back.

    `restore` is the direction in which that happens; by default the one opposite to where the value came from.
    `scope` is `session` (a connection) or a name that connections share.
    """

    restore: Literal["client_to_upstream", "upstream_to_client", "both", "never"] | None = None
    scope: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "session"
    key: Reference | None = None
    if_unavailable: Literal["refuse", "replace"] = "refuse"


class Encrypt(Closed):
    """The value, encrypted (AES-SIV, RFC 5297): `hushwire decrypt` gives it back to whoever has the key."""

    key: Reference | None = None


class Fake(Closed):
    """Another value of the same form: the same value always gives the same."""

    key: Reference | None = None


class Keep(Closed):
    """Found and noted, but not changed."""


class Drop(Closed):
    """The message is not forwarded; the connection goes on."""


class Close(Closed):
    """The connection ends; the message is not forwarded."""

    code: Annotated[int, AfterValidator(_code)] = 1008
    reason: Annotated[str, AfterValidator(_reason)] = "policy"


class Action(Closed):
    """One operator. Exactly one of the fields is set."""

    replace: Replace | None = None
    mask: Mask | None = None
    redact: Redact | None = None
    hash: Hash | None = None
    tokenize: Tokenize | None = None
    encrypt: Encrypt | None = None
    fake: Fake | None = None
    keep: Keep | None = None
    drop: Drop | None = None
    close: Close | None = None

    @property
    def operator(self) -> str:
        """Its name."""
        (name,) = self.model_fields_set
        return name

    @property
    def params(self) -> Closed:
        """Its parameters."""
        params: Closed = getattr(self, self.operator)
        return params


OPERATORS = tuple(Action.model_fields)


def _one(value: Any) -> Any:
    """`mask` is short for `{mask: {}}`."""
    if isinstance(value, str):
        if value not in OPERATORS:
            raise unheard("E015", "operator", value, OPERATORS)
        return {value: {}}
    if not isinstance(value, dict) or len(value) != 1 or not all(isinstance(one, dict) for one in value.values()):
        raise wrong(
            "E015", "an action is one operator, or one with parameters", "for example {mask: {keep_last: 4}}"
        )
    return value


def _schema() -> dict[str, Any]:
    """For editors: a name, or a mapping of one name."""
    named = [
        {
            "type": "object",
            "properties": {name: field.annotation.__args__[0].model_json_schema()},  # type: ignore[union-attr]
            "required": [name],
            "additionalProperties": False,
        }
        for name, field in Action.model_fields.items()
    ]
    return {"anyOf": [{"enum": list(OPERATORS)}, *named]}


ActionText = Annotated[Action, BeforeValidator(_one), WithJsonSchema(_schema())]
