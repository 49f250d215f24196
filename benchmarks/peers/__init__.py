"""What is measured: a name for each proxy, and the command that runs it in front of an upstream.

Every command prints {"event": "ready", "listen": "127.0.0.1:PORT", "pid": N} on stdout, as hushwire does.
The modules of this folder are whole programs, one per peer, and import nothing of hushwire.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.proc import python

MODULES = ("pipe", "nginx", "picows", "textbook", "asgiproxy", "fastapi_reverse_proxy")
RULES = ("pass", "default")
NAMES = ("pipe", "nginx", "picows", *(f"hushwire-{rules}" for rules in RULES), *MODULES[3:])
FILTERS = frozenset({"hushwire-default"})  # those that are to change a message with personal data
DEFLATES = frozenset(
    {"hushwire-pass", "hushwire-default", "textbook"}
)  # those that look inside permessage-deflate


def command(name: str, upstream: int, folder: Path) -> list[str]:
    """How to run `name` before the upstream at port `upstream`; `folder` is for its scratch files."""
    if name in MODULES:
        return python(f"benchmarks.peers.{name}", str(upstream), str(folder))
    rules = name.removeprefix("hushwire-")
    ours = ["run", "--json", "--upstream", f"ws://127.0.0.1:{upstream}", "--rules", rules]
    return python("proxy", *ours, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
