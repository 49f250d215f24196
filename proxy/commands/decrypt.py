"""`hushwire decrypt`: the values behind tokens of the operator `encrypt`, wherever these went.

Prints personal data, which is what it is for. Exit codes: 0 ok, 1 some tokens were left, 2 usage or no key.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.commands.say import stop

if TYPE_CHECKING:
    from proxy.pseudonyms.cipher import Cipher, Decrypted


def decrypt(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="Text or JSON; - or nothing reads it from stdin.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="env:NAME|file:PATH", help="The key of the rule; without it that of this installation."
        ),
    ] = None,
) -> None:
    """Decrypt every \\[enc:v1:...] in a text or in JSON, also escaped, and leave everything else as it is.

    What another key has made is left too: then it says how many, and exits with 1.
    """
    from proxy.pseudonyms.cipher import Decrypted

    cipher = _cipher(key)
    payload = sys.stdin.buffer.read() if text in (None, "-") else str(text).encode(errors="surrogateescape")
    try:
        done = [_opened(part, cipher) for part in _parts(payload)]
    except ValueError:
        stop("this is not UTF-8", code=1)
    all_of_it = Decrypted(
        b"".join(one.payload for one in done), sum(d.opened for d in done), sum(d.left for d in done)
    )
    typer.echo(all_of_it.payload, nl=text not in (None, "-"))
    if all_of_it.left:
        stop(f"{all_of_it.opened} decrypted, {all_of_it.left} left: this is not their key", code=1)


def _cipher(reference: str | None) -> Cipher:
    """Exit 2 if there is no such key: one that is made now would open nothing."""
    from proxy.pseudonyms.cipher import KEY_SIZE, Cipher
    from proxy.pseudonyms.keys import ENCRYPT, KeyRing, own_file

    if reference is not None and not re.match("(?:env|file):.", reference):
        stop("--key: a key is only named here: env:NAME for a variable, file:PATH for a file", code=2)
    if reference is None and not own_file().exists():
        stop(f"there is no key of this installation ({own_file()}); say --key env:NAME or --key file:PATH", code=2)
    try:
        return Cipher(KeyRing.installed().key(reference, Path(), ENCRYPT, KEY_SIZE))
    except ValueError as error:
        stop(f"--key: {error}", code=2)


def _parts(payload: bytes) -> list[bytes]:
    """One JSON document, or lines that may each be one: a token is spelt as its own line needs it."""
    try:
        json.loads(payload)
    except (ValueError, RecursionError):
        return payload.splitlines(keepends=True)
    return [payload]


def _opened(payload: bytes, cipher: Cipher) -> Decrypted:
    from proxy.codecs import choose
    from proxy.core.message import Kind
    from proxy.pseudonyms.cipher import decrypt

    return decrypt(payload, choose(Kind.TEXT, payload), cipher)
