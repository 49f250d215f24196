"""What pydantic finds wrong -> faults, at their places. Its own sentences may quote values, so few are used."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from proxy.rulebook.closed import Closed
from proxy.rulebook.document import Document, Path
from proxy.rulebook.faults import CODES, Fault, unknown
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
    """Every error as a fault of `document`, which should have been a `model`."""
    for detail in error.errors(include_url=False, include_input=False):
        yield _fault(detail, document, model)


def _fault(detail: ErrorDetails, document: Document, model: type[Closed]) -> Fault:
    path: Path = detail["loc"]
    at_key = path[-1:] == ("[key]",)
    if at_key:
        path = path[:-1]
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in CODES:
        return document.fault(path, kind, detail["msg"], context["help"], at_key=at_key)
    if kind == "extra_forbidden":
        return document.fault(path, "E011", *unknown("key", str(path[-1]), allowed(path[:-1], model)), at_key=True)
    if kind == "missing":
        return document.fault(path, "E010", f"the key '{path[-1]}' is missing", at_key=True)
    code, sentence = SENTENCES[kind]
    return document.fault(path, code, sentence.format(**context), at_key=at_key)


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
