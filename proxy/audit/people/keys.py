"""The keys of the audit: one that signs the log, and one per epoch that makes fingerprints.

A fingerprint tells whether two values are the same only to whoever has the key of its epoch; destroying that key
shreds all fingerprints of the epoch at once. `Keys.mark` is proxy.core.plugs.Mark: 0.6 us for an e-mail address.
Where keys lie is in epochs.py. No sentence of this module holds a key, or the name of a reference: people do
write the secret itself where its name belongs.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path

from proxy.audit import storage
from proxy.audit.checkpoint import Signer
from proxy.audit.layout import state_home
from proxy.audit.people.epochs import HEX_KEY, Epoch, Epochs, KeysError, ReferredKeyError, fresh, make
from proxy.audit.people.spelling import spelling

__all__ = ["SIGNING", "Keys", "KeysError", "ReferredKeyError", "exposed", "keys_folder"]

SIGNING, EPOCHS = "audit-signing.key", "audit-epochs"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
SIZE = 16
_CURE = "make one with: openssl rand -hex 32"


def keys_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the keys of this installation lie."""
    return state_home(environ) / "keys"


class Keys:
    """Open keys. Every method may be called in any thread; only `refresh` reads the disk again."""

    def __init__(self, signer: Signer, epochs: Epochs) -> None:
        """Use `open`. Raises KeysError."""
        self.signer = signer
        self.epochs = epochs
        self._seen: object = None
        self.lost: int | None = None
        """The newest epoch that the log has used, if its key was gone when these were opened."""
        self.refresh()

    @classmethod
    def open(
        cls,
        folder: Path,
        signing: str | None = None,
        *,
        made: bool = True,
        used: int = 0,
        environ: Mapping[str, str] = os.environ,
    ) -> Keys:
        """The keys in `folder`. What is missing is made; where `made` is false, only keys that are there will do,
        because new ones would find nothing. Where the log has `used` an epoch (judged.newest) behind all that are
        there, its key is lost, and the next one begins: a number that meant two keys would mean nothing.

        `signing` names the signing key where it is not the installation's: `env:NAME` or `file:PATH`, 64 hex
        digits (an Ed25519 seed). Raises KeysError.
        """
        seed = _own_seed(folder / SIGNING, made) if signing is None else _given_seed(signing, environ)
        epochs = Epochs(folder / EPOCHS)
        every = epochs.read()
        if not every and not made:
            raise KeysError(f"there are no keys of fingerprints in {epochs.folder}; say where they are")
        last = every[-1].number if every else 0
        if last < used or not every or every[-1].key is None:
            epochs.begin(max(last, used) + 1, time.time())
        keys = cls(Signer(seed), epochs)
        keys.lost = used if last < used else None
        return keys

    def refresh(self) -> bool:
        """Take up what was rotated or destroyed meanwhile (0.02 ms if nothing was); whether there was anything.
        KeysError or OSError: the keys in use stay so."""
        seen = self.epochs.state()
        if seen == self._seen:
            return False
        every = self.epochs.read()
        kept = {epoch.number: epoch.key for epoch in every if epoch.key is not None}
        if not kept:
            raise KeysError(
                f"every key in {self.epochs.folder} was destroyed; begin an epoch: hushwire keys rotate"
            )
        self.all: list[Epoch] = every
        self._kept = kept
        self.epoch = max(kept)
        """The present one."""
        self._mark = _marking(kept[self.epoch])
        self._seen = seen
        return True

    @property
    def check(self) -> str | None:
        """The check value of the present epoch's key, for events."""
        return next((epoch.check for epoch in self.all if epoch.number == self.epoch), None)

    @property
    def loss(self) -> str | None:
        """What was `lost`, and what to do about it, as a sentence."""
        if self.lost is None:
            return None
        return (
            f"the log has used epoch {self.lost}, whose key is not in {self.epochs.folder}: epoch {self.epoch} has"
            f" begun instead; restore {self.lost}.key, or nobody finds what was found then"
        )

    def mark(self, text: str, entity: str) -> bytes:
        """The fingerprint of a found text in the present epoch, 16 bytes."""
        return self._mark(text, entity)

    def fingerprints(self, text: str, entity: str) -> dict[int, bytes]:
        """By epoch, for all whose keys are left: what `mark` has made of this value whenever it came by."""
        return {number: _marking(key)(text, entity) for number, key in self._kept.items()}

    def client(self, address: str) -> str:
        """How events name a client of this address: `fp:` and 16 hex digits."""
        return _client(self._kept[self.epoch], address)

    def clients(self, address: str) -> dict[int, str]:
        """The same for every epoch whose key is left."""
        return {number: _client(key, address) for number, key in self._kept.items()}


