"""The values of hushwire.yaml: each is parsed where it stands, so that all that is wrong is told at once.

Validate with a context {"folder": where the file lies, "environ": variables}. Sentences repeat no secret, and no
name of one: people do write the secret itself where its name belongs.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from proxy.pseudonyms.keys import read_reference
from proxy.rulebook.closed import wrong
from proxy.rulebook.faults import RulesError
from proxy.rulebook.load import find
from proxy.settings import (
    Network,
    Upstream,
    parse_anchor,
    parse_duration,
    parse_keep,
    parse_reference,
    parse_ship,
    parse_size,
    parse_upstream,
    parse_vault,
)
from proxy.template import Template, parse_template

T = TypeVar("T")


def _text(parse: Callable[[str], T]) -> Callable[[Any], T]:
    """A validator from a parser of texts. What its ValueError says behind a semicolon is the cure."""

    def validate(value: Any) -> T:
        if not isinstance(value, str):
            raise wrong("E012", "must be a text; put it in quotes")
        try:
            return parse(value)
        except ValueError as error:
            sentence, _, cure = str(error).partition("; ")
            raise wrong("E013", sentence, cure) from None

    return validate


def _amount(parse: Callable[[Any], Any], least: int) -> Callable[[Any], Any]:
    """A validator for a number, or a text of a number and its unit."""

    def validate(value: Any) -> Any:
        if isinstance(value, str):
            value = _text(parse)(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong("E012", "must be a number, or a text of a number and its unit")
        if value < least:
            raise wrong("E013", f"must be {least} or more")
        return value

    return validate


_AMOUNT = WithJsonSchema({"type": ["number", "string"]})
_TEXT = WithJsonSchema({"type": "string"})
Duration = Annotated[float, PlainValidator(_amount(parse_duration, 0)), _AMOUNT]
Keep = Annotated[float, PlainValidator(_amount(parse_keep, 0)), _AMOUNT]
Ttl = Annotated[float, PlainValidator(_amount(parse_duration, 1)), _AMOUNT]
Size = Annotated[int, PlainValidator(_amount(parse_size, 1)), _AMOUNT]
SizeOrNone = Annotated[int, PlainValidator(_amount(parse_size, 0)), _AMOUNT]
"""0: no limit."""
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0.01)]


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError("this is not a network; write for example 10.0.0.0/8, with host bits zero") from None


Net = Annotated[Network, PlainValidator(_text(_network)), _TEXT]
PathTemplate = Annotated[Template, PlainValidator(_text(parse_template)), _TEXT]


class Service(NamedTuple):
    """Where a route leads. `path` is there if the URL has parameters; else the client's path is appended."""

    upstream: Upstream
    path: Template | None


def _service(text: str) -> Service:
    upstream = parse_upstream(text)
    if "{" in upstream.host or "}" in upstream.host:
        raise ValueError("only the path of an upstream has parameters; a route has one host")
    if "{" not in upstream.base and "}" not in upstream.base:
        return Service(upstream, None)
    return Service(upstream._replace(base=""), parse_template(urlsplit(text).path))


Url = Annotated[Service, PlainValidator(_text(_service)), _TEXT]

_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"


def _host(text: str) -> str:
    """In the form that proxy/route compares with."""
    wild = text.startswith("*.")
    name = text[2:] if wild else text
    try:
        name = name.encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    address = re.fullmatch(r"\[[0-9a-f:.]+\]", name) and not wild
    if not address and not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", name):
        raise ValueError(
            "this is not a host; write chat.example.com, or *.example.com for all names below it, no port"
        )
    return f"*.{name}" if wild else name


HostPattern = Annotated[str, PlainValidator(_text(_host)), _TEXT]


def _subprotocol(text: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text):
        raise ValueError("this is not a subprotocol; it is a word such as chat.v2 (RFC 6455 section 4.1)")
    return text


Subprotocol = Annotated[str, PlainValidator(_text(_subprotocol)), _TEXT]


