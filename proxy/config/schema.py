"""hushwire.yaml as written: its closed models. What they turn into is made in proxy/config/read.py.

A key that is not there leaves the default of proxy/settings. Keys of later issues are unknown until they work.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from proxy.config.values import (
    Count,
    Duration,
    File,
    HostPattern,
    Net,
    Origin,
    PathTemplate,
    Rate,
    RulesName,
    Size,
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


class AuthText(Closed):
    """Who may connect; both have to hold."""

    bearer: Tokens | None = None
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

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
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
    limits: ListenerLimitsText = ListenerLimitsText()
    routes: Annotated[list[RouteText], Field(min_length=1)]
