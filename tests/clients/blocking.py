"""The Python client libraries that block: `websockets.sync.client` and `websocket-client`.

Each speaks its library as its users do; only what a step of the script needs is set.
"""

from __future__ import annotations

import base64

import websocket
import websockets.exceptions
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.clients.script import DEADLINE, EVERYTHING, Call, Event, message, pack, trust


class WebsocketsSync:
    """`websockets.sync.client`, the threaded one."""

    name = "websockets-sync"
    can = EVERYTHING | {"fragments", "deflate"}

    def __call__(self, call: Call) -> list[Event]:
        try:
            with connect(
                call.url,
                ssl=trust(call),
                additional_headers=call.headers,
                subprotocols=[Subprotocol(name) for name in call.subprotocols] or None,
                compression="deflate" if call.deflate else None,
                max_size=None,
                proxy=None,
                open_timeout=DEADLINE,
                close_timeout=DEADLINE,
            ) as connection:
                events: list[Event] = [["opened", connection.subprotocol, bool(connection.protocol.extensions)]]
                for verb, *rest in call.script:
                    self._step(connection, verb, rest, events)
                return events
        except websockets.exceptions.InvalidStatus as error:
            return [["refused", error.response.status_code, error.response.body.decode()]]

    def _step(
        self,
        connection: ClientConnection,
        verb: str,
        rest: list[object],
        events: list[Event],
    ) -> None:
        match verb, rest:
            case "send", [str(text)]:
                connection.send(text)
            case "bytes", [str(packed)]:
                connection.send(base64.b64decode(packed))
            case "fragments", [list(parts)]:
                connection.send(iter(parts))
            case "ping", [str(text)]:
                assert connection.ping(text).wait(DEADLINE), "no pong came"
                events.append(["pong", text])
            case "receive", [int(count)]:
                events += [message(connection.recv(DEADLINE)) for _ in range(count)]
            case "close", [int(code), str(reason)]:
                connection.close(code, reason)
            case "closed", []:
                try:
                    raise AssertionError(f"a message instead of a close: {connection.recv(DEADLINE)!r:.80}")
                except websockets.exceptions.ConnectionClosed as error:
                    events.append(["closed", error.rcvd and error.rcvd.code, error.rcvd and error.rcvd.reason])
            case _:
                raise AssertionError(f"{self.name} cannot {verb}")


class WebsocketClient:
    """`websocket-client`, blocking; it knows no permessage-deflate."""

    name = "websocket-client"
    can = EVERYTHING

    def __call__(self, call: Call) -> list[Event]:
        try:
            connection = websocket.create_connection(
                call.url,
                timeout=DEADLINE,
                header=call.headers,
                origin="https://app.example",  # by itself it would name the address that it calls
                subprotocols=call.subprotocols or None,
                sslopt={"context": trust(call)} if call.ca else None,
            )
        except websocket.WebSocketBadStatusException as error:
            return [["refused", error.status_code, (error.resp_body or b"").decode()]]
        events: list[Event] = [["opened", connection.subprotocol, False]]
        try:
            for verb, *rest in call.script:
                self._step(connection, verb, rest, events)
        finally:
            connection.shutdown()  # type: ignore[no-untyped-call]
        return events

    def _step(self, connection: websocket.WebSocket, verb: str, rest: list[object], events: list[Event]) -> None:
        match verb, rest:
            case "send", [str(text)]:
                connection.send(text)
            case "bytes", [str(packed)]:
                connection.send_binary(base64.b64decode(packed))
            case "ping", [str(text)]:
                connection.ping(text)
                events.append(self._next(connection))
            case "receive", [int(count)]:
                events += [self._next(connection) for _ in range(count)]
            case "close", [int(code), str(reason)]:
                connection.send_close(code, reason.encode())
            case "closed", []:
                events.append(self._next(connection))
            case _:
                raise AssertionError(f"{self.name} cannot {verb}")

    def _next(self, connection: websocket.WebSocket) -> Event:
        while True:  # bounded by the connection's timeout; a ping was answered before it is reported
            opcode, frame = connection.recv_data_frame(control_frame=True)
            match opcode:
                case websocket.ABNF.OPCODE_PING:
                    continue
                case websocket.ABNF.OPCODE_PONG:
                    return ["pong", frame.data.decode()]
                case websocket.ABNF.OPCODE_CLOSE:
                    code = int.from_bytes(frame.data[:2], "big") if frame.data else None
                    return ["closed", code, frame.data[2:].decode()]
                case websocket.ABNF.OPCODE_TEXT:
                    return ["text", frame.data.decode()]
            return ["bytes", pack(frame.data)]
