"""Entities as written: what makes a value one of them, by patterns, lists, or Presidio's recognizers.

What they turn into is made in proxy/rulebook/supply.py.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from proxy.detect.recognizers.countries import countries, wrong_regex
from proxy.detect.recognizers.linear import backtracks
from proxy.detect.recognizers.wordlist import wrong_value
from proxy.rulebook.closed import Closed, unheard, wrong
from proxy.rulebook.pace import breathe

Score = Annotated[float, Field(ge=0, le=1)]


def _said(text: str) -> str:
    if not text.strip():
        raise wrong("E013", "must not be empty")
    return text


Word = Annotated[str, Field(max_length=1000), AfterValidator(_said)]
FileName = Annotated[str, Field(min_length=1)]


def _entity(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name):
        right = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_0123456789")[:64]
        cure = f"did you mean '{right}'?" if right else "for example EMPLOYEE_ID"
        raise wrong("E013", "must be capital letters, digits and '_', a letter first", cure, right)
    return name


EntityName = Annotated[str, AfterValidator(_entity)]


def _country(code: str) -> str:
    if code not in countries():
        raise unheard("E017", "country", code, countries())
    return code


Country = Annotated[str, AfterValidator(_country)]


def _regex(text: str, info: ValidationInfo) -> str:
    breathe()
    if re.fullmatch(r"""[rR](['"]).*\1""", text, re.DOTALL):
        raise wrong(
            "E020", "r and quotes are of Python; here they would be part of the regex", "write '...' alone"
        )
    if sentence := wrong_regex(text):
        raise wrong("E020", sentence)
    if info.data.get("engine") == "linear" and (why := backtracks(text)):
        cure = "write it without, or accept a time limit that closes connections with engine: backtracking"
        raise wrong("E021", f"this pattern can take exponential time: {why}", cure)
    return text


class PatternText(Closed):
    """A regex, read as Presidio reads it (caselessly), and how sure a match is.

    `engine: backtracking` allows what can take exponential time: when it does, the message is refused.
    """

    engine: Literal["linear", "backtracking"] = "linear"  # stands first: it says how the regex is judged
    regex: Annotated[str, Field(min_length=1), AfterValidator(_regex)]
    score: Score


class ContextText(Closed):
    """Words that, `within` so many characters before a match or `after` so many behind it, raise its score by
    `boost`."""

    words: Annotated[list[Word], Field(min_length=1)]
    within: Annotated[int, Field(ge=1, le=200)] = 48
    after: Annotated[int, Field(ge=0, le=200)] = 0
    boost: Score = 0.35


class ListText(Closed):
    """Values, here or in a file (one a line; empty lines and those that begin with # do not count)."""

    values: Annotated[list[Word], Field(min_length=1)] | None = None
    file: FileName | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.values is None) == (self.file is None):
            raise wrong("E013", "says its values either here or in a file", "write values: [...] or file: PATH")
        return self


def _denied(value: str) -> str:
    if why := wrong_value(value):
        raise wrong("E023", why)
    return value


class DenyText(ListText):
    """Values that are of the entity wherever they stand."""

    values: Annotated[list[Annotated[Word, AfterValidator(_denied)]], Field(min_length=1)] | None = None
    ignore_case: bool = True
    whole_word: bool = True


class PresidioText(Closed):
    """A recognizer of Presidio: a class by its path, or a registry file."""

    class_: Annotated[str, Field(min_length=1)] | None = Field(None, alias="class")
    file: FileName | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.class_ is None) == (self.file is None):
            raise wrong("E013", "is either a class or a registry file", "write class: package.module.Class")
        return self


class MatchText(Closed):
    """A text with a value in it, which is all of `span` if that is given."""

    text: str
    span: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.span is not None and self.span not in self.text:
            raise wrong("E013", "the span of an example stands in its text")
        return self


def _short(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


Match = Annotated[MatchText, BeforeValidator(_short)]


class EntityTests(Closed):
    """Texts that prove an entity: it is found in each `match`, and in no `no_match`."""

    match: list[Match] = Field(default_factory=list)
    no_match: list[str] = Field(default_factory=list)


class EntityText(Closed):
    """An entity of one's own, or more ways to find one that there is. Its keys are said under `keys`."""

    description: str = ""
    patterns: Annotated[list[PatternText], Field(min_length=1)] | None = None
    context: ContextText | None = None
    deny_list: DenyText | None = None
    presidio: PresidioText | None = None
    tests: EntityTests = EntityTests()

    @model_validator(mode="after")
    def _of_patterns(self) -> Self:
        if self.context is not None and self.patterns is None:
            raise wrong("E013", "context words raise the scores of patterns, and there are none")
        return self


class RecognizerText(Closed):
    """A recognizer of Presidio, whatever its entities are: a class, a registry file, or patterns."""

    class_: Annotated[str, Field(min_length=1)] | None = Field(None, alias="class")
    file: FileName | None = None
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    entity: EntityName | None = None
    patterns: Annotated[list[PatternText], Field(min_length=1)] | None = None
    context: list[Word] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = self.model_fields_set - {"context"}
        alone = self.context is None
        if not ((alone and given in ({"class_"}, {"file"})) or given == {"name", "entity", "patterns"}):
            raise wrong(
                "E013", "a recognizer is one of: class alone; file alone; name, entity and patterns (and context)"
            )
        return self
