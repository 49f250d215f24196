"""A chat: personal messages, messages to everyone, and news of who joins and leaves.

The hub is made by the lifespan and reaches the route through a dependency, so two applications in one
process do not share it. A member who is gone does not disturb the others, one who does not read holds
them up for `PATIENCE` at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, TypedDict

from fastapi import Depends, FastAPI, WebSocket

from examples.texts import GONE, texts

PATIENCE = 5.0  # seconds for one member to take one message


class Hub:
    """Everyone who is connected, in the order in which they came."""

    def __init__(self) -> None:
        self.members: dict[WebSocket, int] = {}

    async def join(self, websocket: WebSocket, client_id: int) -> None:
        """Take in an accepted connection and tell everyone, the newcomer included."""
        self.members[websocket] = client_id
        await self.broadcast(f"Client #{client_id} joined the chat")

    async def leave(self, websocket: WebSocket) -> None:
        """Forget the member and tell those who stay."""
        client_id = self.members.pop(websocket)
        await self.broadcast(f"Client #{client_id} left the chat")

    async def broadcast(self, text: str) -> None:
        """Send `text` to every member."""
        await deliver(text, *self.members)

    async def tell(self, text: str, client_id: int) -> bool:
        """Send `text` to every connection of `client_id`; False if there is none."""
        found = [member for member, number in self.members.items() if number == client_id]
        await deliver(text, *found)
        return bool(found)


async def deliver(text: str, *members: WebSocket) -> None:
    """Send `text` to all of them at once; done when each has taken it or is given up on."""
    async with asyncio.TaskGroup() as group:
        for member in members:
            group.create_task(deliver_one(text, member))


async def deliver_one(text: str, member: WebSocket) -> None:
    """Send, unless the member has left or takes too long: its own task will notice and say goodbye for it."""
    with suppress(TimeoutError, *GONE):
        async with asyncio.timeout(PATIENCE):
            await member.send_text(text)


class State(TypedDict):
    """What the lifespan hands to every connection."""

    hub: Hub


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    """One hub for as long as the service runs."""
    yield {"hub": Hub()}


async def the_hub(websocket: WebSocket) -> Hub:
    """The hub of this application."""
    hub = websocket.state.hub
    assert isinstance(hub, Hub)
    return hub


app = FastAPI(title="Chat", lifespan=lifespan)


def addressee(text: str) -> tuple[int, str] | None:
    """`@7 hello` is for client 7; anything else is for everyone."""
    mark, _, rest = text.partition(" ")
    digits = mark.removeprefix("@")
    numeric = mark.startswith("@") and digits.isascii() and digits.isdigit() and len(digits) <= 18
    return (int(digits), rest) if numeric else None


@app.websocket("/ws/{client_id}")
async def chat(websocket: WebSocket, client_id: int, hub: Annotated[Hub, Depends(the_hub)]) -> None:
    """Pass on what a member writes, until it leaves in whatever way."""
    await websocket.accept()
    try:
        await hub.join(websocket, client_id)
        async for text in texts(websocket):
            if (personal := addressee(text)) is None:
                await deliver(f"You wrote: {text}", websocket)
                await hub.broadcast(f"Client #{client_id} says: {text}")
            elif await hub.tell(f"Client #{client_id} says to you: {personal[1]}", personal[0]):
                await deliver(f"You wrote to client #{personal[0]}: {personal[1]}", websocket)
            else:
                await deliver(f"Client #{personal[0]} is not here", websocket)
    finally:
        await hub.leave(websocket)
