"""The few events of a kind are found by the index, by the logs, and by both together."""

from __future__ import annotations

import pytest

from proxy.audit import events
from proxy.audit.people.telling import telling
from proxy.audit.reading.index import Index
from tests.audit.logs import HandMade, message
from tests.audit.people import nothing


def runs(log: HandMade) -> set[str]:
    return {one["run"] for one in telling(log.folder.parent, ("stop",), nothing)}


@pytest.mark.parametrize("indexed", [0, 1, 2, 3, 4])
def test_what_events_of_a_kind_say_is_found_however_far_the_index_goes(tmp_path, indexed):
    log, said = HandMade(tmp_path), set()
    for number in range(4):
        if number == indexed:
            with Index(tmp_path) as index:
                index.catch_up()
        log.block(message(), (events.Stop, {"run": f"run-{number}"}), message())
        said.add(f"run-{number}")
        if number % 2:
            log.rotate()
        assert runs(log) == said


def test_a_segment_that_is_damaged_hides_only_its_own(tmp_path):
    log = HandMade(tmp_path)
    log.block((events.Stop, {"run": "first"}))
    (log.folder / f"{log.name}.jsonl").write_bytes(b"nothing\n")
    log.rotate()
    log.block((events.Stop, {"run": "second"}))
    assert runs(log) == {"second"}
