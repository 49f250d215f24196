"""The side doors, asked over ASGI as uvicorn would ask them."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from proxy import __version__
from proxy.admin.api import DOORS, build
from proxy.admin.metrics import TallyCollector
from proxy.core.action import Cause, Done, Note
from proxy.core.message import Direction, Kind
from proxy.core.tally import BOUNDS, Snapshot, Tally, merge


def snapshot() -> Snapshot:
    """Two notes and three looks, counted by the real Tally."""
    tally = Tally()
    tally.connections, tally.open = 7, 2
    tally.messages, tally.bytes = [5, 6], [500, 600]
    tally.handshakes_refused["upstream_502"] = 3
    done = Done("EMAIL_ADDRESS", "emails", "replace", "email", 11, 1.0)
    kept = Done("URL", "urls", "keep", "url", 11, 1.0)
    tally.note(Note(Direction.CLIENT_TO_UPSTREAM, Kind.TEXT, "rewritten", None, "d", (done, done, kept)))
    tally.note(Note(Direction.UPSTREAM_TO_CLIENT, Kind.TEXT, "refused", Cause.POLICY, "d", ()))
    for seconds in (0.000002, 0.002, 5.0):
        tally.took(seconds)
    rules = {"in_force": {"d1 my rules": 2}, "reloads": {"applied": 3}, "stale": 1, "swapped": 1000.5}
    audit = {"events": 9, "blocks": 4, "bytes": 900, "lost": 1, "waiting": 2, "stuck": 1, "stuck_seconds": 2.5}
    audit |= {"unsynced": 3, "unshipped": {"postgresql://db/audit": 5}}
    return {**tally.snapshot(), "rules": rules, "audit": audit}  # type: ignore[typeddict-item]


def ask(
    path: str,
    *,
    method: str = "GET",
    because: tuple[str, ...] = (),
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    about = {"": {"rules": "default", "digest": "abc123"}}
    app = build(lambda: {"": snapshot()}, lambda: list(because), token, lambda: about)

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(go())


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in parse(text) for s in family.samples}


def test_live_answers_as_long_as_the_process_does() -> None:
    answer = ask("/-/live", because=("draining",))
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


def test_ready_answers_503_and_says_why_not() -> None:
    answer = ask("/-/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    answer = ask("/-/ready", because=("draining", "worker 1 is starting"))
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "because": ["draining", "worker 1 is starting"]}


def test_ready_is_ready_with_old_rules_and_tells_of_the_new_ones() -> None:
    told = [{"files": ["my.yaml"], "since": "2027-01-15T08:00:00+00:00"}]
    app = build(lambda: {"": snapshot()}, list, None, troubles=lambda: told)

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://admin") as client:
            return await client.get("/-/ready")

    answer = asyncio.run(go())
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "rules": told})


def test_live_and_ready_need_no_token_and_answer_head() -> None:
    assert ask("/-/live", token="secret").status_code == 200
    assert ask("/-/ready", token="secret", method="HEAD").status_code == 200


def test_metrics_show_every_counter_under_its_name() -> None:
    answer = ask("/-/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "charset=utf-8" in answer.headers["content-type"]
    seen = samples(answer.text)
    client, service = ("direction", "client_to_upstream"), ("direction", "upstream_to_client")
    info = (("digest", "abc123"), ("rules", "default"), ("version", __version__))
    expected = {
        ("hushwire_info", info): 1,
        ("hushwire_connections_total", ()): 7,
        ("hushwire_connections_open", ()): 2,
        ("hushwire_messages_total", (client,)): 5,
        ("hushwire_messages_total", (service,)): 6,
        ("hushwire_bytes_total", (client,)): 500,
        ("hushwire_bytes_total", (service,)): 600,
        ("hushwire_handshakes_refused_total", (("reason", "upstream_502"),)): 3,
        ("hushwire_redactions_total", (client, ("entity", "EMAIL_ADDRESS"))): 2,
        ("hushwire_refusals_total", (("cause", "policy"),)): 1,
        ("hushwire_pipeline_seconds_count", ()): 3,
        ("hushwire_pipeline_seconds_sum", ()): pytest.approx(5.002002),
        ("hushwire_rules_info", (("digest", "d1"), ("name", "my rules"))): 2,
        ("hushwire_rules_reloads_total", (("result", "applied"),)): 3,
        ("hushwire_rules_stale", ()): 1,
        ("hushwire_rules_last_success_timestamp_seconds", ()): 1000.5,
        ("hushwire_audit_events_total", ()): 9,
        ("hushwire_audit_blocks_total", ()): 4,
        ("hushwire_audit_bytes_total", ()): 900,
        ("hushwire_audit_lost_total", ()): 1,
        ("hushwire_audit_stuck_seconds_total", ()): 2.5,
        ("hushwire_audit_waiting", ()): 2,
        ("hushwire_audit_stuck", ()): 1,
        ("hushwire_audit_unsynced", ()): 3,
        ("hushwire_audit_unshipped", (("sink", "postgresql://db/audit"),)): 5,
    }
    buckets = {key: value for key, value in seen.items() if key[0] == "hushwire_pipeline_seconds_bucket"}
    assert {key: value for key, value in seen.items() if key not in buckets} == expected
    by_bound = {dict(labels)["le"]: value for (_, labels), value in buckets.items()}
    assert len(by_bound) == len(BOUNDS) + 1
    assert (by_bound["1e-05"], by_bound["0.001"], by_bound["0.003"], by_bound["1.0"]) == (1, 1, 2, 2)
    assert by_bound["+Inf"] == 3


def test_with_named_routes_every_sample_says_its_route_and_every_family_stands_once() -> None:
    audit = snapshot()["audit"]
    unrouted = {**merge(()), "handshakes_refused": {"no_route": 4}, "audit": audit}
    collector = TallyCollector(
        lambda: {"": unrouted, "chat": {**snapshot(), "audit": None}, "feed": merge(())},
        lambda: {"chat": {"rules": "default"}, "feed": {"rules": "strict"}},
    )
    families = list(collector.collect())
    assert len({family.name for family in families}) == len(families)
    seen = {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}
    assert seen["hushwire_connections_total", ("route", "chat")] == 7
    assert seen["hushwire_connections_total", ("route", "feed")] == 0
    assert seen["hushwire_info", ("route", "feed"), ("rules", "strict")] == 1
    unnamed = [key for key in seen if not dict(key[1:]).get("route")]
    assert [key for key in unnamed if "audit" not in key[0]] == [
        ("hushwire_handshakes_refused_total", ("reason", "no_route"))
    ]
    assert len(unnamed) == 10, "the audit is the process's, not a route's"


def test_a_value_kept_by_a_rule_is_not_counted_as_redacted() -> None:
    assert "URL" not in ask("/-/metrics").text


def test_a_scraper_that_prefers_openmetrics_gets_it() -> None:
    answer = ask("/-/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "hushwire_messages" in {family.name for family in parse_open(answer.text)}


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer s3cret\xe9"]
)
def test_metrics_stay_shut_without_the_right_token(header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    app = build(snapshot, list, "s3cret")

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://admin") as client:
            raw = {key: value.encode("latin-1") for key, value in headers.items()}
            return await client.get("/-/metrics", headers=raw)

    answer = asyncio.run(go())
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "hushwire_" not in answer.text
    assert "s3cret" not in answer.text


def test_metrics_open_with_the_right_token_whatever_the_case_of_bearer() -> None:
    assert ask("/-/metrics", token="s3cret", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert ask("/-/metrics", token="s3cret", headers={"Authorization": "bearer s3cret"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/-/", "/-/live/", "/metrics", "/docs", "/redoc", "/openapi.json"])
def test_any_other_path_answers_404_and_lists_the_doors(path: str) -> None:
    answer = ask(path)
    assert answer.status_code == 404
    for door in DOORS:
        assert door in answer.text


def test_what_the_doors_take_and_answer_is_described_for_programs() -> None:
    assert ask("/-/openapi.json", token="s3cret").status_code == 401
    described = ask("/-/openapi.json").json()
    assert described["openapi"].startswith("3.") and "/-/metrics" in described["paths"]


def test_nothing_can_be_changed_through_the_other_doors() -> None:
    for door in set(DOORS) - {"/-/rules", "/-/audit"}:
        assert ask(door, method="POST").status_code == 405
