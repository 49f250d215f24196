#!/usr/bin/env python3
"""Verify an audit of Hushwire without Hushwire: this one file, and nothing but Python's standard library.

    python tools/verify_audit.py DIR [--key VKEY|FILE] [--anchor DIR]...
    python tools/verify_audit.py --proof FILE --key VKEY|FILE

DIR holds `public.key` and logs, `log-0`, `log-1`, ... A log is a row of segments, `20261123-000007.jsonl`, perhaps
compressed (`.gz`). Each line is an event; lines that were written at once are a block, whose first line begins
with `{"b":` and the block's number. Blocks are the leaves of a Merkle tree (RFC 6962, section 2.1). The writer
signs the root of that tree again and again with Ed25519 (RFC 8032); the newest signed root is in `checkpoint`.
Changing, adding or removing any byte that it covers leads to another root, which only the private key can sign.

Who has that key and may write to DIR can make a log anew. That is what anchors are for: copies of checkpoints in a
place they cannot write to. --anchor names a directory with such copies (`3f9ac21b.notes`; the working tree of a
Git repository is one). For the same reason give the key with --key, from where you got it, and not from DIR.

Checked are: signatures; that each block is what was signed; that nothing signed or anchored is missing; that what
is not signed yet (the last second) is in order; that what retention has removed fits what is left (`pruned`) and
that an event says so, which was signed before. Not checked: time stamps (`stamps`; see `openssl ts -verify`), and
the files that may be erased row by row (`marks`, `bodies`), which prove nothing.

Exit codes: 0 whole; 4 tampered with; 5 damaged by a crash, which the next writer or `hushwire audit verify
--repair` mends; 2 wrong arguments; 1 files that cannot be read.
"""

import argparse
import base64
import binascii
import errno
import fcntl
import gzip
import itertools
import json
import os
import re
import sys
import zlib
from hashlib import sha256, sha512
from pathlib import Path

# -- Ed25519, RFC 8032 section 5.1.7. A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (section 5.1.4) ---

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # a square root of -1


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, p)
        p, n = add(p, p), n >> 1
    return total


def point(data):
    """The point that 32 bytes spell (section 5.1.3); None if they spell none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(public, message, signature):
    """Whether `public` (32 bytes) has signed `message`."""
    if len(signature) != 64:
        return False
    key, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= L:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    one, other = times(s, BASE), add(r, times(k, key))
    return not ((one[0] * other[2] - other[0] * one[2]) % P or (one[1] * other[2] - other[1] * one[2]) % P)


# -- keys and checkpoints: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint --------------------

NAME, DASH = "hushwire-audit", "\u2014 "
NOTE = re.compile(
    r"(hushwire/([0-9a-f]{8})\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\nseq (0|[1-9][0-9]*)\n"
    rf"time [0-9-]{{10}}T[0-9:]{{8}}Z\n)\n{DASH}{NAME} (\S+)\n((?:{DASH}.*\n)*)"
)


class Wrong(Exception):  # noqa: N818
    """Something is not what was signed."""


def exact(text):
    """Base64 that is spelt in the one right way."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Wrong("base64 is broken") from None
    if base64.b64encode(data).decode() != text:
        raise Wrong("base64 is spelt in another way")
    return data


def read_key(text):
    """The 32 bytes of a verifier key, `hushwire-audit+1a2b3c4d+AQ...`."""
    name, key_id, data = (*text.split("+", 2), "", "")[:3]
    raw = exact(data)
    if (
        name != NAME
        or len(raw) != 33
        or raw[0] != 1
        or sha256(NAME.encode() + b"\n" + raw).hexdigest()[:8] != key_id
    ):
        raise Wrong("this is no verifier key of an audit log")
    return raw[1:]


