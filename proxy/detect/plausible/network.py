"""Where somebody is reached in a network: addresses of mail, of hosts and of devices.

A loose form is enough below a key that says what it is: `bob@localhost` is an address of mail there, and an IP
address may stand beside a port or in a list.
"""

from __future__ import annotations

import re
from ipaddress import ip_address


def email(text: str) -> bool:
    return re.fullmatch(r"[^\s@]{1,64}@[^\s@]{1,255}", text) is not None or (
        re.search(r"<[^\s@]+@[^\s@]+>", text) is not None
    )


def ip(text: str) -> bool:
    """One address, or several as in X-Forwarded-For; a port, a prefix length or a zone may follow."""
    return all(_ip(part.strip()) for part in text.split(","))


def _ip(text: str) -> bool:
    for host in (text, text.rpartition(":")[0].strip("[]"), text.partition("/")[0]):
        try:
            ip_address(host)
        except ValueError:
            continue
        return True
    return False


def mac(text: str) -> bool:
    found = re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:. -]?){5}[0-9A-Fa-f]{2}(?:[:-]?[0-9A-Fa-f]{2}){0,2}", text)
    return found is not None or re.fullmatch(r"(?:[0-9A-Fa-f]{4}[.-]){2}[0-9A-Fa-f]{4}", text) is not None
