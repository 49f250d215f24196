"""asgiproxy as its README shows it, with aiohttp's limit of 100 connections per session lifted."""

from __future__ import annotations

import aiohttp
from asgiproxy.config import BaseURLProxyConfigMixin, ProxyConfig
from asgiproxy.context import ProxyContext
from asgiproxy.simple_proxy import make_simple_proxy_app

from benchmarks.peers.serve import serve, upstream_port

PORT = upstream_port()


class Config(BaseURLProxyConfigMixin, ProxyConfig):
    """Everything goes to the one upstream."""

    upstream_base_url = f"ws://127.0.0.1:{PORT}"
    rewrite_host_header = f"127.0.0.1:{PORT}"


class Context(ProxyContext):
    """Its session would queue the 101st connection for ever."""

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session, made on first use (it needs a running loop)."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


if __name__ == "__main__":
    serve(make_simple_proxy_app(Context(Config())))
