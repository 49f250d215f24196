"""The memory of tokens: bounded, fair, forgetful, and safe in several threads."""

from __future__ import annotations

import gc
import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.core.session import Session
from proxy.pseudonyms.vault import SHARE, Kept, Vault
from tests.playbook import DOWN, UP

CLOCK = 100.0


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = CLOCK

    def __call__(self) -> float:
        return self.now


def kept(value: str, ways: int = 2) -> Kept:
    return Kept(value, "PERSON", "rule", ways)


def put(vault: Vault, session: Session, value: str) -> str:
    return vault.token(session, "PERSON", kept(value))


def known(vault: Vault, session: Session, *names: str) -> list[str]:
    return [entry.value for entry in vault.recall(session, names, DOWN).values()]


def test_a_vault_never_holds_more_than_its_size():
    vault = Vault(size=1000)
    sessions = [Session(i) for i in range(50)]
    for i in range(20_000):
        put(vault, sessions[i % 50], f"v{i}")
        assert len(vault) <= 1000
    assert len(vault) == 1000
    assert sum(len(known(vault, one, *(f"PERSON_{i}" for i in range(500)))) for one in sessions) == 1000


def test_the_session_that_was_quiet_for_longest_loses_its_oldest_first():
    vault = Vault(size=16)
    old, new = Session(1), Session(2)
    assert [put(vault, old, "a"), put(vault, old, "b")] == ["PERSON_1", "PERSON_2"]
    others = [Session(3 + i) for i in range(13)]
    for one in others:
        put(vault, one, "x")
    put(vault, new, "c")
    known(vault, old, "PERSON_1")  # used: now it is the one that `others` lose to
    for i in range(3):
        put(vault, Session(100 + i), "y")
    assert known(vault, old, "PERSON_1", "PERSON_2") == ["a", "b"]
    assert [known(vault, one, "PERSON_1") for one in others[:4]] == [[], [], [], ["x"]]


def test_a_session_that_is_forgotten_in_part_gives_no_number_twice():
    vault = Vault(size=2 * SHARE)
    one = Session(1)
    assert [put(vault, one, value) for value in "abc"] == ["PERSON_1", "PERSON_2", "PERSON_3"]
    assert known(vault, one, "PERSON_1", "PERSON_2", "PERSON_3") == ["b", "c"]  # its share is two
    assert put(vault, one, "a") == "PERSON_4"
    assert put(vault, one, "c") == "PERSON_3"


def test_nobody_can_push_out_the_values_of_everybody_else():
    vault = Vault(size=100)
    quiet, loud = Session(1), Session(2)
    name = put(vault, quiet, "a")
    for i in range(10_000):
        put(vault, loud, f"v{i}")
    assert known(vault, quiet, name) == ["a"]
    assert len(vault) == 100 // SHARE + 1


def test_what_was_not_used_for_its_time_is_gone():
    clock = Clock()
    vault = Vault(ttl=60, clock=clock)
    one, other = Session(1), Session(2)
    put(vault, one, "a"), put(vault, one, "b"), put(vault, other, "c")
    vault.keep("scope", "PERSON_x", kept("d"))
    clock.now += 40
    assert known(vault, one, "PERSON_2") == ["b"]
    clock.now += 40
    assert known(vault, one, "PERSON_1", "PERSON_2") == ["b"]
    assert known(vault, other, "PERSON_1") == []
    assert vault.recall_shared("scope", ["PERSON_x"], DOWN) == {}
    assert len(vault) == 1
    clock.now += 1000
    put(vault, other, "e")
    assert len(vault) == 1  # those that nobody asked for went too
    assert put(vault, one, "a") == "PERSON_3"


