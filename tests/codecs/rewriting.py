"""What the codec tests share: read a payload, replace a text wherever it is found, write."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proxy.core.message import Edit, Leaf
from proxy.core.plugs import Codec


def texts(codec: Codec, payload: bytes | str) -> list[str]:
    return [leaf.text for leaf in codec.read(as_bytes(payload))]


def values(codec: Codec, payload: bytes | str) -> dict[str, str]:
    """Path -> text, without the leaves of keys."""
    return {leaf.path: leaf.text for leaf in codec.read(as_bytes(payload)) if not leaf.path.endswith("~")}


def edits_for(leaves: Sequence[Leaf], old: str, new: str) -> list[Edit]:
    found = ((leaf, match) for leaf in leaves for match in re.finditer(re.escape(old), leaf.text))
    return [Edit(leaf, *match.span(), new) for leaf, match in found]


def rewrite(codec: Codec, payload: bytes | str, old: str, new: str) -> bytes:
    """`payload` with every `old` replaced; fails if there is none, for then a test would prove nothing."""
    payload = as_bytes(payload)
    edits = edits_for(codec.read(payload), old, new)
    assert edits, f"{old!r} is not in any leaf"
    return codec.write(payload, edits)


def as_bytes(payload: bytes | str) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload
