"""hushwire.yaml as run: read, checked as a whole, and turned into what routes and settings are made of.

What can be told of one value alone is told in proxy/config/values.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from proxy.certificates import wrong_authority, wrong_chain
from proxy.config.schema import ConfigText, ListenText, RouteText
from proxy.route import Auth, Match
from proxy.rulebook.document import Document
from proxy.rulebook.document import read as document_of
from proxy.rulebook.faults import Fault, RulesError, quoted
from proxy.rulebook.files import Files, Unreadable
from proxy.rulebook.told import told
from proxy.settings import Address
from proxy.template import Template


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """One route. `values` are those fields of Settings that it says for itself; `path` is a template at the
    upstream."""

    name: str
    values: Mapping[str, Any]
    match: Match
    path: Template | None
    auth: Auth
    shadow: bool


@dataclass(frozen=True, slots=True)
class Config:
    """A file that can be run. `values` are those fields of Settings that it says for the whole process."""

    file: Path
    values: Mapping[str, Any] = field(repr=False)  # a token
    routes: tuple[RouteConfig, ...]


def read(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The config in `path`; secrets come from `environ` or from files. Raises RulesError with every fault."""
    try:
        text = Files().text(path)
    except Unreadable as error:
        raise RulesError([Fault(str(path), 0, 0, error.code, str(error))]) from None
    document = document_of(text, str(path))
    faults = list(document.faults)
    try:
        context = {"folder": path.parent, "environ": environ}
        written = ConfigText.model_validate(document.data, context=context)
    except ValidationError as error:
        places = {(fault.line, fault.column) for fault in faults}  # what was left out there is told already
        new = told(error, document, ConfigText)
        raise RulesError([*faults, *(f for f in new if (f.line, f.column) not in places)]) from None
    faults += _contradictions(written, document)
    if faults:
        raise RulesError(faults)
    return Config(path, _process(written), tuple(map(_route, written.routes)))


# -- what is each well written, but cannot be meant together ------------------------------------------------


def _contradictions(written: ConfigText, document: Document) -> Iterator[Fault]:
    yield from _listening(written, document)
    names: set[str] = set()
    for i, route in enumerate(written.routes):
        at = ("routes", i)
        if route.name in names:
            sentence = f"the name {quoted(route.name)} is taken by a route above"
            yield document.fault((*at, "name"), "E045", sentence, "logs and metrics tell routes apart by it")
        names.add(route.name)
        for above in written.routes[:i]:
            if above.match in (route.match, type(route.match)()):
                sentence = f"no request gets here: the route {quoted(above.name)} above takes all of them"
                yield document.fault((*at, "name"), "E040", sentence, "put this route before that one")
                break
        yield from _upstream(route, at, document)
        yield from _leaks(route, at, document)


def _listening(written: ConfigText, document: Document) -> Iterator[Fault]:
    listen, admin = written.listen, written.admin
    if admin is not None:
        address = Address(admin.host, admin.port)
        if not address.loopback and admin.token is None:
            sentence = "other machines can reach this address, so it needs a token"
            yield document.fault(("admin",), "E010", sentence, "add token: env:NAME, or write 127.0.0.1")
        if address == (listen.host, listen.port) and listen.port:
            yield document.fault(("admin",), "E013", "this is where clients connect", "choose another port")
    yield from _certificates(listen, document)


def _certificates(listen: ListenText, document: Document) -> Iterator[Fault]:
    if listen.tls is None:
        return
    if reason := wrong_chain(listen.tls.cert, listen.tls.key):
        sentence = f"this chain and its key cannot be used ({reason})"
        cure = "name PEM files of a chain and of its own, unencrypted key"
        yield document.fault(("listen", "tls", "cert"), "E042", sentence, cure)
    if listen.tls.client_ca and (reason := wrong_authority(listen.tls.client_ca)):
        yield _no_authority(document, ("listen", "tls", "client_ca"), reason)


def _no_authority(document: Document, path: tuple[str | int, ...], reason: str) -> Fault:
    return document.fault(path, "E042", f"this is no authority ({reason})", "name a PEM file of certificates")


