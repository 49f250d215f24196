"""No planted value is found in anything that a proxy leaves behind; and the search would find it there."""

from __future__ import annotations

import gzip
import zlib

import pytest

from proxy.building import built_of, ground_of
from proxy.codecs import choose
from proxy.core.lane import Lane
from proxy.core.message import Direction, Kind
from proxy.core.session import Session
from tests.canary import PLANTED, Canaries, saying, spellings, told

CANARIES = Canaries()


# -- the search ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANTED)
def test_a_value_is_found_in_every_spelling_and_case(name):
    for spelling, needle in spellings(PLANTED[name]):
        for spelt in (needle, needle.upper()):
            assert name in {s.value for s in CANARIES.in_bytes(b"noise " + spelt + b" noise", "here")}, spelling


@pytest.mark.parametrize("around", [(0, 0), (1, 1), (2, 5), (3, 2), (4, 0)])
def test_a_value_is_found_in_base64_wherever_it_stands(around):
    import base64

    before, behind = around
    for name, value in PLANTED.items():
        coded = base64.b64encode(b"x" * before + value.encode() + b"y" * behind)
        assert name in {s.value for s in CANARIES.in_bytes(coded, "here")}


def test_a_value_is_found_in_files_of_every_sort_and_in_their_names(tmp_path):
    raw = b"to " + PLANTED["email"].encode()
    objects = tmp_path / "objects" / "ab"
    objects.mkdir(parents=True)
    (tmp_path / "plain").write_bytes(raw)
    (tmp_path / "sealed.gz").write_bytes(gzip.compress(raw))
    (objects / "cdef").write_bytes(zlib.compress(raw))
    (tmp_path / PLANTED["email"]).touch()
    pyarrow = pytest.importorskip("pyarrow", reason="pip install 'hushwire[parquet]'")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"who": [raw.decode()]}), tmp_path / "export.parquet", compression="zstd")
    found = CANARIES.in_files(tmp_path)
    assert {s.path.partition(" (")[2] for s in found} == {"", "gzip)", "Git)", "Parquet)"}
    assert any(s.path.startswith("the name of") for s in found)
    assert PLANTED["email"] not in told(s for s in found if not s.path.startswith("the name"))


def test_what_rules_make_of_a_value_is_no_sighting():
    for clean in (b"mail <EMAIL_ADDRESS>", b"card ************2143", b"3f9ac21b" * 100, b"planted canary example"):
        assert CANARIES.in_bytes(clean, "here") == []


# -- what is planted ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANTED)
def test_the_rules_find_what_is_planted(name, default):
    [note, send] = default.work(Kind.TEXT, saying(name).encode(), Session(1))
    assert note.verdict == "rewritten"
    assert CANARIES.in_bytes(send.payload, "the message") == []
    assert {s.value for s in CANARIES.in_text(saying(name), "the message")} == {name}


@pytest.fixture(scope="module")
def default() -> Lane:
    """What a service sends, under the rules that come along."""
    built = built_of("default", ground_of("off"))
    return Lane(Direction.UPSTREAM_TO_CLIENT, built.policy, built.detector, choose)
