"""E-mail addresses: any domain, also those that no public list knows (`bob@corp.internal`, `root@localhost`).

Every `@` is looked at on its own: the local part is what stands left of it, at most 64 characters, the domain what
stands right, at most 255 (RFC 5321 section 4.5.3.1). No backtracking, so the time is linear in the text, and what
is found at one `@` does not depend on the others.

Left alone on purpose, although some are formally addresses: user-info in URLs (`ssh://bob@host`, see url.py), the
remotes of version control (`git@github.com:org/repo`), Matrix ids (`@bob:example.org`: a name, not a mailbox),
handles, versions (`lodash@4.17.21`), pixel densities (`icon@2x.png`), one-word domains but `localhost`
(`btcusdt@trade`). A Fediverse handle (`@bob@example.social`) is found: it names one person and has a domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

from proxy.core.finding import Finding
from proxy.detect.deadline import Deadline

_LOCAL, _DOMAIN = 64, 255
_SIGNS = ("@", "%40")  # the second where a query is looked at as it was sent
_LOOKBACK = 3 * _LOCAL  # for the `//user:` before what would be a local part

# atext of RFC 5322 without what is a delimiter wherever addresses are really written: ? & { | } and the backtick.
_before = regex.compile(r"(?r)[\w\p{M}.!#$%'*+\-/=^~]+")
_quoted = regex.compile(r'(?r)(?<!\\)"(?:[^"\\\r\n]|\\.)*"')
_host = regex.compile(r"[\w\p{M}\u00b7\u200c\u200d\-.\u3002]+")
_top = regex.compile(r"[^\W\d_](?:[\w\p{M}-]*[\p{M}\w--_])", regex.V1)
_literal = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-fA-F:.]{2,45})\]", re.IGNORECASE)

# The same for texts that are ASCII: `regex` takes 0.5 us a match, `re` a third of that.
_ATEXT = "".join(char for char in map(chr, range(128)) if _before.fullmatch(char))
_ascii_host = re.compile(r"[\w.\-]+", re.ASCII)
_ascii_top = re.compile(r"[A-Za-z][\w\-]*[A-Za-z0-9]", re.ASCII)

_version = re.compile(r"v?\d+(?:\.\d+)+(?:$|-|\.[^.]*$)|v?\d+\.x\b", re.IGNORECASE)
_density = re.compile(r"\d+(?:\.\d+)?x(?:~\w+)?\.\w+", re.IGNORECASE)
_query = re.compile(r"[A-Za-z_][\w.\[\]-]*=")  # `email=bob@example.org`
_not_user = re.compile(r"[\s/?#@]")
_wide = re.compile(r"[\u2e80-\ud7ff\uf900-\uffef]+")  # scripts written without spaces between words
_ROBOTS = frozenset({"git", "hg", "svn"})
# Last labels of file and unit names; none of them is a top-level domain.
_FILES = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "avif",
        "bmp",
        "ico",
        "heic",
        "css",
        "js",
        "jsx",
        "ts",
        "tsx",
        "vue",
        "svelte",
        "mjs",
        "json",
        "html",
        "htm",
        "xml",
        "yml",
        "yaml",
        "toml",
        "txt",
        "log",
        "csv",
        "pdf",
        "exe",
        "dll",
        "tar",
        "gz",
        "tgz",
        "bz2",
        "xz",
        "whl",
        "jar",
        "java",
        "cpp",
        "hpp",
        "rb",
        "wasm",
        "mp3",
        "mp4",
        "wav",
        "lock",
        "service",
        "socket",
        "timer",
        "target",
        "slice",
    ]
)


class Email:
    """Addresses as mail knows them, with 1.0."""

    name = "email"
    entity = "EMAIL_ADDRESS"
    # No more of the host: counting its letters would take longer than looking at what is none.
    triggers: tuple[str, ...] = (r"[\w\"!#$%'*+\-/=^~.](?:@|%40)[\w\-\[]",)
    before = _LOOKBACK + 3
    after = _DOMAIN + 5

    def find(self, text: str, start: int, end: int, threshold: float, deadline: Deadline) -> Iterator[Finding]:
        """One finding for every `@` in the window that stands in an address."""
        for sign in _SIGNS:
            at = text.find(sign, start, end)
            while at >= 0:
                deadline.left()
                place = _address(text, at, at + len(sign))
                if place is not None and threshold <= 1.0:
                    yield Finding(self.entity, *place, 1.0, self.name)
                at = text.find(sign, at + 1, end)


def _address(text: str, at: int, after: int) -> tuple[int, int] | None:
    """Where the address round `text[at:after]` starts and ends, or None."""
    if at == 0:
        return None
    end = _domain_end(text, after)
    if end == after:
        return None
    if text[at - 1] == '"':
        quoted = _quoted.match(text, max(0, at - _LOCAL - 2), at)
        return (quoted.start(), end) if quoted and quoted.end() - quoted.start() > 2 else None
    start = _local_start(text, at)
    if start == at or _is_url(text, start) or _is_remote(text, start, at, end):
        return None
    return start, end


def _local_start(text: str, at: int) -> int:
    """Where the local part that ends at `at` starts; `at` if there is none."""
    if text.isascii():
        reach = text[max(0, at - _LOCAL) : at]
        local = reach[len(reach.rstrip(_ATEXT)) :]
    else:
        run = _before.match(text, max(0, at - _LOCAL), at)
        local = run.group() if run else ""
    if not local:
        return at
    if local.startswith("/") or "//" in local:  # a path, or what follows one
        local = local[local.rfind("/") + 1 :]
    local = local[local.rfind("...") + 3 :] if "..." in local else local
    query = _query.match(local)
    if query:
        local = local[query.end() :]
    if not local.isascii():
        local = _one_script(local, last=True)
    return at - len(local.lstrip("!#$%'*+-/=^~."))


def _domain_end(text: str, after: int) -> int:
    """Where the domain that starts at `after` ends; `after` if it is none."""
    if text[after : after + 1] == "[":
        literal = _literal.match(text, after)
        return literal.end() if literal else after
    run = (_ascii_host if text.isascii() else _host).match(text, after, after + _DOMAIN)
    if run is None:
        return after
    host: str = run.group() if text.isascii() else _one_script(run.group(), last=False)
    if host[0] in ".-\u3002" or ((host[0] in "vV" or host[0].isdecimal()) and _is_version(host)):
        return after
    labels = host.replace("\u3002", ".").split(".")
    if "" in labels:
        del labels[labels.index("") :]
    while labels and not _is_top(labels[-1].rstrip("-_")):
        labels.pop()
    if not labels or (len(labels) == 1 and labels[0].lower().rstrip("-_") != "localhost"):
        return after
    return after + len(".".join(labels).rstrip("-_"))


def _is_version(host: str) -> bool:
    return _version.match(host) is not None or _density.match(host) is not None


def _is_top(label: str) -> bool:
    top = _ascii_top if label.isascii() else _top
    return len(label) > 1 and top.fullmatch(label) is not None and label.lower() not in _FILES


def _one_script(run: str, last: bool) -> str:
    """The end of `run` next to the `@`, cut where Latin and Chinese, Japanese or Korean letters touch.

    Prose in these scripts leaves no space before an address; addresses do not mix them with Latin in one label.
    """
    ascii_side = run[-1 if last else 0].isascii()
    if not ascii_side:
        return run
    parts = list(_wide.finditer(run))
    if not parts:
        return run
    return run[parts[-1].end() :] if last else run[: parts[0].start()]


def _is_url(text: str, start: int) -> bool:
    """Whether what starts at `start` is the user, or the password, of a URL (but `mailto://`, a common slip)."""
    scheme = text.rfind("://", max(0, start - 2 * _LOCAL), start)
    if scheme < 0 or _not_user.search(text, scheme + 3, start):
        return False
    return text[max(0, scheme - 6) : scheme].lower() != "mailto"


def _is_remote(text: str, start: int, at: int, end: int) -> bool:
    """`git@github.com:org/repo`: an account of a program, the same for everybody."""
    return text[start:at].lower() in _ROBOTS and text[end : end + 1] in (":", "/")
