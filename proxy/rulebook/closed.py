"""What every model of a file is: closed, frozen, and converting nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from proxy.rulebook.faults import unknown


class Closed(BaseModel):
    """A mapping of exactly these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def wrong(code: str, sentence: str, cure: str = "", instead: str = "") -> PydanticCustomError:
    """A fault of the place that is being validated. `sentence` quotes no value."""
    return PydanticCustomError(code, "{sentence}", {"sentence": sentence, "help": cure, "instead": instead})


def unheard(code: str, kind: str, name: str, known: Iterable[str]) -> PydanticCustomError:
    """A fault about a name that means nothing here, as `unknown` tells it."""
    return wrong(code, *unknown(kind, name, known))


def _reference(text: str) -> str:
    kind, colon, name = text.partition(":")
    if kind not in ("env", "file") or not colon or not name:
        raise wrong("E014", "a secret is only named here", "env:NAME for a variable, file:PATH for a file")
    return text


Reference = Annotated[str, AfterValidator(_reference)]
"""`env:NAME` or `file:PATH`. The secret itself never stands in a file that people share."""
