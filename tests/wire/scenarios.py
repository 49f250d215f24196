"""The table: every conversation that must look the same with the proxy in between as without it."""

from __future__ import annotations

from tests.wire import play_closing, play_faults, play_handshake, play_messages
from tests.wire.scenario import Scenario

PLAYS = (play_handshake, play_messages, play_closing, play_faults)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for plays in PLAYS for scenario in plays.scenarios()}
