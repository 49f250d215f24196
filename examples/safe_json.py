"""Commands in JSON, checked by a model; whatever is wrong with one is answered, and the connection stays.

An error names the field and the rule, never the value: a reply must not be a mirror for what it refuses.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

from fastapi import FastAPI, WebSocket
from pydantic import BaseModel, Field, JsonValue, ValidationError

from examples.texts import GONE

app = FastAPI(title="Safe JSON")


class Command(BaseModel):
    """What a client sends."""

    action: Annotated[str, Field(min_length=1, max_length=40)]
    data: JsonValue = None


class Done(BaseModel):
    """The reply to a command that was understood."""

    success: Literal[True] = True
    action: str
    data: JsonValue


class Fault(BaseModel):
    """The reply to anything else."""

    error: str


def explain(invalid: ValidationError) -> str:
    """The first thing wrong, in one sentence without the input."""
    first = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    match first["type"]:
        case "json_invalid":
            return "Invalid JSON format"
        case "missing":
            return f"Missing '{field}' field"
        case "model_type":
            return "A command is a JSON object"
        case _:
            return f"Invalid '{field}' field: {first['msg']}"


def answer(text: str | None) -> Done | Fault:
    """Read one command and carry it out; None stands for a binary message."""
    if text is None:
        return Fault(error="Send text messages")
    try:
        command = Command.model_validate_json(text)
    except ValidationError as invalid:
        return Fault(error=explain(invalid))
    return Done(action=command.action, data=command.data)


@app.websocket("/ws/safe")
async def converse(websocket: WebSocket) -> None:
    """One reply for each message, in order."""
    await websocket.accept()
    with suppress(*GONE):
        while (event := await websocket.receive())["type"] == "websocket.receive":
            await websocket.send_text(answer(event.get("text")).model_dump_json())
