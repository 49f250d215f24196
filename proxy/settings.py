"""How the process runs: ports, upstream, limits, deadlines. Never what to redact (that is proxy/rulebook).

Values arrive as the user typed them; a fault is a `pydantic.ValidationError` whose messages name the cure.
Durations are seconds, sizes are bytes once parsed; `10s`, `5m`, `1h` and `64KiB`, `16MiB` are accepted.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SIZES = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def parse_duration(value: Any) -> Any:
    """Seconds from `250ms`, `10s`, `5m`, `1h`, `1d` or a bare number of seconds."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*", value)
    if match is None:
        raise ValueError(f"'{value}' is not a duration; write for example 250ms, 10s, 5m or 1h")
    return float(match[1]) * UNITS[match[2]]


def parse_size(value: Any) -> Any:
    """Bytes from `64KiB`, `16MiB`, `1GiB` or a bare number of bytes."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+)\s*(B|KB|MB|KiB|MiB|GiB|)\s*", value)
    if match is None:
        raise ValueError(f"'{value}' is not a size; write for example 65536, 64KiB or 16MiB")
    return int(match[1]) * SIZES[match[2]]


class Address(NamedTuple):
    """A TCP address to listen on; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(value: Any) -> Any:
    """`HOST:PORT`, `:PORT` (all interfaces), `[::1]:PORT`."""
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bad = not colon or not port.isascii() or not port.isdigit() or int(port) > 65535
    if bad or (":" in bare and bare == host):
        raise ValueError(f"'{value}' is not an address; write HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080")
    return Address(bare or "0.0.0.0", int(port))  # noqa: S104 - typed by the user


