"""Ask a running proxy through its side door whether it is ready.

Containers ask every few seconds, so this loads neither an HTTP client nor any room of the proxy.
"""

from __future__ import annotations

import http.client
import json

from proxy.settings import Address, parse_address

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on, but not to be dialled


def ask(admin: str, timeout: float) -> tuple[bool, str]:
    """Whether the proxy behind the admin address is ready within `timeout` seconds, and a line to print."""
    if admin == "off":
        return False, "unknown: the admin port is off, so there is no door to ask at"
    try:
        address: Address = parse_address(admin)
    except ValueError as error:
        return False, f"unknown: {error}"
    host = EVERYWHERE.get(address.host, address.host)
    connection = http.client.HTTPConnection(host, address.port, timeout=timeout)
    try:
        connection.request("GET", "/-/ready")
        answer = connection.getresponse()
        return told(answer.status, answer.read(65536))
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return False, f"unreachable: {address}: {reason}; is hushwire running with --admin {address}?"
    finally:
        connection.close()


def told(status: int, body: bytes) -> tuple[bool, str]:
    """The answer of /-/ready in words. Only 200 with `ready` counts: the port may be somebody else's."""
    try:
        answer = json.loads(body)
        word, because = answer["status"], answer.get("because", [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return False, f"unknown: what answered (HTTP {status}) is not hushwire"
    if status == http.client.OK and word == "ready":
        return True, "ready"
    return False, f"not ready: {'; '.join(map(str, because)) or f'HTTP {status}'}"
