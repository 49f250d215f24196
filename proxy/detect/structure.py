"""Protocol fields: places whose values are names of the protocol, and never somebody's words.

What guesses (language models, weak patterns) need not look there. What tells itself by form or checksum must look
all the same: whoever writes an e-mail address into a `type` wants it to pass. Paths are those of
proxy/codecs/scan.py; what stands under a field that is not listed here is anybody's.
"""

from __future__ import annotations

import re
from functools import lru_cache

# By subprotocol ("" is any): paths, `[]` for any index; and names of keys that are structure wherever they stand.
_FIELDS = {
    "": "$.type $.event $.op $.action $.method $.jsonrpc $.id $.ts $.timestamp $.seq $.ref ..__typename",
    "graphql-transport-ws": "$.id $.type $.payload.operationName $.payload.query"
    " $.payload.errors[].path[] $.payload.extensions.persistedQuery.sha256Hash"
    " ..__typename ..cursor ..startCursor ..endCursor",
    "socket.io": "$[0] $.sid $.upgrades[]",
    "signalr": "$.type $.target $.invocationId $.protocol $.streamIds[] $.connectionToken $.connectionId",
    "realtime": "$.type $.event_id $.response_id $.item_id $.previous_item_id $.call_id $.session.id"
    " $.session.object"
    " $.session.model $.session.voice $.session.modalities[] $.session.input_audio_format"
    " $.session.output_audio_format $.session.tool_choice $.session.turn_detection.type $.response.id"
    " $.response.object $.response.status $.response.modalities[] $.item.id $.item.object $.item.type"
    " $.item.status $.item.role $.item.content[].type $.item.content[].audio $.part.type $.audio"
    " $.response.output[].id $.response.output[].object $.response.output[].type $.response.output[].role",
    "jupyter": "$.channel $.header.msg_id $.header.msg_type $.header.session $.header.date $.header.version"
    " $.parent_header.msg_id $.parent_header.msg_type $.parent_header.session $.parent_header.date"
    " $.parent_header.version $.content.execution_state $.buffers[]",
    "ocpp": "$[0] $[1] $[2] ..timestamp ..measurand ..context ..unit ..format ..phase ..errorCode"
    " ..vendorErrorCode",
    "phoenix": "$[0] $[1] $[2] $[3] $.event $.topic $.ref $.join_ref $.payload.status",
    "stomp": "$.headers.destination $.headers.subscription $.headers.message-id $.headers.receipt $.headers.ack"
    " $.headers.content-type $.headers.content-length $.headers.heart-beat $.headers.version $.headers.server"
    " $.headers.accept-version",
}
# What subprotocols are called in `Sec-WebSocket-Protocol`, where that is not our name for them.
_ALSO = {
    "graphql-ws": "graphql-transport-ws",
    **dict.fromkeys(("ocpp1.6", "ocpp2.0", "ocpp2.0.1", "ocpp2.1"), "ocpp"),
    **dict.fromkeys(("v10.stomp", "v11.stomp", "v12.stomp"), "stomp"),
}
_TABLE = {kind: frozenset(fields.split()) for kind, fields in _FIELDS.items()}
_INDEX = re.compile(r"\[[0-9]+\]")
_LAST = re.compile(r"\.[^.\[\]]+(?=(?:\[\])*\Z)")


@lru_cache(4096)
def ignored(path: str, kind: str = "") -> bool:
    """Whether `path`, in a message of the subprotocol `kind` ("": unknown), is a protocol field."""
    fields = _TABLE[""] | _TABLE.get(_ALSO.get(kind, kind), frozenset())
    pattern = _INDEX.sub("[]", path)
    last = _LAST.search(pattern)
    return path in fields or pattern in fields or (last is not None and f".{last[0]}" in fields)