class Upstream(NamedTuple):
    """The service behind the proxy; `base` is put before the path of every request, without a final slash."""

    secure: bool
    host: str
    port: int
    base: str

    @property
    def authority(self) -> str:
        """What a client would send as Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://{self.authority}{self.base}"


def parse_upstream(value: Any) -> Any:
    """`ws://host[:port][/base]` or `wss://...`; http and https mean the same."""
    if not isinstance(value, str):
        return value
    told = "this" if "@" in value else f"'{value}'"  # what stands before an @ may be a password
    try:
        parts = urlsplit(value)
        named = parts.username is not None or parts.password is not None
        host, port = parts.hostname, None if named else parts.port
    except ValueError as error:
        raise ValueError(f"{told} is not a URL{'' if '@' in value else f': {error}'}") from None
    if named:
        raise ValueError("an upstream URL must not hold a user name or password; send an Authorization header")
    secure = {"ws": False, "http": False, "wss": True, "https": True}.get(parts.scheme)
    if secure is None or not host:
        raise ValueError(f"{told} is not an upstream; write ws://HOST:PORT or wss://HOST[:PORT][/base]")
    if parts.query or parts.fragment:
        raise ValueError("an upstream URL takes no query or fragment; the client's own query is passed on")
    if not parts.path.isascii() or re.search(r"[\x00-\x20\x7f]", parts.path):
        raise ValueError("the base path of an upstream URL must be percent-encoded")
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"'{host}' is not a host name") from None
    return Upstream(secure, host, port or (443 if secure else 80), parts.path.rstrip("/"))


VAULTS = ("redis://", "rediss://", "unix://")


def parse_vault(value: Any) -> Any:
    """`memory`, the URL of a Redis, or where that URL stands (it may hold a password): `env:NAME`, `file:PATH`."""
    if value == "memory" or not isinstance(value, str):
        return value
    if not value.startswith((*VAULTS, "env:", "file:")):
        raise ValueError("this is not a vault; write memory, redis://HOST:PORT/0, env:NAME or file:PATH")
    return value


ANCHORS = ("file:", "git:", "tsa:")


def parse_anchor(value: Any) -> Any:
    """Where signed checkpoints are kept besides: `file:DIR`, `git:DIR`, `tsa:URL`."""
    if isinstance(value, str) and not any(value.startswith(kind) and value != kind for kind in ANCHORS):
        raise ValueError(f"'{value}' is not an anchor; write file:DIR, git:DIR or tsa:URL")
    return value


def parse_ship(value: Any) -> Any:
    """The URL of a sink, or where that URL stands (it may hold a password): `env:NAME`, `file:PATH`."""
    if isinstance(value, str) and not re.match(r"(env|file):.|[a-z]+://.", value):
        raise ValueError("this is no place to ship to; write postgresql://HOST/DATABASE, env:NAME or file:PATH")
    return value


def parse_reference(value: Any) -> Any:
    """`env:NAME` or `file:PATH`: a secret is only named."""
    if isinstance(value, str) and not re.match(r"(env|file):.", value):
        raise ValueError("a key is only named here; write env:NAME for a variable, or file:PATH")
    return value


def parse_keep(value: Any) -> Any:
    """A duration, of days mostly."""
    try:
        return parse_duration(value)
    except ValueError:
        raise ValueError(f"'{value}' is not a duration; write for example 90d or 12h, or 0 for ever") from None


Keep = Annotated[float, BeforeValidator(parse_keep), Field(ge=0)]
Duration = Annotated[float, BeforeValidator(parse_duration), Field(ge=0)]
Size = Annotated[int, BeforeValidator(parse_size), Field(ge=1)]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseModel):
    """Everything `hushwire run` can be told. Frozen, made once, handed on; with several routes, one for each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upstream: Annotated[Upstream, BeforeValidator(parse_upstream)]
    listen: Annotated[Address, BeforeValidator(parse_address)] = Address("127.0.0.1", 8080)
    rules: str = "default"
    ner: str = "off"  # a language model for names and addresses: rampart, strict, or KIND:DIR of one's own
    binary: Literal["scan", "pass", "deny"] = "scan"
    vault: Annotated[str, BeforeValidator(parse_vault), Field(repr=False)] = "memory"  # of named scopes of tokens
    vault_ttl: Annotated[float, BeforeValidator(parse_duration), Field(ge=1)] = 86400.0  # since a token was used
    vault_size: int = Field(1_000_000, ge=1)  # tokens in the memory of one worker
    workers: int = Field(1, ge=1, le=256)

    admin: Annotated[Address, BeforeValidator(parse_address)] | None = Address("127.0.0.1", 8081)
    admin_required: bool = False  # the address was asked for, so a taken port is a failure
    admin_token: str | None = Field(None, repr=False)

    host_header: Literal["auto", "keep", "upstream"] = "auto"
    forwarded: bool = True  # write X-Forwarded-For/-Proto/-Host and Forwarded
    trusted_proxies: tuple[Network, ...] = ()
    deflate: bool = True  # let client and upstream negotiate permessage-deflate
    upstream_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None  # clients must show a certificate that it has signed

    max_message: Size = 16 * 1024**2
    max_connections: int = Field(20_000, ge=1)
    max_per_address: int = Field(0, ge=0)  # 0: no limit
    max_rate: float = Field(0, ge=0)  # messages per second from one client; 0: no limit
    max_header: Size = 64 * 1024
    header_timeout: Duration = 10.0
    connect_timeout: Duration = 10.0  # dial and handshake of the upstream
    idle: Duration = 3600.0  # 0: none; no frame in either direction
    lifetime: Duration = 86400.0  # 0: none
    write_stall: Duration = 120.0  # a peer that takes nothing for this long is gone
    close_timeout: Duration = 10.0  # from both CLOSEs, or the first FIN, to the end of TCP
    drain_wait: Duration = 0.5  # after SIGTERM: not ready, but still serving
    drain_deadline: Duration = 10.0  # then 1012, and this long for the replies
    inspect_timeout: Duration = 5.0  # one message in the pipeline
    inline_bytes: Annotated[int, BeforeValidator(parse_size), Field(ge=0)] = 1024  # larger: in a worker thread
    max_waiting: int = Field(64, ge=1)  # messages that may queue for a worker; then who used it most is refused

    audit: str | None = None  # a directory, or `off`; None: where this installation keeps what it makes itself
    audit_level: Literal["sessions", "findings", "messages", "sanitised"] = "findings"
    audit_durability: Literal["async", "written", "synced"] = "written"  # before a noted message leaves
    audit_keep: Keep = 90 * 86400.0  # 0: for ever
    audit_keep_size: Annotated[int, BeforeValidator(parse_size), Field(ge=0)] = 0  # 0: no limit
    audit_client: Literal["fingerprint", "network", "none"] = "fingerprint"  # how clients are named
    audit_key: Annotated[str | None, BeforeValidator(parse_reference), Field(repr=False)] = None  # signs
    audit_anchor: tuple[Annotated[str, BeforeValidator(parse_anchor)], ...] = ()
    audit_ship: Annotated[tuple[Annotated[str, BeforeValidator(parse_ship)], ...], Field(repr=False)] = ()

    on_error: Literal["close", "pass"] = "close"  # pass: what cannot be inspected leaks

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def keep_host(self) -> bool:
        """Whether the client's own Host goes upstream. By default only to ws://: a TLS front wants its name."""
        return self.host_header == "keep" or (self.host_header == "auto" and not self.upstream.secure)


@dataclass(frozen=True, slots=True)
class Served:
    """One route of a proxy that is up. `match` and `upstream` are for people, `entities` the kinds of data that
    its rules look for; `digest` names the exact policy."""

    name: str
    match: str
    upstream: str
    rules: str
    digest: str
    entities: tuple[str, ...]
    settings: Settings
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """What the proxy says once it accepts connections. Made by app; shown by the command line.

    `admin` is None when the side doors are not served; `admin_problem` then says why, unless that was asked for.
    `named` says that the routes come from a file; without one there is one route, which gets everything.
    """

    listen: Address
    admin: Address | None
    admin_problem: str | None
    routes: tuple[Served, ...]
    named: bool
    workers: int
    pid: int
    audit: str | None = None
    """The audit directory; None: there is none."""
    unfed: tuple[str, ...] = ()
    unanchored: tuple[str, ...] = ()
    """Sinks that retention waits for although this proxy does not ship there."""
