"""Whether files of certificates can be used, told before anything starts. Nothing of them is kept."""

from __future__ import annotations

import ssl
from pathlib import Path


def wrong_chain(cert: Path, key: Path | None) -> str | None:
    """Why a listener cannot use this chain and key, in a few words, or None. An encrypted key cannot be used:
    nobody is there to type."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        return _why(error)
    return None


def wrong_authority(file: Path) -> str | None:
    """Why this is no file of authorities, or None."""
    try:
        ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as error:
        return _why(error)
    return None


def _why(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or "not readable"
