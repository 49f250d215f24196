"""A proof that one event is in a log that was signed, for somebody who has nothing of the log but the key.

    {"hushwire": "inclusion proof", "log": "3f9ac21b", "seq": 48210, "line": 1,
     "block": "{\"b\":1206,...}\n...\n", "index": 1206, "path": ["9c34...", ...], "checkpoint": "hushwire/..."}

`block` is the leaf, byte for byte, with its neighbours in time; the event is line `line` of it, from 0. `path` are
the siblings from the leaf to the root (RFC 6962 section 2.1.1), in hex; `checkpoint` is the note that signs the
root. It shows that event and those that were written with it, and nothing else of the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from proxy.audit import events
from proxy.audit.checkpoint import Checkpoint, CheckpointError, Verifier
from proxy.audit.proof.digest import Tell
from proxy.audit.proof.walk import each_block
from proxy.audit.snapshot import Snapshot, State, StateError, snapshot
from proxy.audit.tree import Frontier, leaf_hash, root_from

KIND = "inclusion proof"


class ProofError(Exception):
    """There is no proof, or this is none. The text says why."""


class Proven(NamedTuple):
    """What a proof shows: the event, as it was written, and the checkpoint that signs it."""

    line: bytes
    event: events.Event
    checkpoint: Checkpoint


def prove(folder: Path, seq: int, verifier: Verifier, tell: Tell = lambda _: None) -> dict[str, Any]:
    """The proof of event `seq` of the log in `folder`, in bounded memory: all of the log is read, 1.5 us an event.

    Raises ProofError; OSError and SegmentError if the log cannot be read.
    """
    shot = snapshot(folder)
    note, signed, start = _signed(shot, seq, verifier)
    lines: list[bytes] = []
    index = start.size
    path, at = _Path(start, signed.size), start.seq
    for block in each_block(shot):
        count = block.count(b"\n")
        if at <= seq < at + count:
            lines, index = block[:-1].split(b"\n"), path.size
            path.mark()
        path.add(leaf_hash(block))
        at += count
        tell(count)
        if path.size == signed.size:
            break
    if not lines or path.root() != signed.root:
        raise ProofError("the log is not what was signed; hushwire audit verify says where")
    return {
        "hushwire": KIND,
        "log": signed.log,
        "seq": seq,
        "line": next(number for number, line in enumerate(lines) if events.decode(line).seq == seq),
        "block": b"\n".join([*lines, b""]).decode(),
        "index": index,
        "path": [node.hex() for node in path.nodes()],
        "checkpoint": note,
    }


def _signed(shot: Snapshot, seq: int, verifier: Verifier) -> tuple[str, Checkpoint, State]:
    if shot.note is None:
        raise ProofError("the log has no checkpoint")
    note = shot.note.decode(errors="replace")
    try:
        signed = verifier.open(note)
        start = State.parse(shot.pruned) if shot.pruned else State()
    except CheckpointError as error:
        raise ProofError(f"of the checkpoint: {error}") from None
    except StateError as error:
        raise ProofError(f"of the file pruned: {error}") from None
    if seq < start.seq:
        raise ProofError(f"event {seq} was pruned; the log begins with event {start.seq}")
    if seq >= signed.seq:
        raise ProofError(f"event {seq} is not signed: the newest checkpoint covers events 0 to {signed.seq - 1}")
    return note, signed, start


class _Path:
    """The audit path of one leaf, while the tree grows. What is left of the leaf are the peaks of the tree that
    ends before it; what is right of it are the trees of ranges that come one after the other."""

    def __init__(self, start: State, total: int) -> None:
        self._total, self._tree, self._left = total, start.tree(), list[bytes]()
        self._right: list[Frontier] = []
        self._ranges: list[int] = []
        self._sides: list[bool] = []  # from the leaf to the root: whether the sibling is at the left
        self._marked = False

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._tree.size

    def mark(self) -> None:
        """The next leaf is the one."""
        self._marked, self._left = True, list(self._tree.peaks)
        node, last, width = self.size, self._total - 1, 1
        while last:
            if node & 1:
                self._sides.append(True)
            elif node < last:
                self._sides.append(False)
                self._ranges.append(min((node + 2) * width, self._total) - (node + 1) * width)
            node, last, width = node >> 1, last >> 1, width * 2
        self._leaf = self.size

    def add(self, leaf: bytes) -> None:
        """The next leaf."""
        if self._marked and self.size > self._leaf:
            if not self._right or self._right[-1].size == self._ranges[len(self._right) - 1]:
                self._right.append(Frontier())
            self._right[-1].add(leaf)
        self._tree.add(leaf)

    def root(self) -> bytes:
        """Of all leaves so far."""
        return self._tree.root()

    def nodes(self) -> Iterator[bytes]:
        """The siblings, nearest first."""
        left, right = reversed(self._left), iter(self._right)
        yield from (next(left) if at_left else next(right).root() for at_left in self._sides)


def check(text: bytes, verifier: Verifier) -> Proven:
    """What a proof shows. Raises ProofError."""
    try:
        proof = json.loads(text)
        block, index, line = proof["block"].encode(), proof["index"], proof["line"]
        path = [bytes.fromhex(node) for node in proof["path"]]
        signed = verifier.open(proof["checkpoint"])
        root = root_from(leaf_hash(block), index, signed.size, path)
        written = block[:-1].split(b"\n")[line]
        event = events.decode(written)
    except CheckpointError as error:
        raise ProofError(f"of the checkpoint: {error}") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise ProofError("this is no proof of an event") from None
    if root != signed.root:
        raise ProofError("the path does not lead from the block to the root that was signed")
    if (event.log, event.seq) != (signed.log, proof.get("seq")):
        raise ProofError("the block holds another event than the proof is said to be of")
    return Proven(written, event, signed)


def find(folders: Iterable[Path], named: str, ids: Iterable[str]) -> Path:
    """The folder of the log that is called `named`: by its id, by `log-N` or, if empty, the only one there is."""
    every = list(zip(folders, ids, strict=True))
    found = [folder for folder, log in every if not named or named in (log, folder.name)]
    if len(found) != 1:
        if not every:
            raise ProofError("there is no log")
        choice = ", ".join(f"{folder.name} ({log})" for folder, log in every)
        say = f"there is no log '{named}'" if named and not found else "say of which log, with --log"
        raise ProofError(f"{say}: {choice}")
    return found[0]
