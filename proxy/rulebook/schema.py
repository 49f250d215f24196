"""Rules as written: the closed models of a rule file. What they turn into is made in proxy/rulebook/compile.py.

An unknown key is an error everywhere, and nothing is converted: `threshold: "0.5"` is a text, not a number. Names
(of entities, of other files) are asked about later, when all files are read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from proxy.detect.ownkeys import wrong_key
from proxy.rulebook.actions import ActionText, Way
from proxy.rulebook.closed import Closed, wrong
from proxy.rulebook.defined import Country, EntityName, EntityText, ListText, RecognizerText, Score, Word
from proxy.rulebook.paths import nearly, spelt

ANY = "*"
Mode = Literal["enforce", "shadow"]
Entity = Annotated[str, Field(min_length=1)]
"""A name that must mean something; ANY is every entity."""


def _version(value: Any) -> Any:
    if type(value) is not int or value != 1:  # True is equal to 1
        raise wrong("E013", "must be 1, the only version there is")
    return value


def _path(text: str) -> str:
    try:
        spelt(text)
    except ValueError as error:
        right = nearly(text)
        cure = f"did you mean '{right}'?" if right else "for example $.id, $.items[].id or $..trace_id"
        raise wrong("E024", str(error), cure, right) from None
    return text


EVERY_VALUE = ("E032", "this would exempt every value", "write what these values have in common")


def fits_all(glob: str) -> bool:
    """Whether every value is one that `glob` stands for."""
    return not glob.strip("* \t")


def _glob(text: str) -> str:
    if fits_all(text):
        raise wrong(*EVERY_VALUE)
    return text


def _moment(text: str) -> str:
    try:
        moment(text)
    except ValueError:
        sentence = "must be a date or a time with its zone"
        raise wrong("E013", sentence, "for example 2027-03-01 or 2027-03-01T12:00:00Z") from None
    return text


def moment(text: str) -> float:
    """A date, which stands for its first second in UTC, or an RFC 3339 time, as Unix time. Raises ValueError."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text, re.ASCII):
        raise ValueError("not a time of RFC 3339")
    return datetime.fromisoformat(text.upper()).timestamp()


Version = Annotated[Literal[1], BeforeValidator(_version)]
FieldPath = Annotated[str, AfterValidator(_path)]
"""As proxy/rulebook/paths.py reads it."""
Glob = Annotated[Word, AfterValidator(_glob)]
"""A value; `*` stands for any characters."""


class Examples(Closed):
    """Texts that prove a rule when it is loaded: it acts in each `match`, and in no `no_match`."""

    match: list[str] = Field(default_factory=list)
    no_match: list[str] = Field(default_factory=list)


class ExceptText(Closed):
    """Values that their rule leaves alone, why, and until when."""

    values: Annotated[list[Glob], Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    expires: Annotated[str, AfterValidator(_moment)] | None = None


class AllowText(ListText):
    """Values of `entities` (none named: of any) that are nobody's: every rule leaves them alone."""

    entities: Annotated[list[Entity], Field(min_length=1)] = Field(default_factory=lambda: [ANY])
    values: Annotated[list[Glob], Field(min_length=1)] | None = None
    reason: Annotated[str, Field(min_length=1)]


class RuleText(Closed):
    """One rule. The order of the file is the only precedence."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    description: str = ""
    entities: Annotated[list[Entity], Field(min_length=1)]
    direction: Way = "both"
    mode: Mode = "enforce"
    action: ActionText
    except_: list[ExceptText] = Field(default_factory=list, alias="except")
    tests: Examples = Examples()


class StructureText(Closed):
    """What of a message is no content. `ignore`: paths that nobody looks at. `subprotocols`: whose fields are
    names of the protocol and no prose, so that nobody guesses there."""

    ignore: list[FieldPath] = Field(default_factory=list)
    subprotocols: list[str] = Field(default_factory=list)


class SaidText(Closed):
    """A message of a conversation: JSON, or any text."""

    body: Any = None
    text: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise wrong("E013", "a message is either JSON or text", "write body: ... or text: ...")
        return self


class ConversationText(Closed):
    """What one side sends and what the other one gets, there and back again, in one connection."""

    name: Annotated[str, Field(min_length=1)]
    send: SaidText | None = None
    upstream_gets: SaidText | None = None
    upstream_sends: SaidText | None = None
    client_gets: SaidText | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ways = ((self.send, self.upstream_gets), (self.upstream_sends, self.client_gets))
        if any((sent is None) != (got is None) for sent, got in ways) or not any(map(any, ways)):
            cure = "send needs upstream_gets, and upstream_sends needs client_gets"
            raise wrong("E013", "a conversation says what is sent and what arrives", cure)
        return self


def _key(name: str) -> str:
    if why := wrong_key(name):
        raise wrong("E013", why, "for example staff_no, or personal*nummer")
    return name


Key = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_key)]


class RulesText(Closed):
    """A whole file. What is None here is said by what it extends, or else by nobody."""

    version: Version
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    description: str = ""
    extends: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    threshold: Score | None = None
    mode: Mode | None = None
    countries: list[Country] = Field(default_factory=list)
    recognizers: list[RecognizerText] = Field(default_factory=list)
    entities: dict[EntityName, EntityText] = Field(default_factory=dict)
    keys: dict[EntityName, Annotated[list[Key], Field(min_length=1)]] = Field(default_factory=dict)
    structure: StructureText = StructureText()
    allow: list[AllowText] = Field(default_factory=list)
    rules: list[RuleText] = Field(default_factory=list)
    tests: list[ConversationText] = Field(default_factory=list)