def test_the_connection_that_ends_takes_its_tokens_along():
    vault = Vault()
    one, other = Session(1), Session(2)
    assert not vault.holds(one)
    put(vault, one, "a"), put(vault, other, "a")
    assert vault.holds(one)
    vault.forget(one)
    vault.forget(one)
    vault.forget(Session(3))
    assert (len(vault), vault.holds(one), vault.holds(other)) == (1, False, True)
    assert known(vault, one, "PERSON_1") == []


def test_directions_add_up_and_others_get_nothing():
    vault = Vault()
    one = Session(1)
    name = vault.token(one, "PERSON", kept("a", ways=2))
    assert vault.recall(one, [name], UP) == {}
    vault.token(one, "PERSON", kept("a", ways=1))
    assert {kept.ways for way in (UP, DOWN) for kept in vault.recall(one, [name], way).values()} == {3}
    vault.keep("s", "x", kept("a", ways=1))
    vault.keep("s", "x", kept("a", ways=2))
    assert len(vault.recall_shared("s", ["x", "y"], UP)) == len(vault.recall_shared("s", ["x"], DOWN)) == 1
    assert vault.recall_shared("t", ["x"], DOWN) == {}


def test_numbers_of_a_session_are_counted_beside_its_texts():
    vault = Vault()
    one = Session(1)
    first, text, second = (
        vault.numeral(one, kept("41111")),
        put(vault, one, "41111"),
        vault.numeral(one, kept("42")),
    )
    assert (int(second) - int(first), text) == (1, "PERSON_1")
    assert vault.numeral(one, kept("41111")) == first
    assert known(vault, one, first, second) == ["41111", "42"]


def test_the_garbage_collector_need_not_visit_what_is_remembered():
    vault = Vault()
    one = Session(1)
    for i in range(1000):
        put(vault, one, f"v{i}")
        vault.keep("scope", f"PERSON_{i}", kept(f"v{i}"))
    for book in vault._books:
        assert len(book.young) == 1000
        assert not any(map(gc.is_tracked, [book.young, *book.names.values()]))


def test_threads_agree_about_every_token():
    vault = Vault(size=500)
    one = Session(1)
    told: list[set[tuple[str, str]]] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        mine = {(value, put(vault, one, value)) for i in range(2000) for value in [f"v{i % 50}"]}
        told.append(mine)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set().union(*told)) == 50
    assert len(vault) == 50


class Model(RuleBasedStateMachine):
    """Against a plain dict: a token never stands for another value, and the counting never drifts."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.vault = Vault(size=24, ttl=10, clock=self.clock)
        self.sessions = [Session(i) for i in range(4)]
        self.given: dict[tuple[Session, str], str] = {}

    @rule(which=st.integers(0, 3), value=st.sampled_from("abcdefgh"))
    def tokenize(self, which: int, value: str) -> None:
        one = self.sessions[which]
        name = put(self.vault, one, value)
        assert self.given.setdefault((one, name), value) == value
        assert known(self.vault, one, name) == [value]

    @rule(which=st.integers(0, 3), number=st.integers(1, 30))
    def recall(self, which: int, number: int) -> None:
        one, name = self.sessions[which], f"PERSON_{number}"
        found = known(self.vault, one, name)
        assert found in ([], [self.given.get((one, name))])

    @rule(name=st.sampled_from("xyz"))
    def share(self, name: str) -> None:
        self.vault.keep("scope", name, kept(name))
        assert self.vault.recall_shared("scope", [name], DOWN)[name].value == name

    @rule(seconds=st.sampled_from([0.5, 3.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(which=st.integers(0, 3))
    def end(self, which: int) -> None:
        self.vault.forget(self.sessions[which])
        self.sessions[which] = Session(9)

    @invariant()
    def counts(self) -> None:
        books = list(self.vault._books)
        assert len(self.vault) == sum(map(len, books)) <= 24
        assert all(books)
        for book in books:
            names = {name for some in book.names.values() for name in some.values()}
            assert names == ({*book.young, *book.old} if book.names else set())
            assert not book.young.keys() & book.old.keys()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
