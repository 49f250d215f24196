"""Clean messages of programmers' tools: notebooks, language servers, logs, metrics, builds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.corpus.ids import Ids, dumps, one


def _jupyter(i: Ids, kind: str, content: dict[str, Any]) -> Any:
    """A message of the kernel protocol, version 5.3; `username` is the word that clients write there."""
    header = {"msg_id": f"{i.uuid()}_{i.digits(5)}_{i.digits(3)}", "session": i.uuid(), "username": "username"}
    header |= {"date": i.iso(), "msg_type": kind, "version": "5.3"}
    parent = {"msg_id": i.hex(32)}
    return {
        "header": header,
        "parent_header": parent,
        "metadata": {},
        "content": content,
        "channel": "iopub",
        "buffers": [],
    }


JUPYTER: tuple[Callable[[Ids], Any], ...] = (
    lambda i: _jupyter(i, "status", {"execution_state": "idle"}),
    lambda i: _jupyter(
        i, "stream", {"name": "stdout", "text": f"epoch {i.randrange(90)}: loss={i.number(0, 2, 6)}, lr=3e-4\n"}
    ),
    lambda i: _jupyter(
        i,
        "execute_request",
        {
            "code": f"import numpy as np\n\n@np.vectorize\ndef f(x):\n    return x @ x.T / {i.digits(10)}",
            "silent": False,
        },
    ),
    lambda i: _jupyter(
        i,
        "display_data",
        {"data": {"image/png": "iVBORw0KGgo" + i.base64(120), "text/plain": "<Figure size 640x480 with 1 Axes>"}},
    ),
    lambda i: _jupyter(
        i,
        "execute_result",
        {
            "data": {"text/plain": "\n".join(f"{n}  {i.price()}  {i.day()}  {i.digits(9)}" for n in range(5))},
            "execution_count": 7,
        },
    ),
    lambda i: _jupyter(
        i,
        "error",
        {"ename": "KeyError", "evalue": i.digits(10), "traceback": ["\x1b[0;31mKeyError\x1b[0m: " + i.digits(7)]},
    ),
)


def _lsp(method: str, params: Any) -> Any:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def _range(i: Ids) -> Any:
    line = i.randrange(900)
    return {"start": {"line": line, "character": i.randrange(80)}, "end": {"line": line + 1, "character": 0}}


LSP: tuple[Callable[[Ids], Any], ...] = (
    lambda i: _lsp(
        "textDocument/publishDiagnostics",
        {
            "uri": "file:///workspace/src/net/socket%402.ts",
            "version": i.whole(3),
            "diagnostics": [
                {
                    "range": _range(i),
                    "severity": 1,
                    "code": f"TS{i.digits(4)}",
                    "message": "Cannot find name 'foo'.",
                }
            ],
        },
    ),
    lambda i: {
        "jsonrpc": "2.0",
        "id": i.whole(5),
        "result": {"data": [i.randrange(60) for _ in range(40)], "resultId": i.digits(4)},
    },
    lambda i: _lsp(
        "textDocument/didChange",
        {
            "textDocument": {"uri": "file:///workspace/style.css", "version": i.whole(4)},
            "contentChanges": [
                {"range": _range(i), "text": f"@import url(a@3x.css);\n.b {{ color: {i.color()} }}\n"}
            ],
        },
    ),
    lambda i: {
        "jsonrpc": "2.0",
        "id": i.uuid(),
        "error": {"code": -32_601, "message": "Method not found: workspace/foo@2"},
    },
    lambda i: _lsp("$/progress", {"token": i.uuid(), "value": {"kind": "report", "percentage": i.randrange(100)}}),
    lambda i: _lsp(
        "tools/call", {"name": "read_file", "arguments": {"path": f"/repo/{i.file()}", "line": i.whole(3)}}
    ),
    lambda i: {
        "id": i.whole(4),
        "method": "Network.responseReceived",
        "params": {"requestId": f"{i.digits(5)}.{i.digits(3)}", "etag": i.etag()},
    },
)

LOGS: tuple[Callable[[Ids], str], ...] = (
    lambda i: f"{i.iso()} INFO http: GET /v2/items/{i.digits(6)}?page=2 200 {i.randrange(900)}ms req={i.uuid()}",
    lambda i: f"{i.day()} 08:15:30,{i.digits(3)} WARN [worker-{i.randrange(40)}] retry 3/5, offset={i.digits(9)}",
    lambda i: dumps(
        i, {"level": 30, "time": i.ms(), "pid": i.whole(5), "hostname": i.host(), "msg": f"took {i.digits(4)} us"}
    ),
    lambda i: f"  at f (/app/dist/server@{i.semver()}.js:{i.digits(3)}:{i.digits(2)})\n  at node:internal/run:14",
    lambda i: dumps(
        i,
        {
            "stream": {"app": "web", "pod": f"web-{i.hex(9)}-{i.hex(5)}"},
            "values": [[str(i.ns()), f"cache miss {i.hex(32)}"]],
        },
    ),
    lambda i: f"kernel: [{i.digits(5)}.{i.digits(6)}] usb 1-1.4: new device, idVendor={i.hex(4)}, bcdDevice= 2.00",
    lambda i: (
        f"SHA256:{i.base64(32).rstrip('=')} and MD5:{':'.join(i.hex(2) for _ in range(16))} host key of {i.host()}"
    ),
    lambda i: f"oom-killer: pid {i.digits(5)}, rss {i.digits(9)}, sp 0x{i.hex(16)}, ip 0x{i.hex(16)}",
    lambda i: dumps(
        i,
        {
            "traceparent": f"00-{i.hex(32)}-{i.hex(16)}-01",
            "baggage": f"build={i.semver()}",
            "idempotencyKey": i.uuid(),
        },
    ),
    lambda i: f'requests_total{{code="200",method="get"}} {i.digits(10)} {i.ms()}\nstart_seconds {i.fraction()}',
)

BUILDS: tuple[Callable[[Ids], Any], ...] = (
    lambda i: {
        "job": i.whole(10),
        "pipeline": i.whole(9),
        "ref": "refs/heads/main",
        "sha": i.sha(),
        "state": "success",
        "title": i.package(),
    },
    lambda i: {
        "hmr": {
            "type": "update",
            "updates": [{"path": "/src/App@2.vue", "timestamp": i.ms(), "acceptedPath": i.url()}],
        }
    },
    lambda i: {
        "layer": f"sha256:{i.hex(64)}",
        "size": i.whole(8),
        "created": i.iso(),
        "image": f"web:{i.semver()}",
        "port": i.port(),
    },
    lambda i: {"deps": {f"pkg-{n}": f"^{i.semver()}" for n in range(5)}, "integrity": f"sha512-{i.base64(64)}"},
    lambda i: {
        "rollout": i.number(0, 100),
        "flags": {"new-address-form": True, "card-v2": False, "ssn_field": "off"},
        "etag": i.etag(),
    },
    lambda i: {
        "arn": f"arn:aws:s3:::bucket-{i.hex(8)}",
        "resourceVersion": i.digits(10),
        "nextToken": i.base64(40),
        "location": "rack 4",
    },
    lambda i: json.loads(
        dumps(
            i,
            {
                "a": [[i.whole(9)] * 3, {"b": i.sha(12)}],
                "passwordRequired": True,
                "password": None,
                "secret": False,
            },
        )
    ),
)

KINDS: dict[str, Callable[[Ids], str]] = {
    "jupyter": lambda i: dumps(i, one(i, JUPYTER)),
    "lsp": lambda i: dumps(i, one(i, LSP)),
    "logs": lambda i: str(one(i, LOGS)),
    "builds": lambda i: dumps(i, one(i, BUILDS)),
}
