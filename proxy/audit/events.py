"""What a line of the log says: one closed struct per kind of event, as JSON (msgspec: 6 times faster than orjson).

No field can hold a value, a header, a query, a close reason's text, a raw address or a JSON key of a message.
Names in here (entities, rules, routes) are the operator's own words. The fields of every kind are held by a test:
adding one is a decision. Times: `t` is Unix time, `mono` CLOCK_MONOTONIC, both nanoseconds. Order is `seq`, never
a time.

The first event of a block begins with its number, `{"b":12,"kind":...`, so that blocks are told apart by their
bytes: a block is a leaf of the tree (tree.py), from that brace to the line feed of its last event.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

VERSION = 1
HEAD = b'{"b":'
"""What a block begins with, and no other line."""

Level = Literal["sessions", "findings", "messages", "sanitised"]
Way = Literal["up", "down"]
"""client_to_upstream, upstream_to_client: by proxy.core.message.Direction."""
WAYS: tuple[Way, Way] = ("up", "down")


class Event(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False, tag_field="kind"):
    """What every line has. `log` names the log (8 hex digits, made at random with it); `seq` counts its events."""

    v: int = VERSION
    log: str
    seq: int
    t: int
    mono: int
    b: int | UnsetType = UNSET


class Finding(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False, omit_defaults=True):
    """One finding as it was dealt with: proxy.core.action.Done without a place.

    `op` is the operator, `len` counts characters. `c` is the commitment to its fingerprint, 32 hex digits:
    sha256(salt + fingerprint)[:16]; salt and fingerprint stand in an erasable file (marks.py).
    """

    entity: str
    rule: str
    recognizer: str
    op: str
    len: int
    score: float
    mode: Literal["enforce", "shadow", "exempt"] = "enforce"
    c: str | UnsetType = UNSET


class Message(Event, tag="message"):
    """What became of one message. `n` counts messages of its session and way from 1; `in` and `out` are bytes of
    payload (out 0 where nothing was sent on); `policy` is the digest's first 16 digits; `lat_us` the time it took
    to decide (0: the gate did, or nobody had to). What nobody looked at is `unseen`. `body` is the commitment to
    what left, at level `sanitised`: sha256(salt + payload)[:16]."""

    sid: str
    route: str
    dir: Way
    n: int
    op: Literal["text", "binary"]
    in_: int = msgspec.field(name="in")
    out: int
    policy: str
    verdict: Literal["clean", "unseen", "rewritten", "kept", "dropped", "leaked"]
    lat_us: int
    f: list[Finding]
    cause: str | UnsetType = UNSET
    body: str | UnsetType = UNSET


class Refuse(Event, tag="refuse"):
    """A message was refused, or the proxy ended a connection: `cause` is a proxy.core.action.Cause. `lost` counts
    messages that stand in the log and were not sent on, because the log could not take them in time. `f` are the
    findings of the message (of 65,536 at most), where a rule closed because of one; nothing of it was sent on."""

    sid: str
    route: str
    dir: Way
    cause: str
    policy: str
    lost: int | UnsetType = UNSET
    f: list[Finding] | UnsetType = UNSET


class SessionOpen(Event, tag="session.open"):
    """A connection was established. `sub` is the subprotocol agreed on, if it is a registered or a configured one,
    else `other`. `client` is a keyed fingerprint of the address (`fp:` and 16 hex digits) or its network, by
    setting; `who` the name of the credential that let it in, if the route has such names."""

    sid: str
    route: str
    sub: str | UnsetType = UNSET
    client: str | UnsetType = UNSET
    who: str | UnsetType = UNSET


class SessionClose(Event, tag="session.close"):
    """A connection ended. `first` says who began, and how: `client 1000`, `upstream FIN`, `proxy idle`, `lost`.
    `codes` are those that client and upstream sent (None: no CLOSE), `reasons` the lengths of their reasons in
    bytes. Counts are by way, up first; `findings` are those in force."""

    sid: str
    route: str
    first: str
    codes: tuple[int | None, int | None]
    reasons: tuple[int, int]
    messages: tuple[int, int]
    bytes: tuple[int, int]
    findings: tuple[int, int]
    ms: int


class Start(Event, tag="start"):
    """A writer opened the log. `run` begins the ids of its sessions; `who` is `proxy` or `desk` (a command of an
    operator). `repaired` is the number of bytes of a torn last line that a crash left, which were cut off;
    `adopted` events stood in front of this one that no checkpoint covered. A crash leaves those of a second, and
    whoever can write to the file may have added some: what they admit to have been removed, explains nothing.
    `epoch` is that of the fingerprints that a proxy makes now, `check` tells its key from others."""

    who: Literal["proxy", "desk"]
    run: str
    version: str
    pid: int
    worker: int
    level: Level
    durability: Literal["async", "written", "synced"]
    policies: dict[str, str]
    repaired: int | UnsetType = UNSET
    adopted: int | UnsetType = UNSET
    epoch: int | UnsetType = UNSET
    check: str | UnsetType = UNSET


class Stop(Event, tag="stop"):
    """The writer closed the log in order."""

    run: str


class Limit(Event, tag="limit"):
    """Handshakes were turned away: `count` of them for `reason` since the last such line."""

    route: str
    reason: str
    count: int


class Gap(Event, tag="gap"):
    """`lost` events were not written: the log could not take them, and nothing that left depended on them (or the
    operator chose durability `async`). `since` is Unix time in nanoseconds."""

    lost: int
    since: int


class PolicyApply(Event, tag="policy.apply"):
    """Rules went live on `routes`; `how` says by what."""

    routes: list[str]
    name: str
    policy: str
    how: str


class PolicyReject(Event, tag="policy.reject"):
    """Rules were refused; those before stay in force. `codes` are the faults' (E0xx)."""

    routes: list[str]
    codes: list[str]


