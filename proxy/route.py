"""What tells routes apart, who may use them and where their requests go: values, asked once per handshake.

A path is compared segment by segment, each without its escapes. Services do not agree on what %2F, //, /../ or ;x
mean, nor on whether case matters, so a request whose path would take another route in another reading is refused:
it could get around the rules of the route that it is really for. No sockets here (proxy/wire) and no files
(proxy/config).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from proxy.settings import Settings
from proxy.template import DOTS, Params, Segment, Template, segments_of

_PORT = re.compile(r"[0-9]*").fullmatch
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]").fullmatch  # services agree on what these are


class Unclear(Exception):  # noqa: N818 - what a request is
    """The request can be read in two ways. The text says how, for the client."""


class Denied(Exception):  # noqa: N818 - what happens to a request
    """The client may not use this route: a word for the metrics, the status, a sentence for the client."""

    def __init__(self, reason: str, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.status = status


def _resolved(path: bytes) -> list[Segment]:
    """How a service reads a path that resolves escapes first and takes // for /. Raises Unclear at dots."""
    parts = [part for part in unquote_to_bytes(path).replace(b"\\", b"/").split(b"/") if part]
    return _undotted([(part, unquote_to_bytes(part)) for part in parts])


def _folded(segments: Sequence[Segment]) -> list[Segment]:
    """The same for a service that minds no case (ASP.NET) and nothing behind a semicolon (Java): for routes whose
    literals are in lower case. Raises Unclear at dots."""
    bare = [(spelt, plain.partition(b";")[0].lower()) for spelt, plain in segments]
    return _undotted([segment for segment in bare if segment[1]])


def _undotted(segments: list[Segment]) -> list[Segment]:
    if any(plain in DOTS for _, plain in segments):
        raise Unclear("the path has segments of dots")
    return segments


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a route is for; what is left out is no condition."""

    path: Template | None = None
    host: str | None = None  # lower case; `*.example.com` stands for every name below example.com
    subprotocols: frozenset[str] = frozenset()  # one of them is offered

    def fits(self, path: Sequence[Segment], host: str, offered: frozenset[str]) -> Params | None:
        """The parameters of the path, none if there is no condition on it; None: not for this route."""
        if self.host is not None and not _same_host(self.host, host):
            return None
        if self.subprotocols and not self.subprotocols & offered:
            return None
        return {} if self.path is None else self.path.match(path)

    def folded(self) -> Match:
        """The same for paths in lower case."""
        return self if self.path is None else replace(self, path=self.path.folded())

    def __str__(self) -> str:
        said = [self.host or "", str(self.path) if self.path else "", *sorted(self.subprotocols)]
        return " ".join(filter(None, said)) or "every request"


def _same_host(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) and len(host) >= len(pattern) if pattern[0] == "*" else host == pattern


def host_of(header: bytes) -> str:
    """The name in a Host header: without port (which may be empty) and final dot, in lower case."""
    name = header.decode("latin-1").strip().lower()
    bare, colon, port = name.rpartition(":")
    return (bare if colon and _PORT(port) else name).removesuffix(".")


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may use a route. No tokens or no origins: no condition."""

    digests: tuple[bytes, ...] = field(default=(), repr=False)  # SHA-256 of each token
    origins: frozenset[bytes] = frozenset()  # lower case, as browsers write them
    names: tuple[str, ...] = ()  # of the tokens, in the same order, for the audit log; empty: it has none

    def check(self, authorization: Sequence[bytes], origin: Sequence[bytes]) -> str:
        """The name of the credential, by all values of these two headers. Raises Denied."""
        who = self._known(authorization) if self.digests else ""
        if who is None:
            raise Denied("unauthorized", 401, "This route wants the header Authorization: Bearer TOKEN.")
        if self.origins and not (len(origin) == 1 and origin[0].strip().lower() in self.origins):
            raise Denied("origin", 403, "This route takes no connections from pages of this origin.")
        return who

    def _known(self, authorization: Sequence[bytes]) -> str | None:
        """Every token is compared, each in constant time: how long it takes tells nothing about them."""
        if len(authorization) != 1:
            return None
        scheme, _, token = authorization[0].strip().partition(b" ")
        given = sha256(token.strip()).digest()
        hits = [hmac.compare_digest(given, known) for known in self.digests]
        if scheme.lower() != b"bearer" or not any(hits):
            return None
        return self.names[hits.index(True)] if self.names else ""


@dataclass(frozen=True, slots=True)
class Route:
    """One service behind the proxy. `settings` are its own: upstream, rules, limits."""

    name: str
    settings: Settings
    match: Match = Match()
    path: Template | None = None  # at the upstream; None: its base path and then the client's
    auth: Auth = Auth()
    shadow: bool = False  # its rules change nothing, whatever they say

    def target(self, asked: bytes, params: Params) -> bytes:
        """The request target to send upstream for the one that the client asked for."""
        if self.path is None:
            return self.settings.upstream.base.encode() + asked
        _, mark, query = asked.partition(b"?")
        return self.path.fill(params) + mark + query

    @property
    def shown(self) -> str:
        """Where requests go, for people."""
        return f"{self.settings.upstream}{'' if self.path is None else self.path}"


class Chosen(NamedTuple):
    """The route of a request, by its place in the table, and the parameters of its path."""

    place: int
    params: Params


class Table:
    """Routes in the order of the file: the first one that fits takes a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.matches = [route.match for route in routes]
        self.folded = [match.folded() for match in self.matches]
        self.by_path = any(match.path is not None for match in self.matches)
        self.by_host = any(match.host is not None for match in self.matches)

    def choose(self, target: bytes, hosts: Sequence[bytes], offered: frozenset[str]) -> Chosen | None:
        """By request target, all Host headers and the subprotocols on offer. Raises Unclear; None: no route."""
        if self.by_host and len(hosts) != 1:
            raise Unclear("there must be one Host header (RFC 9112 section 3.2)")
        host = host_of(hosts[0]) if self.by_host else ""
        if self.by_host and not _HOST(host):
            raise Unclear("the Host header is not a name or an address and perhaps a port")
        path = target.partition(b"?")[0]
        chosen = _first(self.matches, segments_of(path), host, offered)
        if self.by_path:
            resolved = _resolved(path)
            for matches, segments in ((self.matches, resolved), (self.folded, _folded(resolved))):
                other = _first(matches, segments, host, offered)
                if chosen and other and not self._alike(chosen.place, other.place):
                    raise Unclear("the path takes another route when it is read differently")
        return chosen

    def _alike(self, one: int, other: int) -> bool:
        """Whether two routes are one, or differ by case alone: then it is meant to matter."""
        a, b = self.matches[one].path, self.matches[other].path
        if one == other or a is None or b is None:
            return one == other
        return a.literals != b.literals and a.folded().literals == b.folded().literals


def _first(matches: Sequence[Match], path: Sequence[Segment], host: str, offered: frozenset[str]) -> Chosen | None:
    for index, match in enumerate(matches):
        params = match.fits(path, host, offered)
        if params is not None:
            return Chosen(index, params)
    return None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one proxy serves. `settings` are those of the process: what its listener does, and how many
    connections there may be in all. `named` says that the routes come from a file, so that they are told apart."""

    settings: Settings
    routes: tuple[Route, ...]
    named: bool = False


def only(settings: Settings) -> Plan:
    """One service, which gets every request."""
    return Plan(settings, (Route("default", settings),))