def read_note(note, key):
    """(log, blocks, events, root) of a checkpoint that `key` has signed."""
    match = NOTE.fullmatch(note)
    if match is None:
        raise Wrong("it is not written as a checkpoint is")
    blob = exact(match[6])
    if blob[:4] != sha256(NAME.encode() + b"\n\x01" + key).digest()[:4] or not signed_by(
        key, match[1].encode(), blob[4:]
    ):
        raise Wrong("the key has not signed it")
    return match[2], int(match[3]), int(match[5]), exact(match[4])


# -- the tree: RFC 6962 section 2.1 -----------------------------------------------------------------------------


class Tree:
    """Grows at its right edge; `peaks` are the roots of its perfect subtrees, largest first."""

    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, list(peaks)

    def add(self, leaf):
        size = self.size
        while size & 1:
            leaf, size = sha256(b"\1" + self.peaks.pop() + leaf).digest(), size >> 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\1" + peak + root).digest()
        return root


def root_from(leaf, index, size, path):
    """Where an audit path leads (RFC 9162 section 2.1.3.2)."""
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if not last:
            raise Wrong("the path is too long")
        if node & 1 or node == last:
            root = sha256(b"\1" + sibling + root).digest()
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            root = sha256(b"\1" + root + sibling).digest()
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong("the path is too short")
    return root


# -- segments and their blocks ----------------------------------------------------------------------------------

HEAD = b'{"b":'
SEGMENT = re.compile(r"[0-9]{8}-([0-9]{6,9})\.jsonl(\.gz)?")
LOG_ID = re.compile("[0-9a-f]{8}")
FOLDER = re.compile(r"log-(0|[1-9][0-9]{0,4})")
LARGEST, SMALL = 1 << 26, 1 << 20  # bytes of one block, and of a file of a few lines


def event_of(line):
    """The event in a line; None if it is none. What its kind tells besides is not looked at."""
    try:
        event = json.loads(line)
        counts = all(type(event[name]) is int for name in ("v", "seq", "t", "mono"))
        counts = counts and all(type(event.get(name, 0)) is int for name in ("b", "adopted", "size"))
        words = all(type(event.get(name, "")) is str for name in ("log", "kind", "pruned"))
        return event if counts and words and LOG_ID.fullmatch(event["log"]) and event["kind"] else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def blocks(path, torn):
    """Each block of a segment, as long as it is now. What a crash has torn is appended to the list `torn`."""
    if not path.exists():  # it was compressed since it was listed
        path = path.with_name(f"{path.name}.gz")
    rest, left = b"", path.stat().st_size if path.suffix != ".gz" else sys.maxsize
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        while chunk := file.read(min(left, 1 << 20)):
            left -= len(chunk)
            *whole, rest = (rest + chunk).split(b"\n" + HEAD)
            for at, piece in enumerate(whole):
                yield begun((HEAD if at else b"") + piece + b"\n", path)
            rest = HEAD + rest if whole else rest
            if len(rest) > LARGEST:
                raise Wrong(f"a block of more than {LARGEST} bytes")
    end = rest.rfind(b"\n") + 1
    last = rest.rfind(b"\n", 0, max(0, end - 1)) + 1
    end = end if event_of(rest[last:end]) else last  # a last line without an end, or that is no event
    if rest[end:]:
        torn.append((path, len(rest[end:])))
    if end:
        yield begun(rest[:end], path)


def begun(block, path):
    if not block.startswith(HEAD):
        raise Wrong(f"{path.name} does not begin with a block")
    return block


def in_order(block, log, number, seq):
    """Whether the events of a block that nothing signs yet are those that should come."""
    for at, line in enumerate(block[:-1].split(b"\n")):
        event = event_of(line)
        if not event or (event["log"], event["seq"], event.get("b")) != (log, seq + at, None if at else number):
            return False
    return True


def number(path):
    """Of a segment: its order in the log."""
    return int(SEGMENT.fullmatch(path.name)[1])


def content(path, largest=SMALL):
    """The bytes of a file; None if it is not there. A pipe would be waited for."""
    if not path.exists():
        return None
    if not path.is_file() or path.stat().st_size > largest:
        raise OSError(errno.EINVAL, "no file of ours", str(path))
    return path.read_bytes()


