"""Verifying, for tests: as one process does it, and as several do, who digest segments without knowing where those
begin. What is found must be the same, whatever was done to the log."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from proxy.audit.proof import verify as tested
from proxy.audit.proof.digest import Digest, Task, digest
from proxy.audit.proof.digesting import Answer, decoded, encoded
from proxy.audit.proof.verify import Audit


def apart(tasks: Sequence[Task]) -> Generator[Digest | None]:
    """What processes would answer, without any: through the bytes of their pipes."""
    for task in tasks:
        given = decoded(encoded(task)[4:], Task)
        yield decoded(encoded(Answer(digest(given)))[4:], Answer).digest


def verify(*args: Any, **given: Any) -> Audit:
    """Both, which must agree."""
    audit = tested.verify(*args, **given)
    assert tested.verify(*args, **given, ahead=apart) == audit
    return audit
