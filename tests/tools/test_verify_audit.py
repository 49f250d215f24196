"""The verifier that stands alone says of every log what `audit verify` says; its Ed25519 is that of RFC 8032."""

from __future__ import annotations

import ast
import gzip
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.audit.layout import segments
from proxy.audit.proof.anchors import FileAnchor
from proxy.audit.proof.prove import prove
from proxy.audit.proof.verify import verify
from proxy.audit.verdict import EXIT
from proxy.audit.writing.sealing import finished, seal
from tests.audit import test_verify as made
from tests.audit.logs import HandMade, message
from tests.audit.writing import block, opened
from tools import verify_audit as tool

SOURCE = Path(tool.__file__)

# RFC 8032 section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
        "24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
        "eeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
        "8dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "text", "signature"), VECTORS)
def test_signatures_of_the_rfc_are_right_and_no_others(public, text, signature):
    key, words, signed = bytes.fromhex(public), bytes.fromhex(text), bytes.fromhex(signature)
    assert tool.signed_by(key, words, signed)
    assert not tool.signed_by(key, words + b"x", signed)
    for at in range(64):
        assert not tool.signed_by(key, words, signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])
    higher = int.from_bytes(signed[32:], "little") + tool.L  # the same one, spelt in another way
    assert not tool.signed_by(key, words, signed[:32] + higher.to_bytes(32, "little"))
    assert not tool.signed_by(key, words, signed[:63])


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_signatures_of_another_library_are_right(seed, text):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert tool.signed_by(key.public_key().public_bytes_raw(), text, key.sign(text))


