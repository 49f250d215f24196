"""Checkpoints are kept elsewhere, come back, and prove what they are to prove; failures are told."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from proxy.audit.checkpoint import Checkpoint, Signer
from proxy.audit.proof import anchors_git, anchors_tsa
from proxy.audit.proof.anchors import AnchorError, FileAnchor, anchor
from proxy.audit.proof.anchors_git import GitAnchor
from proxy.audit.proof.anchors_tsa import TsaAnchor, authorities
from tests.audit.logs import DAY, SEED

LOG = "3f9ac21b"


def needs(program: str) -> None:
    """Skip without it."""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}: apt-get install {program}")


def note(size: int, log: str = LOG) -> str:
    return Signer(SEED).sign(Checkpoint(log, size, bytes([size]) * 32, size * 3, DAY + size))


@pytest.mark.parametrize("where", ["", "file:", "ftp:x", "/mnt", "tsa:ftp://x", "tsa:http://"])
def test_what_is_no_anchor_is_told(tmp_path, where):
    with pytest.raises(AnchorError, match="write"):
        anchor(where, tmp_path)


@pytest.fixture(params=["file", pytest.param("git", marks=pytest.mark.heavy)])
def place(request, tmp_path):
    if request.param == "git":
        needs("git")
    return anchor(f"{request.param}:{tmp_path / 'there'}", tmp_path)


def test_notes_come_back_in_order_and_no_note_twice(place):
    for size in (1, 2, 2, 3):
        place.put(note(size), LOG)
    place.put(note(7, "00000001"), "00000001")
    assert [kept.note for kept in place.notes(LOG)] == [note(1), note(2), note(3)]
    assert {kept.by for kept in place.notes(LOG)} == {place.name}
    assert list(place.logs()) == ["00000001", LOG]
    assert list(place.notes("ffffffff")) == []


def test_a_note_that_a_crash_has_cut_stays_apart_from_the_next_one(tmp_path):
    place = FileAnchor(tmp_path)
    place.put(note(1), LOG)
    with (tmp_path / f"{LOG}.notes").open("ab") as file:
        file.write(note(2).encode()[:50])
    place.put(note(3), LOG)
    first, torn, last = place.notes(LOG)
    assert (first.note, last.note) == (note(1), note(3))
    assert torn.note.count("\n") < 7


def test_a_volume_that_is_not_there_is_told(tmp_path):
    (tmp_path / "file").touch()
    place = FileAnchor(tmp_path / "file" / "below")
    with pytest.raises(AnchorError, match="is the volume mounted"):
        place.put(note(1), LOG)
    with pytest.raises(AnchorError, match="cannot be read"):
        list(place.logs())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True).stdout


@pytest.mark.heavy
def test_a_repository_keeps_the_newest_in_its_tree_and_the_others_in_its_history(tmp_path):
    needs("git")
    place = GitAnchor(tmp_path / "there")
    place.put(note(1), LOG)
    place.put(note(2), LOG)
    assert (tmp_path / "there" / f"{LOG}.notes").read_text() == note(2)
    assert "Anchor log 3f9ac21b: 2 blocks, 6 events" in git(tmp_path / "there", "log", "-1", "--format=%s")
    (tmp_path / "there" / f"{LOG}.notes").unlink()
    git(tmp_path / "there", "commit", "-qam", "gone")
    assert [kept.note for kept in place.notes(LOG)] == [note(1), note(2)]
    assert all(kept.when for kept in place.notes(LOG))
    assert list(place.logs()) == [LOG]


@pytest.mark.heavy
def test_what_is_committed_is_pushed_where_the_branch_has_an_upstream(tmp_path):
    needs("git")
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "far")
    git(tmp_path, "clone", "-q", "far", "near")
    place = GitAnchor(tmp_path / "near")
    place.put(note(1), LOG)
    git(tmp_path / "near", "push", "-q", "-u", "origin", "HEAD")
    place.put(note(2), LOG)
    assert git(tmp_path / "far", "show", f"HEAD:{LOG}.notes") == note(2)
    (tmp_path / "far").rename(tmp_path / "away")
    with pytest.raises(AnchorError, match="git push failed"):
        place.put(note(3), LOG)


@pytest.mark.heavy
def test_a_hook_that_hangs_ends_and_the_next_checkpoint_is_kept(tmp_path, monkeypatch):
    needs("git")
    place, hook = GitAnchor(tmp_path), tmp_path / ".git" / "hooks" / "pre-commit"
    place.put(note(1), LOG)
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho $$ > hook.pid\nsleep 60\n")
    hook.chmod(0o700)
    monkeypatch.setattr(anchors_git, "PATIENCE", 1.0)
    with pytest.raises(AnchorError, match="git commit took more than 1 seconds"):
        place.put(note(2), LOG)
    hook.unlink()
    monkeypatch.undo()
    place.put(note(2), LOG)
    assert [kept.note for kept in place.notes(LOG)] == [note(1), note(2)]
    started = int((tmp_path / "hook.pid").read_text())
    assert not Path(f"/proc/{started}").exists() or "State:\tZ" in Path(f"/proc/{started}/status").read_text()


@pytest.mark.heavy
def test_what_a_hook_says_is_told_in_letters_and_not_logged(tmp_path):
    needs("git")
    place, hook = GitAnchor(tmp_path), tmp_path / ".git" / "hooks" / "pre-commit"
    place.put(note(1), LOG)
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nprintf '\\033]0;no\\007 entry' >&2\nexit 1\n")
    hook.chmod(0o700)
    with pytest.raises(AnchorError) as caught:
        place.put(note(2), LOG)
    assert caught.value.says == f"anchor git:{tmp_path}: git commit failed"
    assert str(caught.value) == f"{caught.value.says}: ?]0;no? entry"


@pytest.mark.heavy
def test_a_directory_in_somebody_elses_repository_is_none(tmp_path):
    needs("git")
    git(tmp_path, "init", "-q")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").touch()
    with pytest.raises(AnchorError, match="no Git repository"):
        GitAnchor(tmp_path / "below").put(note(1), LOG)
    with pytest.raises(AnchorError, match="no Git repository"):
        GitAnchor(tmp_path / "missing").notes(LOG)


def test_without_git_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AnchorError, match="there is no git"):
        anchor(f"git:{tmp_path}", tmp_path)


# -- an authority, run by openssl ---------------------------------------------------------------------------

CONFIG = """
[tsa]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamping]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
"""


def openssl(folder: Path, *words: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], cwd=folder, input=given, check=True, capture_output=True).stdout


def authority(folder: Path) -> Path:
    """Its keys and certificates."""
    folder.mkdir()
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "/dev/null")
    openssl(folder, *new, "-x509", "-subj", "/CN=Root", "-keyout", "ca.key", "-out", "self.pem")
    openssl(folder, *new, "-subj", "/CN=Root", "-keyout", "ca.key", "-out", "ca.csr")
    sign = ("x509", "-req", "-days", "30", "-extfile", "tsa.cnf")
    openssl(folder, *sign, "-in", "ca.csr", "-signkey", "ca.key", "-extensions", "ca", "-out", "ca.pem")
    openssl(folder, *new, "-subj", "/CN=Stamps", "-keyout", "tsa.key", "-out", "tsa.csr")
    by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    openssl(folder, *sign, "-in", "tsa.csr", *by, "-extensions", "stamping", "-out", "tsa.pem")
    return folder / "ca.pem"


class Stamps(BaseHTTPRequestHandler):
    """Answers with what `openssl ts -reply` says; or with `canned`."""

    folder: Path
    canned: tuple[str, bytes] | None = None

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        (self.folder / "ask.tsq").write_bytes(asked)
        kind, token = self.canned or ("application/timestamp-reply", b"")
        if self.canned is None:
            reply = ("ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "ask.tsq")
            token = openssl(self.folder, *reply)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(token)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def roots(tmp_path_factory) -> Path:
    needs("openssl")
    return authority(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture
def served(roots) -> Iterator[tuple[str, type[Stamps]]]:
    answering = type("Answering", (Stamps,), {"folder": roots.parent})
    with ThreadingHTTPServer(("127.0.0.1", 0), answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", answering
        server.shutdown()
        thread.join()


@pytest.mark.heavy
def test_an_authority_stamps_a_checkpoint_and_who_knows_its_roots_believes_it(tmp_path, served, roots):
    url, _ = served
    place = TsaAnchor(url, tmp_path, roots)
    place.put(note(1), LOG)
    place.put(note(1), LOG)
    place.put(note(2), LOG)
    kept = place.notes(LOG)
    assert [one.note for one in kept] == [note(1), note(2)]
    assert all(one.when and one.when > DAY - 10**8 and not one.wrong for one in kept)
    assert authorities(tmp_path) == [url]
    assert list(place.logs()) == [LOG]


@pytest.mark.heavy
def test_a_stamp_of_another_authority_or_another_checkpoint_is_not_believed(tmp_path, served, roots):
    url, _ = served
    TsaAnchor(url, tmp_path, None).put(note(1), LOG)
    strange = authority(tmp_path / "strange")
    (kept,) = TsaAnchor(url, tmp_path, strange).notes(LOG)
    assert "does not lead to the given roots" in kept.wrong
    path = tmp_path / "stamps" / f"{LOG}.jsonl"
    path.write_text(path.read_text().replace("seq 3", "seq 4"))
    (kept,) = TsaAnchor(url, tmp_path, roots).notes(LOG)
    assert "something else" in kept.wrong
    with pytest.raises(AnchorError, match="--tsa-ca"):
        TsaAnchor(url, tmp_path, None).notes(LOG)


@pytest.mark.heavy
def test_a_changed_stamp_is_told_or_says_the_same(tmp_path, served, roots):
    """A few bytes of CMS are covered by no signature, and say nothing."""
    url, _ = served
    place = TsaAnchor(url, tmp_path, roots)
    place.put(note(1), LOG)
    whole = place.notes(LOG)
    path = tmp_path / "stamps" / f"{LOG}.jsonl"
    data = path.read_bytes()
    begin, token = data.index(b'"note"'), data.index(b'"token"')
    same = 0
    for at in range(begin, len(data) - 1, 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        kept = place.notes(LOG)
        assert kept == whole or all(one.wrong or not one.note for one in kept), at
        assert kept != whole or at > token, at
        same += kept == whole
    assert same < (len(data) - begin) / 7 / 10


@pytest.mark.heavy
def test_what_answers_is_not_kept_unless_it_is_the_stamp_that_was_asked_for(tmp_path, served, roots):
    url, answering = served
    place = TsaAnchor(url, tmp_path, roots)
    kind = "application/timestamp-reply"
    for canned, says in (
        (("text/html", b"<html>"), "no time stamp authority"),
        ((kind, b"rubbish"), "it cannot be read as a time stamp"),
        ((kind, b"0\x030\x01\x02"), "it cannot be read as a time stamp"),
    ):
        answering.canned = canned
        with pytest.raises(AnchorError, match=says):
            place.put(note(1), LOG)
    assert not (tmp_path / "stamps").exists()
    answering.canned = None
    place.put(note(1), LOG)
    token = openssl(roots.parent, "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "ask.tsq")
    answering.canned = (kind, token)  # of the right checkpoint, for another request
    (tmp_path / "stamps" / f"{LOG}.jsonl").unlink()
    with pytest.raises(AnchorError, match="another request"):
        place.put(note(1), LOG)


def test_to_see_that_the_newest_is_stamped_takes_no_more_memory_for_a_long_file(tmp_path):
    url = "http://127.0.0.1:1/"
    path = tmp_path / "stamps" / f"{LOG}.jsonl"
    path.parent.mkdir()
    lines = [json.dumps({"url": url, "note": note(n), "token": "ab" * 3000}) for n in (1, 2)]
    path.write_text(f"{lines[0]}\n" * 2000 + f"{lines[1]}\n")
    tracemalloc.start()
    TsaAnchor(url, tmp_path, None).put(note(2), LOG)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < path.stat().st_size / 8


def test_an_authority_that_says_a_byte_now_and_then_holds_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(anchors_tsa, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            with server.accept()[0] as there:
                there.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/timestamp-reply\r\n\r\n")
                for _ in range(50):
                    there.sendall(b"0")
                    if ended.wait(0.1):
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        place = TsaAnchor(f"http://127.0.0.1:{server.getsockname()[1]}/", tmp_path, None)
        with pytest.raises(AnchorError, match="cannot be asked: TimeoutError"):
            place.put(note(1), LOG)
        with pytest.raises(AnchorError, match="has not ended the answer before"):
            place.put(note(1), LOG)
        ended.set()
        dripping.join()


def test_an_authority_that_is_not_there_is_told(tmp_path):
    with pytest.raises(AnchorError, match="cannot be asked"):
        TsaAnchor("http://127.0.0.1:1/", tmp_path, None).put(note(1), LOG)
    with pytest.raises(AnchorError, match="cannot be read"):
        TsaAnchor("http://127.0.0.1:1/", tmp_path, tmp_path / "missing.pem")
    (tmp_path / "empty.pem").write_text("no certificate\n")
    with pytest.raises(AnchorError, match="holds no certificates"):
        TsaAnchor("http://127.0.0.1:1/", tmp_path, tmp_path / "empty.pem")
