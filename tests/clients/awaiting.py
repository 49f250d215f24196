"""The Python client libraries on asyncio: `websockets.asyncio.client` and aiohttp.

Each speaks its library as its users do; only what a step of the script needs is set.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import websockets.exceptions
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.clients.script import DEADLINE, EVERYTHING, Call, Event, message, trust


def _within_deadline(talk: Callable[[Call], Awaitable[list[Event]]], call: Call) -> list[Event]:
    async def bounded() -> list[Event]:
        return await asyncio.wait_for(talk(call), DEADLINE)

    return asyncio.run(bounded())


class WebsocketsAsync:
    """`websockets.asyncio.client`."""

    name = "websockets-asyncio"
    can = EVERYTHING | {"fragments", "deflate"}

    def __call__(self, call: Call) -> list[Event]:
        return _within_deadline(self._talk, call)

    async def _talk(self, call: Call) -> list[Event]:
        try:
            async with connect(
                call.url,
                ssl=trust(call),
                additional_headers=call.headers,
                subprotocols=[Subprotocol(name) for name in call.subprotocols] or None,
                compression="deflate" if call.deflate else None,
                max_size=None,
                proxy=None,
            ) as connection:
                events: list[Event] = [["opened", connection.subprotocol, bool(connection.protocol.extensions)]]
                for verb, *rest in call.script:
                    await self._step(connection, verb, rest, events)
                return events
        except websockets.exceptions.InvalidStatus as error:
            return [["refused", error.response.status_code, error.response.body.decode()]]

    async def _step(
        self,
        connection: ClientConnection,
        verb: str,
        rest: list[object],
        events: list[Event],
    ) -> None:
        match verb, rest:
            case "send", [str(text)]:
                await connection.send(text)
            case "bytes", [str(packed)]:
                await connection.send(base64.b64decode(packed))
            case "fragments", [list(parts)]:
                await connection.send(_each(parts))
            case "ping", [str(text)]:
                await (await connection.ping(text))
                events.append(["pong", text])
            case "receive", [int(count)]:
                events += [message(await connection.recv()) for _ in range(count)]
            case "close", [int(code), str(reason)]:
                await connection.close(code, reason)
            case "closed", []:
                try:
                    raise AssertionError(f"a message instead of a close: {await connection.recv()!r:.80}")
                except websockets.exceptions.ConnectionClosed as error:
                    events.append(["closed", error.rcvd and error.rcvd.code, error.rcvd and error.rcvd.reason])
            case _:
                raise AssertionError(f"{self.name} cannot {verb}")


async def _each(parts: list[str]) -> AsyncIterator[str]:
    for part in parts:
        yield part


class Aiohttp:
    """`aiohttp.ClientSession.ws_connect`; offers deflate only when asked, so it is asked."""

    name = "aiohttp"
    can = EVERYTHING | {"deflate"}

    def __call__(self, call: Call) -> list[Event]:
        return _within_deadline(self._talk, call)

    async def _talk(self, call: Call) -> list[Event]:
        async with aiohttp.ClientSession() as session:
            try:
                connection = await session.ws_connect(
                    call.url,
                    ssl=trust(call) or True,
                    headers=call.headers,
                    protocols=call.subprotocols,
                    compress=15 if call.deflate else 0,
                    max_msg_size=0,
                    autoclose=False,
                    autoping=False,
                )
            except aiohttp.WSServerHandshakeError as error:
                return [["refused", error.status, None]]  # it does not keep the body
            events: list[Event] = [["opened", connection.protocol, bool(connection.compress)]]
            for verb, *rest in call.script:
                await self._step(connection, verb, rest, events)
            return events

    async def _step(
        self, connection: aiohttp.ClientWebSocketResponse, verb: str, rest: list[object], events: list[Event]
    ) -> None:
        match verb, rest:
            case "send", [str(text)]:
                await connection.send_str(text)
            case "bytes", [str(packed)]:
                await connection.send_bytes(base64.b64decode(packed))
            case "ping", [str(text)]:
                await connection.ping(text.encode())
                events.append(await self._next(connection))
            case "receive", [int(count)]:
                events += [await self._next(connection) for _ in range(count)]
            case "close", [int(code), str(reason)]:
                await connection.close(code=code, message=reason.encode())
                events.append(["closed", connection.close_code, None])
            case "closed", []:
                if not connection.closed:
                    events.append(await self._next(connection))
                    await connection.close(code=events[-1][1])
            case _:
                raise AssertionError(f"{self.name} cannot {verb}")

    async def _next(self, connection: aiohttp.ClientWebSocketResponse) -> Event:
        while (got := await connection.receive()).type is aiohttp.WSMsgType.PING:
            await connection.pong(got.data)
        match got.type:
            case aiohttp.WSMsgType.CLOSE:
                return ["closed", got.data, got.extra]
            case aiohttp.WSMsgType.PONG:
                return ["pong", got.data.decode()]
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                return message(got.data)
        raise AssertionError(f"aiohttp reports {got.type.name}")
