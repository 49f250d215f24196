"""Recognizers by the name of a country, by the path of a class, from a YAML file of Presidio's registry, or of
patterns.

All of them become `Recognizer`s by way of adapted.py. Nothing is loaded from anywhere but this machine. Which ones
a policy wants is said in its rules; here it is only said what there is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, predefined_recognizers
from presidio_analyzer.predefined_recognizers import country_specific

from proxy.detect.recognizer import Recognizer
from proxy.detect.recognizers.adapted import NO_CONTEXT, Adapted, Context, adapt

ALWAYS = frozenset({"UsSsnRecognizer", "ZaMobileNumberRecognizer", "ZaTelephoneNumberRecognizer"})
"""Of the countries' recognizers those whose values are looked for anyway (proxy/detect/presidio.py, phone.py)."""


@cache
def countries() -> dict[str, tuple[Callable[[], EntityRecognizer], ...]]:
    """Codes of countries, as Presidio has them (`uk`, `de`), and their recognizers in the installed version."""
    found: dict[str, list[Callable[[], EntityRecognizer]]] = {}
    kind: Any
    for _, kind in sorted(_exported().items()):
        if inspect.isclass(kind) and issubclass(kind, EntityRecognizer) and kind.COUNTRY_CODE:
            found.setdefault(kind.COUNTRY_CODE.lower(), []).append(kind)
    return {code: tuple(kinds) for code, kinds in sorted(found.items())}


def _exported() -> dict[str, Any]:
    """What Presidio offers in its modules of countries. To ask for all that it offers would import spaCy."""
    inside = walk_packages(country_specific.__path__, f"{country_specific.__name__}.")
    modules = [import_module(one.name) for one in inside if not one.ispkg]
    names = {*dir(predefined_recognizers)} - ALWAYS
    return {name: kind for module in modules for name, kind in vars(module).items() if name in names}


def of_countries(codes: Iterable[str]) -> tuple[Recognizer, ...]:
    """The recognizers of the countries with these codes. Raises ValueError for one that nobody knows.

    Digits alone count only behind a context word: their check digits fit every tenth id.
    """
    known = countries()
    unknown = sorted({code for code in codes if code.lower() not in known})
    if unknown:
        raise ValueError(f"no recognizers for {', '.join(unknown)}; there are some for {', '.join(known)}")
    kinds = dict.fromkeys(kind for code in codes for kind in known[code.lower()])
    return tuple(one for kind in kinds for one in adapt(kind(), said=True))


def from_class(path: str) -> tuple[Recognizer, ...]:
    """The recognizer `package.module.Class`, made without arguments. Raises ValueError if there is none.

    Its module is imported, so what it does at import is done.
    """
    module, _, name = path.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"there is no class {path}: {_line(error)}") from error
    except Exception as error:  # whatever a module of somebody else's raises
        raise ValueError(f"{module} cannot be imported: {type(error).__name__}: {_line(error)}") from error
    if not (inspect.isclass(kind) and issubclass(kind, EntityRecognizer)):
        raise ValueError(f"{path} is no EntityRecognizer of Presidio")
    try:
        made: EntityRecognizer = kind()  # type: ignore[call-arg]  # a class of its own, with arguments of its own
        return adapt(made)
    except Exception as error:
        raise ValueError(f"{path} cannot be made without arguments: {_line(error)}") from error


def from_yaml(path: Path) -> tuple[Recognizer, ...]:
    """The recognizers that a registry file of Presidio lists. Raises ValueError if it cannot be read or made.

    The same recognizer listed for several languages is one here, with the context words of all of them.
    """
    if not path.is_file():  # Presidio would take its own list instead
        raise ValueError(f"there is no file {path}")
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider  # noqa: PLC0415 - and with it spaCy

    try:
        listed = RecognizerRegistryProvider(conf_file=path).create_recognizer_registry().recognizers
        made = tuple(one for recognizer in _once(listed) for one in adapt(recognizer))
    except Exception as error:  # of many kinds, from Presidio, pydantic and the YAML reader
        raise ValueError(f"{path}: {_line(error)}") from error
    if not made:
        raise ValueError(f"{path}: no recognizer is listed there")
    return made


def from_patterns(
    name: str, entity: str, patterns: Iterable[tuple[str, float]], context: Context = NO_CONTEXT
) -> tuple[Recognizer, ...]:
    """A PatternRecognizer of regexes and their scores. Raises ValueError for a regex or a score that is none."""
    written = [Pattern(name, text, score) for text, score in patterns]
    source = PatternRecognizer(entity, name=name, patterns=written, context=[*context.words])
    return (Adapted(source, context=context),)


def wrong_regex(text: str) -> str | None:
    """What is wrong with `text` as a regex, without quoting it; None if nothing is."""
    try:
        regex.compile(text, regex.DOTALL | regex.MULTILINE | regex.IGNORECASE)
    except regex.error as error:
        return f"not a regex: {error.msg} at character {(error.pos or 0) + 1}"
    return None


def _line(error: Exception) -> str:
    """What `error` says, in one line, and without the values that YAML's reader and pydantic quote."""
    whole: Any = error.__cause__ or error.__context__ or error  # Presidio puts a sentence of its own before it
    if mark := getattr(whole, "problem_mark", None):
        return f"not YAML: {whole.problem} (line {mark.line + 1})"
    if hasattr(whole, "error_count") and hasattr(whole, "errors"):
        told = whole.errors(include_url=False, include_input=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in told)
    return " ".join(str(error).split())


def _once(listed: Iterable[EntityRecognizer]) -> list[EntityRecognizer]:
    """Without repetitions that differ in nothing but their language."""
    kept: dict[tuple[object, ...], Any] = {}
    recognizer: Any  # presidio leaves its attributes untyped
    for recognizer in listed:
        patterns = [pattern.regex for pattern in getattr(recognizer, "patterns", ())]
        key = (type(recognizer), recognizer.name, *recognizer.supported_entities, *patterns)
        first = kept.setdefault(key, recognizer)
        if first is not recognizer:
            first.context = [*dict.fromkeys([*(first.context or []), *(recognizer.context or [])])]
    return list(kept.values())