def state(text):
    """(blocks, events, peaks, segment, offset) of a file `pruned` or `frontier`; "wrong" if it is not one."""
    try:
        kept = json.loads(text)
        place = kept.get("segment", 0), kept.get("offset", -1)
        numbers = kept["size"], kept["seq"], place[0], place[1] + 1
        right = all(type(number) is int and number >= 0 for number in numbers)
        right = right and all(re.fullmatch("[0-9a-f]{64}", peak) for peak in kept["peaks"])
        right = right and not kept.keys() - {"size", "seq", "peaks", "segment", "offset"}
        if right and len(kept["peaks"]) == bin(numbers[0]).count("1"):
            return *numbers[:2], [bytes.fromhex(peak) for peak in kept["peaks"]], *place
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return None if text is None else "wrong"


def is_live(folder):
    """Whether a writer holds the log's lock."""
    try:
        file = os.open(folder / "lock", os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


# -- one log ----------------------------------------------------------------------------------------------------


class Log:
    """One folder `log-N`. `bad` and `hurt` are sentences: about what no crash does, and what a crash does."""

    def __init__(self, folder):
        self.folder, self.bad, self.hurt = folder, [], []
        self.live = is_live(folder)  # asked first, and then the checkpoint: what that covers is on the disk
        self.note, self.begin = content(folder / "checkpoint"), state(content(folder / "pruned"))
        if self.begin == "wrong" or (self.begin and self.begin[4] > 0):
            self.begin = None
            self.bad.append("the file pruned was changed")
        self.size, self.seq, peaks, self.number, _ = self.begin or (0, 0, [], 0, 0)
        self.tree, self.first_peaks, self.begun = Tree(self.size, peaks), tuple(peaks), None
        self.start, self.first, self.signed, self.anchored = self.size, self.seq, self.seq, None
        self.paths = self.segments()
        match = re.match(rb"hushwire/([0-9a-f]{8})\n", self.note or b"")
        self.id = match[1].decode() if match else ""

    def segments(self):
        """Those that are not pruned, in order, with their sizes now. Of two, the plain one is the segment."""
        found = {}
        listed = {
            path for _ in range(2) for path in self.folder.iterdir()
        }  # one misses what is compressed meanwhile
        for path in sorted(listed):
            match = SEGMENT.fullmatch(path.name)
            if match and (path.is_file() or not path.exists()):  # it may have been compressed since
                number = int(match[1])
                if number in found and path.name != found[number].name + ".gz":
                    self.bad.append(f"two segments have number {number}")
                elif (number in found or number < self.number) and not self.live:
                    self.hurt.append(f"{path.name} is left over from compressing or pruning")
                found.setdefault(number, path)
        return [path for number, path in sorted(found.items()) if number >= self.number]

    def heads(self, key, notes):
        """The signed heads by size: (blocks, events, root, who keeps it)."""
        found, own = [], [(self.note.decode(errors="replace"), "checkpoint")] if self.note is not None else []
        if not own and (notes or self.begin or self.paths or (self.folder / "frontier").exists()):
            self.bad.append("the checkpoint was removed: every log has one from its beginning")
        for note, by in own + notes:
            if by != "checkpoint" and note.count("\n") < 7:
                self.hurt.append(f"a checkpoint kept in {by} was cut off as it was written")
                continue
            try:
                log, size, seq, root = read_note(note, key)
                if log != self.id or (by == "checkpoint" and note.count("\n") != 7):
                    raise Wrong("it is another log's, or has lines too many")
                found.append((size, seq, root, by))
            except Wrong as why:
                self.bad.append(f"the checkpoint kept in {by} is not what was signed: {why}")
        return sorted(found)

    def check(self, key, notes, watched):
        """Everything about this log that it and its anchors can tell."""
        heads = self.heads(key, notes)
        newest, self.covered = heads[-1][:2] if heads else (0, 0)
        self.todo = [head for head in heads if head[0] >= self.start]
        self.frontier = state(content(self.folder / "frontier"))
        self.odd = self.differs = self.error = self.met = None
        self.at = (self.number, 0)
        self.lost, self.torn, self.sides, self.prunes = False, [], [], []
        for path in self.paths:
            try:
                self.walk(path, newest, watched)
            except (Wrong, EOFError, zlib.error, gzip.BadGzipFile) as why:
                self.error = f"{path.name}: {why}"
                break
        self.compare()
        if self.todo:
            self.first_bad(self.todo[0])
        elif not self.bad:
            self.behind(newest)
            self.derived(newest)

    def walk(self, path, newest, watched):
        """Take the blocks of one segment, and compare them with the hashes that its side file has."""
        first, known = self.size, content(side(path, "leaves"), LARGEST) or b""
        self.sides.append((path, first, known))
        offset = 0
        for block in blocks(path, self.torn):
            if self.begun is None:
                event = event_of(block[: block.find(b"\n")])
                self.begun, self.id = event["t"] if event else 0, self.id or (event["log"] if event else "")
            self.compare()
            if b'"kind":"prune"' in block or b'"adopted":' in block:
                self.admit([one for one in map(event_of, block.split(b"\n")) if one])
            lines, leaf, at = block.count(b"\n"), sha256(b"\0" + block).digest(), (self.size - first) * 32
            if self.differs is None and known[at : at + 32] not in (leaf, b"") and len(known) >= at + 32:
                self.differs = self.size, self.seq, self.seq + lines
            if self.size >= newest and self.odd is None and not in_order(block, self.id, self.size, self.seq):
                self.odd = self.seq
                event = event_of(block[: block.find(b"\n")])
                self.lost = len(self.sides) > 1 and self.size == first and event and event["seq"] > self.seq
            self.tree.add(leaf)
            offset += len(block)
            self.at = number(path), offset
            self.size, self.seq = self.size + 1, self.seq + lines
            if watched and self.size % 4096 == 0:
                print(f"\r{self.folder.name}: {self.seq} events", end="\r", file=sys.stderr)
        if self.differs is None and len(known) // 32 > self.size - first:
            self.differs = self.size, self.seq, self.seq + 1

    def admit(self, events):
        """What says that something was pruned, if it was signed before; what the next writer found without a
        signature (`adopted`) was not."""
        for event in events:
            if event["kind"] == "prune" and event["seq"] < self.covered:
                self.prunes.append(event)
            elif event["kind"] == "start":
                adopted = event.get("adopted", 0)
                self.prunes = [one for one in self.prunes if one["seq"] < event["seq"] - adopted]

    def compare(self):
        """With the heads that are reached, and keep what the tree is here."""
        while self.todo and self.todo[0][0] == self.size and self.todo[0][1:3] == (self.seq, self.tree.root()):
            _, self.signed, _, by = self.todo.pop(0)
            self.anchored = self.signed if by != "checkpoint" else self.anchored
        if self.frontier and self.frontier[0] == self.size:
            there = self.frontier[3:]
            fits = there == self.at or there[1] == -1 or (there[0] > self.at[0] and not there[1])
            self.met = self.frontier if fits and self.frontier[1:3] == (self.seq, self.tree.peaks) else None

    def first_bad(self, head):
        """The side files are not signed; but if they lead to the signed root, they are what was signed."""
        size, seq, root, by = head
        kept, first = Tree(self.start, self.first_peaks), self.signed
        for known in (content(side(path, "leaves"), LARGEST) or b"" for path in self.paths):
            for at in range(0, len(known) // 32 * 32, 32):
                if kept.size < size:
                    kept.add(known[at : at + 32])
        if kept.size == size and kept.root() == root:
            first = self.differs[1] if self.differs else self.seq
            self.bad.append(f"the first bad event is {first}, or in the block that begins with it")
        else:
            self.bad.append(f"the first bad event is one from {first} to {max(first, seq - 1)}")
        self.bad[-1] += f" (by the checkpoint kept in {by}; {self.error or 'everything before it is right'})"

    def behind(self, newest):
        """What no signature covers."""
        if self.lost:
            self.hurt.append(f"a power cut has taken event {self.odd} and some behind it")
            return
        if self.odd is not None or self.error:
            self.bad.append(f"event {self.seq if self.odd is None else self.odd} is not what should be there")
        for path, length in self.torn:
            behind = [first for other, first, _ in self.sides if number(other) > number(path)]
            if path.suffix == ".gz" or any(first < self.size for first in behind):
                self.bad.append(f"{path.name} ends with {length} bytes that are no event")
            elif not self.live:
                self.hurt.append(f"{path.name} ends with a torn line of {length} bytes")
        if self.differs and self.differs[0] >= newest and not self.live and not self.bad:
            path, first, known = self.sides[-1]
            if self.differs[0] < self.size or first + len(known) // 32 > self.size:
                self.bad.append(
                    f"event {self.differs[1]} is not what its hash says, or what was behind it is gone"
                )

    def derived(self, newest):
        """Files that the segments are known without."""
        if self.live or self.bad:
            return
        ends = [first for _, first, _ in self.sides[1:]] + [self.size]
        for (path, first, known), end in zip(self.sides, ends, strict=False):  # a log may have no segment yet
            if first + len(known) // 32 < min(newest, end) or len(known) % 32 or len(known) // 32 > end - first:
                self.hurt.append(f"{side(path, 'leaves').name} has not the hashes of its blocks")
        if self.differs and self.differs[0] < newest and not self.hurt:
            self.hurt.append("a file of hashes is wrong")
        fits = self.frontier not in (None, "wrong") and self.met == self.frontier
        if (self.note is not None and not fits) or self.frontier == "wrong":
            self.hurt.append("the file frontier does not say what is signed")


def side(path, kind):
    """The file beside a segment."""
    return path.with_name(f"{path.name.partition('.')[0]}.{kind}")


def explain(logs):
    """Whether an event says what retention has removed. Another log may have had it, and was pruned since."""
    said = {(event["pruned"], event["size"]) for log in logs for event in log.prunes}
    for log in logs:
        others = [other for other in logs if other is not log and other.start]
        lost = any(None in (log.begun, other.begun) or other.begun > log.begun for other in others)
        if log.start and (log.id, log.start) not in said and not lost and not log.bad:
            log.bad.append(f"events before {log.first} were removed, and no event says that they were pruned")


# -- the whole audit, and a single proof ------------------------------------------------------------------------


def verify(directory, key=None, anchors=(), watched=False):
    """(sentences about no log in particular, logs)."""
    bad, kept = [], {}
    for anchor in anchors:
        for path in sorted(anchor.glob("*.notes")):
            notes = re.split(r"^(?=hushwire/)", path.read_bytes().decode(errors="replace"), flags=re.M)
            kept.setdefault(path.stem, []).extend((note, str(path)) for note in notes if note)
    text = content(directory / "public.key")
    try:
        own = read_key((text or b"").decode(errors="replace").removesuffix("\n"))
        if not text.endswith(b"\n") or own != (key or own):
            raise Wrong("it is not spelt as it was, or not the key that was given")
    except Wrong as why:
        bad.append(f"the file public.key was removed or changed: {why}")
        own = key
    if own is None:
        return bad, []
    folders = {int(path.name[4:]): path for path in directory.iterdir() if FOLDER.fullmatch(path.name)}
    folders = {number: path for number, path in folders.items() if path.is_dir()}
    logs = [checked(folders[number], key or own, kept, watched) for number in sorted(folders)]
    explain(logs)
    for before, number in itertools.pairwise([-1, *sorted(folders)]):
        if before + 1 < number:
            many = before + 2 < number
            bad.append(f"log-{before + 1} {f'to log-{number - 1} were' if many else 'was'} removed")
    ids = [log.id for log in logs if log.id]
    bad += [f"two folders say that they are log {one}" for one in sorted(set(ids)) if ids.count(one) > 1]
    for log in sorted(set(kept) - set(ids)):
        if any(is_signed(note, key or own) for note, _ in kept[log]):
            bad.append(f"log {log} is gone; an anchor knows it")
    return bad, logs


def checked(folder, key, kept, watched):
    """A log, looked at again if its writer has compressed or removed a segment meanwhile."""
    for attempt in range(5):
        pruned = content(folder / "pruned")
        try:
            log = Log(folder)
            log.check(key, kept.get(log.id, []), watched)
        except FileNotFoundError:
            if attempt == 4:
                raise
        else:
            if content(folder / "pruned") == pruned:
                break
    return log


def is_signed(note, key):
    try:
        return bool(read_note(note, key))
    except Wrong:
        return False


def check_proof(proof, key):
    """The sentence that a proof of `hushwire audit prove` proves. Raises Wrong."""
    try:
        block, index, path = proof["block"].encode(), proof["index"], [bytes.fromhex(one) for one in proof["path"]]
        log, size, _, root = read_note(proof["checkpoint"], key)
        line = block[:-1].split(b"\n")[proof["line"]]
        event = event_of(line)
        if event is None or (event["log"], event["seq"]) != (log, proof["seq"]):
            raise Wrong("the block does not hold that event")
        if not 0 <= index < size or root_from(sha256(b"\0" + block).digest(), index, size, path) != root:
            raise Wrong("the path does not lead from the block to the signed root")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise Wrong("this is no proof of an event") from None
    return f"event {event['seq']} of log {log} is in the log that was signed: {line.decode()}"


def told(given, key):
    """Print what is found out; the exit code."""
    if given.proof:
        try:
            print(check_proof(json.loads(given.proof.read_bytes()), key))
        except (Wrong, ValueError) as why:
            print(f"not proven: {why}")
            return 4
        return 0
    bad, logs = verify(given.directory, key, given.anchor, sys.stderr.isatty())
    for log in logs:
        upto = "nothing anchored" if log.anchored is None else f"anchored up to event {log.anchored}"
        print(f"{log.folder.name} ({log.id}): {log.size} blocks, events {log.first} to {log.seq} (excluded)")
        print(f"  {upto}, signed up to event {log.signed}, {log.seq - log.signed} not signed yet")
        print(*(f"  TAMPERED: {says}\n" for says in log.bad), sep="", end="")
        print(*(f"  damaged: {says}\n" for says in log.hurt), sep="", end="")
    print(*(f"TAMPERED: {says}\n" for says in bad), sep="", end="")
    code = 4 if bad or any(log.bad for log in logs) else 5 if any(log.hurt for log in logs) else 0
    print({0: "whole", 4: "tampered with", 5: "damaged by a crash"}[code], end="")
    print("" if key else "; the key was the one in the directory: give the one you know with --key")
    return code


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR", nargs="?", type=Path, help="an audit directory")
    parser.add_argument("--proof", metavar="FILE", type=Path, help="check the proof of one event instead")
    parser.add_argument("--key", metavar="VKEY|FILE", help="the verifier key, from where you got it")
    parser.add_argument(
        "--anchor", metavar="DIR", type=Path, action="append", default=[], help="copies of checkpoints"
    )
    given = parser.parse_args(arguments)
    if (given.directory is None) == (given.proof is None) or (given.proof and not given.key):
        parser.error("name the directory of an audit; or --proof FILE and --key VKEY|FILE")
    if lacking := [path for path in (given.directory, *given.anchor) if path and not path.is_dir()]:
        parser.error(f"{lacking[0]} is no directory")
    if given.directory and not any(given.directory.glob("log-*")):
        parser.error(f"there is no log in {given.directory}")
    try:
        key = given.key and read_key((Path(given.key).read_text() if "+" not in given.key else given.key).strip())
        return told(given, key)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except Wrong as why:
        parser.error(f"--key: {why}")


if __name__ == "__main__":
    sys.exit(main())
