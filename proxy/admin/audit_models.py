"""What the doors of the audit take and answer, for checking what is asked and for OpenAPI.

Answers are made in another process and go out as they come: the models describe them, and tests hold them to that.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "message",
    "refuse",
    "session.open",
    "session.close",
    "start",
    "stop",
    "limit",
    "gap",
    "policy.apply",
    "policy.reject",
    "subject.lookup",
    "erase",
    "hold",
    "key.rotate",
    "prune",
    "export",
    "admin",
]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(max_length=50)]
Time = Annotated[str, Field(max_length=40, examples=["2h", "today", "2026-11-20", "2026-11-20T14:30Z"])]
Sid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-\d{1,20}$", examples=["1f3a9c22-17"])]


class Nothing(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid")


class Common(Nothing):
    """Which events; a parameter that comes several times is fitted by any of its values."""

    since: Time | None = None
    until: Time | None = None
    route: Names = []
    direction: Annotated[
        list[Literal["up", "down"]], Field(max_length=2, description="up: from client to upstream.")
    ] = []
    kind: Annotated[list[Kind], Field(max_length=50)] = []
    verdict: Annotated[
        list[Literal["clean", "unseen", "rewritten", "kept", "dropped", "leaked"]], Field(max_length=50)
    ] = []
    cause: Names = []
    policy: Annotated[Names, Field(description="First digits of the digests of rules.")] = []
    entity: Names = []
    rule: Names = []
    operator: Names = []
    recognizer: Names = []
    mode: Annotated[list[Literal["enforce", "shadow", "exempt"]], Field(max_length=3)] = []


class Filters(Common):
    """Also by connection."""

    session: Sid | None = None
    client: Annotated[Names, Field(description="As session.open has it.")] = []


class Search(Filters):
    """Which events, and how many of them."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    before: Annotated[
        str | None, Field(max_length=100, description="`next` of the answer before: older events than that had.")
    ] = None


By = Literal[
    "entity", "rule", "operator", "recognizer", "route", "direction", "policy", "verdict", "cause", "hour"
]
"""The first seven count findings in force; what a rule closed the connection for counts as operator `close` and
nowhere else, because nothing was redacted. Verdict and cause events, hour findings in force by time."""


class Counting(Common):
    """Which events, and by what they are counted: by all of these, if nothing is asked for."""

    by: Annotated[list[By], Field(max_length=len(By.__args__))] = []


class OneLog(Nothing):
    """Which log, if there are several."""

    log: Annotated[str, Field(pattern="^[0-9a-f]{8}$", examples=["3f9ac21b"])] | None = None


class Answer(BaseModel):
    """What a door answers."""

    model_config = ConfigDict(extra="forbid")


class Found(Answer):
    """Events, the newest first, with the names that they have in the log; `next` is `before` of the next page, if
    there is one. Of more than 100 findings, `f` has the first 100, and `f_all` how many there are (`count`) of
    which sorts, with their shortest and longest `len` and lowest and highest `score`; `/-/audit/event/{seq}` has
    all."""

    events: list[dict[str, Any]]
    next: str | None


class Event(Answer):
    """One event, as it stands in the log."""

    event: dict[str, Any]


class Timeline(Answer):
    """Everything about one connection, in order; `complete` says whether that is all. Findings as in a search."""

    session: str
    events: list[dict[str, Any]]
    complete: bool


class Checkpoint(Answer):
    """A log by its folder, and its newest signed checkpoint (C2SP tlog-checkpoint), if it has one."""

    folder: str
    checkpoint: str | None


class Checkpoints(Answer):
    """The verifier key (C2SP signed-note vkey), and what it has signed."""

    key: str
    logs: list[Checkpoint]


class Fault(Answer):
    """What is wrong with a parameter: where, what, and what helps."""

    place: str
    cause: str
    cure: str


class Faults(Answer):
    """All of them."""

    detail: list[Fault]


class Count(Answer):
    """How many there are of a name, or of the hour (UTC) that begins then."""

    name: str
    count: int


class Sessions(Answer):
    """Connections opened or closed in the time asked for; seconds, messages and findings are of closed ones."""

    opened: int
    closed: int
    seconds: float
    messages: int
    findings: int


class Stats(Answer):
    """Counts, the largest first, of whole quarters of an hour. `findings` are by mode; connections are chosen by
    time and route only."""

    findings: dict[Literal["enforce", "shadow", "exempt"], int]
    sessions: Sessions
    by: dict[By, list[Count]]


class Proof(Answer):
    """What proves that an event is in the log: its block, a leaf, the path to the root (RFC 6962), and the
    signed root. `hushwire audit prove --check` checks it. It shows the other events of that block, too."""

    hushwire: str
    log: str
    seq: int
    line: int
    block: str
    index: int
    path: list[str]
    checkpoint: str
