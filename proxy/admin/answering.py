"""The process that reads the audit for the admin port: asked by a line of JSON on its standard input, it answers
in pieces on its standard output (asking.py), and ends when there is no more input.

What goes wrong becomes an answer too: a status and a sentence. It runs at a lower priority, and holds no keys.
"""

from __future__ import annotations

import json
import os
import select
import sqlite3
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from proxy.admin.asking import HEAD
from proxy.admin.live import tail
from proxy.admin.lookups import Asking, Lookups, NoAnswerError, Said, question_of
from proxy.audit.blocks import SegmentError
from proxy.audit.events import encode
from proxy.audit.reading.following import ChangedError
from proxy.audit.reading.index import NoIndexError
from proxy.audit.reading.question import Asked

NICE = 10
POLL = 0.25  # seconds between two looks at the logs

Write = Callable[[bytes], object]


def main() -> None:
    """`DIRECTORY` is the audit's."""
    os.nice(NICE)
    with os.fdopen(0, "rb", buffering=0) as asked, os.fdopen(1, "wb") as out:

        def write(data: bytes) -> None:
            out.write(data)
            out.flush()

        try:
            serve(Path(sys.argv[1]), asked.readline, write)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)  # whoever asked does not listen any more; what is buffered has no reader


def serve(directory: Path, ask: Callable[[], bytes], write: Write) -> None:
    """Answer what is asked until there is nothing more, or somebody wants to be told what comes."""
    lookups = Lookups(directory)
    while line := ask():
        asking: Asking = json.loads(line)
        if asking["ask"] == "tail":
            _tail(directory, asking, write)
            return
        status, said = answered(lookups, asking)
        put(write, status, said)


def answered(lookups: Lookups, asking: Asking) -> tuple[HTTPStatus, Said]:
    """The answer, whatever happens."""
    try:
        return HTTPStatus.OK, lookups.answers[asking["ask"]](asking)
    except NoAnswerError as error:
        return error.status, Said({"detail": str(error)})
    except SegmentError as error:
        sentence = f"the log cannot be read: {error}; hushwire audit verify says more"
    except NoIndexError as error:
        sentence = str(error)
    except sqlite3.Error as error:
        sentence = (
            f"the index of the audit cannot be read ({type(error).__name__}); hushwire audit index makes it anew"
        )
    except OSError as error:
        sentence = f"the audit cannot be read ({error.strerror or type(error).__name__})"
    return HTTPStatus.INTERNAL_SERVER_ERROR, Said({"detail": sentence})


def put(write: Write, status: HTTPStatus, said: Said) -> None:
    """One piece, as asking.py reads it."""
    body = said.body if isinstance(said.body, bytes) else encode(said.body)
    write(HEAD.pack(len(body), status, said.events) + body)


def _tail(directory: Path, asking: Asking, write: Write) -> None:
    behind = asking["behind"]
    after = None if behind is None else {int(log): seq for log, seq in behind.items()}

    def send(text: bytes, count: int) -> None:
        put(write, HTTPStatus.OK, Said(text, count))

    try:
        tail(directory, Asked(question_of(asking)), after, send, _nobody_listens)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except (SegmentError, ChangedError, OSError) as error:
        said = json.dumps(f"the log cannot be followed ({type(error).__name__}); hushwire audit verify says more")
        send(f"event: error\ndata: {said}\n\n".encode(), 0)


def _nobody_listens() -> bool:
    """Wait a moment. More input would be its end: nothing else is asked of a tail."""
    return bool(select.select([0], [], [], POLL)[0])


if __name__ == "__main__":
    main()
