"""The anchor tsa:URL: an authority signs that a checkpoint existed at a time (RFC 3161, over HTTP).

Only the SHA-256 of the checkpoint is sent. The token comes back and is kept beside the logs, one JSON line each:

    audit/stamps/3f9ac21b.jsonl     {"url": ..., "note": the checkpoint, "token": base64 of the response}

Nobody but the authority can make a token, so a log that is made anew cannot have one from before. Tokens can be
removed, though: keep a copy of `stamps` elsewhere, or a file:DIR anchor beside.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from proxy.audit.proof.anchors import AnchorError
from proxy.audit.verdict import Anchored

try:
    import rfc3161_client as rfc3161
except ImportError:
    raise AnchorError("time stamps need the extra: pip install 'hushwire[timestamp]'") from None

PATIENCE = 10.0  # seconds
LARGEST = 1 << 16  # bytes of a response; those in the field have 2 to 6 KiB
NEWEST = 1 << 18  # bytes at the end of a file of stamps: the newest one of each of a few authorities
ASK, ANSWER = "application/timestamp-query", "application/timestamp-reply"

NAMES = ("url", "note", "token")


class TsaAnchor:
    """An authority, by the address where it is asked, and what it has signed so far."""

    def __init__(self, url: str, directory: Path, roots: Path | None) -> None:
        """Raises AnchorError."""
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise AnchorError(f"anchor tsa:{url}: write an address that begins with http:// or https://")
        self.url, self.name = url, f"tsa:{url}"
        self.kept = directory / "stamps"
        self._roots = certificates(roots) if roots else []
        self._asked: Future[tuple[str, bytes]] | None = None

    def put(self, note: str, log: str) -> None:
        """Ask for a time stamp, check it and keep it."""
        path = self.kept / f"{log}.jsonl"
        try:
            if any(one["note"] == note and one["url"] == self.url for one in _parsed(_end(path))):
                return
        except OSError as error:
            raise self._failed(f"{path} cannot be read ({error.strerror})") from None
        builder = rfc3161.TimestampRequestBuilder(note.encode(), rfc3161.HashAlgorithm.SHA256)
        asked = builder.build()
        token = self._ask(asked.as_bytes())
        wrong = self._wrong(token, note, asked.nonce)
        if wrong:
            raise self._failed(wrong)
        self._keep(path, note, token)

    def ready(self) -> None:
        """An authority is only asked when there is something to stamp."""

    def notes(self, log: str) -> Sequence[Anchored]:
        """What was stamped, each with its time. Needs the roots."""
        if not self._roots:
            raise AnchorError(f"anchor {self.name}: say whose stamps are believed with --tsa-ca FILE")
        try:
            lines = list(_lines(self.kept / f"{log}.jsonl"))
        except OSError as error:
            raise self._failed(f"its stamps cannot be read ({error.strerror})") from None
        return [self._read(line) for line in lines if line["url"] in (self.url, "")]

    def logs(self) -> Iterator[str]:
        """By the names of the files."""
        if self.kept.is_dir():
            yield from (path.stem for path in sorted(self.kept.iterdir()) if path.suffix == ".jsonl")

    def _read(self, line: dict[str, str]) -> Anchored:
        note, token = line["note"], base64.b64decode(line["token"])
        if not token:
            return Anchored("", self.name)
        wrong = self._wrong(token, note, None)
        when = None if wrong else int(rfc3161.decode_timestamp_response(token).tst_info.gen_time.timestamp())
        return Anchored(note, self.name, when, wrong)

    def _wrong(self, token: bytes, note: str, nonce: int | None) -> str:
        """Why `token` is no time stamp of `note` (and, if there is a nonce, the answer to it); empty if it is."""
        try:
            answer = rfc3161.decode_timestamp_response(token)
            if answer.status != rfc3161.PKIStatus.GRANTED:
                return f"the authority refuses (status {answer.status} of RFC 3161)"
            said = answer.tst_info
            if said.message_imprint.message != sha256(note.encode()).digest():
                return "the time stamp is of something else"
            if nonce is not None and said.nonce != nonce:
                return "the time stamp answers another request"
            if self._roots:
                builder = rfc3161.VerifierBuilder(roots=self._roots)
                builder.build().verify_message(answer, note.encode())
        except rfc3161.VerificationError as error:
            return f"the time stamp does not lead to the given roots ({_brief(error)})"
        except ValueError as error:
            return f"it cannot be read as a time stamp ({_brief(error)})"
        return ""

    def _ask(self, request: bytes) -> bytes:
        if self._asked is not None and not self._asked.done():
            raise self._failed("the authority has not ended the answer before")
        answer = self._asked = Future[tuple[str, bytes]]()
        threading.Thread(target=_answered, args=(self.url, request, answer), daemon=True).start()
        try:
            kind, token = answer.result(2 * PATIENCE)
        except (OSError, http.client.HTTPException) as error:  # URLError, HTTPError and TimeoutError are OSErrors
            raise self._failed("the authority cannot be asked", _brief(error)) from None
        if kind != ANSWER:
            raise self._failed("what answers there is no time stamp authority")
        return token

    def _keep(self, path: Path, note: str, token: bytes) -> None:
        line = json.dumps({"url": self.url, "note": note, "token": base64.b64encode(token).decode()})
        try:
            self.kept.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write((b"" if _end(path, 1) in (b"", b"\n") else b"\n") + line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._failed(f"its stamp cannot be kept in {path} ({error.strerror})") from None

    def _failed(self, why: str, said: str = "") -> AnchorError:
        return AnchorError(f"anchor {self.name}: {why}", said)


def _answered(url: str, request: bytes, answer: Future[tuple[str, bytes]]) -> None:
    """In a thread of its own: a timeout of sockets is for each read, and one byte at a time would hold whoever
    waits for days."""
    asking = urllib.request.Request(  # noqa: S310 - http or https, as __init__ has seen
        url, request, {"Content-Type": ASK, "Accept": ANSWER}
    )
    try:
        with urllib.request.urlopen(asking, timeout=PATIENCE) as said:  # noqa: S310 - as above
            answer.set_result((said.headers.get_content_type(), said.read(LARGEST)))
    except Exception as error:
        answer.set_exception(error)


def certificates(path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file. Raises AnchorError."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise AnchorError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError:
        raise AnchorError(f"{path} holds no certificates; they begin with -----BEGIN CERTIFICATE-----") from None


def authorities(directory: Path) -> list[str]:
    """The addresses of all authorities whose stamps are kept in an audit. Raises OSError."""
    kept = directory / "stamps"
    paths = sorted(kept.iterdir()) if kept.is_dir() else []
    return sorted({line["url"] for path in paths for line in _lines(path)} - {""})


def _lines(path: Path) -> Iterator[dict[str, str]]:
    """What is kept."""
    return _parsed(path.read_bytes() if path.exists() else b"")


def _end(path: Path, size: int = NEWEST) -> bytes:
    """The last bytes of what is kept: a month has 250 MB, and every minute one line is added. OSError."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(-min(size, os.fstat(file.fileno()).st_size), os.SEEK_END)
        return file.read()


def _parsed(text: bytes) -> Iterator[dict[str, str]]:
    """A line that is cut, or that somebody has changed, is one of empty strings."""
    for line in text.splitlines():
        try:
            kept = json.loads(line)
            base64.b64decode(kept["token"], validate=True)
            yield {name: str(kept[name]) for name in NAMES}
        except (ValueError, KeyError, TypeError):
            yield dict.fromkeys(NAMES, "")


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
