"""The subprotocol that both ends agreed on, as far as it may be named.

Clients put tokens and session ids into Sec-WebSocket-Protocol, because browsers let them set no other header. So
the audit log names a subprotocol only if everybody knows it, or if the operator has written it down.
"""

from __future__ import annotations

from collections.abc import Set

# Of https://www.iana.org/assignments/websocket (WebSocket Subprotocol Name Registry), those one meets.
REGISTERED = frozenset(
    {
        *("soap", "wamp", "v10.stomp", "v11.stomp", "v12.stomp", "mqtt", "amqp", "xmpp", "coap", "jmap"),
        *("ocpp1.2", "ocpp1.5", "ocpp1.6", "ocpp2.0", "ocpp2.0.1", "ocpp2.1"),
        *("sip", "msrp", "bfcp", "clue", "t140", "opcua+uacp", "opcua+uajson"),
        *("graphql-ws", "graphql-transport-ws", "text.ircv3.net", "binary.ircv3.net"),
    }
)
OTHER = "other"


def agreed(head: bytes, configured: Set[str]) -> str:
    """The subprotocol in the head of a 101; `other` if it is not to be named, and nothing if there is none."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"sec-websocket-protocol":
            said = value.strip().decode("latin-1")
            return said if said in REGISTERED or said in configured else OTHER
    return ""
