"""Protocol fields are told from what people write, per subprotocol."""

from __future__ import annotations

import pytest

from proxy.rulebook.paths import among
from proxy.rulebook.structure import fields_of

FIELDS = [
    ("$.type", ""),
    ("$.type", "graphql-transport-ws"),
    ("$.payload.operationName", "graphql-ws"),
    ("$.payload.data.users[3].__typename", ""),
    ("$.payload.errors[0].path[1]", "graphql-transport-ws"),
    ("$[0]", "socket.io"),
    ("$.target", "signalr"),
    ("$.item.content[0].type", "realtime"),
    ("$.header.msg_type", "jupyter"),
    ("$[2]", "ocpp1.6"),
    ("$[3].meterValue[0].sampledValue[1].measurand", "ocpp2.0.1"),
    ("$.headers.destination", "v12.stomp"),
]
WORDS = [
    ("$", ""),
    ("", ""),
    ("$[0]", ""),
    ("$[1]", "socket.io"),
    ("$.payload.data.user.type", "graphql-transport-ws"),
    ("$.arguments[0]", "signalr"),
    ("$.item.content[0].text", "realtime"),
    ("$.delta", "realtime"),
    ("$.content.code", "jupyter"),
    ("$[3].idTag", "ocpp1.6"),
    ("$.target", "graphql-ws"),
    ("$.headers.login", "v12.stomp"),
    ("$.type~", ""),
]


def field(path: str, kind: str) -> bool:
    fields = among(fields_of([kind] if kind else []))
    assert fields is not None
    return fields(path)


@pytest.mark.parametrize(("path", "kind"), FIELDS)
def test_a_field_of_the_protocol_is_structure(path: str, kind: str) -> None:
    assert field(path, kind)


@pytest.mark.parametrize(("path", "kind"), WORDS)
def test_what_anybody_may_have_written_is_not(path: str, kind: str) -> None:
    assert not field(path, kind)
