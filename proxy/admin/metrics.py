"""Counters as Prometheus families. Names and labels live here; counting lives in proxy/core/tally.

Labels hold names only (route, entity, direction, reason), never a value, a path or an address of a client. There
is a label `route` where routes have names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from proxy.core.message import Direction
from proxy.core.tally import BOUNDS, AuditState, RulesState, Snapshot

Counted = Mapping[str, Snapshot]
"""By the name of the route; "" where there is only one, or for what belongs to none."""
About = Mapping[str, Mapping[str, str]]
"""By the same names: the labels of `hushwire_info`."""


class TallyCollector(Collector):
    """Asks for the snapshots at each scrape; keeps nothing."""

    def __init__(self, counted: Callable[[], Counted], about: Callable[[], About]) -> None:
        self._counted = counted
        self._about = about

    def collect(self) -> Iterable[Metric]:
        """All families, each once."""
        collected: dict[str, Metric] = {}
        for route, labels in self._about().items():
            gather(collected, route, InfoMetricFamily("hushwire", "What is running.", value=dict(labels)))
        counted = self._counted()
        for route, snapshot in counted.items():
            for family in families(snapshot):
                if not route and len(counted) > 1:  # most of what is counted has a route
                    family.samples = [sample for sample in family.samples if sample.value]
                gather(collected, route, family)
        yield from collected.values()
        for snapshot in counted.values():  # one for the whole process
            if snapshot["audit"] is not None:
                yield from about_audit(snapshot["audit"])


def gather(collected: dict[str, Metric], route: str, family: Metric) -> None:
    """Add the samples of `route` to the family of that name."""
    label = {"route": route} if route else {}
    samples = [sample._replace(labels={**sample.labels, **label}) for sample in family.samples]
    first = collected.setdefault(family.name, family)
    first.samples = [*(first.samples if first is not family else ()), *samples]


def families(counted: Snapshot) -> Iterator[Metric]:
    """`counted` as metric families."""
    connections = CounterMetricFamily("hushwire_connections", "Client connections accepted.")
    connections.add_metric([], counted["connections"])
    yield connections
    yield GaugeMetricFamily("hushwire_connections_open", "Client connections open now.", value=counted["open"])
    yield by_direction("hushwire_messages", "Messages forwarded.", counted["messages"])
    yield by_direction("hushwire_bytes", "Bytes received in frames, headers included.", counted["bytes"])
    yield by_label(
        "hushwire_handshakes_refused", "Handshakes that were refused.", "reason", counted["handshakes_refused"]
    )
    yield redactions(counted["redactions"])
    yield by_label(
        "hushwire_refusals", "Messages or connections ended by the proxy.", "cause", counted["refusals"]
    )
    yield by_label("hushwire_leaks", "Messages forwarded uninspected (on_error: pass).", "cause", counted["leaks"])
    yield latency(counted["latency"], counted["latency_sum"])
    yield from about_rules(counted["rules"])


def by_direction(name: str, about: str, counts: list[int]) -> Metric:
    """One counter per direction, also when it is 0."""
    family = CounterMetricFamily(name, about, labels=["direction"])
    for direction in Direction:
        family.add_metric([direction.label], counts[direction])
    return family


def by_label(name: str, about: str, label: str, counts: dict[str, int]) -> Metric:
    """One counter per key."""
    family = CounterMetricFamily(name, about, labels=[label])
    for key, count in sorted(counts.items()):
        family.add_metric([key], count)
    return family


def redactions(counts: dict[str, int]) -> Metric:
    """Keys are `ENTITY direction`."""
    family = CounterMetricFamily(
        "hushwire_redactions", "Personal values that were rewritten.", labels=["entity", "direction"]
    )
    for key, count in sorted(counts.items()):
        family.add_metric(key.rsplit(" ", 1), count)
    return family


def latency(counts: list[int], total: float) -> Metric:
    """Prometheus wants cumulative buckets."""
    bounds = [*map(str, BOUNDS), "+Inf"]
    return HistogramMetricFamily(
        "hushwire_pipeline_seconds",
        "Time in the pipeline of the messages that had to be looked at.",
        buckets=list(zip(bounds, accumulate(counts), strict=True)),
        sum_value=total,
    )


def about_rules(state: RulesState) -> Iterator[Metric]:
    """Which rules are in force, and whether they are what the files say."""
    info = GaugeMetricFamily(
        "hushwire_rules_info", "Workers that have these rules in force.", labels=["digest", "name"]
    )
    for key, workers in sorted(state["in_force"].items()):
        info.add_metric(key.split(" ", 1), workers)
    yield info
    yield by_label(
        "hushwire_rules_reloads", "Attempts of all workers to change the rules.", "result", state["reloads"]
    )
    swapped = "hushwire_rules_last_success_timestamp_seconds"
    yield GaugeMetricFamily(swapped, "When rules went live last.", value=state["swapped"])
    stale = "Workers with older rules than the files say, because those have faults."
    yield GaugeMetricFamily("hushwire_rules_stale", stale, value=state["stale"])


AUDIT_COUNTERS = (
    ("hushwire_audit_events", "Events written to the audit log.", "events"),
    ("hushwire_audit_blocks", "Blocks of events written, each one write and one leaf of the tree.", "blocks"),
    ("hushwire_audit_bytes", "Bytes of these blocks.", "bytes"),
    ("hushwire_audit_lost", "Events that the log could not take, and nothing that left depended on.", "lost"),
    ("hushwire_audit_stuck_seconds", "Time in which the log took nothing.", "stuck_seconds"),
)
AUDIT_GAUGES = (
    ("hushwire_audit_waiting", "Directions of connections that wait for the log now.", "waiting"),
    ("hushwire_audit_stuck", "Workers whose log takes nothing now.", "stuck"),
    ("hushwire_audit_unsynced", "Blocks that are written and may not be on the disk yet.", "unsynced"),
)


def about_audit(state: AuditState) -> Iterator[Metric]:
    """What the audit log has taken, and what it has not."""
    counts: Mapping[str, object] = state
    for name, about, key in AUDIT_COUNTERS:
        family = CounterMetricFamily(name, about)
        family.add_metric([], float(str(counts[key])))
        yield family
    for name, about, key in AUDIT_GAUGES:
        yield GaugeMetricFamily(name, about, value=float(str(counts[key])))
    unshipped = GaugeMetricFamily("hushwire_audit_unshipped", "Signed events that a sink lacks.", labels=["sink"])
    for where, events in sorted(state["unshipped"].items()):
        unshipped.add_metric([where], events)
    yield unshipped
