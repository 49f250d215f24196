"""Named scopes in a real Redis: what it holds, who agrees through it, and what happens while it is away."""

from __future__ import annotations

import logging
import signal
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.core.lane import UnsettledError
from proxy.core.session import Session
from proxy.pseudonyms.redis_vault import PAUSE, QUIET, RedisVault
from proxy.pseudonyms.tokens import Scope, Vaults
from proxy.pseudonyms.vault import Kept, Vault
from tests.playbook import DOWN, UP
from tests.pseudonyms.conftest import Server
from tests.pseudonyms.talking import SCOPE, Talk, tokens
from tests.pseudonyms.test_vault import Clock

pytestmark = pytest.mark.heavy
BOB = "«bob@example.com»"
OTHER = Scope("tickets", bytes(32), bytes(range(64)))


def vaults(server: Server, ttl: float = 60.0, clock: Clock | None = None) -> Vaults:
    """Those of another process, or of another machine."""
    return Vaults(Vault(), RedisVault(server.url, ttl, clock or time.monotonic))


def talk(server: Server, scope: Scope = SCOPE, replaces: bool = False, clock: Clock | None = None) -> Talk:
    return Talk(tokens(vaults(server, clock=clock), scope, replaces=replaces))


def bare(text: str) -> str:
    return text.replace("«", "").replace("»", "")


def test_a_token_that_one_proxy_made_is_restored_by_another(server):
    token = bare(talk(server).up(BOB))
    assert talk(server).down(f"{token}, {token.upper()}, [EMAIL_ADDRESS_{'a' * 16}]") == (
        f"bob@example.com, bob@example.com, [EMAIL_ADDRESS_{'a' * 16}]"
    )
    assert talk(server).up(token) == token  # the other way
    assert talk(server, OTHER).down(token) == token  # another key