def exposed(folder: Path) -> list[str]:
    """What of the installation's keys others than their owner can read or change, as sentences. What an operator
    names himself (`file:PATH`) is his matter: secrets are mounted for everybody in a container. OSError."""
    here = [folder, folder / EPOCHS]
    found = [*here, *(path for place in here if place.is_dir() for path in sorted(place.glob("*.key")))]
    return [
        f"{path} is open to others than its owner (mode {mode:04o}), who could look up people or sign another log:"
        f" chmod {'700' if path.is_dir() else '600'} {path}"
        for path in found
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & OTHERS
    ]


def _marking(key: bytes) -> Callable[[str, str], bytes]:
    """Keyed BLAKE2b over entity, NUL and what the value means. Copying a state that has taken in key and entity
    already takes 0.34 us, beginning anew 0.59."""

    class Begun(dict[str, tuple[Callable[[], blake2b], Callable[[str], bytes]]]):
        def __missing__(self, entity: str) -> tuple[Callable[[], blake2b], Callable[[str], bytes]]:
            state = blake2b(entity.encode() + b"\0", key=key, digest_size=SIZE)
            self[entity] = made = (state.copy, spelling(entity))
            return made

    begun = Begun()

    def mark(text: str, entity: str) -> bytes:
        begin, spell = begun[entity]
        state = begin()
        state.update(spell(text))
        return state.digest()

    return mark


def _client(key: bytes, address: str) -> str:
    return "fp:" + blake2b(address.encode(), key=key, digest_size=8, person=b"client").hexdigest()


def _own_seed(path: Path, made: bool) -> bytes:
    if not made and not path.exists():
        raise KeysError(
            f"this installation has no keys yet: there is no {path}; hushwire keys init or a proxy makes them, and"
            " XDG_STATE_HOME says of which installation"
        )
    try:
        if made and not path.exists():
            make(path, fresh() + b"\n")
        secret = storage.content(path).strip()
    except OSError as error:
        raise KeysError(
            f"the signing key cannot be kept in {path} ({error.strerror}); name one of your own (env:NAME or"
            " file:PATH), or set XDG_STATE_HOME to a folder that can be written"
        ) from None
    if not HEX_KEY.fullmatch(secret):
        raise KeysError(f"the signing key {path} is damaged; restore it from where you keep a copy")
    return bytes.fromhex(secret.decode())


def _given_seed(reference: str, environ: Mapping[str, str]) -> bytes:
    secret = _referred(reference, environ).strip().lower()
    if not HEX_KEY.fullmatch(secret):
        raise ReferredKeyError(f"what the signing key's reference names is not 64 hex digits; {_CURE}")
    return bytes.fromhex(secret.decode())


def _referred(reference: str, environ: Mapping[str, str]) -> bytes:
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        if name not in environ:
            raise ReferredKeyError(
                "the signing key's environment variable is not set; set it, or name another one"
            )
        return environ[name].encode(errors="surrogateescape")
    if kind == "file" and name:
        try:
            return Path(name).read_bytes()
        except OSError as error:
            raise ReferredKeyError(f"the signing key's file cannot be read ({error.strerror})") from None
        except ValueError:  # a NUL in a path
            raise ReferredKeyError("the signing key's reference is not the path of a file") from None
    raise ReferredKeyError("the signing key is only named: env:NAME for a variable, file:PATH for a file")
