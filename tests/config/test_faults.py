"""Whatever is wrong with a hushwire.yaml is told at its place, with a code and the cure, and all of it at once.

The place of a fault is marked with >> in these files.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.config import read
from proxy.rulebook.faults import CODES, RulesError
from tests.config.files import SMALLEST, config, fill

# (the whole file, code, how the sentence begins)
WHOLE = [
    ("", "E006", "the file is empty"),
    ("version: >>2\n" + SMALLEST.partition("\n")[2], "E013", "must be 1, the only version"),
    ("version: >>true\n" + SMALLEST.partition("\n")[2], "E013", "must be 1, the only version"),
    (">>" + SMALLEST.partition("\n")[2], "E010", "the key 'version' is missing"),
    (">>version: 1\n", "E010", "the key 'routes' is missing"),
    (">>- version: 1\n", "E012", "must be a mapping"),
    ("version: 1\nroutes: >>[]\n", "E013", "must not be empty"),
    ("version: 1\nroutes: >>{a: b}\n", "E012", "must be a list"),
    ("version: 1\nroutes: [>>x]\n", "E012", "must be a mapping"),
    ("version: 1\nroutes: [>>{name: a}]\n", "E010", "the key 'upstream' is missing"),
    ("version: 1\nroutes: [>>{upstream: 'ws://a'}]\n", "E010", "the key 'name' is missing"),
    ("version: 1\nroutes: [{name: >>a b, upstream: 'ws://a'}]\n", "E013", "must be 1 to 64 letters"),
    (
        SMALLEST.replace("all,", "all, match: {path: /a},") + "  - {name: >>all, upstream: 'ws://b'}\n",
        "E045",
        "the name 'all' is taken by a route above",
    ),
    (SMALLEST + "  - {name: >>b, upstream: 'ws://b'}\n", "E040", "no request gets here: the route 'all' above"),
]
# (what stands behind the smallest file, ...)
TOP = [
    (">>lisen: 1", "E011", "unknown key 'lisen'; did you mean 'listen'?"),
    (">>audience: {dir: audit}", "E011", "unknown key 'audience'"),
    ("audit: {>>directory: x}", "E011", "unknown key 'directory'"),
    ("audit: >>''", "E013", "must not be empty"),
    ("audit: {level: >>all}", "E013", "must be 'sessions', 'findings', 'messages' or 'sanitised'"),
    ("audit: {durability: >>disk}", "E013", "must be 'async', 'written' or 'synced'"),
    ("audit: {keep: >>soon}", "E013", "'soon' is not a duration; write"),
    ("audit: {keep_size: >>-1}", "E013", "must be 0 or more"),
    ("audit: {client: >>address}", "E013", "must be 'fingerprint', 'network' or 'none'"),
    ("audit: {key: >>s3cret}", "E013", "a key is only named here; write env:NAME"),
    ("audit: {key: >>env:NOBODY}", "E043", "this environment variable is not set"),
    ("audit: {anchor: [>>dir]}", "E013", "'dir' is not an anchor; write file:DIR, git:DIR or tsa:URL"),
    ("audit: {ship: [>>somewhere]}", "E013", "this is no place to ship to; write postgresql://"),
    ("audit: {ship: [>>'postgresql://me:bob@host/db']}", "E014", "a password is only named here"),
    ("audit: {ship: [>>env:NOBODY]}", "E043", "this environment variable is not set"),
    (">>version: 1", "E005", "the key 'version' stands here for a second time"),
    ("workers: >>&a 1\nner: *a", "E004", "anchors and aliases"),
    ("listen: >>'8080'", "E013", "'8080' is not an address; write HOST:PORT"),
    ("listen: >>[1]", "E012", "must be a mapping"),
    ("listen: {port: >>70000}", "E013", "must be 65535 or less"),
    ("listen: {port: >>'80'}", "E012", "must be a whole number"),
    ("listen: {host: >>''}", "E013", "must not be empty"),
    ("listen: {>>tsl: 1}", "E011", "unknown key 'tsl'; did you mean 'tls'?"),
    ("listen: {tls: {cert: >>no.pem}}", "E013", "a file is named as file:PATH"),
    ("listen: {tls: {cert: >>file:no.pem}}", "E042", "there is no such file; a path is read from the folder"),
    ("listen: {tls: {cert: >>file:token.txt}}", "E042", "this chain and its key cannot be used ("),
    ("listen: {>>tls: {key: file:token.txt}}", "E010", "the key 'cert' is missing"),
    ("admin: >>{host: 0.0.0.0}", "E010", "other machines can reach this address, so it needs a token; add token"),
    ("admin: >>127.0.0.1:8080", "E013", "this is where clients connect; choose another port"),
    ("admin: >>on", "E013", "'on' is not an address"),
    ("admin: {token: >>s3cret}", "E014", "a secret is only named here; write env:NAME"),
    ("admin: {token: >>env:NOBODY}", "E043", "this environment variable is not set; set it"),
    ("admin: {token: >>file:no.txt}", "E043", "this file cannot be read (No such file"),
    ("admin: {token: >>env:TOKENS}", "E043", "this is not one line of printable ASCII"),
    ("admin: {token: >>env:UMLAUT}", "E043", "this is not one line of printable ASCII"),
    ("workers: >>0", "E013", "must be 1 or more"),
    ("workers: >>257", "E013", "must be 256 or less"),
    ("workers: >>two", "E012", "must be a whole number"),
    ("ner: >>''", "E013", "must not be empty"),
    ("vault: >>postgres://a", "E013", "this is not a vault; write memory, redis://HOST:PORT/0"),
    ("vault: {url: >>'redis://:bob@host/0'}", "E014", "a password is only named here"),
    ("vault: {url: memory, ttl: >>0s}", "E013", "must be 1 or more"),
    ("vault: {url: memory, size: >>0}", "E013", "must be 1 or more"),
    ("vault: >>env:NOBODY", "E043", "this environment variable is not set"),
    ("vault: {url: memory, >>tll: 1}", "E011", "unknown key 'tll'; did you mean 'ttl'?"),
    ("trusted_proxies: [>>10.0.0.1/8]", "E013", "this is not a network; write for example"),
    ("trusted_proxies: [>>10]", "E012", "must be a text"),
    ("limits: {connections: >>0}", "E013", "must be 1 or more"),
    ("limits: {header: >>1 apple}", "E013", "'1 apple' is not a size; write"),
    ("limits: {header: >>0}", "E013", "must be 1 or more"),
    ("limits: {header_timeout: >>-1}", "E013", "must be 0 or more"),
    ("limits: {header_timeout: >>true}", "E012", "must be a number, or a text of a number and its unit"),
]
# (keys of a route, ...)
ROUTE = [
    ("upstream: >>localhost", "E013", "'localhost' is not an upstream; write ws://HOST:PORT"),
    (">>upstream: {}", "E010", "the key 'url' is missing"),
    ("upstream: >>7", "E012", "must be a mapping"),
    ("upstream: {url: >>'ws://bob:pw@a'}", "E013", "an upstream URL must not hold a user name"),
    ("upstream: {url: >>'ws://a?b'}", "E013", "an upstream URL takes no query"),
    ("upstream: >>'ws://a/{b}'", "E041", "there is no parameter 'b' in the path that this route matches"),
    ("match: {path: '/{a}'}, upstream: >>'ws://a/{a}/{b}'", "E041", "there is no parameter 'b'"),
    ("upstream: >>'ws://a/b{c}'", "E013", "a parameter is a whole segment"),
    ("upstream: >>'ws://{a}/b'", "E013", "only the path of an upstream has parameters"),
    ("upstream: {url: 'ws://a', ca: >>file:token.txt}", "E013", "a ws:// upstream has no certificate"),
    ("upstream: {url: 'wss://a', ca: >>file:token.txt}", "E042", "this is no authority ("),
    ("upstream: {url: 'ws://a', connect_timeout: >>soon}", "E013", "'soon' is not a duration; write"),
    ("match: {path: >>chat}", "E013", "a path starts with '/'"),
    ("match: {path: >>'/{a}/{a}'}", "E013", "a parameter stands in a path once"),
    ("match: {path: >>'/{a:path}/b'}", "E013", "{a:path} takes all segments that follow, so it stands last"),
    ("match: {path: >>'/a?b'}", "E013", "a path has no query"),
    ("match: {path: >>'/a/../b'}", "E013", "a path has no empty segments and none of dots"),
    ("match: {host: >>'a.b:80'}", "E013", "this is not a host; write chat.example.com"),
    ("match: {host: >>'a.*.b'}", "E013", "this is not a host"),
    ("match: {host: >>80}", "E012", "must be a text"),
    ("match: {subprotocol: >>[]}", "E013", "must not be empty"),
    ("match: {subprotocol: >>chat}", "E012", "must be a list"),
    ("match: {subprotocol: [>>'a b']}", "E013", "this is not a subprotocol"),
    ("match: {>>method: GET}", "E011", "unknown key 'method'"),
    ("auth: >>{}", "E010", "this lets everybody in; add bearer or origins"),
    ("auth: {bearer: >>abc}", "E014", "a secret is only named here"),
    ("auth: {bearer: >>env:NOBODY}", "E043", "this environment variable is not set"),
    ("auth: {bearer: >>env:EMPTY}", "E043", "there is no token here"),
    ("auth: {bearer: >>env:UMLAUT}", "E043", "there is no token here, or one that is not ASCII"),
    ("auth: {bearer: >>[]}", "E013", "must not be empty"),
    ("auth: {bearer: [{name: a, token: >>abc}]}", "E014", "a secret is only named here"),
    ("auth: {bearer: [{name: >>a b, token: env:TOKEN}]}", "E013", "must be 1 to 64 letters"),
    ("auth: {bearer: [>>{name: a}]}", "E010", "the key 'token' is missing"),
    ("auth: {origins: >>[]}", "E013", "must not be empty"),
    ("auth: {origins: [>>'https://a/']}", "E013", "this is not an origin; write https://app.example.com"),
    ("auth: {origins: [>>'*']}", "E013", "this is not an origin"),
    ("auth: {origins: [>>'null']}", "E013", "this is not an origin"),
    ("codec: >>json", "E013", "must be 'auto'"),
    ("binary: >>maybe", "E013", "must be 'scan', 'pass' or 'deny'"),
    ("rules: >>defualt", "E018", "unknown rules 'defualt'; did you mean 'default'?"),
    ("rules: >>rules/no.yaml", "E042", "there is no such file; a path is read from the folder"),
    ("mode: >>dry", "E013", "must be 'enforce' or 'shadow'"),
    ("limits: {messages_per_second: >>0}", "E013", "must be 0.01 or more"),
    ("limits: {per_address: >>-1}", "E013", "must be 1 or more"),
    ("limits: {>>mesage: 1}", "E011", "unknown key 'mesage'; did you mean 'message'?"),
    ("host_header: >>mine", "E013", "must be 'auto', 'keep' or 'upstream'"),
    ("forwarded: >>'no'", "E012", "must be true or false"),
    ("deflate: >>1", "E012", "must be true or false"),
    ("on_error: >>open", "E013", "must be 'close' or 'pass'"),
    ("on_error: >>pass", "E044", "this forwards what could not be inspected"),
    ("on_error: >>pass, i_accept_leaks: false", "E044", "this forwards what could not be inspected"),
    ("i_accept_leaks: >>true", "E044", "nothing leaks on this route; leave it out"),
    ("i_accept_leaks: >>yes", "E012", "must be true or false"),
]


def in_route(keys: str) -> str:
    upstream = "" if "upstream:" in keys else "upstream: 'ws://service.test', "
    return f"version: 1\nroutes:\n  - {{name: a, {upstream}{keys}}}\n"


CASES = [
    *WHOLE,
    *((f"{SMALLEST}{text}\n", code, sentence) for text, code, sentence in TOP),
    *((in_route(keys), code, sentence) for keys, code, sentence in ROUTE),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("faults"))


def faults(folder: Path, text: str) -> list[str]:
    """`line:column: error[CODE] ...` of everything that is wrong."""
    with pytest.raises(RulesError) as error:
        config(folder, text)
    return [str(fault).removeprefix(f"{folder / 'hushwire.yaml'}:") for fault in error.value.faults]


@pytest.mark.parametrize(("marked", "code", "sentence"), CASES, ids=[text[-40:].strip() for text, *_ in CASES])
def test_a_fault_is_told_once_at_its_place(folder: Path, marked: str, code: str, sentence: str) -> None:
    (line,) = faults(folder, marked.replace(">>", ""))
    before, mark, _ = marked.partition(">>")
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: " if mark else " "
    assert line.startswith(f"{place}error[{code}] {sentence}")
    assert code in CODES
    assert not re.search(r"s3cret|bob|pw@|NOBODY", line), "what may be a secret is not repeated"


def test_all_faults_come_at_once_in_the_order_of_the_file(folder: Path) -> None:
    text = (
        "version: 1\nlisten: x\nroutes:\n"
        "  - {name: a, upstream: nowhere, binary: maybe, limits: {idle: soon, massage: 1}}\n"
        "  - {name: b, upstream: 'ws://b', auth: {bearer: literal}, rules: no/file.yaml}\n"
    )
    assert [line.partition(":")[0] for line in faults(folder, text)] == ["2", "4", "4", "4", "4", "5", "5"]


def test_a_file_that_is_not_there_or_no_text_is_said(folder: Path) -> None:
    with pytest.raises(RulesError, match=r"none.yaml: error\[E001\] cannot be read: No such file"):
        read(folder / "none.yaml", {})
    (folder / "bytes.yaml").write_bytes(b"\xff")
    with pytest.raises(RulesError, match=r"bytes.yaml: error\[E002\] not UTF-8 at byte 0"):
        read(folder / "bytes.yaml", {})
