"""The table: every conversation that must look the same with the proxy in between as without it."""

from __future__ import annotations

from tests.wire import play_closing, play_deflate, play_faults, play_handshake, play_messages, play_refusal
from tests.wire.scenario import Scenario

PLAYS = {
    "handshake": play_handshake,
    "refusal": play_refusal,
    "messages": play_messages,
    "deflate": play_deflate,
    "closing": play_closing,
    "faults": play_faults,
}

GROUPS: dict[str, list[Scenario]] = {group: list(play.scenarios()) for group, play in PLAYS.items()}
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for group in GROUPS.values() for scenario in group}
