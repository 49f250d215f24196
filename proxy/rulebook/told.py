"""What pydantic finds wrong -> faults, at their places. Its own sentences may quote values, so few are used."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from proxy.rulebook.closed import Closed
from proxy.rulebook.document import Document, Path
from proxy.rulebook.faults import CODES, Fault, unknown
from proxy.rulebook.meant import meant
from proxy.rulebook.schema import RulesText

SENTENCES = {
    "model_type": ("E012", "must be a mapping (key: value)"),
    "model_attributes_type": ("E012", "must be a mapping (key: value)"),
    "dict_type": ("E012", "must be a mapping (key: value)"),
    "list_type": ("E012", "must be a list"),
    "string_type": ("E012", "must be a text; put it in quotes"),
    "int_type": ("E012", "must be a whole number"),
    "bool_type": ("E012", "must be true or false"),
    "float_type": ("E012", "must be a number"),
    "literal_error": ("E013", "must be {expected}"),
    "greater_than_equal": ("E013", "must be {ge} or more"),
    "less_than_equal": ("E013", "must be {le} or less"),
    "too_short": ("E013", "must not be empty"),
    "string_too_short": ("E013", "must not be empty"),
    "string_too_long": ("E013", "must be at most {max_length} characters long"),
    "string_pattern_mismatch": ("E013", "must be 1 to 64 letters, digits, '_', '.' or '-'; no sign first"),
}


def told(error: ValidationError, document: Document, model: type[Closed] = RulesText) -> Iterator[Fault]:
    """Every error as a fault of `document`, which should have been a `model`.

    A key that is missing only because it is misspelt is not told twice.
    """
    details = error.errors(include_url=False, include_input=False)
    strange = {
        detail["loc"]: _stranger(detail["loc"], document, model) for detail in details if _is_strange(detail)
    }
    misspelt = {(*path[:-1], fault.instead) for path, fault in strange.items()}
    for detail in details:
        if detail["loc"] in strange:
            yield strange[detail["loc"]]
        elif detail["type"] != "missing" or detail["loc"] not in misspelt:
            yield _fault(detail, document)


def _is_strange(detail: ErrorDetails) -> bool:
    return detail["type"] == "extra_forbidden"


def _stranger(path: Path, document: Document, model: type[Closed]) -> Fault:
    """A key that nobody knows. One that stands there already cannot take its place."""
    there, name, keys = _at(document.data, path[:-1]), str(path[-1]), allowed(path[:-1], model)
    about = unknown("key", name, set(keys) - set(there if isinstance(there, dict) else ()))
    if not about.instead:
        about = unknown("key", name, keys)._replace(instead="")
    return document.fault(path, "E011", *about, at_key=True)


def _at(data: Any, path: Path) -> Any:
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
        else:  # an action that is short for more
            return None
    return data


def _fault(detail: ErrorDetails, document: Document) -> Fault:
    path: Path = detail["loc"]
    at_key = path[-1:] == ("[key]",)
    if at_key:
        path = path[:-1]
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in CODES:
        return document.fault(path, kind, detail["msg"], context["help"], context["instead"], at_key=at_key)
    if kind == "missing":
        return document.fault(path, "E010", f"the key '{path[-1]}' is missing", at_key=True)
    code, sentence = SENTENCES[kind]
    cure, instead = "", ""
    if kind == "literal_error":
        cure, instead = _choice(_at(document.data, path), context["expected"])
    elif kind == "list_type" and not isinstance(_at(document.data, path), dict | None):
        cure = "put it in [ ]"
    return document.fault(path, code, sentence.format(**context), cure, instead, at_key=at_key)


def _choice(value: Any, expected: str) -> tuple[str, str]:
    """The cure, and the choice that was meant, for a value that is none of the `expected` ones."""
    right = meant(value, re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else None
    return (f"did you mean '{right}'?", right) if right else ("", "")


def allowed(path: Path, model: Any = RulesText) -> list[str]:
    """The keys that are allowed in the mapping at `path` of a `model`."""
    for step in path:
        if isinstance(step, str) and isinstance(model, type) and issubclass(model, Closed):
            fields = model.model_fields.items()
            (model,) = (field.annotation for name, field in fields if step in (name, field.alias))
        else:
            model = get_args(model)[-1]  # of a list or a mapping
        model = _plain(model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _plain(annotation: Any) -> Any:
    """What an annotation is about, without its conditions and without None."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = next(one for one in get_args(annotation) if one is not types.NoneType)
    return annotation
