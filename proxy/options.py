"""The options of `hushwire run`: one table, from which the command line, its help and its errors are made.

Values stay strings here; proxy/settings parses them, so a fault reads the same from argv and from the environment.
Defaults are written as a user would write them; tests/test_cli.py holds them against Settings. What the options
mean together, and how a fault is told, is in proxy/faults.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated, Any

import typer

TOKEN_VARIABLE = "HUSHWIRE_ADMIN_TOKEN"  # noqa: S105 - the name of it


@dataclass(frozen=True, slots=True)
class Option:
    """`flag` fills `field` of Settings; `--x/--no-x` is a switch; `shown` is the default in the user's words."""

    field: str
    flag: str
    metavar: str
    shown: str
    help: str

    @property
    def name(self) -> str:
        """The flag without its negation."""
        return self.flag.partition("/")[0]

    @property
    def variable(self) -> str:
        """The environment variable that sets it too."""
        return "HUSHWIRE_" + self.name.removeprefix("--").replace("-", "_").upper()

    @property
    def type(self) -> Any:
        """What typer shall make of it; None always means: not given."""
        if not self.metavar:
            return bool | None
        return list[str] | None if self.field in REPEATED else str | None


REPEATED = frozenset({"trusted_proxies", "audit_anchor", "audit_ship"})
"""Options that may be given several times."""


OF_ROUTES = frozenset(
    {
        *("upstream", "rules", "binary", "host_header", "forwarded", "deflate", "upstream_ca"),
        *("max_message", "max_per_address", "max_rate", "connect_timeout", "idle", "lifetime"),
        *("write_stall", "close_timeout"),
    }
)
"""What each route of a --config says for itself; the other options are about the whole process."""

