"""nginx as a WebSocket proxy: one worker, Upgrade headers, defaults otherwise. Becomes nginx by exec."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from benchmarks.peers.serve import announce, bind, upstream_port

CONFIG = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 32768; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_read_timeout 600s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;
    }}
  }}
}}
"""


def main() -> None:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.exit("nginx is not installed")
    folder = Path(sys.argv[2]) / "nginx"
    folder.mkdir(exist_ok=True)
    with bind() as probe:  # nginx cannot tell which free port it was given, so one is found for it
        port = probe.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, upstream=upstream_port()))
    announce(port)
    os.execv(program, [program, "-e", "stderr", "-p", str(folder), "-c", str(config)])


if __name__ == "__main__":
    main()
