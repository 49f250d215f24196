"""A small audit with one of everything, made by hand, for whoever shows what a log says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proxy.audit import events
from tests.audit.logs import DAY, HandMade, finding, message

RUN = "0badcafe"
CLIENT = "fp:00112233445566aa"
OLD, NEW = "0123456789abcdef", "fedcba9876543210"
START = {
    **{"who": "proxy", "run": RUN, "version": "1.0.0", "pid": 7, "worker": 0, "level": "findings"},
    **{"durability": "written", "policies": {"chat": OLD, "billing": OLD}},
}


def opened(number: int, route: str = "chat") -> tuple[type[events.Event], dict[str, Any]]:
    """A session begins."""
    return events.SessionOpen, {"sid": f"{RUN}-{number}", "route": route, "client": CLIENT, "sub": "chat.v1"}


def closed(number: int, route: str = "chat") -> tuple[type[events.Event], dict[str, Any]]:
    """It ends, four seconds later."""
    counts = {"messages": (5, 2), "bytes": (400, 100), "findings": (3, 0)}
    ends = {"first": "client 1000", "codes": (1000, None), "reasons": (0, 0), "ms": 4000}
    return events.SessionClose, {"sid": f"{RUN}-{number}", "route": route, **ends, **counts}


def story(directory: Path) -> HandMade:
    """Two sessions; the second is refused. Rules change during the first. From DAY on, a second between blocks."""
    log = HandMade(directory)
    said = {"sid": f"{RUN}-1", "route": "chat"}
    phone = finding("PHONE_NUMBER", "phones", op="replace", mode="shadow", score=0.4)
    told = {"routes": ["chat"], "name": "chat", "policy": NEW, "how": "file"}
    refused = {"sid": f"{RUN}-2", "route": "billing", "dir": "up", "policy": OLD, "cause": "too_big"}
    kept = finding("IBAN_CODE", "iban", op="keep", mode="exempt")
    blocks = [
        [(events.Start, START)],
        [opened(1)],
        [message(3, **said, f=[finding(), finding(len=21), phone], policy=OLD)],
        [(events.PolicyApply, told)],
        [message(1, **said, dir="down", f=[kept], verdict="kept", out=64, policy=NEW)],
        [closed(1)],
        [opened(2, "billing")],
        [(events.Refuse, refused)],
        [(events.Gap, {"lost": 2, "since": DAY})],
    ]
    for second, block in enumerate(blocks):
        log.block(*block, at=DAY + second)
    log.checkpoint()
    return log
