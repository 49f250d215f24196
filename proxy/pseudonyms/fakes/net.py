"""Surrogates of addresses in networks: from what is set aside for examples, so that they lead to nobody."""

from __future__ import annotations

import re

from proxy.pseudonyms.fakes.draw import Draw
from proxy.pseudonyms.fakes.shape import shaped

DOMAINS = ("example.com", "example.org", "example.net")  # RFC 2606 section 3
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")  # RFC 5737
SHORTEST = 8  # letters and digits of a local part; of shorter ones there are too few to tell people apart

_EMAIL = re.compile(r"([^@\s<>]+)@([^@\s<>]+)")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(/[0-9]{1,2})?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\w+|/[0-9]{1,3})?")
_HEX = re.compile(r"[0-9A-Fa-f]{2}")


def email(text: str, draw: Draw) -> str | None:
    """A local part of the same shape, with digits behind it where it is short, at a domain for examples."""
    out, done = [], 0
    for found in _EMAIL.finditer(text):
        short = SHORTEST - sum(char.isalnum() for char in found[1])
        local = shaped(found[1], draw) + draw.digits(max(0, short))
        domain = draw.pick(DOMAINS)
        out += [
            shaped(text[done : found.start()], draw),
            local,
            "@",
            domain.upper() if found[2].isupper() else domain,
        ]
        done = found.end()
    return "".join([*out, shaped(text[done:], draw)]) if out else None


def ip(text: str, draw: Draw) -> str | None:
    """From the networks for documentation: RFC 5737, and 2001:db8::/32 of RFC 3849."""
    if found := _IPV4.fullmatch(text):
        return f"{draw.pick(NETWORKS)}.{1 + draw.below(254)}{found[1] or ''}"
    if found := _IPV6.fullmatch(text):
        groups = ":".join(f"{1 + draw.below(0xFFFF):x}" for _ in range(6))
        return f"2001:db8:{groups}{(found[1] or '').partition('%')[0]}"
    return None


def mac(text: str, draw: Draw) -> str | None:
    """Administered locally (IEEE 802, the second bit of the first byte), so of no maker's."""
    if len(_HEX.findall(text)) != 6:
        return None
    octets = iter(["02", *(f"{draw.below(256):02x}" for _ in range(5))])
    fake = _HEX.sub(lambda _: next(octets), text)
    return fake.upper() if text.isupper() else fake
