"""What can stand between client and upstream: nothing, Hushwire, or a proxy that does not look inside.

A front is a context manager that takes the port of the upstream on 127.0.0.1 and gives the address to
connect to. Every process is started here and ended here, by its own id.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from tests.harness import Hushwire
from tests.wire.talk import Address

Front = Callable[[int], AbstractContextManager[Address]]
HERE = "127.0.0.1"

HAPROXY = """
global
    maxconn 200
defaults
    mode http
    option httpclose
    option abortonclose
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel 60s
frontend f
    bind {here}:{port}
    default_backend b
backend b
    server s {here}:{upstream}
"""

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log crit;
events {{ worker_connections 200; }}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    large_client_header_buffers 8 16k;
    server {{
        listen {here}:{port};
        location / {{
            proxy_pass http://{here}:{upstream};
            proxy_http_version 1.1;
            proxy_pass_header Server;
            proxy_pass_header Date;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
        }}
    }}
}}
"""


@contextmanager
def direct(upstream: int) -> Iterator[Address]:
    """Nothing in between: the measure of everything else."""
    yield HERE, upstream


@contextmanager
def hushwire(upstream: int, rules: str = "default", *options: str) -> Iterator[Address]:
    """This proxy, without the headers that tell of it."""
    with Hushwire(f"ws://{HERE}:{upstream}", "--no-forwarded", *options, rules=rules) as proxy:
        yield proxy.host, proxy.port


@contextmanager
def _program(name: str, config: str, command: list[str], upstream: int) -> Iterator[Address]:
    binary = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if binary is None:
        raise FileNotFoundError(f"{name} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        file = Path(folder, "conf")
        file.write_text(config.format(here=HERE, port=port, upstream=upstream, folder=folder))
        process = subprocess.Popen([binary, *command, str(file)], stderr=subprocess.DEVNULL)
        try:
            _wait_for(process, port)
            yield HERE, port
        finally:
            process.terminate()
            process.wait(10)


haproxy: Front = partial(_program, "haproxy", HAPROXY, ["-q", "-f"])
nginx: Front = partial(_program, "nginx", NGINX, ["-c"])


def _free_port() -> int:
    with socket.create_server((HERE, 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HERE, port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"the program did not listen (exit code {process.poll()})")


FRONTS: dict[str, Front] = {
    "direct": direct,
    "hushwire": hushwire,
    "hushwire-pass": partial(hushwire, rules="pass"),
    "haproxy": haproxy,
    "nginx": nginx,
}
