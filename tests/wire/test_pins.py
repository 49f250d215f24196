"""The internals of uvicorn and websockets that proxy/wire builds upon. When one moves, this fails, and says which.

The minor versions are pinned in pyproject.toml; whoever raises a pin finds here what to look at again.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from importlib.metadata import version

import pytest
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.speedups import apply_mask
from websockets.uri import parse_uri

from proxy.wire import dial, edge, server


@pytest.mark.parametrize(("package", "pinned"), [("uvicorn", "0.54."), ("websockets", "17.4.")])
def test_the_versions_are_those_whose_internals_were_read(package, pinned):
    assert f"{version(package)}.".startswith(pinned)


def names_of_self(made_of: type) -> set[str]:
    """Every attribute of `self` (or of `super()`) that the source of a class mentions."""
    tree = ast.parse(inspect.getsource(made_of))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "super()")
    }


def own(made_of: type) -> set[str]:
    """What a class brings itself: methods, annotations, and what its `__init__` sets."""
    tree = ast.parse(inspect.getsource(made_of.__init__).lstrip())
    stored = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return set(vars(made_of)) | set(getattr(made_of, "__annotations__", {})) | stored


def http_protocol() -> HttpToolsProtocol:
    async def app(scope: object, receive: object, send: object) -> None: ...

    config = uvicorn.Config(app, http=HttpToolsProtocol, ws="none", lifespan="off", log_config=None)
    config.load()
    loop = asyncio.new_event_loop()
    try:
        return HttpToolsProtocol(config, ServerState(), {}, loop)
    finally:
        loop.close()


def test_the_listening_protocol_has_what_the_edge_uses():
    base = http_protocol()
    base.url = base.scope = base.transport = base.client = base.server = base.scheme = None  # set per connection
    assert {name for name in names_of_self(edge.EdgeHttp) - own(edge.EdgeHttp) if not hasattr(base, name)} == set()


@pytest.mark.parametrize(
    "name",
    [
        *("connection_made", "connection_lost", "data_received", "handle_websocket_upgrade"),
        *("on_message_begin", "on_header", "on_headers_complete", "_should_upgrade"),
    ],
)
def test_what_the_edge_overrides_is_still_called_by_the_base(name):
    assert callable(getattr(HttpToolsProtocol, name))
    mentioned = inspect.getsource(HttpToolsProtocol)
    called = name in ("connection_made", "connection_lost", "data_received") or name.startswith("on_")
    assert called or f"self.{name}(" in mentioned


@pytest.mark.parametrize("name", ["url", "scope", "transport", "client", "server", "scheme"])
def test_the_base_still_sets_what_the_edge_reads_per_connection(name):
    assert f"self.{name} = " in inspect.getsource(HttpToolsProtocol) or f"self.{name}: " in inspect.getsource(
        HttpToolsProtocol
    )


def test_the_server_has_what_the_listener_uses():
    base = uvicorn.Server(uvicorn.Config(lambda: None, log_config=None))
    base.servers = []  # set at startup
    assert callable(base.capture_signals)
    assert "with self.capture_signals()" in inspect.getsource(uvicorn.Server)
    assert {
        name for name in names_of_self(server.Listener) - set(vars(server.Listener)) if not hasattr(base, name)
    } == set()
    assert base.started is False
    assert base.should_exit is False


def test_the_client_side_of_a_handshake_can_be_led_from_outside():
    protocol = ClientProtocol(parse_uri("ws://upstream/"), max_size=None)
    assert protocol.handshake_exc is None
    for name in ("process_extensions", "process_subprotocol"):
        assert list(inspect.signature(getattr(ClientProtocol, name)).parameters) == ["self", "headers"]
        assert f"self.{name}(" in inspect.getsource(ClientProtocol)
    handshake = dial.Handshake("dGhlIHNhbXBsZSBub25jZQ==")
    assert handshake.key == "dGhlIHNhbXBsZSBub25jZQ=="
    assert "self.key" in inspect.getsource(ClientProtocol.process_response)


def test_the_answer_is_still_an_event_of_the_client_side():
    handshake = dial.Handshake("dGhlIHNhbXBsZSBub25jZQ==")
    handshake.receive_data(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    assert [type(event) for event in handshake.events_received()] == [Response]
    assert handshake.handshake_exc is None


def test_masking_still_takes_and_gives_bytes_at_the_speed_of_c():
    masked = apply_mask(b"Hello", bytes.fromhex("37fa213d"))
    assert (type(masked), masked) == (bytes, bytes.fromhex("7f9f4d5158"))  # RFC 6455 section 5.7
    assert not inspect.isfunction(apply_mask), "websockets was installed without its C extension"


def test_the_loop_still_hands_on_a_transport_and_forgets_its_descriptor_when_it_ends():
    """A leg takes over with set_protocol, and asks the kernel by descriptor, which may be another's afterwards."""

    async def talk() -> None:
        heard = asyncio.Event()

        class Late(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                heard.set()

        loop = asyncio.get_running_loop()
        listening = await loop.create_server(Late, "127.0.0.1", 0)
        transport, _ = await loop.create_connection(asyncio.Protocol, *listening.sockets[0].getsockname())
        transport.set_protocol(Late())
        transport.write(b"x")
        await asyncio.wait_for(heard.wait(), 5)
        sock = transport.get_extra_info("socket")
        assert sock.fileno() >= 0
        assert transport.can_write_eof()
        transport.abort()
        await asyncio.sleep(0.05)
        assert sock.fileno() == -1
        listening.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(talk())