def test_it_imports_nothing_but_the_standard_library():
    tree = ast.parse(SOURCE.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """In a Python without site-packages."""
    command = [sys.executable, "-I", "-S", str(SOURCE), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def agreed(directory: Path, anchor: Path | None = None) -> int:
    """The exit code that both come to."""
    anchors = [FileAnchor(anchor)] if anchor else []
    expected = EXIT[verify(directory, anchors=anchors).verdict]
    bad, logs = tool.verify(directory, anchors=[anchor] if anchor else [])
    code = 4 if bad or any(log.bad for log in logs) else 5 if any(log.hurt for log in logs) else 0
    assert code == expected, (bad, [(log.bad, log.hurt) for log in logs])
    return code


@pytest.fixture
def small(tmp_path) -> HandMade:
    return made.small(tmp_path / "audit")


@pytest.mark.parametrize("name", made.FILES)
def test_both_agree_whatever_byte_is_changed_and_wherever_a_file_is_cut(tmp_path, small, name):
    path = tmp_path / "audit" / name
    data = path.read_bytes()
    codes = set()
    for at in range(0, len(data), 1 + len(data) // 40):
        for changed in (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], data[:at]):
            path.write_bytes(changed)
            codes.add(agreed(tmp_path / "audit"))
    assert codes - {0} == {5 if name.endswith(made.DERIVED) else 4}


@pytest.mark.parametrize("name", [name for name in made.LINES if name.endswith("jsonl")])
def test_both_agree_whatever_is_done_to_lines(tmp_path, small, name):
    path = tmp_path / "audit" / name
    every = list(made.variants(path.read_bytes().splitlines(keepends=True)).values())
    for lines in every[:: 1 + len(every) // 40]:
        path.write_bytes(b"".join(lines))
        agreed(tmp_path / "audit")


def test_both_agree_on_what_is_not_signed(tmp_path):
    log = made.unsigned(tmp_path / "audit")
    path = segments(log.folder)[0].path
    data = path.read_bytes()
    codes = set()
    for length in range(data.index(b'{"b":1,'), len(data), 11):
        path.write_bytes(data[:length])
        codes.add(agreed(tmp_path / "audit"))
    lines = data.splitlines(keepends=True)
    for changed in (
        [*lines[:4], *lines[5:]],
        [*lines[:4], lines[3], *lines[4:]],
        [*lines[:3], b"{}\n", *lines[4:]],
    ):
        path.write_bytes(b"".join(changed))
        assert agreed(tmp_path / "audit") == 4
    log.rotate()
    log.block(message(20))
    path.write_bytes(data[:-20])
    assert agreed(tmp_path / "audit") == 5
    assert codes == {0, 5}


def cases(tmp_path: Path) -> dict[str, tuple[int, bool]]:
    """Name of a directory with an audit -> the exit code, and whether an anchor is given."""
    log = HandMade(tmp_path / "copy")
    log.block(message(1))
    log.checkpoint()
    shutil.copytree(log.folder, tmp_path / "copy" / "old")
    log.block(message(2))
    anchor = FileAnchor(tmp_path / "anchor")
    anchor.put(log.checkpoint(), log.log)
    shutil.rmtree(log.folder)
    (tmp_path / "copy" / "old").rename(log.folder)
    gone = HandMade(tmp_path / "gone", log="00000001")
    gone.block(message())
    gone.checkpoint()
    twice = made.small(tmp_path / "twice")
    shutil.copytree(twice.folder, tmp_path / "twice" / "log-1")
    made.small(tmp_path / "numbers").folder.rename(tmp_path / "numbers" / "log-1")
    made.prune(made.small(tmp_path / "pruned"))
    made.prune(made.small(tmp_path / "removed"), said=False)
    return {
        "copy": (0, False),
        "gone": (0, False),
        "twice": (4, False),
        "numbers": (4, False),
        "pruned": (0, False),
        "removed": (4, False),
    } | {f"{name}/": (4, True) for name in ("copy", "gone")}


def test_both_agree_on_logs_that_are_gone_old_doubled_or_pruned(tmp_path):
    for name, (code, anchored) in cases(tmp_path).items():
        assert agreed(tmp_path / name, tmp_path / "anchor" if anchored else None) == code, name


def test_it_runs_by_itself_and_says_what_it_has_found(tmp_path, small):
    directory = tmp_path / "audit"
    done = run(directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert "log-0 (3f9ac21b): 7 blocks, events 0 to 10 (excluded)" in done.stdout
    assert "give the one you know with --key" in done.stdout
    done = run(directory, "--key", small.signer.verifier.vkey)
    assert done.stdout.endswith("whole\n")
    path = segments(small.folder)[1].path
    path.write_bytes(path.read_bytes().replace(b"crowd", b"crown"))
    done = run(directory, "--key", directory / "public.key")
    assert done.returncode == 4
    assert "TAMPERED: the first bad event is 3, or in the block that begins with it" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "name the directory"),
        (["/nowhere"], "/nowhere is no directory"),
        (["{}"], "there is no log in"),
        (["{}/audit", "--key", "x+y"], "--key: this is no verifier key"),
        (["{}/audit", "--anchor", "/nowhere"], "/nowhere is no directory"),
        (["--proof", "x"], "and --key"),
    ],
)
def test_what_it_is_given_wrong_is_told(tmp_path, small, words, says):
    done = run(*(word.format(tmp_path) for word in words))
    assert done.returncode == 2
    assert says in done.stderr


def test_it_checks_the_proof_of_one_event(tmp_path, small):
    key = small.signer.verifier
    for seq in range(10):
        proof = prove(small.folder, seq, key)
        assert f"event {seq} of log 3f9ac21b" in tool.check_proof(proof, key.public)
        for change in (
            {"seq": 11},
            {"index": 0, "line": 7},
            {"path": ["00" * 32]},
            {"block": "{}"},
            {"line": "x"},
        ):
            with pytest.raises(tool.Wrong):
                tool.check_proof(proof | change, key.public)
    (tmp_path / "proof.json").write_text(json.dumps(prove(small.folder, 5, key)))
    done = run("--proof", tmp_path / "proof.json", "--key", key.vkey)
    assert done.returncode == 0
    (tmp_path / "proof.json").write_text(json.dumps(proof).replace('"seq": 9', '"seq": 8'))
    assert run("--proof", tmp_path / "proof.json", "--key", key.vkey).returncode == 4


def test_sizes_of_a_compressed_segment_do_not_matter(tmp_path):
    log = HandMade(tmp_path)
    for n in range(1, 4000):
        log.block(message(n))
    log.checkpoint()
    path = segments(log.folder)[0].path
    assert path.stat().st_size > 1 << 20
    assert agreed(tmp_path) == 0
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 1, mtime=0))
    path.unlink()
    assert agreed(tmp_path) == 0


def test_both_find_a_log_whole_at_every_moment_while_it_is_written(tmp_path):
    """With short segments, finished ones being compressed, and checkpoints in another thread than blocks."""
    log = opened(tmp_path, segment_size=4000)
    written = threading.Event()

    def write() -> None:
        for n in range(3000):
            block(log, 1 + n % 3)
            if n % 300 == 299:
                log.sync()
                for segment in finished(log.folder, log.settled):
                    seal(segment)
        written.set()

    writing = threading.Thread(target=write)
    writing.start()
    looked = 0
    while not written.is_set() or not looked:
        (report,) = verify(tmp_path).logs
        assert (report.verdict, report.faults, report.damages) == ("whole", [], [])
        bad, (other,) = tool.verify(tmp_path)
        assert (bad, other.bad, other.hurt) == ([], [], [])
        looked += 1
    writing.join()
    log.sync()
    log.close()
    assert agreed(tmp_path) == 0
    assert verify(tmp_path).logs[0].unsigned == 0
