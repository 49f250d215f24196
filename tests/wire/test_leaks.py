"""`on_error: pass`: what cannot be inspected goes on as it was, loudly; everything else stays refused."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from proxy.core.action import LEAKED, Cause, Note
from proxy.core.finding import Finding
from proxy.core.message import Direction
from tests.playbook import EMAILS, Broken, Given, rule
from tests.wire.wiring import Wire, binary, close, cont, ping, text

SECRET = "s3cret bob@example.com"
TRAP = Broken(ValueError(f"quotes {SECRET}"), "s3cret")
LATE = Broken(TimeoutError(), "s3cret")


@pytest.mark.parametrize(("detector", "cause"), [(TRAP, Cause.PIPELINE), (LATE, Cause.BUDGET)])
@pytest.mark.parametrize("inline", [1 << 20, 1])
def test_what_fails_is_forwarded_as_it_came_and_noted_before(
    detector: Broken, cause: Cause, inline: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(EMAILS, detector=detector, on_error="pass", inline_bytes=inline) as wire:
        wire.client.sends(text(SECRET), text("mail bob@example.com"))
        wire.verdicts()
        wire.upstream.gets(text(SECRET), text("mail <EMAIL_ADDRESS>"))
        leak, other = wire.notes
        assert (leak.verdict, leak.cause, leak.direction) == (LEAKED, cause, Direction.CLIENT_TO_UPSTREAM)
        assert other.verdict == "rewritten"
        assert (dict(wire.tally.leaks), dict(wire.tally.refusals)) == ({cause: 1}, {})
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert f"session {wire.relay.name}: a message was forwarded uninspected (on_error: pass)" in errors
    assert not any("s3cret" in line for line in errors)


def test_without_it_the_same_is_refused() -> None:
    with Wire(EMAILS, detector=TRAP) as wire:
        wire.client.sends(text(SECRET))
        for end in wire.ends:
            end.gets_closed(Cause.PIPELINE, 1011)
        assert wire.tally.leaks == {}


def test_a_worker_that_does_not_answer_in_time_lets_its_message_go_and_is_not_listened_to_afterwards() -> None:
    with Wire(EMAILS, on_error="pass", inline_bytes=1, inspect_timeout=2) as wire:
        wire.client.sends(text("mail bob@example.com"), text("next bob@example.com"))
        wire.bench.begin()
        wire.wait(2.1)
        wire.upstream.gets(text("mail bob@example.com"))
        assert wire.causes == [Cause.BUDGET]
        wire.verdicts()
        wire.upstream.gets(text("next <EMAIL_ADDRESS>"))


def test_fragments_leak_in_the_frames_in_which_they_came() -> None:
    with Wire(EMAILS, detector=TRAP, on_error="pass") as wire:
        wire.client.sends(text("s3cret bob@", fin=False), cont("example.com"))
        wire.upstream.gets(text("s3cret bob@", fin=False), cont("example.com"))


def test_pings_and_close_reasons_leak_too() -> None:
    with Wire(EMAILS, detector=TRAP, on_error="pass") as wire:
        wire.client.sends(ping(SECRET.encode()), close(1000, SECRET))
        wire.upstream.gets(ping(SECRET.encode()), close(1000, SECRET))
        assert wire.causes == [Cause.PIPELINE, Cause.PIPELINE]


def test_a_detector_that_is_not_to_be_trusted_leaks_the_original_and_nothing_half_done() -> None:
    wild = Given([Finding("EMAIL_ADDRESS", 0, 10_000, 1.0, "wild")])
    with Wire(EMAILS, detector=wild, on_error="pass") as wire:
        wire.client.sends(text("bob@example.com"))
        wire.upstream.gets(text("bob@example.com"))


@pytest.mark.parametrize(
    ("rules", "settings", "said", "cause", "code"),
    [
        ([rule("no", "EMAIL_ADDRESS", operator="close")], {}, text("bob@example.com"), Cause.POLICY, 1008),
        ([EMAILS], {"max_message": 4}, text("hello"), Cause.TOO_BIG, 1009),
        ([EMAILS], {}, text(b"\xff"), Cause.BAD_UTF8, 1007),
        ([EMAILS], {"binary": "deny"}, binary(b"x"), Cause.BINARY, 1003),
        ([EMAILS], {}, cont("nothing begun"), Cause.PROTOCOL, 1002),
    ],
)
def test_verdicts_and_broken_protocol_are_refused_all_the_same(
    rules: list, settings: dict, said: object, cause: Cause, code: int
) -> None:
    with Wire(*rules, on_error="pass", **settings) as wire:
        wire.client.sends(said)
        wire.client.gets_closed(cause, code)
        assert len(wire.upstream.frames()) == 1
        assert (wire.causes, wire.tally.leaks) == ([cause], {})


@pytest.mark.parametrize("inline", [1 << 20, 1])
@pytest.mark.parametrize("error", [OSError("quotes bob@example.com"), TimeoutError()], ids=["fails", "is late"])
def test_a_found_value_never_leaks_because_its_operator_fails(
    error: Exception, inline: int, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> str:
        raise error

    with Wire(replace(EMAILS, rewrite=broken), on_error="pass", inline_bytes=inline) as wire:
        wire.client.sends(text("mail bob@example.com"))
        wire.verdicts()
        for end in wire.ends:
            end.gets_closed(Cause.PIPELINE, 1011)
        assert wire.tally.leaks == {}
    assert f"session {wire.relay.name}: {type(error).__name__} in the pipeline" in caplog.messages
    assert "bob@" not in caplog.text


@pytest.mark.parametrize("inline", [1 << 20, 1])
def test_a_found_value_never_leaks_because_it_cannot_be_noted(inline: int) -> None:
    def full_once(note: Note) -> None:
        if note.verdict == "rewritten":
            raise OSError(28, "No space left on device")

    with Wire(EMAILS, on_error="pass", sink=full_once, inline_bytes=inline) as wire:
        wire.client.sends(text("mail bob@example.com"))
        wire.verdicts()
        for end in wire.ends:
            end.gets_closed(Cause.PIPELINE, 1011)


def test_a_leak_that_cannot_be_noted_is_refused() -> None:
    def full(note: Note) -> None:
        if note.verdict == LEAKED:
            raise OSError(28, "No space left on device")

    with Wire(EMAILS, detector=TRAP, on_error="pass", sink=full) as wire:
        wire.client.sends(text(SECRET))
        for end in wire.ends:
            end.gets_closed(Cause.PIPELINE, 1011)
