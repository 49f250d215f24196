"""The side doors for rules, asked over ASGI; the rules are real, and so are their files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar

import httpx
import pytest

from proxy.admin import rules as module
from proxy.admin.api import build
from proxy.admin.rules import add_doors, troubles
from proxy.detect.engine import Engine
from proxy.rulebook.faults import Fault
from proxy.rulebook.live import Rules, Trouble
from proxy.rulebook.versions import Versions
from tests.rulebook.test_live import RULES, nothing_more, said
from tests.rules import NOW, ground

T = TypeVar("T")
TOKEN = "s3cret"
SECRET = "Bob Bobson"


async def in_a_thread(job: Callable[[], T]) -> T:
    return await asyncio.to_thread(job)


class Doors:
    """An admin port with doors for `books`."""

    def __init__(self, books: list[Rules[Engine]], token: str | None = TOKEN) -> None:
        self.app = build(dict, list, token)
        add_doors(self.app, books, in_a_thread, token)
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        return self.all_at_once((method, path, content, headers))[0]

    def all_at_once(self, *asked: tuple[str, str, bytes, dict[str, str]]) -> list[httpx.Response]:
        async def go() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
                return await asyncio.gather(
                    *(
                        client.request(method, path, content=content, headers=self.headers | _spelt(headers))
                        for method, path, content, headers in asked
                    )
                )

        return asyncio.run(go())


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def loaded(source: str, state: Path, *routes: str) -> Rules[Engine]:
    rules = Rules(routes or ["default"], source, ground(), nothing_more, Versions(state), lambda: NOW)
    rules.try_swap()
    return rules


@pytest.fixture
def rules(tmp_path: Path) -> Rules[Engine]:
    (tmp_path / "my.yaml").write_text(RULES % "A")
    return loaded(str(tmp_path / "my.yaml"), tmp_path / "state")


@pytest.fixture
def doors(rules: Rules[Engine]) -> Doors:
    return Doors([rules])


def etag(content: str) -> str:
    return f'"{sha256(content.encode()).hexdigest()}"'


CHANGES: dict[str, list[str]] = {"added": [], "removed": [], "changed": [], "moved": [], "else": []}


def put_back(doors: Doors, digest: object) -> httpx.Response:
    body = json.dumps({"digest": digest}).encode()
    return doors.ask("POST", "/-/rules/rollback", body, content_type="application/json")


def test_the_rule_file_is_read_with_its_version(doors: Doors, rules: Rules[Engine]) -> None:
    answer = doors.ask("GET", "/-/rules")
    assert answer.status_code == 200 and answer.text == RULES % "A"
    assert answer.headers["etag"] == etag(RULES % "A")
    assert answer.headers["content-type"] == "text/yaml; charset=utf-8"
    rules.main.write_text("anything")  # an editor shows what is there, not what is in force
    assert doors.ask("GET", "/-/rules").text == "anything"
    rules.main.unlink()
    assert doors.ask("GET", "/-/rules").status_code == 409


def test_what_is_in_force_is_read_with_all_that_it_extends(doors: Doors, rules: Rules[Engine]) -> None:
    (rules.main.parent / "base.yaml").write_text(RULES % "base")
    rules.main.write_text("version: 1\nextends: [./base.yaml]\n")
    rules.follow()
    rules.main.write_text("anything")
    answer = doors.ask("GET", "/-/rules?effective=1")
    assert answer.status_code == 200 and "with: base" in answer.text and "etag" not in answer.headers
    assert rules.candidate({rules.main: answer.content}).policy.rules[0].id == "a"


def test_a_save_is_in_force_and_on_disk_when_it_is_answered(doors: Doors, rules: Rules[Engine]) -> None:
    new = RULES % "B"
    answer = doors.ask("PUT", "/-/rules", new.encode(), if_match=etag(RULES % "A"))
    assert answer.status_code == 200
    assert answer.json() == {"routes": ["default"], "name": "my", "digest": rules.live.policy.digest}
    assert answer.headers["etag"] == etag(new) == doors.ask("GET", "/-/rules").headers["etag"]
    assert said(rules) == "B" and rules.main.read_text() == new


@pytest.mark.parametrize("match", [None, "*", "", "abc", "W/" + etag("x"), f"{etag('a')}, {etag('b')}"])
def test_whoever_saves_says_what_he_has_read(doors: Doors, rules: Rules[Engine], match: str | None) -> None:
    headers = {} if match is None else {"if_match": match}
    answer = doors.ask("PUT", "/-/rules", (RULES % "B").encode(), **headers)
    assert answer.status_code == 428 and "ETag" in answer.text
    assert said(rules) == "A"


def test_of_two_saves_at_once_one_is_told_that_somebody_was_faster(doors: Doors, rules: Rules[Engine]) -> None:
    headers = {"if_match": etag(RULES % "A")}
    answers = doors.all_at_once(*(("PUT", "/-/rules", (RULES % mine).encode(), headers) for mine in "BC"))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert rules.main.read_text() == RULES % said(rules)


def test_an_edit_on_disk_is_not_overwritten_either(doors: Doors, rules: Rules[Engine]) -> None:
    rules.main.write_text("somebody is editing")
    assert doors.ask("PUT", "/-/rules", (RULES % "B").encode(), if_match=etag(RULES % "A")).status_code == 412
    assert rules.main.read_text() == "somebody is editing"


def test_bad_rules_are_answered_with_all_their_faults_and_change_nothing(
    doors: Doors, rules: Rules[Engine], caplog: pytest.LogCaptureFixture
) -> None:
    bad = "version: 1\ntreshold: 0.5\nrules:\n  - {id: a, entities: [CRYPTO], action: erase, description: %s}\n"
    for method, path in (("PUT", "/-/rules"), ("POST", "/-/rules/check")):
        answer = doors.ask(method, path, (bad % SECRET).encode(), if_match=etag(RULES % "A"))
        assert answer.status_code == 422
        faults = answer.json()["detail"]
        assert [(fault["line"], fault["column"]) for fault in faults] == [(2, 1), (4, 41)]
        assert all(fault["source"] == str(rules.main) and fault["sentence"] for fault in faults)
    assert rules.main.read_text() == RULES % "A" and said(rules) == "A"
    assert SECRET not in caplog.text


def test_bytes_that_are_no_text_are_a_fault(doors: Doors) -> None:
    assert doors.ask("PUT", "/-/rules", b"\xff\xfe", if_match=etag(RULES % "A")).status_code == 422


def test_a_body_without_end_is_not_read_to_the_end(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    assert doors.ask("PUT", "/-/rules", b"#" * 1001, if_match=etag(RULES % "A")).status_code == 413


def test_rules_that_come_along_are_read_but_not_written(tmp_path: Path) -> None:
    doors = Doors([loaded("default", tmp_path)])
    read = doors.ask("GET", "/-/rules")
    assert read.status_code == 200
    answer = doors.ask("PUT", "/-/rules", b"version: 1\n", if_match=read.headers["etag"])
    assert answer.status_code == 409 and "--rules FILE" in answer.json()["detail"]
    assert put_back(doors, "a").status_code == 409


def test_a_folder_that_takes_no_file_is_a_conflict_that_says_so(
    doors: Doors, rules: Rules[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: Any, **__: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    answer = doors.ask("PUT", "/-/rules", (RULES % "B").encode(), if_match=etag(RULES % "A"))
    assert answer.status_code == 409 and "Read-only file system" in answer.text
    assert said(rules) == "A"


def test_a_candidate_is_judged_without_consequences(doors: Doors, rules: Rules[Engine]) -> None:
    new = (RULES % "B") + "  - {id: b, entities: [US_SSN], action: keep}\n"
    answer = doors.ask("POST", "/-/rules/check", new.encode())
    assert answer.status_code == 200
    assert answer.json()["changes"] == CHANGES | {"added": ["b"], "changed": ["a"]}
    assert answer.json()["digest"] != rules.live.policy.digest
    assert rules.main.read_text() == RULES % "A" and said(rules) == "A"
    same = doors.ask("POST", "/-/rules/check", ("# a remark\n" + RULES % "A").encode()).json()
    assert same["digest"] == rules.live.policy.digest
    assert same["changes"] == CHANGES
    gone = doors.ask("POST", "/-/rules/check", b"version: 1\n").json()
    assert gone["changes"]["removed"] == ["a"]


def test_a_version_is_listed_and_put_back(doors: Doors, rules: Rules[Engine]) -> None:
    first = rules.live.policy.digest
    doors.ask("PUT", "/-/rules", (RULES % "B").encode(), if_match=etag(RULES % "A"))
    listed = doors.ask("GET", "/-/rules/versions").json()
    assert listed["in_force"] == rules.live.policy.digest
    assert {version["digest"] for version in listed["versions"]} == {first, listed["in_force"]}
    answer = put_back(doors, first[:12])
    assert answer.status_code == 200 and answer.json()["digest"] == first
    assert said(rules) == "A" and rules.main.read_text() == RULES % "A"
    assert put_back(doors, "not a digest").status_code == 409
    assert put_back(doors, 1).status_code == 422


WRITING = [("PUT", "/-/rules"), ("POST", "/-/rules/check"), ("POST", "/-/rules/rollback")]
READING = [("GET", "/-/rules"), ("GET", "/-/rules/versions")]


@pytest.mark.parametrize(("method", "path"), WRITING + READING)
def test_nothing_is_said_or_done_without_the_right_token(
    doors: Doors, rules: Rules[Engine], method: str, path: str
) -> None:
    doors.headers = {"Authorization": "Bearer wrong"}
    answer = doors.ask(method, path, (RULES % "B").encode(), if_match=etag(RULES % "A"))
    assert answer.status_code == 401 and "CRYPTO" not in answer.text and said(rules) == "A"


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_without_a_token_nobody_writes(rules: Rules[Engine], method: str, path: str) -> None:
    answer = Doors([rules], token=None).ask(method, path, (RULES % "B").encode(), if_match=etag(RULES % "A"))
    assert answer.status_code == 403 and "--admin-token-file" in answer.text and said(rules) == "A"


@pytest.mark.parametrize(("method", "path"), READING)
def test_without_a_token_everybody_reads_who_reaches_the_port(
    rules: Rules[Engine], method: str, path: str
) -> None:
    assert Doors([rules], token=None).ask(method, path).status_code == 200


def test_with_several_routes_one_says_which(rules: Rules[Engine], tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(RULES % "other")
    both = Doors([rules, loaded(str(tmp_path / "other.yaml"), tmp_path / "state", "chat", "feed")])
    assert both.ask("GET", "/-/rules?route=feed").text == RULES % "other"
    for path in ("/-/rules", "/-/rules?route=nobody"):
        answer = both.ask("GET", path)
        assert answer.status_code == 400 and "default, chat, feed" in answer.text


def test_readiness_says_which_file_is_bad_and_since_when(rules: Rules[Engine]) -> None:
    assert troubles([rules]) == []
    rules.main.write_text(f"version: 1\n{SECRET}\n")
    rules.follow()
    assert troubles([rules]) == [
        {
            "routes": ["default"],
            "files": [str(rules.main)],
            "faults": 1,
            "since": "2027-01-15T08:00:00+00:00",
            "in_force": rules.live.policy.digest,
        }
    ]


def test_trouble_that_is_mended_while_readiness_is_asked_is_told_once_more_or_not_at_all() -> None:
    """Another thread builds the rules; half of an answer would be a 500."""

    class Mended:
        """Its trouble is gone as soon as somebody has seen it."""

        routes = ("default",)
        live = SimpleNamespace(policy=SimpleNamespace(digest="0123"))
        states: ClassVar = [Trouble(0.0, (Fault("a.yaml", 1, 1, "E026", "wrong"),))]

        @property
        def trouble(self) -> Trouble | None:
            return self.states.pop() if self.states else None

    mended: Any = Mended()
    assert [told["files"] for told in troubles([mended, mended])] == [["a.yaml"]]