class Lookup(Event, tag="subject.lookup"):
    """Somebody asked where a value occurs. The value is not here, nor its fingerprint."""

    entity: str
    found: int


class Erase(Event, tag="erase"):
    """Fingerprints or bodies were erased as somebody asked. `rows` are (log, seq, index in f; -1: the body)."""

    request: str
    what: Literal["subject", "session", "bodies"]
    rows: list[tuple[str, int, int]]


class Hold(Event, tag="hold"):
    """A legal hold began or ended: nothing it covers is pruned or erased. `covers` is said where one is placed."""

    hold: str
    state: Literal["placed", "released"]
    reason: str
    covers: str | UnsetType = UNSET


class KeyRotate(Event, tag="key.rotate"):
    """A new epoch of fingerprints began, or an old epoch's key was destroyed and its fingerprints with it. `check`
    is the check value of a new key."""

    epoch: int
    state: Literal["begun", "destroyed"]
    check: str | UnsetType = UNSET


class Prune(Event, tag="prune"):
    """Segments of `log` were removed because retention says so: events `first` to `last`, blocks below `size`."""

    pruned: str
    first: int
    last: int
    size: int
    segments: int


class Export(Event, tag="export"):
    """Events were exported, or shown through the admin API's search: how many, in which form."""

    form: str
    count: int


class Admin(Event, tag="admin"):
    """Somebody did something through the admin API that is no event of its own."""

    did: str


Any = (
    Message
    | Refuse
    | SessionOpen
    | SessionClose
    | Start
    | Stop
    | Limit
    | Gap
    | PolicyApply
    | PolicyReject
    | Lookup
    | Erase
    | Hold
    | KeyRotate
    | Prune
    | Export
    | Admin
)

Treated = Message | Refuse
"""What can have findings."""


def findings(event: object) -> list[Finding]:
    """Those of an event of any kind."""
    return event.f if isinstance(event, Treated) and event.f is not UNSET else []


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Any).decode
"""One line. Raises msgspec.ValidationError (a ValueError) for anything that no version 1 event says."""


def block(number: int, lines: list[bytes]) -> bytes:
    """The bytes of block `number`: encoded events, each with a line feed, the first with the block's number."""
    return b'{"b":%d,%s\n' % (number, b"\n".join(lines)[1:])
