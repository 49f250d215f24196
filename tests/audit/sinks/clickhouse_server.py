"""ClickHouse's own engine (chdb) behind as much of the HTTP interface as the client needs. Its user is
hushwire:secret.

    python -m tests.audit.sinks.clickhouse_server FOLDER PORT
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import lz4.frame
from chdb.session import Session

LET_IN = "Basic aHVzaHdpcmU6c2VjcmV0"
SETTINGS = ("async_insert", "insert_deduplication_token")


def frames(data: bytes) -> Iterator[bytes]:
    """One LZ4 frame follows the other."""
    while data:
        decompressor = lz4.frame.LZ4FrameDecompressor()
        yield decompressor.decompress(data)
        data = decompressor.unused_data or b""


class Door(BaseHTTPRequestHandler):
    """Answers one request after the other."""

    protocol_version = "HTTP/1.1"
    folder: Path
    session: Session

    def do_POST(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        body = self.body()
        if self.headers["Content-Encoding"] == "lz4":
            body = b"".join(frames(body))
        if self.headers["Authorization"] != LET_IN:
            return self.answer(b"Code: 516. DB::Exception: hushwire: who is that? (AUTHENTICATION_FAILED)")
        query = asked["query"].encode() + b"\n" + body if "query" in asked else body
        try:
            return self.answer(self.run(query, asked))
        except Exception as error:
            return self.answer(str(error).encode())

    def body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def run(self, query: bytes, asked: dict[str, str]) -> bytes:
        given = ", ".join(f"{name} = '{asked[name]}'" for name in SETTINGS if name in asked)
        insert, _, data = query.partition(b" FORMAT Native\n")
        if insert.startswith(b"INSERT"):
            file = self.folder / "native"
            file.write_bytes(data)
            return self.session.query(
                f"{insert.decode()} FROM INFILE '{file}' SETTINGS {given} FORMAT Native"
            ).bytes()
        asked_native = query.rstrip().endswith(b"FORMAT Native")
        text = query.decode().rstrip().removesuffix("FORMAT Native")
        return self.session.query(text, "Native" if asked_native else "TabSeparated").bytes()

    def answer(self, body: bytes) -> None:
        wrong = re.match(rb"Code: (\d+)\.", body)
        self.send_response(500 if wrong else 200)
        if wrong:
            self.send_header("X-ClickHouse-Exception-Code", wrong[1].decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    Door.folder = Path(sys.argv[1])
    Door.session = Session(str(Door.folder / "data"))
    HTTPServer(("127.0.0.1", int(sys.argv[2])), Door).serve_forever()
