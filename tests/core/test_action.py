"""Every cause has its closes, and they are fit for the wire."""

from __future__ import annotations

import pytest
from websockets.frames import Close as Judge

from proxy.core.action import CLOSES, Cause, Refusal
from proxy.core.message import Close

ALL = [(cause, close) for cause, closes in CLOSES.items() for close in closes]


def test_every_cause_has_its_closes():
    assert set(CLOSES) == set(Cause)


@pytest.mark.parametrize(("cause", "close"), ALL, ids=lambda value: str(getattr(value, "name", "")))
def test_a_close_may_be_sent_by_an_endpoint(cause, close):
    assert close.code is not None
    Judge(close.code, close.reason).check()
    assert len(close.reason.encode()) <= 123
    assert close.reason, "whoever reads a packet trace should learn why"


@pytest.mark.parametrize("cause", [Cause.TOO_BIG, Cause.BAD_UTF8, Cause.PROTOCOL, Cause.DEFLATE, Cause.BINARY])
def test_the_peer_of_somebody_who_sent_something_bad_is_not_blamed(cause):
    to_sender, to_peer = CLOSES[cause]
    assert to_sender.code in (1002, 1003, 1007, 1009)
    assert to_peer.code == 1001


@pytest.mark.parametrize("cause", [Cause.PIPELINE, Cause.BUDGET])
def test_a_fault_of_the_proxy_is_called_an_internal_error(cause):
    assert {close.code for close in CLOSES[cause]} == {1011}


@pytest.mark.parametrize("cause", Cause)
def test_a_refusal_says_its_cause_and_nothing_else(cause):
    refusal = Refusal(cause)
    assert refusal.args == (cause.value,)
    assert refusal.closes is CLOSES[cause]


def test_a_rule_may_choose_the_closes_of_its_refusal():
    closes = (Close(4000, "no"), Close(4001, "no"))
    assert Refusal(Cause.POLICY, closes).closes is closes
