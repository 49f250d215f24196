"""Every scenario played directly and through Hushwire: both sides must receive the same, byte for byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache

import pytest

from tests.wire import fronts
from tests.wire.accepted import ACCEPTED
from tests.wire.compare import differences
from tests.wire.frames import BINARY, CONT, MASK, TEXT, build, parse
from tests.wire.peer import Transcript
from tests.wire.scenario import Scenario
from tests.wire.scenarios import GROUPS, SCENARIOS
from tests.wire.talk import Address, record

RULES = ("default", "pass")


class Stage:
    """One listening upstream, and one proxy per set of rules in front of it."""

    def __init__(self, listener: socket.socket, addresses: dict[str, Address]) -> None:
        self.listener, self.addresses = listener, addresses
        self.direct = cache(lambda name: self.play(name, "direct"))

    def play(self, name: str, through: str, limit: float = 5.0) -> Transcript:
        """What both sides receive in this scenario, waiting `limit` seconds for what should come."""
        return record(SCENARIOS[name].play, self.listener, self.addresses[through], name, limit)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Started once for all scenarios."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((fronts.HERE, 0), backlog=64))
        port = listener.getsockname()[1]
        addresses = {"direct": (fronts.HERE, port)}
        for rules in RULES:
            addresses[rules] = stack.enter_context(fronts.hushwire(port, rules))
        yield Stage(listener, addresses)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_nobody_can_tell_that_hushwire_is_there(stage: Stage, scenario: Scenario, rules: str) -> None:
    expected = stage.direct(scenario.name)
    accepted = ACCEPTED.get(scenario.name)
    if accepted is not None and rules in accepted.rules:
        direct, expected = expected, accepted.expected(expected, rules)
        assert differences(direct, expected), "an accepted difference that is none"
    in_vain = any(str(event).startswith("missing") for event in expected.client.events + expected.upstream.events)
    found = differences(expected, stage.play(scenario.name, rules, 1.0 if in_vain else 5.0))
    assert not found, f"{scenario.why}\n" + "\n".join(found)


def test_the_headers_that_tell_of_the_client_come_last(stage: Stage) -> None:
    name = "request-cookie-twice"
    port = stage.addresses["direct"][1]
    with fronts.hushwire(port, "pass", "--forwarded") as address:
        seen = record(SCENARIOS[name].play, stage.listener, address, name)
    direct = stage.direct(name)
    told = (
        b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: service.example\r\n"
        b'Forwarded: for=127.0.0.1;host="service.example";proto=http\r\n\r\n'
    )
    head = direct.upstream.head.removesuffix(b"\r\n") + told
    assert not differences(replace(direct, upstream=replace(direct.upstream, head=head)), seen)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_script_gets_everything_it_waits_for_when_nothing_is_in_between(stage: Stage, name: str) -> None:
    seen = stage.direct(name)
    events = [event for side in (seen.client, seen.upstream) for event in side.events]
    assert not [event for event in events if isinstance(event, str) and event.startswith("missing")]


def test_the_table_is_as_large_as_promised_and_names_are_not_used_twice() -> None:
    assert len(SCENARIOS) == sum(len(group) for group in GROUPS.values())
    assert len(SCENARIOS) >= 67


def test_every_accepted_difference_belongs_to_a_scenario_and_gives_a_reason() -> None:
    assert set(ACCEPTED) <= set(SCENARIOS)
    assert all(accepted.reason and accepted.rules for accepted in ACCEPTED.values())


def test_a_single_changed_byte_is_a_difference(stage: Stage) -> None:
    direct = stage.direct("request-cookie-twice")
    client, upstream = direct.client, direct.upstream
    changed = [
        replace(direct, upstream=replace(upstream, head=upstream.head.replace(b"Cookie", b"cookie", 1))),
        replace(direct, client=replace(client, head=client.head.replace(b" 101 ", b" 101  "))),
        replace(direct, client=replace(client, events=client.events[:-1])),
        replace(direct, client=replace(client, events=(*client.events[:-1], "RST"))),
        replace(direct, upstream=replace(upstream, events=upstream.events[::-1])),
        replace(direct, upstream=replace(upstream, rest=b"\x81")),
        replace(direct, client=replace(client, body=b"\n")),
    ]
    assert all(differences(direct, other) for other in changed)
    assert not differences(direct, direct)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
@pytest.mark.parametrize("mask", [None, MASK])
def test_a_frame_is_read_as_it_was_built(size: int, mask: bytes | None) -> None:
    payload = bytes(n % 251 for n in range(size))
    data = build(BINARY, payload, fin=False, rsv=5, mask=mask)
    frame, used = parse(data + b"more") or pytest.fail("incomplete")
    assert (frame.fin, frame.rsv, frame.opcode, frame.masked) == (False, 5, BINARY, mask is not None)
    assert (frame.payload, used) == (payload, len(data))
    assert all(parse(data[:cut]) is None for cut in range(min(len(data), 20)))


def test_the_examples_of_the_rfc_are_built_byte_for_byte() -> None:
    assert build(TEXT, b"Hello", mask=MASK).hex() == "818537fa213d7f9f4d5158"  # RFC 6455 section 5.7
    assert (build(TEXT, b"Hel", fin=False) + build(CONT, b"lo")).hex() == "010348656c80026c6f"
