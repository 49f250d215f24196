"""Paths with parameters: `/chat/{room}`. Compared segment by segment, each without its escapes; values only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

Params = Mapping[str, bytes]
"""Path parameters as the client spelt them, escapes and all."""
Segment = tuple[bytes, bytes]
"""One segment of a path, as it was spelt and without its escapes."""

DOTS = (b".", b"..")
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A path with parameters: `/chat/{room}`, `/files/{rest:path}`. A final slash matters to no match."""

    segments: tuple[str, ...]
    """Literals with their escapes, and names of parameters in braces."""
    tail: str | None = None
    """The parameter that takes all segments behind these, none too."""
    slash: bool = False
    literals: tuple[bytes | None, ...] = ()
    """The segments without escapes; None for parameters."""

    @property
    def names(self) -> list[str]:
        """Of all parameters."""
        named = [segment[1:-1] for segment in self.segments if segment[0] == "{"]
        return named if self.tail is None else [*named, self.tail]

    def match(self, path: Sequence[Segment]) -> Params | None:
        """The parameters of a path taken apart by `segments_of`; None if it is another path."""
        length = len(self.literals)
        if len(path) < length or (self.tail is None and len(path) > length):
            return None
        for literal, (_, plain) in zip(self.literals, path, strict=False):
            if plain != literal if literal is not None else not plain:
                return None
        params = {
            name[1:-1]: spelt
            for name, literal, (spelt, _) in zip(self.segments, self.literals, path, strict=False)
            if literal is None
        }
        if self.tail is not None:
            params[self.tail] = b"/".join(spelt for spelt, _ in path[length:])
        return params

    def folded(self) -> Template:
        """The same for paths in lower case."""
        return replace(self, literals=tuple(literal and literal.lower() for literal in self.literals))

    def fill(self, params: Params) -> bytes:
        """The path with these parameters, spelt as they came: a segment stays one segment."""
        parts = [params[part[1:-1]] if part[0] == "{" else part.encode() for part in self.segments]
        if self.tail is not None:
            parts.append(params[self.tail])
        return b"/" + b"/".join(parts) + (b"/" if self.slash and parts else b"")

    def __str__(self) -> str:
        parts = [*self.segments, *([] if self.tail is None else [f"{{{self.tail}:path}}"])]
        return "/" + "/".join(parts) + ("/" if self.slash and parts else "")


def parse_template(text: str) -> Template:
    """Raises ValueError with the cure."""
    if not text.startswith("/"):
        raise ValueError("a path starts with '/', for example /chat/{room}")
    if "?" in text or "#" in text or re.search(r"[\x00-\x20\x7f]", text):
        raise ValueError("a path has no query, no fragment and no blanks; write them percent-encoded")
    parts = text[1:].split("/")
    slash = parts[-1] == "" and len(parts) > 1
    if parts[-1] == "":
        parts.pop()
    tail = None
    for index, part in enumerate(parts):
        match = _PARAMETER.fullmatch(part)
        if match is None and ("{" in part or "}" in part):
            raise ValueError(
                "a parameter is a whole segment: /chat/{room}, or /files/{rest:path} for all the rest"
            )
        if match and match[2]:
            if index < len(parts) - 1:
                raise ValueError(f"{part} takes all segments that follow, so it stands last")
            tail = match[1]
        if not part or unquote_to_bytes(part) in DOTS:
            raise ValueError("a path has no empty segments and none of dots")
    if tail is not None:
        parts.pop()
    literals = tuple(None if part[0] == "{" else unquote_to_bytes(part) for part in parts)
    template = Template(tuple(parts), tail, slash, literals)
    if len(set(template.names)) < len(template.names):
        raise ValueError("a parameter stands in a path once")
    return template


def segments_of(path: bytes) -> list[Segment]:
    """The segments of a raw path, without an empty one at its end."""
    segments = path.removeprefix(b"/").split(b"/")
    if segments[-1] == b"":
        segments.pop()
    return [(part, unquote_to_bytes(part)) for part in segments]
