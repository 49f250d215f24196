"""Socket.IO through the proxy: packets, acknowledgements, binary attachments and heartbeats stay whole, and the
personal data in them does not pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients import socketio_clients
from tests.clients.parties import in_front_of
from tests.clients.socketio_clients import TOKEN, Converse
from tests.clients.socketio_server import SocketIo
from tests.harness import Hushwire

CLEAN = ["hello", {"text": "ünïcödé", "list": [1, 2.5, None, True]}, 7, ["a", {"b": []}], "42[not a packet]"]
MAILS = ["bob@example.com", {"from": "bob@example.com", "to": ["bob@example.com", "nobody"], "count": 3}]
HIDDEN = ["<EMAIL_ADDRESS>", {"from": "<EMAIL_ADDRESS>", "to": ["<EMAIL_ADDRESS>", "nobody"], "count": 3}]
FILE = bytes(range(256))


@pytest.fixture(scope="module")
def service() -> Iterator[SocketIo]:
    with SocketIo() as service:
        yield service


@pytest.fixture(scope="module")
def proxy(service: SocketIo) -> Iterator[Hushwire]:
    with in_front_of(service) as process:
        yield process


@pytest.fixture(params=["python_sync", "python_async", pytest.param("npm", marks=pytest.mark.heavy)])
def converse(request: pytest.FixtureRequest) -> Converse:
    client: Converse = getattr(socketio_clients, request.param)
    return client


def expected(words: list[Any], news: str) -> list[Any]:
    said = [event for word in words for event in (["ack", {"ok": True, "you": word}], ["said", word])]
    told = [["file", "a.bin", FILE.hex()], ["news", {"text": news, "count": 1}]]
    return [["connected"], *said, *told, ["ack", {"ok": True, "you": "still here"}]]


def heard(words: list[Any]) -> list[Any]:
    said = [["say", word] for word in words]
    rest = [["file", "a.bin", FILE.hex()], ["tell"], ["say", "still here"], ["disconnect"]]
    return [["connect", {"token": TOKEN}], *said, *rest]


def test_a_clean_conversation_is_the_same_with_and_without_the_proxy(
    converse: Converse, service: SocketIo, proxy: Hushwire
) -> None:
    direct, heard_directly = converse(service.url, CLEAN, FILE), service.heard()
    proxied, heard_too = converse(proxy.url, CLEAN, FILE), service.heard()
    assert direct == expected(CLEAN, "write to bob@example.com today")
    assert proxied == expected(CLEAN, "write to <EMAIL_ADDRESS> today")
    assert heard_too == heard_directly == heard(CLEAN)


def test_an_address_is_hidden_in_events_acknowledgements_and_news(
    converse: Converse, service: SocketIo, proxy: Hushwire
) -> None:
    assert converse(proxy.url, MAILS, FILE) == expected(HIDDEN, "write to <EMAIL_ADDRESS> today")
    assert service.heard() == heard(HIDDEN)
