from __future__ import annotations

from pathlib import Path

import pytest

from proxy.audit.sinks import place as places
from proxy.audit.sinks.place import PlaceError, open_sink, place

SECRET = "canary7"


@pytest.mark.parametrize(
    ("written", "kind", "where"),
    [
        ("postgresql://me@db.example.com/audit", "postgres", "postgresql://db.example.com:5432/audit"),
        (
            "postgres://db.example.com:5433/audit?sslmode=require",
            "postgres",
            "postgresql://db.example.com:5433/audit",
        ),
        ("postgresql:///audit?host=/run/pg&port=5433", "postgres", "postgresql:///run/pg:5433/audit"),
        ("clickhouse://ch/audit", "clickhouse", "clickhouse://ch:8123/audit"),
        ("clickhouses://ch/audit", "clickhouse", "clickhouses://ch:8443/audit"),
        ("kafka://k1:9092,k2:9093/audit?client.rack=a", "kafka", "kafka://k1:9092,k2:9093/audit"),
    ],
)
def test_a_place_is_named_by_where_it_is_and_by_nothing_else(written: str, kind: str, where: str):
    made = place(written)
    assert (made.kind, made.where) == (kind, where)
    assert made.name.startswith(f"{kind}-")


@pytest.mark.parametrize("reference", ["env", "file"])
@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://{SECRET}:{SECRET}@db/audit?sslpassword={SECRET}",
        f"clickhouse://{SECRET}:{SECRET}@ch/audit",
        f"kafka://{SECRET}:{SECRET}@k1/audit?ssl.key.password={SECRET}",
    ],
)
def test_a_secret_stands_elsewhere_and_is_never_shown(url: str, reference: str, tmp_path: Path):
    (tmp_path / "url").write_text(url + "\n")
    made = place(f"file:{tmp_path}/url") if reference == "file" else place("env:SINK", {"SINK": url})
    assert made.url == url
    assert SECRET not in f"{made!r} {made.name} {made.where} {made.written}"
    with pytest.raises(PlaceError, match="write env:NAME") as caught:
        place(url)
    assert SECRET not in str(caught.value)


def test_a_new_password_is_no_new_place():
    one, other = (place("env:SINK", {"SINK": f"postgresql://me:{word}@db/audit"}) for word in ("old", "new"))
    assert one.name == other.name


@pytest.mark.parametrize(
    "written",
    [
        *("", "canary7", "http://canary7/", "postgresql:///audit", "kafka://canary7", "clickhouse://canary7/a/b"),
        *("postgresql://canary7:port/audit", "env:CANARY7", "file:/nowhere/canary7", "file:\0canary7"),
        "postgresql:///audit?host=x&port=canary7",
    ],
)
def test_what_is_no_place_is_told_without_being_quoted(written: str):
    with pytest.raises(PlaceError) as caught:
        place(written, {})
    assert SECRET not in str(caught.value).lower()


def test_a_missing_client_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(places.PACKAGES, "kafka", "no_such_package")
    with pytest.raises(PlaceError, match=r"pip install 'hushwire\[kafka\]'"):
        place("kafka://k1/audit")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("kafka://k1/audit?acks=0", "not to be chosen"),
        ("kafka://k1/audit?colour=blue", "no property of librdkafka"),
        ("clickhouse://ch/audit?colour=blue", "none of ca_cert"),
    ],
)
def test_a_parameter_that_is_none_is_refused(url: str, why: str):
    with pytest.raises(PlaceError, match=why):
        open_sink(place(url))
