"""Tokens on the wire: in fragments, in workers, through real sockets, and after the connection has ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from proxy.pseudonyms.tokens import Vaults
from tests.harness import Hushwire
from tests.pseudonyms.conftest import Server
from tests.pseudonyms.talking import Marked, policy_of, tokens
from tests.wire.wiring import Wire, cont, text

RULES = """
version: 1
rules:
  - {id: all, entities: ["*"], action: {tokenize: {%s}}}
"""


def tokenizing(wire: Wire, vaults: Vaults) -> None:
    wire.live.swap(policy_of(tokens(vaults)), Marked())
    wire.exchange.forget = vaults.sessions.forget


@pytest.mark.parametrize("inline", [1 << 24, 4], ids=["inline", "worker"])
def test_a_token_that_comes_back_in_fragments_is_restored(inline):
    vaults = Vaults.in_memory()
    with Wire(inline_bytes=inline) as wire:
        tokenizing(wire, vaults)
        wire.client.sends(text("mail «bob@exa", fin=False), cont("mple.com»"))
        wire.verdicts()
        wire.upstream.gets(text("mail «[EMAIL_ADDRESS_1]»"))
        token = "sent to [email_address_1], yes"
        for cut in range(1, len(token)):
            wire.upstream.sends(text(token[:cut], fin=False), cont(token[cut:]))
            wire.verdicts()
            wire.client.gets(text("sent to bob@example.com, yes"))


def test_a_connection_that_ends_takes_its_tokens_along():
    vaults = Vaults.in_memory()
    with Wire() as wire:
        tokenizing(wire, vaults)
        wire.client.sends(text("«bob@example.com»"))
        wire.upstream.gets(text("«[EMAIL_ADDRESS_1]»"))
        assert len(vaults.sessions) == 1
        wire.relay.abort_both()
        assert wire.ended()
    assert len(vaults.sessions) == 0


# -- real sockets -------------------------------------------------------------------------------------------


class Parrot:
    """A service that says what it was told, cut into pieces, and remembers it."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, connection: ServerConnection) -> None:
        for message in connection:
            assert isinstance(message, str)
            self.heard.append(message)
            connection.send([message[i : i + 3] for i in range(0, len(message), 3)])


@contextmanager
def parroting() -> Iterator[tuple[Parrot, str]]:
    parrot = Parrot()
    with serve(parrot, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield parrot, f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(10)


def rules(folder: Path, params: str) -> str:
    path = folder / "rules.yaml"
    path.write_text(RULES % params)
    return str(path)


SAID = json.dumps({"text": "mail bob@corp.example", "phone": 12124567890})


def test_the_service_sees_tokens_and_the_client_its_own_values(tmp_path):
    with parroting() as (parrot, upstream), Hushwire(upstream, rules=rules(tmp_path, "")) as proxy:
        for _ in range(2):
            with connect(proxy.url) as client:
                client.send(SAID)
                assert client.recv(10) == SAID
            heard = json.loads(parrot.heard.pop())
            assert heard["text"] == "mail [EMAIL_ADDRESS_1]"
            assert 9 * 10**15 <= heard["phone"] < 2**53
        with connect(proxy.url) as client:  # whoever comes later has no tokens
            client.send("[EMAIL_ADDRESS_1]")
            assert client.recv(10) == "[EMAIL_ADDRESS_1]"
        assert proxy.stop() == 0
        assert not any("bob" in line for line in proxy.log)


@pytest.mark.heavy
def test_a_client_that_reconnects_to_another_proxy_gets_its_values_back(tmp_path, server: Server):
    named = rules(tmp_path, "scope: desk, key: env:DESK")
    variables = {"DESK": "correct horse battery staple", "VAULT": server.url}
    options = ("--vault", "env:VAULT", "--vault-ttl", "1m")
    with parroting() as (parrot, upstream):
        with Hushwire(upstream, *options, rules=named, variables=variables) as first, connect(first.url) as client:
            client.send("mail bob@corp.example")
            assert client.recv(10) == "mail bob@corp.example"
        (heard,) = parrot.heard
        assert heard.startswith("mail [EMAIL_ADDRESS_")
        with (
            Hushwire(upstream, *options, rules=named, variables=variables) as second,
            connect(second.url) as client,
        ):
            client.send("hello " + heard)
            assert client.recv(10) == "hello mail bob@corp.example"
            assert parrot.heard[1] == "hello " + heard
            server.stop()
            client.send("mail eve@corp.example")
            with pytest.raises(Exception, match="1011"):
                client.recv(10)
        assert len(parrot.heard) == 2
        assert sum("the vault in Redis is away" in line for line in second.log) == 1


@pytest.mark.parametrize(
    ("vault", "sentence"),
    [
        (
            "env:NOT_SET",
            "--vault: this environment variable is not set; set it for the proxy, or name another one",
        ),
        ("redis://bob:ses/ame@x", "--vault: this is not the URL of a Redis; write redis://HOST:PORT/0"),
    ],
)
def test_a_vault_that_cannot_be_is_said_at_the_start(vault, sentence):
    with pytest.raises(RuntimeError) as told:
        Hushwire("ws://127.0.0.1:9", "--vault", vault)
    assert sentence in str(told.value)
    assert "ses" not in str(told.value).replace("session", "")


@pytest.mark.parametrize(("params", "told"), [("", 0), ("scope: desk", 1)])
def test_workers_that_cannot_share_a_named_scope_say_so(tmp_path, params, told):
    options, state = ("--workers", "2"), {"XDG_STATE_HOME": str(tmp_path)}
    with Hushwire("ws://127.0.0.1:9", *options, rules=rules(tmp_path, params), variables=state) as proxy:
        assert proxy.stop() == 0
    assert sum("each worker keeps the tokens of named scopes for itself" in line for line in proxy.log) == told
    assert (tmp_path / "hushwire" / "keys" / "rules.key").exists() == bool(params)
