"""A proof that one event is in a log that was signed, for somebody who has nothing of the log but the key.

    {"hushwire": "inclusion proof", "log": "3f9ac21b", "seq": 48210, "line": 1,
     "block": "{\"b\":1206,...}\n...\n", "index": 1206, "path": ["9c34...", ...], "checkpoint": "hushwire/..."}

`block` is the leaf, byte for byte, with its neighbours in time; the event is line `line` of it, from 0. `path` are
the siblings from the leaf to the root (RFC 6962 section 2.1.1), in hex; `checkpoint` is the note that signs the
root. It shows that event and those that were written with it, and nothing else of the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from proxy.audit import events
from proxy.audit.checkpoint import Checkpoint, CheckpointError, Verifier
from proxy.audit.proof.digest import Tell
from proxy.audit.proof.path import Leaf, looked_up, read_through
from proxy.audit.snapshot import Snapshot, State, StateError, snapshot
from proxy.audit.tree import leaf_hash, root_from

KIND = "inclusion proof"


class ProofError(Exception):
    """There is no proof, or this is none. The text says why."""


class Proven(NamedTuple):
    """What a proof shows: the event, as it was written, and the checkpoint that signs it."""

    line: bytes
    event: events.Event
    checkpoint: Checkpoint


def prove(folder: Path, seq: int, verifier: Verifier, tell: Tell = lambda _: None) -> dict[str, Any]:
    """The proof of event `seq` of the log in `folder`, in bounded memory. The `leaves` files and one segment are
    enough if they lead to the root that was signed, 0.5 us a block; if not, all of the log is read. `tell` is
    given numbers of blocks; a negative one takes them back, where it begins again.

    Raises ProofError; OSError and SegmentError if the log cannot be read.
    """
    shot = snapshot(folder)
    note, signed, start = _signed(shot, seq, verifier)
    told = 0

    def counted(blocks: int) -> None:
        nonlocal told
        told += blocks
        tell(blocks)

    leaf = looked_up(shot, start, seq, signed.size, counted)
    if leaf is None or (line := _proven(leaf, seq, signed)) is None:
        tell(-told)
        leaf = read_through(shot, start, seq, signed.size, tell)
        if leaf is None or (line := _proven(leaf, seq, signed)) is None:
            raise ProofError("the log is not what was signed; hushwire audit verify says where")
    return {
        "hushwire": KIND,
        "log": signed.log,
        "seq": seq,
        "line": line,
        "block": leaf.block.decode(),
        "index": leaf.before,
        "path": [node.hex() for node in leaf.path],
        "checkpoint": note,
    }


def _proven(leaf: Leaf, seq: int, signed: Checkpoint) -> int | None:
    """In which line of a block event `seq` is, if that block is what was signed."""
    try:
        if root_from(leaf_hash(leaf.block), leaf.before, signed.size, leaf.path) != signed.root:
            return None
        lines = leaf.block[:-1].split(b"\n")
        return next((number for number, line in enumerate(lines) if events.decode(line).seq == seq), None)
    except ValueError:  # no path, or no event
        return None


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
