"""Rules as written: the closed models of a rule file. What they turn into is made in proxy/rulebook/compile.py.

An unknown key is an error everywhere, and nothing is converted: `threshold: "0.5"` is a text, not a number.
Validate with the context {"entities": names that the detector knows, or None if that cannot be told}.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from proxy.detect.recognizers.countries import countries, wrong_regex
from proxy.rulebook.actions import ActionText, Way
from proxy.rulebook.closed import Closed
from proxy.rulebook.faults import unknown

ANY = "*"


def _known(name: str, info: ValidationInfo) -> str:
    known = (info.context or {})["entities"]
    if known is not None and name not in known and name != ANY:
        raise PydanticCustomError("entity", "{sentence}", {"sentence": unknown("entity", name, known)})
    return name


def _one(name: str) -> str:
    if name == ANY:
        raise PydanticCustomError("entity", "'*' stands for every entity in rules; here, leave the key out")
    return name


def _version(value: Any) -> Any:
    if type(value) is not int or value != 1:  # True is equal to 1
        raise PydanticCustomError("version", "must be 1, the only version there is")
    return value


Entity = Annotated[str, AfterValidator(_known)]


class Examples(Closed):
    """Texts that prove a rule when it is loaded: one finding or more in each `match`, none in each `no_match`."""

    match: list[str] = Field(default_factory=list)
    no_match: list[str] = Field(default_factory=list)


class RuleText(Closed):
    """One rule. The order of the file is the only precedence."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    description: str = ""
    entities: Annotated[list[Entity], Field(min_length=1)]
    direction: Way = "both"
    mode: Literal["enforce", "shadow"] = "enforce"
    action: ActionText
    tests: Examples = Examples()


def _country(code: str) -> str:
    if code not in countries():
        raise PydanticCustomError("country", "{sentence}", {"sentence": unknown("country", code, countries())})
    return code


def _regex(text: str) -> str:
    if wrong := wrong_regex(text):
        raise PydanticCustomError("regex", "{sentence}", {"sentence": wrong})
    return text


def _entity(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name):
        raise PydanticCustomError("entity", "must be capital letters, digits and '_', for example EMPLOYEE_ID")
    return name


class PatternText(Closed):
    """A regex, read as Presidio reads it (caselessly), and how sure a match is."""

    regex: Annotated[str, Field(min_length=1), AfterValidator(_regex)]
    score: Annotated[float, Field(ge=0, le=1)]


class RecognizerText(Closed):
    """A recognizer of Presidio: a class, a registry file, or patterns."""

    class_: Annotated[str, Field(min_length=1)] | None = Field(None, alias="class")
    file: Annotated[str, Field(min_length=1)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    entity: Annotated[str, AfterValidator(_entity)] | None = None
    patterns: Annotated[list[PatternText], Field(min_length=1)] | None = None
    context: list[Annotated[str, Field(min_length=1)]] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = self.model_fields_set - {"context"}
        alone = self.context is None
        if not ((alone and given in ({"class_"}, {"file"})) or given == {"name", "entity", "patterns"}):
            raise PydanticCustomError(
                "form", "a recognizer is one of: class alone; file alone; name, entity and patterns (and context)"
            )
        return self


class Supply(BaseModel):
    """The part of a file that says what can be found, before anything is said about entities."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    countries: list[Annotated[str, AfterValidator(_country)]] = []
    recognizers: list[RecognizerText] = []


class RulesText(Closed):
    """A whole file. `entities` is what to look for; None: whatever the rules are about."""

    version: Annotated[Literal[1], BeforeValidator(_version)]
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    description: str = ""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    countries: list[Annotated[str, AfterValidator(_country)]] = Field(default_factory=list)
    recognizers: list[RecognizerText] = Field(default_factory=list)
    entities: list[Annotated[Entity, AfterValidator(_one)]] | None = None
    rules: list[RuleText] = Field(default_factory=list)
