"""The benchmark measures what it says, admits what it could not measure, and leaves no process behind.

Nothing here asserts a time: a busy machine must not fail the tests. Only peers that need no extra are started.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import load, measure, peers, start, stream
from benchmarks.cases import EMAIL, Case, deflate, frame, message, parse_case
from benchmarks.proc import NotRunningError, Process, cores

ROOT = Path(__file__).resolve().parent.parent
RELAY = [sys.executable, "-m", "benchmarks.relay"]
TINY = ["--rounds", "1", "--seconds", "0.1", "--connections", "20"]


def figures(tmp_path: Path, *words: str) -> tuple[str, dict]:
    """The tables and the JSON of one run."""
    file = tmp_path / "figures.json"
    command = [*RELAY, *TINY, *words, "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_a_tiny_run_has_a_positive_figure_in_every_cell(tmp_path: Path) -> None:
    names = ["pipe", "hushwire-pass", "hushwire-default"]
    text, found = figures(
        tmp_path, "--peers", ",".join(names), "--cases", "2:100:1 2:200:4:email 2:4096:1:deflate"
    )
    assert found["failures"] == []
    assert len(found["cells"]) == 9
    for cell in found["cells"]:
        for sample in cell["samples"]:
            assert sample["us"] > 0 and sample["rate"] > 0 and sample["p50"] > 0
    assert sorted(found["handshakes"]) == sorted(names) == sorted(found["memory_kib"])
    assert "n/a" not in text
    assert "2:200:4:email" in text and "ratio to pipe" in text and "repeat: python -m benchmarks.relay" in text


def test_what_is_not_known_is_refused_with_the_words_that_are() -> None:
    for words in (
        ["--peers", "haproxy"],
        ["--cases", "50:100"],
        ["--cases", "50:100:1:zip"],
        ["--cases", "1:20:1"],
    ):
        done = subprocess.run([*RELAY, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and "error:" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_every_process_it_started(sig: signal.Signals) -> None:
    command = [*RELAY, "--peers", "pipe", "--parts", "relay", "--cases", "2:100:1", "--seconds", "20"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            assert run.stderr is not None
            while "round 1" not in run.stderr.readline():
                assert run.poll() is None
            children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
            assert children
            run.send_signal(sig)
            assert run.wait(20) == 128 + sig
        finally:
            run.kill()
    for child in children:
        assert not Path(f"/proc/{child}").exists()


def through(command: list[str], name: str, case: Case, folder: Path) -> measure.Sample:
    """Measure `case` through the pipe, under the name of another proxy."""

    async def go() -> measure.Sample:
        service = load.Service()
        await service.open()
        process = Process(name, [*command, str(service.port), str(folder)], folder, cores()[0])
        try:
            process.start()
            await process.wait_ready(time.monotonic() + 20)
            return await measure.relay(process, service, case, 0.1, 0.05)
        finally:
            process.stop()

    return asyncio.run(go())


PIPE = [sys.executable, "-m", "benchmarks.peers.pipe"]


def test_a_filter_that_lets_the_address_through_gets_no_figure(tmp_path: Path) -> None:
    with pytest.raises(measure.UnmeasuredError, match="let the address through"):
        through(PIPE, "hushwire-default", Case(1, 200, 1, "email"), tmp_path)
    assert through(PIPE, "pipe", Case(1, 200, 1, "email"), tmp_path).us > 0


def test_a_proxy_that_changes_a_message_gets_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "frame", lambda payload, **_: frame(payload[::-1], masked=_["masked"]))
    with pytest.raises(measure.UnmeasuredError, match="changed the message"):
        through(PIPE, "pipe", Case(1, 200, 1), tmp_path)


def test_a_proxy_that_does_not_start_or_hangs_up_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="exit code 3"):
        through([sys.executable, "-c", "raise SystemExit(3)"], "gone", Case(1, 100, 1), tmp_path)
    deaf = (
        "import json, os, socket\ns = socket.create_server(('127.0.0.1', 0))\n"
        "print(json.dumps({'listen': '127.0.0.1:%d' % s.getsockname()[1], 'pid': os.getpid()}), flush=True)\n"
        "while True: s.accept()[0].close()"
    )
    with pytest.raises(measure.UnmeasuredError, match="closed"):
        through([sys.executable, "-c", deaf], "deaf", Case(1, 100, 1), tmp_path)


@given(st.lists(st.sampled_from([0, 1, 125, 126, 70_000]), min_size=1, max_size=6), st.booleans(), st.data())
def test_the_counter_counts_the_same_however_the_stream_is_cut(
    sizes: list[int], masked: bool, data: object
) -> None:
    assert isinstance(data, st.DataObject)
    sent = b"".join(frame(b"x" * size, masked=masked) + b"\x89\x00" for size in sizes)
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=8).map(sorted))
    counter = stream.Counter()
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert sum(counter.feed(piece) for piece in pieces) == len(sizes)
    assert not counter.closed
    counter.feed(load.CLOSE)
    assert counter.closed


@given(st.binary(max_size=300), st.booleans(), st.booleans())
def test_the_first_message_is_read_whole(payload: bytes, masked: bool, deflated: bool) -> None:
    sent = frame(deflate(payload) if deflated else payload, masked=masked, deflated=deflated)
    assert stream.first_message(b"\x8a\x00" + sent + b"\x81\x00") == payload


def test_payloads_are_json_of_the_size_asked_for_and_hold_only_what_they_say() -> None:
    for label in ("1:100:1", "1:1024:1:email", "1:70000:1"):
        case = parse_case(label)
        body = message(case)
        assert len(body) == case.size and json.loads(body)["type"] == "update" and case.label == label
        assert (EMAIL.encode() in body) is (case.payload == "email")
    assert len(deflate(message(parse_case("1:16384:1")))) < 16384


def test_every_peer_of_the_list_has_a_command(tmp_path: Path) -> None:
    for name in peers.NAMES:
        command = peers.command(name, 1, tmp_path)
        module = command[2].replace(".", "/")
        assert (ROOT / f"{module}.py").exists() or (ROOT / module / "__main__.py").exists()


def test_a_start_is_measured_and_ended(tmp_path: Path) -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = set(children.read_text().split())
    commands = start.rows(quick=True)
    found = start.once(commands["hushwire-pass"], str(tmp_path))
    assert 0 < found.pss <= found.rss and found.seconds > 0 and found.cpu > 0
    assert "presidio" not in " ".join(commands) and "hushwire-default" in commands
    text = start.shown({"hushwire-pass": [found]}, {"hushwire-pass": [found], "other": [found, found]})
    assert text.count(f"{found.rss:.0f}") >= 3
    with pytest.raises(RuntimeError, match="did not start"):
        start.once([sys.executable, "-c", "pass"], str(tmp_path))
    assert set(children.read_text().split()) <= before
