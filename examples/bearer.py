"""A bearer token (RFC 6750) checked before the handshake is answered, with a refusal that can be read.

FastAPI's HTTPBearer takes any HTTP connection, so it serves WebSocket routes too, and an HTTPException
raised before `accept` becomes a denial response with status, headers and body. Scripts send the header;
browsers cannot, they would send the token in a cookie or as a subprotocol.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Annotated, NamedTuple

from fastapi import Depends, FastAPI, HTTPException, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from examples.texts import GONE, texts

SCOPE = "chat"


class Account(NamedTuple):
    """Who a token belongs to, and what it opens."""

    name: str
    scopes: frozenset[str]


ACCOUNTS = {
    "valid-token": Account("alice", frozenset({SCOPE})),
    "limited-token": Account("guest", frozenset()),
}

app = FastAPI(title="Bearer token")


def find_account(token: str) -> Account | None:
    """The account of `token`; takes the same time for every wrong token of the same length."""
    presented = token.encode()
    matches = [a for known, a in ACCOUNTS.items() if secrets.compare_digest(known.encode(), presented)]
    return matches[0] if matches else None


async def signed_in(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Account:
    """The account behind the request, or 401 for an unknown token and 403 for a lesser one (section 3.1)."""
    account = find_account(credentials.credentials)
    if account is None:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    if SCOPE not in account.scopes:
        challenge = f'Bearer error="insufficient_scope", scope="{SCOPE}"'
        raise HTTPException(403, "This token does not open the chat", {"WWW-Authenticate": challenge})
    return account


@app.websocket("/ws")
async def converse(websocket: WebSocket, account: Annotated[Account, Depends(signed_in)]) -> None:
    """Greet the account by name (never by token) and echo."""
    await websocket.accept()
    with suppress(*GONE):
        await websocket.send_text(f"Authenticated as {account.name}")
        async for text in texts(websocket):
            await websocket.send_text(f"Echo: {text}")