def _origin(text: str) -> bytes:
    """As a browser writes it (RFC 6454 section 6.2): in lower case, without the port that goes without saying."""
    match = re.fullmatch(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[^\s/:@?#\[\]]+)(?::(\d{1,5}))?", text.lower())
    if match is None:
        raise ValueError(
            "this is not an origin; write https://app.example.com, with a port if it has one, no path"
        )
    scheme, host, port = match.groups()
    usual = {"http": "80", "https": "443"}.get(scheme)
    try:
        name = host if host.startswith("[") else host.encode("idna").decode()
    except UnicodeError:
        raise ValueError("this is not an origin; its host is not a name") from None
    return f"{scheme}://{name}{f':{port}' if port and port != usual else ''}".encode()


Origin = Annotated[bytes, PlainValidator(_text(_origin)), _TEXT]


def _file(value: Any, info: ValidationInfo) -> Path:
    kind, _, name = _text(str)(value).partition(":")
    if kind != "file" or not name:
        raise wrong("E013", "a file is named as file:PATH", "for example file:certs/chain.pem")
    path: Path = (info.context or {})["folder"] / name
    if not path.is_file():
        raise wrong("E042", "there is no such file", "a path is read from the folder of this file")
    return path


File = Annotated[Path, PlainValidator(_file), _TEXT]


def _secret(value: Any, info: ValidationInfo) -> bytes:
    """What `env:NAME` or `file:PATH` holds. The secret itself never stands in a file that people share."""
    kind, _, name = _text(str)(value).partition(":")
    if kind not in ("env", "file") or not name:
        raise wrong("E014", "a secret is only named here", "write env:NAME for a variable, or file:PATH")
    context = info.context or {}
    try:
        return read_reference(kind, name, context["folder"], context["environ"])
    except ValueError as error:
        sentence, _, cure = str(error).partition("; ")
        raise wrong("E043", sentence, cure) from None


_SENDABLE = re.compile(rb"[!-~]+").fullmatch


def _token(value: Any, info: ValidationInfo) -> str:
    secret = _secret(value, info)
    if not _SENDABLE(secret):
        raise wrong(
            "E043", "this is not one line of printable ASCII without blanks", "openssl rand -hex 32 makes one"
        )
    return secret.decode()


def _digests(value: Any, info: ValidationInfo) -> tuple[bytes, ...]:
    tokens = re.split(rb"[\s,]+", _secret(value, info).strip(b" \t\r\n,"))
    if not all(map(_SENDABLE, tokens)):
        raise wrong("E043", "there is no token here, or one that is not ASCII", "openssl rand -hex 32 makes one")
    return tuple(dict.fromkeys(sha256(token).digest() for token in tokens))


Token = Annotated[str, PlainValidator(_token), _TEXT]
"""The one token of the side doors."""
Tokens = Annotated[tuple[bytes, ...], PlainValidator(_digests), _TEXT]
"""SHA-256 of each token: they are separated by white space or commas."""


def _beside(value: str, info: ValidationInfo) -> str:
    """A path as it is read from the folder of this file."""
    folder: Path = (info.context or {})["folder"]
    return str((folder / value).absolute())


def _reference(value: Any, info: ValidationInfo) -> str:
    """A `file:` is looked for where this file lies, whoever looks for it later."""
    reference: str = _text(parse_reference)(value)
    _secret(reference, info)
    kind, _, name = reference.partition(":")
    return reference if kind == "env" else f"file:{_beside(name, info)}"


def _resolved(url: str, info: ValidationInfo) -> str:
    """A URL that may need a password."""
    if url.startswith(("env:", "file:")):
        return _reference(url, info)
    if re.search("://[^/]*:[^/]*@", url):
        raise wrong("E014", "a password is only named here", "write the whole URL into env:NAME or file:PATH")
    return url


def _vault(value: Any, info: ValidationInfo) -> str:
    return _resolved(_text(parse_vault)(value), info)


VaultUrl = Annotated[str, PlainValidator(_vault), _TEXT]
"""`memory`, redis://HOST:PORT/0, or where such a URL stands."""


def _rules(name: str, info: ValidationInfo) -> str:
    """A name as it is; a path from the folder of this file."""
    try:
        path = find(name)
    except RulesError as error:
        (fault,) = error.faults
        raise wrong("E018", fault.sentence, fault.help, fault.instead) from None
    if path != Path(name):
        return name
    whole: Path = (info.context or {})["folder"] / name
    if not whole.is_file():
        raise wrong("E042", "there is no such file", "a path is read from the folder of this file")
    return str(whole)


RulesName = Annotated[str, AfterValidator(_rules)]
"""The name of rules that come along, or the path of a file."""


def _anchor(value: Any, info: ValidationInfo) -> str:
    where: str = _text(parse_anchor)(value)
    kind, _, name = where.partition(":")
    return where if kind == "tsa" else f"{kind}:{_beside(name, info)}"


def _ship(value: Any, info: ValidationInfo) -> str:
    return _resolved(_text(parse_ship)(value), info)


AuditDir = Annotated[str, Field(min_length=1), AfterValidator(_beside)]
Anchor = Annotated[str, PlainValidator(_anchor), _TEXT]
"""`file:DIR`, `git:DIR` or `tsa:URL`."""
Reference = Annotated[str, PlainValidator(_reference), _TEXT]
"""Where a key stands."""
Ship = Annotated[str, PlainValidator(_ship), _TEXT]
"""The URL of a sink, or where such a URL stands."""
