"""What is secret in a URL: the password before the host (RFC 3986 section 3.2.1), or a token in its place.

URLs themselves are no personal data and are not found. E-mails in their queries are found by email.py, tokens with
a known form or a telling name (`?access_token=`) by secrets.py. A user without a password is not found either: in
`ssh://git@host` it is the same for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline
from proxy.detect.recognizers.secrets import random

_LONGEST = 512  # characters of user and password together
_end = re.compile(r"[\s/?#\"'<>\\`|]")
# What stands for a password in templates and logs.
_template = re.compile(
    r"\$\{[^}]*\}|\$(?-i:[A-Z_]+)|\{+[^{}]*\}+|%(?-i:[A-Z_]+)%|%s|\*+|x+|\.+|\[\w+\]|\(\w+\)|\u2022+",
    re.IGNORECASE,
)
_is_random = random(3.0)


class UserInfo:
    """`bob:secret` in `scheme://bob:secret@host`, with 0.9; a token that stands alone there as well."""

    name = "url-password"
    entity = "SECRET"
    triggers: tuple[str, ...] = (r"://[^\s/?#\"'<>]{1,512}@",)
    before = _LONGEST + 3
    after = 1

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """One finding for every `@` in the window that ends a user-info worth hiding."""
        if threshold > 0.9:
            return
        at = text.find("@", start, end)
        while at >= 0:
            deadline.left()
            scheme = text.rfind("://", max(0, at - _LONGEST), at)
            if scheme > 0 and text[scheme - 1].isalnum() and _is_secret(text[scheme + 3 : at]):
                yield Finding(self.entity, scheme + 3, at, 0.9, self.name)
            at = text.find("@", at + 1, end)


def _is_secret(info: str) -> bool:
    if _end.search(info):
        return False
    user, colon, password = info.partition(":")
    if colon:
        return password != "" and _template.fullmatch(password) is None
    return len(user) >= 16 and _is_random(user)
