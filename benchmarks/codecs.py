"""What it costs to find the strings of a JSON message, beside what `json.loads` takes in the same run.

    python -m benchmarks.codecs

Ratios are what to compare between machines; the best of several rounds is shown.
"""

from __future__ import annotations

import json
import timeit

from proxy.codecs import JSON
from proxy.core.message import Edit

CHAT = {"type": "message", "room": "lobby", "id": 10293, "text": "see you at nine, bring the slides"}
PROFILE = {
    "event": "profile.updated",
    "ts": 1719830000.25,
    "user": {"name": "Ann Lee", "email": "ann.lee@example.org", "tags": ["beta", "staff", "eu-west"]},
    "fields": {f"field_{number}": f"a sentence of ordinary length, no. {number}" for number in range(14)},
}
CASES: dict[str, object] = {"100 B": CHAT, "1 KiB": PROFILE, "16 KiB": [PROFILE] * 16}


def best(statement: str, names: dict[str, object]) -> float:
    """Microseconds per run."""
    timer = timeit.Timer(statement, globals=names)
    number, _ = timer.autorange()
    return min(timer.repeat(5, max(1, number // 2))) / max(1, number // 2) * 1e6


def main() -> None:
    print(f"{'payload':>18} {'leaves':>7} {'read us':>9} {'loads us':>9} {'ratio':>6} {'one edit us':>12}")
    for name, document in CASES.items():
        variants = {name: json.dumps(document), f"{name} in JSON": json.dumps({"body": json.dumps(document)})}
        for label, text in variants.items():
            payload = text.encode()
            leaves = JSON.read(payload)
            edits = [Edit(leaves[-1], 0, 1, "<X>")]
            names = {"JSON": JSON, "json": json, "payload": payload, "edits": edits}
            read, loads = best("JSON.read(payload)", names), best("json.loads(payload)", names)
            write = best("JSON.write(payload, edits)", names)
            print(f"{label:>18} {len(leaves):>7} {read:>9.1f} {loads:>9.1f} {read / loads:>6.1f} {write:>12.1f}")


if __name__ == "__main__":
    main()
