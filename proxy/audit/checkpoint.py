"""Signed tree heads: C2SP tlog-checkpoint in a C2SP signed-note, signed with Ed25519.

    hushwire/3f9ac21b                    origin: `hushwire/` and the id of the log
    1207                                 blocks in the tree
    nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k…   root, base64
    seq 48213                            extension: events in those blocks
    time 2026-11-23T09:19:50Z            extension

    — hushwire-audit Az3grlgtzPICa5OS8…  key name, base64 of 4 bytes of key id and 64 of signature

https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note. The key is one per installation.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ORIGIN = "hushwire/"
KEY_NAME = "hushwire-audit"
ED25519 = b"\x01"  # the algorithm's number in signed-note
DASH = "\u2014 "  # begins a signature line


class CheckpointError(Exception):
    """This is no checkpoint that the key has signed. The text says in what way."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of log `log` when it had `size` blocks with `seq` events; `time` is Unix time in seconds."""

    log: str
    size: int
    root: bytes
    seq: int
    time: int

    def text(self) -> str:
        """The note's text, its last line feed included."""
        when = datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        root = base64.b64encode(self.root).decode()
        return f"{ORIGIN}{self.log}\n{self.size}\n{root}\nseq {self.seq}\ntime {when}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Raises CheckpointError."""
        try:
            origin, size, root, seq, when, end = text.split("\n")
            if not origin.startswith(ORIGIN) or not seq.startswith("seq ") or not when.startswith("time ") or end:
                raise ValueError
            stamp = datetime.strptime(when[5:], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            hashed = base64.b64decode(root, validate=True)
            made = cls(origin.removeprefix(ORIGIN), int(size), hashed, int(seq[4:]), int(stamp.timestamp()))
        except (ValueError, binascii.Error):
            raise CheckpointError("it is not written as a checkpoint of Hushwire is") from None
        if len(hashed) != 32 or made.text() != text:
            raise CheckpointError("it is not written as a checkpoint of Hushwire is")
        return made


class Signer:
    """Signs checkpoints with the private key of the installation."""

    def __init__(self, seed: bytes) -> None:
        """`seed` is the 32 bytes of RFC 8032."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(self._key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note."""
        text = checkpoint.text()
        signature = self._key.sign(text.encode())
        blob = base64.b64encode(self.verifier.key_id + signature).decode()
        return f"{text}\n{DASH}{KEY_NAME} {blob}\n"


class Verifier:
    """Checks signatures by the public key, `public`: 32 bytes."""

    def __init__(self, public: bytes) -> None:
        self.public = public
        self.key_id = sha256(KEY_NAME.encode() + b"\n" + ED25519 + public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as signed-note spells it: name+id+base64(algorithm, key)."""
        return f"{KEY_NAME}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Raises CheckpointError."""
        try:
            name, key_id, blob = vkey.strip().split("+", 2)
            raw = base64.b64decode(blob, validate=True)
        except (ValueError, binascii.Error):
            raise CheckpointError(
                "this is not a verifier key; it looks like hushwire-audit+1a2b3c4d+AQ..."
            ) from None
        made = cls(raw[1:])
        if name != KEY_NAME or raw[:1] != ED25519 or len(raw) != 33 or made.key_id.hex() != key_id:
            raise CheckpointError("this is not a verifier key of a Hushwire audit log, or it was cut")
        return made

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note that this key has signed. Raises CheckpointError."""
        text, blank, signatures = note.partition(f"\n\n{DASH}")
        if not blank:
            raise CheckpointError("it has no signature")
        text += "\n"
        if not signatures.endswith("\n"):
            raise CheckpointError("its last line was cut")
        for line in (DASH + signatures[:-1]).split("\n"):
            name, _, blob = line.removeprefix(DASH).partition(" ")
            try:
                raw = base64.b64decode(blob, validate=True)
            except ValueError:  # binascii.Error, or what is not ASCII
                raise CheckpointError("its signature is not base64") from None
            if name == KEY_NAME and raw[:4] == self.key_id:
                if base64.b64encode(raw).decode() != blob:
                    raise CheckpointError("its signature is not spelt as it was")  # base64 has spare bits
                self._check(raw[4:], text)
                return Checkpoint.parse(text)
        raise CheckpointError("it is signed by another key")

    def _check(self, signature: bytes, text: str) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            raise CheckpointError("its signature is wrong") from None
