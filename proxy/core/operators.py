"""The verbs that need nothing but the value itself. Each makes a `Rewrite` with its parameters bound.

`keep`, `drop` and `close` are verbs too, but not rewrites: a lane deals with them. Those that need keys or
remember values (hash, encrypt, fake, tokenize) are in proxy/pseudonyms. Parameters are checked in proxy/rulebook.
"""

from __future__ import annotations

import re

from proxy.core.message import Direction
from proxy.core.plugs import Rewrite
from proxy.core.session import Session

REPLACE, KEEP, DROP, CLOSE = "replace", "keep", "drop", "close"

SEPARATORS = frozenset(" -./:()@_")
_DIGIT = re.compile("[0-9]")


def zero(*_: object) -> str:
    """What a JSON number becomes unless its operator knows better: a reader that expects a number gets one."""
    return "0"


def replace(text: str | None = None) -> Rewrite:
    """`<ENTITY>`, or a text of the user's."""
    if text is None:
        return lambda _, entity, *__: f"<{entity}>"
    return lambda *_: text


def redact() -> Rewrite:
    """Nothing is left."""
    return lambda *_: ""


def mask(char: str = "*", keep_first: int = 0, keep_last: int = 0, keep_separators: bool = False) -> Rewrite:
    """Every character becomes `char`, except the first `keep_first` and the last `keep_last`.

    With `keep_separators` blanks, dots, dashes and the like stay, so the shape remains readable. The
    length in characters never changes. A value no longer than what would be kept is masked whole.
    """
    spare = SEPARATORS if keep_separators else frozenset()

    def rewrite(text: str, *_: object) -> str:
        short = keep_first + keep_last >= len(text)
        first, end = (0, len(text)) if short else (keep_first, len(text) - keep_last)
        return text[:first] + "".join(c if c in spare else char for c in text[first:end]) + text[end:]

    return rewrite


def mask_number(keep_first: int = 0, keep_last: int = 0) -> Rewrite:
    """`mask` for a bare JSON number: masked digits become 9, so its magnitude and its type remain."""
    hidden = mask("9", keep_first, keep_last)

    def rewrite(text: str, entity: str, session: Session, way: Direction) -> str:
        digits = iter(hidden("".join(_DIGIT.findall(text)), entity, session, way))
        return _DIGIT.sub(lambda _: next(digits), text)

    return rewrite