def _upstream(route: RouteText, at: tuple[str | int, ...], document: Document) -> Iterator[Fault]:
    service, ca = route.upstream.url, route.upstream.ca
    known = route.match.path.names if route.match.path else []
    for name in service.path.names if service.path else []:
        if name not in known:
            sentence = f"there is no parameter {quoted(name)} in the path that this route matches"
            cure = f"add match: {{path: ...}} with {{{name}}}"
            yield document.fault((*at, "upstream", "url"), "E041", sentence, cure)
    if ca and not service.upstream.secure:
        yield document.fault(
            (*at, "upstream", "ca"), "E013", "a ws:// upstream has no certificate", "write wss://"
        )
    elif ca and (reason := wrong_authority(ca)):
        yield _no_authority(document, (*at, "upstream", "ca"), reason)


def _leaks(route: RouteText, at: tuple[str | int, ...], document: Document) -> Iterator[Fault]:
    if route.on_error == "pass" and not route.i_accept_leaks:
        sentence = "this forwards what could not be inspected, personal data and all"
        yield document.fault((*at, "on_error"), "E044", sentence, "write close, or i_accept_leaks: true beside it")
    if route.i_accept_leaks and route.on_error != "pass":
        sentence = "nothing leaks on this route"
        yield document.fault(
            (*at, "i_accept_leaks"), "E044", sentence, "leave it out; it belongs to on_error: pass"
        )


# -- as run -------------------------------------------------------------------------------------------------


def _said(**values: Any) -> dict[str, Any]:
    """What the file does say."""
    return {name: value for name, value in values.items() if value is not None}


def _process(written: ConfigText) -> dict[str, Any]:
    listen, admin = written.listen, written.admin
    values = _said(
        workers=written.workers,
        ner=written.ner,
        trusted_proxies=tuple(written.trusted_proxies),
        max_connections=written.limits.connections,
        max_header=written.limits.header,
        header_timeout=written.limits.header_timeout,
    )
    if "listen" in written.model_fields_set:
        values["listen"] = Address(listen.host, listen.port)
    if "admin" in written.model_fields_set:
        values["admin"] = "off" if admin is None else Address(admin.host, admin.port)
        values["admin_token"] = None if admin is None else admin.token
    if (vault := written.vault) is not None:
        values |= _said(vault=vault.url, vault_ttl=vault.ttl, vault_size=vault.size)
    if (audit := written.audit) is None:
        values["audit"] = "off"
    else:
        values |= _said(
            audit=audit.dir,
            audit_level=audit.level,
            audit_durability=audit.durability,
            audit_keep=audit.keep,
            audit_keep_size=audit.keep_size,
            audit_client=audit.client,
            audit_key=audit.key,
            audit_anchor=tuple(audit.anchor) or None,
            audit_ship=tuple(audit.ship) or None,
        )
    if listen.tls is not None:
        values |= _said(tls_cert=listen.tls.cert, tls_key=listen.tls.key, tls_client_ca=listen.tls.client_ca)
    return values


def _route(written: RouteText) -> RouteConfig:
    limits, upstream, match = written.limits, written.upstream, written.match
    values = _said(
        upstream=upstream.url.upstream,
        upstream_ca=upstream.ca,
        connect_timeout=upstream.connect_timeout,
        rules=written.rules,
        binary=written.binary,
        host_header=written.host_header,
        forwarded=written.forwarded,
        deflate=written.deflate,
        on_error=written.on_error,
        max_message=limits.message,
        max_connections=limits.connections,
        max_per_address=limits.per_address,
        max_rate=limits.messages_per_second,
        idle=limits.idle,
        lifetime=limits.lifetime,
        write_stall=limits.write_stall,
        close_timeout=limits.close_timeout,
    )
    auth = Auth()
    if written.auth is not None:
        who = {digest: one.name or "" for one in written.auth.bearer or () for digest in one.token}
        auth = Auth(tuple(who), frozenset(written.auth.origins or ()), tuple(who.values()))
    return RouteConfig(
        written.name,
        values,
        Match(match.path, match.host, frozenset(match.subprotocol or ())),
        upstream.url.path,
        auth,
        written.mode == "shadow",
    )
