"""A flood of messages that take long: whoever sends them waits for it, and nobody else is refused."""

from __future__ import annotations

import contextlib
import threading

import pytest

from tests.harness import Hushwire
from tests.wire.drill import Service, echo, metrics
from tests.wire.ends import End, opened
from tests.wire.frames import CLOSE, TEXT

BUDGET = 'hushwire_refusals_total{cause="budget"}'
SLOW = b"(212) 555-0142, bob@example.com; " * 1800  # 58 KiB of nothing but findings
HONEST = b"write to bob@example.com, please. " * 60
COVERED = HONEST.replace(b"bob@example.com", b"<EMAIL_ADDRESS>")
FLOOD = 24


def floods(end: End, stop: threading.Event) -> None:
    """Send one slow message after the other, also when the last one was refused with the connection."""
    with contextlib.suppress(OSError):
        while not stop.is_set():
            end.say(TEXT, SLOW)
            if (frame := end.hears()) is None or frame.opcode == CLOSE:
                return


@pytest.mark.parametrize("late", [False, True], ids=["connected before", "connected during the flood"])
def test_a_flood_gets_no_other_connection_refused(late: bool) -> None:
    stop = threading.Event()
    with Service(echo) as service, Hushwire(service.url, "--max-waiting", "4") as proxy:
        with contextlib.ExitStack() as stack:
            early = None if late else stack.enter_context(opened(proxy))
            hostile = [stack.enter_context(opened(proxy)) for _ in range(FLOOD)]
            threads = [threading.Thread(target=floods, args=(end, stop)) for end in hostile]
            for thread in threads:
                thread.start()
            try:
                client = early or stack.enter_context(opened(proxy))
                for _ in range(10):
                    client.say(TEXT, HONEST)
                    assert client.hears_payload() == COVERED
            finally:
                stop.set()
                for end in hostile:
                    end.sock.shutdown(2)
                for thread in threads:
                    thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert metrics(proxy)[BUDGET] > 0, "there was no flood"
