"""What a process takes from the system before it serves: sockets, certificates, open files, a log on stderr.

All of it is taken before the workers are forked, and whatever cannot be had is a StartError. What is served is not
known here.
"""

from __future__ import annotations

import logging
import os
import resource
import socket
import ssl
import sys
from collections.abc import Sequence

from proxy.rulebook.faults import Fault
from proxy.settings import Address, Settings
from proxy.wire.crowd import FEW, unasked
from proxy.wire.dial import tls_context
from proxy.wire.server import bind

log = logging.getLogger("hushwire")

SPARE_FILES = 64 + FEW  # descriptors that are no clients' connections, those at the side door included


class StartError(Exception):
    """The proxy cannot start; the text says why and what to do. `code` is the exit code: 1, 2 for options, or 3
    for rules, whose `faults` can be told with their places."""

    def __init__(self, message: str, code: int = 1, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.faults = tuple(faults)


def upstream_tls(settings: Settings) -> ssl.SSLContext | None:
    """How the upstream's certificate is verified, if it has one. Raises StartError."""
    try:
        return tls_context(settings)
    except (OSError, ssl.SSLError) as error:
        raise StartError(
            f"--upstream-ca {settings.upstream_ca}: not a file of PEM certificates ({error})"
        ) from None


def bind_to(address: Address, option: str) -> socket.socket:
    """The socket that `option` asks for. Raises StartError."""
    try:
        return bind(address)
    except OSError as error:
        raise StartError(f"{option} {address}: {_why(error)}; choose another address") from None


def bind_admin(settings: Settings) -> tuple[socket.socket | None, str | None]:
    """The side doors' socket, or why there is none: a taken default port is no reason not to protect."""
    if settings.admin is None:
        return None, None
    if settings.admin_required:
        return bind_to(settings.admin, "--admin"), None
    try:
        return bind(settings.admin), None
    except OSError as error:
        return None, f"{settings.admin}: {_why(error)}"


def _why(error: OSError) -> str:
    """In a few words: Python's own text names the address once more. A failed lookup's number is no errno."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)


def set_up_logging(settings: Settings) -> None:
    """Only Hushwire's own log is open below warnings: libraries log what they handle."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(settings.log_level.upper())


def leave_no_core() -> None:
    """A crash must not write memory to a disk: it holds whatever the messages of the moment say."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def within_file_limit(settings: Settings) -> Settings:
    """Two descriptors a connection, and one for each that has not asked yet: take what the system allows, and no
    more connections than that carries.

    Without this the listener would spin on EMFILE instead of answering 503, and the audit log could not go on.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * settings.max_connections + unasked(settings.max_connections) + SPARE_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed == wanted:
        return settings
    fits = max(1, min((allowed - SPARE_FILES) // 3, (allowed - SPARE_FILES - FEW) // 2))
    asked = "max_connections" in settings.model_fields_set
    level = logging.WARNING if asked else logging.INFO
    log.log(level, "at most %d connections, because the system allows %d open files (ulimit -n)", fits, allowed)
    return settings.model_copy(update={"max_connections": fits})