@given(value=st.text(st.characters(codec="utf-8", exclude_characters="«»\\"), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_comes_back(server, value):
    token = bare(talk(server).up(f"«{value}»"))
    assert talk(server).down(token) == value


def test_what_redis_holds_tells_neither_values_nor_tokens(server):
    token = bare(talk(server).up(BOB))
    client = server.client()
    (key,) = client.keys()
    everything = (key + client.get(key)).lower()
    assert key.startswith(b"hushwire:tickets:")
    for secret in (b"bob", b"example", b"email", token.encode()[1:-1].rpartition(b"_")[2]):
        assert secret not in everything


def test_a_token_that_is_never_restored_is_not_kept(server):
    one = Talk(tokens(vaults(server), SCOPE, (0, 0)))
    assert bare(one.up(BOB)) == bare(talk(server).up(BOB))
    server.client().flushall()
    one.up(BOB)
    assert server.client().dbsize() == 0


def test_both_directions_add_up_without_being_merged(server):
    one, other = talk(server), talk(server)
    token = bare(one.up(BOB))
    assert bare(other.down(BOB)) == token
    assert one.up(token) == one.down(token) == "bob@example.com"


def test_what_was_not_used_for_its_time_is_gone(server):
    shared = RedisVault(server.url, ttl=0.4)
    shared.keep(SCOPE, "A_x", Kept("v", "A", "r", 2))
    for _ in range(4):
        time.sleep(0.2)
        assert shared.recall(SCOPE, ["A_x"], DOWN)  # asking is using
    time.sleep(0.6)
    assert shared.recall(SCOPE, ["A_x"], DOWN) == {}
    assert server.client().dbsize() == 0


def test_more_tokens_than_go_into_one_question(server):
    shared = RedisVault(server.url)
    names = [f"A_{i}" for i in range(2500)]
    for name in names[::100]:
        shared.keep(SCOPE, name, Kept(name.lower(), "A", "r", 2))
    assert {name: kept.value for name, kept in shared.recall(SCOPE, names, DOWN).items()} == {
        name: name.lower() for name in names[::100]
    }


def test_many_at_once_make_one_token(server):
    made: list[str] = []
    gate = threading.Barrier(4)

    def work() -> None:
        one = talk(server)
        gate.wait()
        made.extend(bare(one.up(BOB)) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 80
    assert len(set(made)) == server.client().dbsize() == 1


def test_what_somebody_else_put_there_is_no_value(server):
    shared = RedisVault(server.url)
    shared.keep(SCOPE, "A_x", Kept("v", "A", "r", 2))
    shared.keep(SCOPE, "A_y", Kept("w", "A", "r", 2))
    client = server.client()
    one, other = client.keys()
    client.set(one, client.get(other))  # a value of another token
    found = shared.recall(SCOPE, ["A_x", "A_y"], DOWN)
    assert len(found) == 1
    client.set(other, b"short")
    assert shared.recall(SCOPE, ["A_x", "A_y"], DOWN) == {}


# -- away ---------------------------------------------------------------------------------------------------


def test_while_it_is_away_values_are_refused_or_replaced_and_tokens_stay(server):
    one = talk(server)
    token = bare(one.up(BOB))
    server.stop()
    assert one.down(token) == token
    with pytest.raises(UnsettledError, match="UnavailableError") as refused:
        talk(server).up(BOB)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert "bob" not in repr(refused.value)
    assert bare(talk(server, replaces=True).up(BOB)) == "<EMAIL_ADDRESS>"
    assert talk(server).up('{"card": 41111}').startswith('{"card": 9')  # numbers are the session's


def test_it_is_found_again_by_itself(server):
    clock = Clock()
    one = talk(server, clock=clock)
    server.stop()
    assert one.down("[A_aaaaaaaaaaaaaaaa]") == "[A_aaaaaaaaaaaaaaaa]"
    server.start()
    with pytest.raises(UnsettledError, match="UnavailableError"):
        one.up(BOB)  # not asked again so soon
    clock.now += PAUSE
    token = bare(one.up(BOB))
    server.stop()
    server.start()  # and the connection that was kept is dead
    assert bare(one.up(BOB)) == token
    assert one.down(token) == "bob@example.com"


def test_it_is_told_in_the_log_once_a_minute(server, caplog):
    clock = Clock()
    shared = RedisVault(server.url, clock=clock)
    server.stop()
    with caplog.at_level(logging.WARNING, "hushwire"):
        for _ in range(30):
            shared.recall(SCOPE, ["A_x"], DOWN)
            clock.now += PAUSE
        assert len(caplog.records) == 1
        clock.now += QUIET
        shared.recall(SCOPE, ["A_x"], DOWN)
    assert [record.getMessage() for record in caplog.records] == [
        "the vault in Redis is away (ConnectionError): its tokens stay as they are"
    ] * 2


def test_a_server_that_takes_too_long_is_away(server):
    shared = RedisVault(server.url)
    shared.keep(SCOPE, "A_x", Kept("v", "A", "r", 2))
    server.process.send_signal(signal.SIGSTOP)
    before = time.monotonic()
    try:
        assert shared.recall(SCOPE, ["A_x"], DOWN) == {}
        assert shared.recall(SCOPE, ["A_x"], DOWN) == {}  # without waiting again
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - before < 2


def test_asking_may_wait_so_lanes_leave_the_loop(server):
    one = talk(server)
    assert [lane.heavy for lane in one.lanes] == [True, True]
    assert [lane.heavy for lane in Talk(tokens(vaults(server))).lanes] == [False, False]
    assert Session(1).memory is None
    assert one.lanes[UP].restore.slow


@pytest.mark.parametrize(
    "url", ["http://bob:sesame@x", "redis://bob:ses/ame@host", "redis://[", "redis://h:port/0"]
)
def test_what_is_no_url_is_told_without_what_it_holds(url):
    with pytest.raises(ValueError, match=r"^this is not the URL of a Redis; write redis://HOST:PORT/0$") as told:
        RedisVault(url)
    assert told.value.__suppress_context__
