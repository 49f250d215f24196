"""Actions as written -> rules' rewrites, with their parameters bound."""

from __future__ import annotations

from typing import NamedTuple

from proxy.core import operators
from proxy.core.plugs import Rewrite
from proxy.rulebook import actions
from proxy.rulebook.actions import Action


class Verb(NamedTuple):
    """How an action rewrites, and how it rewrites bare numbers: see `Rule`."""

    rewrite: Rewrite | None
    number: Rewrite = operators.zero


def verb(action: Action) -> Verb:
    """The verb of an action."""
    match action.params:
        case actions.Replace() as params:
            return Verb(operators.replace(params.with_))
        case actions.Redact():
            return Verb(operators.redact())
        case actions.Mask() as params:
            rewrite = operators.mask(params.char, params.keep_first, params.keep_last, params.keep_separators)
            return Verb(rewrite, operators.mask_number(params.keep_first, params.keep_last))
        case actions.Keep() | actions.Drop() | actions.Close():
            return Verb(None)
    raise NotImplementedError(action.operator)
