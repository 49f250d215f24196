"""From the options that were given to Settings, or to every fault in them: `--option: a sentence with the cure`.

Nothing is printed here, and no secret gets into a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from proxy.certificates import wrong_authority, wrong_chain
from proxy.options import OPTIONS, TOKEN_VARIABLE
from proxy.settings import Settings


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the user can cure: which option, and a sentence."""

    option: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.option}: {self.sentence}"


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Unusable(Exception):  # noqa: N818 - carries faults of the user, all at once
    """The options do not make Settings."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def settings_of(
    given: Mapping[str, Any], environment: Mapping[str, str], written: Mapping[str, Any] = NOTHING
) -> Settings:
    """Settings from the options that were given (None: it was not), and from what a file says where they say
    nothing. Raises Unusable with every fault."""
    options = {field: value for field, value in given.items() if value is not None and value != []}
    values = {**written, **options}
    values["admin_required"] = values.get("admin", "off") != "off"
    if values.get("admin") == "off":
        values["admin"] = None
    faults = []
    try:
        token = _token(options.get("admin_token"), environment.get(TOKEN_VARIABLE))
        values["admin_token"] = written.get("admin_token") if token is None else token
    except Unusable as unusable:
        values["admin_token"] = None
        faults += unusable.faults
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise Unusable([*_told(error), *faults]) from None
    faults += _contradictions(settings, token_meant=bool(faults))
    if faults:
        raise Unusable(faults)
    return settings


def _token(file: str | None, literal: str | None) -> str | None:
    """The admin token; whoever writes an empty one meant to have one."""
    flag = "--admin-token-file"
    if file is not None and literal is not None:
        raise Unusable([Fault(flag, f"the token is also in {TOKEN_VARIABLE}; keep one of the two")])
    if file is not None:
        try:
            literal = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise Unusable([Fault(flag, f"cannot read '{file}' ({reason}); name a text file")]) from None
    if literal is None:
        return None
    if not literal.isascii() or not literal.isprintable() or not literal or " " in literal:
        source = flag if file is not None else TOKEN_VARIABLE
        sentence = "a token is one line of printable ASCII without blanks, for example from: openssl rand -hex 32"
        raise Unusable([Fault(source, sentence)])
    return literal


CHAIN = "name PEM files of a chain and of its own, unencrypted key"
SENTENCES = {
    "missing": "say which service to protect, for example --upstream ws://127.0.0.1:9000, or --config FILE",
    "literal_error": "'{value}' is not a choice; write {expected}",
    "int_parsing": "'{value}' is not a whole number; write for example 4",
    "greater_than_equal": "{value} is too small; write {ge} or more",
    "less_than_equal": "{value} is too large; write {le} or less",
    "ip_v4_network": "'{value}' is not a network; write for example 10.0.0.0/8 or fd00::/8, with host bits zero",
    "value_error": "{error}",
}


def _told(error: ValidationError) -> Iterator[Fault]:
    """Pydantic's errors as faults; each value once, although a union of networks reports every branch."""
    names: dict[int | str, str] = {option.field: option.name for option in OPTIONS}
    seen: set[tuple[int | str, ...]] = set()
    for fault in error.errors(include_url=False):
        if (place := fault["loc"][:2]) not in seen:
            seen.add(place)
            sentence = SENTENCES.get(fault["type"], fault["msg"].replace("{", "{{").replace("}", "}}"))
            yield Fault(names[place[0]], sentence.format(value=fault["input"], **fault.get("ctx", {})))


def _contradictions(settings: Settings, *, token_meant: bool) -> Iterator[Fault]:
    """Options that are each well written, but cannot be meant together, or name what is not there."""
    # A token that was meant but cannot be read is already a fault; do not ask for it again.
    admin, listen = settings.admin, settings.listen
    if admin and not admin.loopback and settings.admin_token is None and not token_meant:
        yield Fault(
            "--admin",
            f"{admin} can be reached from other machines, so it needs a token; add --admin-token-file FILE, "
            f"set {TOKEN_VARIABLE}, or write 127.0.0.1:{admin.port}",
        )
    if settings.admin_required and admin == listen and listen.port:
        yield Fault("--admin", f"{admin} is where clients connect; choose another port")
    if settings.tls_key and not settings.tls_cert:
        yield Fault("--tls-key", "a key needs its certificate; add --tls-cert FILE")
    if settings.tls_client_ca and not settings.tls_cert:
        yield Fault("--tls-client-ca", "clients show certificates in TLS only; add --tls-cert FILE")
    if settings.upstream_ca and not settings.upstream.secure:
        yield Fault("--upstream-ca", "a ws:// upstream has no certificate; write wss:// or leave it out")
    files = {
        "--upstream-ca": settings.upstream_ca,
        "--tls-cert": settings.tls_cert,
        "--tls-key": settings.tls_key,
        "--tls-client-ca": settings.tls_client_ca,
    }
    missing = {option: file for option, file in files.items() if file and not file.is_file()}
    for option, file in missing.items():
        yield Fault(option, f"there is no file '{file}'; check the path")
    if settings.tls_cert and not missing and (reason := wrong_chain(settings.tls_cert, settings.tls_key)):
        yield Fault("--tls-cert", f"'{settings.tls_cert}' and its key cannot be used ({reason}); {CHAIN}")
    for option in ("--upstream-ca", "--tls-client-ca"):
        authority = files[option]
        meant = option not in missing and (option != "--upstream-ca" or settings.upstream.secure)
        if authority and meant and (reason := wrong_authority(authority)):
            yield Fault(option, f"'{authority}' cannot be used ({reason}); name a PEM file of certificates")
