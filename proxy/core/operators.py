"""The verbs: what can be done to a found value. One small pure function each, and the dict that names them.

`keep` and `close` are verbs too, but not rewrites: `keep` is handled where findings are settled (it takes
them off the list) and `close` ends the connection, so both only have their parameters checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy.core.plugs import Operator

Params = Mapping[str, object]

SEPARATORS = frozenset(" -./:()@_")


def replace(text: str, entity: str, params: Params) -> str:  # noqa: ARG001 - the signature of every operator
    """`<ENTITY>`, or the text of parameter `with`."""
    return str(params.get("with", f"<{entity}>"))


def mask(text: str, entity: str, params: Params) -> str:  # noqa: ARG001
    """Every character becomes `char` ("*"), except the first `keep_first` and the last `keep_last`.

    With `keep_separators` blanks, dots, dashes and the like stay, so the shape remains readable. The
    length in characters never changes. A value no longer than what would be kept is masked whole.
    """
    char = str(params.get("char", "*"))
    first, last = _count(params, "keep_first"), _count(params, "keep_last")
    if first + last >= len(text):
        first = last = 0
    spare = SEPARATORS if params.get("keep_separators") else frozenset()
    end = len(text) - last
    middle = "".join(c if c in spare else char for c in text[first:end])
    return text[:first] + middle + text[end:]


def _count(params: Params, name: str) -> int:
    value = params.get(name, 0)
    assert isinstance(value, int)  # checked when the rules were loaded: check_params
    return value


REWRITES: dict[str, Operator] = {"replace": replace, "mask": mask}

KEEP = "keep"
CLOSE = "close"


def _utf8(value: object) -> bytes | None:
    """A text as bytes; None for anything else, and for half a surrogate pair (YAML reads `\\uD83D` as one)."""
    try:
        return value.encode() if isinstance(value, str) else None
    except UnicodeEncodeError:
        return None


def _is_text(value: object) -> str | None:
    return None if _utf8(value) is not None else "must be a text"


def _is_char(value: object) -> str | None:
    good = isinstance(value, str) and len(value) == 1 and _utf8(value)
    return None if good else "must be one character"


def _is_count(value: object) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if good else "must be a whole number, 0 or more"


def _is_flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


CLOSE_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))  # RFC 6455 section 7.4 and IANA


def _is_close_code(value: object) -> str | None:
    good = isinstance(value, int) and any(value in codes for codes in CLOSE_CODES)
    return None if good else "must be a close code an endpoint may send: 1000-1003, 1007-1014 or 3000-4999"


def _is_close_reason(value: object) -> str | None:
    raw = _utf8(value)
    return None if raw is not None and len(raw) <= 123 else "must be a text of at most 123 bytes"


PARAMS: dict[str, dict[str, Callable[[object], str | None]]] = {
    "replace": {"with": _is_text},
    "mask": {"char": _is_char, "keep_first": _is_count, "keep_last": _is_count, "keep_separators": _is_flag},
    KEEP: {},
    CLOSE: {"code": _is_close_code, "reason": _is_close_reason},
}
"""Operator -> parameter -> check; a check returns None, or what is wrong in words."""


def check_params(operator: str, params: Params) -> list[str]:
    """All faults of an operator's parameters, as sentences; empty when there are none."""
    checks = PARAMS.get(operator)
    if checks is None:
        return [f"unknown operator '{operator}'; known are {', '.join(PARAMS)}"]
    faults = []
    for name, value in params.items():
        check = checks.get(name)
        wrong = (
            f"is unknown; {operator} takes {', '.join(checks) or 'no parameters'}"
            if check is None
            else check(value)
        )
        if wrong:
            faults.append(f"parameter '{name}' of {operator} {wrong}")
    return faults