O = Option  # noqa: E741 - a table of 46 rows reads better with a short name
# fmt: off
PANELS: dict[str, tuple[Option, ...]] = {
    "Service": (
        O("upstream", "--upstream", "URL", "",
          "The service to protect: ws://HOST:PORT or wss://HOST/base. Required, unless --config names several."),
        O("listen", "--listen", "HOST:PORT", "127.0.0.1:8080",
          "Where clients connect instead. Port 0 lets the system choose; :8080 means all interfaces."),
        O("workers", "--workers", "N", "1",
          "Processes that share the port. One per CPU core is plenty."),
    ),
    "Rules": (
        O("rules", "--rules", "NAME|FILE", "default",
          "What is personal and what becomes of it: the name of a set that comes along, or your own file."),
        O("ner", "--ner", "MODEL", "off",
          "Language model for names and addresses in prose: rampart, strict, spacy:DIR, gliner:DIR, hf:DIR or off."
          " Needs pip install 'hushwire[ner]'; without it they are found by their JSON keys."),
        O("binary", "--binary", "scan|pass|deny", "scan",
          "Binary messages: look into them, forward them unseen, or refuse them."),
        O("vault", "--vault", "memory|URL", "memory",
          "Where tokens of named scopes keep their values: each worker's memory, or redis://HOST:PORT/0 for all"
          " workers and machines (pip install 'hushwire[redis]'). env:NAME or file:PATH holds the URL."),
        O("vault_ttl", "--vault-ttl", "TIME", "1d",
          "Forget the value of a token that was not used for so long."),
        O("vault_size", "--vault-size", "N", "1000000",
          "Tokens that one worker remembers, about 350 bytes each; then the least used are forgotten."),
    ),
    "Admin": (
        O("admin", "--admin", "HOST:PORT|off", "127.0.0.1:8081",
          "Port for /-/live, /-/ready and /-/metrics. Beyond loopback it needs a token."),
        O("admin_token", "--admin-token-file", "FILE", "",
          f"File with the token that /-/metrics then asks for. {TOKEN_VARIABLE} holds the token itself."),
    ),
    "Audit": (
        O("audit", "--audit", "DIR|off", "this installation's",
          "Where the audit log is kept, without it $XDG_STATE_HOME/hushwire/audit. off: nobody can tell later what"
          " left, what was removed and by which rule."),
        O("audit_level", "--audit-level", "sessions|findings|messages|sanitised", "findings",
          "What is taken down: connections; messages with findings too; every message; and also what left of it."),
        O("audit_durability", "--audit-durability", "async|written|synced", "written",
          "When a message with findings leaves: at once (a kill may cost the events of 10 ms), when its event is"
          " written (a power cut may cost those), or when it is on the disk."),
        O("audit_keep", "--audit-keep", "TIME", "90d",
          "Remove events that are older; 0 keeps all."),
        O("audit_keep_size", "--audit-keep-size", "SIZE", "0",
          "Remove the oldest events beyond so much; 0 sets no limit."),
        O("audit_client", "--audit-client", "fingerprint|network|none", "fingerprint",
          "How events name a client: by a keyed fingerprint of its address, its network (/24, /48), or not."),
        O("audit_key", "--audit-key", "env:NAME|file:PATH", "this installation's",
          "The key that signs the log: 64 hex digits."),
        O("audit_anchor", "--audit-anchor", "WHERE", "",
          "Keep signed checkpoints there too: file:DIR, git:DIR or tsa:URL (RFC 3161). May be repeated."),
        O("audit_ship", "--audit-ship", "URL", "",
          "Ship the log to postgresql://, clickhouse:// or kafka://; env:NAME or file:PATH holds a URL with a"
          " password. May be repeated."),
    ),
    "Handshake": (
        O("host_header", "--host-header", "auto|keep|upstream", "auto",
          "Host sent upstream: the client's own, or the name of the upstream. auto keeps it for ws:// only."),
        O("forwarded", "--forwarded/--no-forwarded", "", "on",
          "Tell the service who called: X-Forwarded-For, -Proto, -Host and Forwarded."),
        O("trusted_proxies", "--trusted-proxy", "CIDR", "",
          "A network whose X-Forwarded-* headers are believed, such as 10.0.0.0/8. May be repeated."),
        O("deflate", "--deflate/--no-deflate", "", "on",
          "Let client and service agree on compression (permessage-deflate)."),
    ),
    "TLS": (
        O("upstream_ca", "--upstream-ca", "FILE", "system",
          "PEM file with the authority that signed the certificate of a wss:// upstream."),
        O("tls_cert", "--tls-cert", "FILE", "",
          "PEM certificate chain; clients then connect with wss://."),
        O("tls_key", "--tls-key", "FILE", "in the chain",
          "PEM key of --tls-cert, if it is not in the same file."),
        O("tls_client_ca", "--tls-client-ca", "FILE", "",
          "PEM file with an authority; clients must then show a certificate that it has signed."),
    ),
    "Limits": (
        O("max_message", "--max-message", "SIZE", "16MiB",
          "Larger messages close the connection with 1009."),
        O("max_connections", "--max-connections", "N", "20000",
          "More clients are answered 503. Each worker counts its own."),
        O("max_per_address", "--max-per-address", "N", "0",
          "The same for one client address; 0 sets no limit."),
        O("max_rate", "--max-rate", "N", "0",
          "Messages per second that one client may send, in bursts of as many; 0 sets no limit."
          " The rest is read later: nothing is lost."),
        O("max_header", "--max-header", "SIZE", "64KiB",
          "All request headers of a handshake together."),
        O("header_timeout", "--header-timeout", "TIME", "10s",
          "For the request headers to arrive."),
        O("connect_timeout", "--connect-timeout", "TIME", "10s",
          "To reach the service and finish its handshake; then 504."),
        O("idle", "--idle", "TIME", "1h",
          "Close when nothing moves in either direction; 0 never does."),
        O("lifetime", "--lifetime", "TIME", "1d",
          "Close however busy it is; 0 never does."),
        O("write_stall", "--write-stall", "TIME", "2m",
          "Drop a peer that reads nothing for so long."),
        O("close_timeout", "--close-timeout", "TIME", "10s",
          "For both sides to finish a close."),
        O("inspect_timeout", "--inspect-timeout", "TIME", "5s",
          "To look at one message; then the connection is closed, the message is not sent."),
        O("inline_bytes", "--inline-bytes", "SIZE", "1KiB",
          "Larger messages are looked at in a thread, so that small ones need not wait."),
        O("max_waiting", "--max-waiting", "N", "64",
          "Large messages that may wait for it; beyond, whoever kept it busiest lately is refused and closed."),
    ),
    "Shutdown": (
        O("drain_wait", "--drain-wait", "TIME", "500ms",
          "After SIGTERM: say not ready, but still accept, so that a load balancer can turn away."),
        O("drain_deadline", "--drain-deadline", "TIME", "10s",
          "Then everybody gets 1012, and so long to answer before the connection is cut."),
    ),
    "Output": (
        O("log_level", "--log-level", "debug|info|warning|error", "info",
          "How much to log. Messages and personal values are never logged."),
    ),
}
# fmt: on
OPTIONS = tuple(option for panel in PANELS.values() for option in panel)
CONFIG = typer.Option(
    "--config",
    metavar="FILE",
    envvar="HUSHWIRE_CONFIG",
    show_envvar=False,
    show_default=False,
    rich_help_panel="Service",
    help="A hushwire.yaml with one or more routes, instead of --upstream. Options win over what it says.",
)
JSON = typer.Option(
    "--json",
    metavar=" ",
    envvar="HUSHWIRE_JSON",
    show_envvar=False,
    show_default=False,
    rich_help_panel="Output",
    help="One JSON object per line on stdout instead of a banner, for scripts.",
)


def signature() -> inspect.Signature:
    """The parameters that typer shall see: one keyword per row of the table, None when it was not given."""
    given = [
        inspect.Parameter(
            option.field,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[option.type, _typer(option, panel)],
        )
        for panel, options in PANELS.items()
        for option in options
    ]
    config = inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, CONFIG]
    )
    as_json = inspect.Parameter(
        "as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, JSON]
    )
    return inspect.Signature([config, *given, as_json])


def _typer(option: Option, panel: str) -> Any:
    return typer.Option(
        option.flag,
        metavar=option.metavar or " ",  # a switch takes no value; typer would write <bool>
        envvar=option.variable,
        show_envvar=False,
        show_default=False,
        rich_help_panel=panel,
        help=f"{option.help} [dim]({option.shown})[/dim]" if option.shown else option.help,
    )
