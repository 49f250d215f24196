"""The Merkle tree of RFC 6962 (section 2.1): hashes, and a tree that grows at its right edge.

A leaf is a block of the log, byte for byte. The frontier keeps the roots of the perfect subtrees ("peaks") from
left to right, at most 64 of them, which is all that appending and the root of the whole need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf_hash(block: bytes) -> bytes:
    """SHA-256(0x00 || block)."""
    return sha256(b"\0" + block).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree of `size` leaves, as its peaks."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """Raises ValueError if a tree of `size` leaves has not that many peaks."""
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count() or any(len(peak) != 32 for peak in self.peaks):
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks of 32 bytes")

    def add(self, leaf: bytes) -> None:
        """Append the hash of a leaf."""
        size = self.size
        while size & 1:
            leaf = sha256(b"\1" + self.peaks.pop() + leaf).digest()
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The Merkle Tree Hash of all leaves so far."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Frontier:
        """One that grows by itself."""
        return Frontier(self.size, self.peaks)


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an audit path leads to (RFC 9162 section 2.1.3.2). ValueError if the path cannot be one."""
    if not 0 <= index < size:
        raise ValueError("the index is outside the tree")
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if not last:
            raise ValueError("the path is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ValueError("the path is too short")
    return root
