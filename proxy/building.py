"""What is made of settings before anything is served: rules and the engines they look with, and vaults of tokens.

Commands that judge messages without serving any begin here too.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from proxy.core.message import Direction
from proxy.core.plugs import Mark
from proxy.detect.engine import Engine
from proxy.detect.gate import GateError
from proxy.detect.ner import Names, open_model
from proxy.pseudonyms.keys import read_reference
from proxy.pseudonyms.tokens import Vaults
from proxy.pseudonyms.vault import Vault
from proxy.route import Route
from proxy.rulebook.faults import RulesError
from proxy.rulebook.ground import Ground
from proxy.rulebook.live import Rules
from proxy.rulebook.load import Built, build
from proxy.rulebook.versions import Versions, state_directory
from proxy.settings import Settings
from proxy.starting import StartError

FIRST_USE = 30.0  # seconds the detector may take for a text until it is warm


def ground_of(ner: str) -> Ground[Engine]:
    """What rules are built on here; `ner` names the language model. Raises StartError.

    Its engines are patient until somebody sets their budget: what recognizers load at their first use is no
    message's fault.
    """
    try:
        names = None if ner == "off" else Names(open_model(ner))
    except (ValueError, OSError, ImportError) as error:
        raise StartError(f"--ner {ner}: {error}", code=3) from None
    engine = partial(Engine, budget=FIRST_USE, cache=_cache_directory(), names=names)
    return Ground(engine, time.time())


def vaults_of(settings: Settings) -> Vaults:
    """Where the values of tokens are kept; made before the workers are forked. Raises StartError."""
    sessions = Vault(settings.vault_size, settings.vault_ttl)
    if settings.vault == "memory":
        return Vaults.in_memory(sessions)
    try:
        from proxy.pseudonyms.redis_vault import RedisVault  # noqa: PLC0415 - an extra

        return Vaults(sessions, RedisVault(_vault_url(settings.vault), settings.vault_ttl))
    except ImportError:
        raise StartError("--vault: the client of Redis is missing; pip install 'hushwire[redis]'") from None
    except ValueError as error:
        raise StartError(f"--vault: {error}") from None


def _vault_url(written: str) -> str:
    kind, _, name = written.partition(":")
    return read_reference(kind, name, Path(), os.environ).decode() if kind in ("env", "file") else written


def books_of(routes: Sequence[Route], ground: Ground[Engine], mark: Mark | None = None) -> list[Rules[Engine]]:
    """The rules of each route, made once for all that name the same ones. Raises StartError."""
    named: dict[tuple[str, bool], list[str]] = {}
    for route in routes:
        named.setdefault((route.settings.rules, route.shadow), []).append(route.name)
    versions = Versions(state_directory())
    made: dict[tuple[str, bool], Rules[Engine]] = {}
    for (source, shadow), names in named.items():
        with _starting():
            shadowed = replace(ground, shadow=shadow)
            made[source, shadow] = Rules(names, source, shadowed, compiled, versions, mark=mark)
            made[source, shadow].try_swap()
    return [made[route.settings.rules, route.shadow] for route in routes]


def built_of(rules: str, ground: Ground[Engine]) -> Built[Engine]:
    """Rules and the engine for them, by their name or path, with nothing left to compile. Raises StartError."""
    with _starting():
        built = build(rules, ground)
        compiled(built)
        return built


def compiled(built: Built[Engine]) -> None:
    """Compile now what a first message would wait for; before workers are forked, so that they share it."""
    # The larger set first: it may serve both ways.
    for wanted in sorted(map(built.policy.wanted, Direction), key=len, reverse=True):
        if wanted:
            built.detector.prepare(wanted)


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    try:
        yield
    except RulesError as error:
        raise StartError(str(error), 3, error.faults) from None
    except GateError as error:
        raise StartError(str(error)) from None


def _cache_directory() -> Path:
    """Where compiled gates are kept between starts; holds no data, and may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "hushwire"
