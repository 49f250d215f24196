"""Fingerprints of what was found, in a file beside their segment that may be erased row by row.

An event holds only a commitment, `c`: without its row nobody can tell whose value it was, and the log stays
provable. A row has 44 bytes: `seq` (8) of the event, `index` (2) in its `f`, `epoch` (2) of the key, salt (16),
fingerprint (16); integers are little-endian. An erased row keeps seq, index and epoch; the others are zeros.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct

ROW = Struct("<QHH16s16s")
GONE = bytes(16)


def commitment(salt: bytes, fingerprint: bytes) -> str:
    """What the event says of a fingerprint: 32 hex digits."""
    return sha256(salt + fingerprint).hexdigest()[:32]
