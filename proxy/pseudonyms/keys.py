"""Keys: from a reference in a rule file, or the one that every installation makes for itself.

A secret is stretched by HKDF (RFC 5869) with a purpose, so that one secret serves several operators and what one
of them shows tells nothing about another. No sentence of this module holds a secret, or the name of one: people
do write the secret itself where its name belongs.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SHORTEST = 16  # characters: 64 bits even of hexadecimal ones
_CURE = "make one with: openssl rand -hex 32"

# What keys are for. Another word here is another key: what was made under the old one could not be found again.
HASH, ENCRYPT, FAKE, TOKENS, SEALS = "hash", "encrypt", "fake", "tokens", "seals"


class KeyRing:
    """Keys by their references. `own` gives the secret that is meant where a rule names none."""

    def __init__(self, own: Callable[[], bytes], environ: Mapping[str, str] = os.environ) -> None:
        self._own = own
        self._environ = environ

    @classmethod
    def installed(cls, environ: Mapping[str, str] = os.environ) -> KeyRing:
        """With the secret of this installation, made at its first use and kept."""
        return cls(lambda: installation_secret(own_file(environ)), environ)

    @classmethod
    def throwaway(cls, environ: Mapping[str, str] = os.environ) -> KeyRing:
        """With a secret that ends with this process: for checking rules, which leaves nothing behind."""
        secret = os.urandom(32)
        return cls(lambda: secret, environ)

    def key(self, reference: str | None, folder: Path, purpose: str, size: int = 32) -> bytes:
        """`size` bytes for `purpose`. A `file:` lies in `folder`. ValueError if there is no such secret."""
        secret = self._own() if reference is None else read_secret(reference, folder, self._environ)
        return HKDF(SHA256(), size, salt=None, info=b"hushwire/v1/" + purpose.encode()).derive(secret)


def read_secret(reference: str, folder: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """What `env:NAME` or `file:PATH` holds, without white space around it. ValueError says what to do."""
    kind, _, name = reference.partition(":")
    secret = read_reference(kind, name, folder, environ)
    if len(secret) < SHORTEST:
        what = "file" if kind == "file" else "variable"
        raise ValueError(f"the secret in this {what} is shorter than {SHORTEST} characters; {_CURE}")
    return secret


def read_reference(kind: str, name: str, folder: Path, environ: Mapping[str, str]) -> bytes:
    """The content of a variable (`env`) or a file, stripped. ValueError if there is none."""
    if kind == "env":
        value = environ.get(name)
        if value is None:
            raise ValueError("this environment variable is not set; set it for the proxy, or name another one")
        return value.encode(errors="surrogateescape").strip()
    try:
        return (folder / name).read_bytes().strip()
    except OSError as error:
        cure = "check the path: it is relative to the file that names it"
        raise ValueError(f"this file cannot be read ({error.strerror}); {cure}") from None
    except ValueError:  # a NUL in a path
        raise ValueError("this is not the path of a file") from None


def own_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the secret of this installation is kept (the XDG base directory specification's place for state)."""
    base = environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path("~/.local/state").expanduser()) / "hushwire" / "keys" / "rules.key"


def installation_secret(path: Path) -> bytes:
    """The secret in `path`; made there, for its owner only, by whoever comes first. ValueError if that fails."""
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ValueError(
            f"the key of this installation cannot be kept in {path} ({error.strerror}); give the rule a key of its"
            " own (key: env:NAME), or set XDG_STATE_HOME to a folder that can be written"
        ) from None
    if len(secret) < SHORTEST:
        raise ValueError(
            f"the key of this installation, {path}, is damaged; restore it, or delete it for a new one"
        )
    return secret


def _make(path: Path) -> None:
    """A link appears whole or not at all, and never replaces what another process has just made."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(32).hex().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
