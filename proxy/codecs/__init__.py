"""Where the texts are in a payload, and how new text goes back. Pure: bytes in, leaves or bytes out.

Each codec is a `Codec` (proxy/core/plugs.py) without state. What personal data is, and what is done about
it, is not known here. Whatever a codec cannot take apart it offers as text: nothing goes by unseen.
"""

from __future__ import annotations

import re

from proxy.codecs.jsontext import Json
from proxy.codecs.opaque import Opaque
from proxy.codecs.text import Text
from proxy.core.message import Kind
from proxy.core.plugs import Codec

TEXT, JSON, OPAQUE = Text(), Json(), Opaque()

CODECS: dict[str, Codec] = {codec.name: codec for codec in (TEXT, JSON, OPAQUE)}

_LIKE_JSON = re.compile(rb'(?:\xef\xbb\xbf)?[ \t\n\r]*["\[{]').match
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").search


def choose(kind: Kind, payload: bytes) -> Codec:
    """The codec of a payload (a `Choose`): by its first character, and for BINARY by whether it is text at all.

    Libraries do send JSON in binary messages. But an MQTT packet of short strings is valid UTF-8 as well,
    with lengths in it that must stay true, so BINARY with control characters is opaque.
    """
    if kind is Kind.BINARY and not _is_text(payload):
        return OPAQUE
    return JSON if _LIKE_JSON(payload) else TEXT


def _is_text(payload: bytes) -> bool:
    if _CONTROL(payload):
        return False
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
