"""hushwire.yaml as written: its closed models. What they turn into is made in proxy/config/read.py.

A key that is not there leaves the default of proxy/settings. Keys of later issues are unknown until they work.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from proxy.config.values import (
    Anchor,
    AuditDir,
    Count,
    Duration,
    File,
    HostPattern,
    Keep,
    Net,
    Origin,
    PathTemplate,
    Rate,
    Reference,
    RulesName,
    Ship,
    Size,
    SizeOrNone,
    Subprotocol,
    Token,
    Tokens,
    Ttl,
    Url,
    VaultUrl,
)
from proxy.rulebook.closed import Closed, wrong
from proxy.rulebook.schema import Version
from proxy.settings import parse_address

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
Port = Annotated[int, Field(ge=0, le=65535)]


def _address(value: Any) -> Any:
    """`HOST:PORT` as the mapping that it is short for."""
    if not isinstance(value, str):
        return value
    try:
        return dict(parse_address(value)._asdict())
    except ValueError as error:
        sentence, _, cure = str(error).partition("; ")
        raise wrong("E013", sentence, cure) from None


def _side_doors(value: Any) -> Any:
    return None if value == "off" else _address(value)


def _url(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


def _audit(value: Any) -> Any:
    return None if value == "off" else {"dir": value} if isinstance(value, str) else value


class AuditText(Closed):
    """What is taken down of connections and messages, and where."""

    dir: AuditDir | None = None
    level: Literal["sessions", "findings", "messages", "sanitised"] | None = None
    durability: Literal["async", "written", "synced"] | None = None
    keep: Keep | None = None
    keep_size: SizeOrNone | None = None
    client: Literal["fingerprint", "network", "none"] | None = None
    key: Reference | None = None
    anchor: list[Anchor] = Field(default_factory=list)
    ship: list[Ship] = Field(default_factory=list)


class VaultText(Closed):
    """Where the tokens of named scopes are kept."""

    url: VaultUrl
    ttl: Ttl | None = None
    size: Count | None = None


class TlsText(Closed):
    """Clients connect with wss://. `client_ca`: they must show a certificate of this authority."""

    cert: File
    key: File | None = None
    client_ca: File | None = None


class ListenText(Closed):
    """Where clients connect; port 0 lets the system choose."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port = 8080
    tls: TlsText | None = None


class AdminText(Closed):
    """Where the side doors are."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port = 8081
    token: Token | None = None


class ListenerLimitsText(Closed):
    """What one process takes in all, before anybody knows for which route."""

    connections: Count | None = None
    header: Size | None = None
    header_timeout: Duration | None = None


class MatchText(Closed):
    """Which requests a route is for; all that is said has to hold."""

    path: PathTemplate | None = None
    host: HostPattern | None = None
    subprotocol: Annotated[list[Subprotocol], Field(min_length=1)] | None = None


class UpstreamText(Closed):
    """The service. A URL without parameters gets the client's path appended."""

    url: Url
    ca: File | None = None
    connect_timeout: Duration | None = None


def _credentials(value: Any) -> Any:
    """Tokens that have no name."""
    return [{"token": value}] if isinstance(value, str) else value


def _or_text(node: dict[str, Any]) -> None:
    named = dict(node)
    node.clear()
    node["anyOf"] = [named, {"type": "string"}]


class CredentialText(Closed):
    """Tokens that let clients in, and what the audit log calls who has one of them."""

    name: Annotated[str, Field(pattern=NAME)] | None = None
    token: Tokens


class AuthText(Closed):
    """Who may connect; both have to hold."""

    bearer: (
        Annotated[
            list[CredentialText],
            BeforeValidator(_credentials),
            Field(min_length=1, json_schema_extra=_or_text),
        ]
        | None
    ) = None
    origins: Annotated[list[Origin], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.bearer is None and self.origins is None:
            raise wrong("E010", "this lets everybody in", "add bearer or origins, or leave out auth")
        return self


class LimitsText(Closed):
    """Of one route, in each worker."""

    message: Size | None = None
    connections: Count | None = None
    per_address: Count | None = None
    messages_per_second: Rate | None = None
    idle: Duration | None = None
    lifetime: Duration | None = None
    write_stall: Duration | None = None
    close_timeout: Duration | None = None


class RouteText(Closed):
    """One service. The first route that matches a request takes it."""

    name: Annotated[str, Field(pattern=NAME)]
    match: MatchText = MatchText()
    upstream: Annotated[UpstreamText, BeforeValidator(_url)]
    auth: AuthText | None = None
    codec: Literal["auto"] = "auto"
    binary: Literal["scan", "pass", "deny"] | None = None
    rules: RulesName | None = None
    mode: Literal["enforce", "shadow"] = "enforce"
    limits: LimitsText = LimitsText()
    host_header: Literal["auto", "keep", "upstream"] | None = None
    forwarded: bool | None = None
    deflate: bool | None = None
    on_error: Literal["close", "pass"] = "close"
    i_accept_leaks: bool = False


class ConfigText(Closed):
    """The whole file."""

    version: Version
    listen: Annotated[ListenText, BeforeValidator(_address)] = ListenText()
    admin: Annotated[AdminText | None, BeforeValidator(_side_doors)] = AdminText()
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    trusted_proxies: list[Net] = Field(default_factory=list)
    ner: Annotated[str, Field(min_length=1)] | None = None
    vault: Annotated[VaultText, BeforeValidator(_url)] | None = None
    audit: Annotated[AuditText | None, BeforeValidator(_audit)] = AuditText()
    limits: ListenerLimitsText = ListenerLimitsText()
    routes: Annotated[list[RouteText], Field(min_length=1)]
