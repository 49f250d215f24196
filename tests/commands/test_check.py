"""`hushwire check`: all faults of all files, one exit code, and --fix changes names and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.commands.cure import cured
from proxy.commands.judge import is_config, judge
from proxy.rulebook.faults import RulesError
from proxy.rulebook.load import build
from tests.commands.running import hushwire
from tests.rules import ground

BROKEN = """\
# what stays
version: 1
treshold: 0.6   # as it was
rules:
  - id: emails
    entities: [EMAIL, 'PHONE']
    direktion: both
    acton: {maks: {char: "x"}}
"""
CURED = """\
# what stays
version: 1
threshold: 0.6   # as it was
rules:
  - id: emails
    entities: [EMAIL_ADDRESS, 'PHONE_NUMBER']
    direction: both
    action: {mask: {char: "x"}}
"""
CONFIG = """\
version: 1
routes:
  - {name: chat, match: {path: /chat}, upstream: "ws://127.0.0.1:9000", rules: ./mine.yaml}
  - {name: rest, upstream: "ws://127.0.0.1:9001"}
"""
BADGE = "version: 1\nentities: {BADGE: {patterns: [{regex: 'B-\\d\\d', score: 0.9}]}}\n"


def test_faults_of_all_files_are_told_at_once_and_nothing_else_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BROKEN + "    tests: {match: [bob@secret.example]}\n")
    (tmp_path / "b.yaml").write_text("version: 2\n")
    done = hushwire("check", "a.yaml", "b.yaml", "none.yaml", folder=tmp_path)
    assert done.returncode == 3
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == [
        *("a.yaml:3:1:", "a.yaml:6:16:", "a.yaml:6:23:", "a.yaml:7:5:", "a.yaml:8:5:"),
        *("b.yaml:1:10:", "none.yaml:", "7"),
    ]
    assert done.stdout.endswith("7 errors in 3 files\n")
    assert "secret" not in done.stdout + done.stderr


def test_what_can_run_passes_and_says_what_it_is(tmp_path: Path) -> None:
    done = hushwire("check", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("default: ok, 13 rules about ")
    assert (
        "note: without a language model (--ner) LOCATION and PERSON are found under their JSON keys" in done.stdout
    )


def test_without_a_file_the_config_of_the_folder_is_meant_and_its_rules_with_it(tmp_path: Path) -> None:
    (tmp_path / "hushwire.yaml").write_text(CONFIG)
    (tmp_path / "mine.yaml").write_text(BADGE)
    done = hushwire("check", "--json", folder=tmp_path)
    assert done.returncode == 3
    (fault,) = json.loads(done.stdout)
    assert (fault["code"], fault["file"], fault["line"], fault["column"]) == ("E035", "mine.yaml", 2, 19)
    (tmp_path / "mine.yaml").write_text("version: 1\n")
    done = hushwire("check", folder=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        "hushwire.yaml: ok, 2 routes under 2 sets of rules",
    )


def test_annotations_and_usage(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("version: 2\n")
    done = hushwire("check", "--github", "b.yaml", folder=tmp_path)
    assert done.stdout == (
        "::error file=b.yaml,line=1,col=10,endColumn=11,title=E013::must be 1, the only version there is\n"
    )
    assert done.returncode == 3
    done = hushwire("check", "--github", "--json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_effective_rules_are_rules_and_say_where_they_are_from(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nextends: [default]\nthreshold: 0.7\n")
    done = hushwire("check", "--effective", "a.yaml", folder=tmp_path)
    assert done.returncode == 0
    assert "# default.yaml:" in done.stdout
    (tmp_path / "b.yaml").write_text(done.stdout)
    assert hushwire("check", "b.yaml", folder=tmp_path).returncode == 0
    (tmp_path / "a.yaml").write_text("version: 2\n")
    done = hushwire("check", "--effective", "a.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")


def test_warnings_do_not_fail() -> None:
    verdict = judge("default", ground(), prose=True)
    assert (verdict.faults, verdict.notes) == ((), ())


WARNED = """\
version: 1
rules:
  - {id: rehearsal, entities: ["*"], mode: shadow, action: drop}
  - {id: up, entities: [CRYPTO], direction: client_to_upstream, action: keep}
  - {id: all, entities: ["*"], direction: upstream_to_client, action: keep}
  - {id: late, entities: [CRYPTO], action: redact}
  - {id: partly, entities: [CRYPTO, PERSON], action: redact}
"""


def test_rules_that_never_decide_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(WARNED)
    told = build(str(path), ground()).remarks
    assert [(one.code, one.line, one.column, one.sentence) for one in told] == [
        ("W002", 6, 10, "rule 'late' never decides: 'up' before it always will"),
        ("W002", 7, 29, "rule 'partly' never decides about CRYPTO: 'up' before it always will"),
    ]


# -- --fix --------------------------------------------------------------------------------------------------


def test_fix_changes_names_and_leaves_every_other_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    for bom, ends in ((b"", "\n"), (b"\xef\xbb\xbf", "\r\n")):
        path.write_bytes(bom + BROKEN.replace("\n", ends).encode())
        done = hushwire("check", "--fix", "--yes", "a.yaml", folder=tmp_path)
        assert done.returncode == 0, done.stdout
        assert path.read_bytes() == bom + CURED.replace("\n", ends).encode()
        assert "a.yaml:3:1: now 'threshold'\n" in done.stdout


def test_fix_asks_and_there_must_be_somebody_to_ask(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(BROKEN)
    done = hushwire("check", "--fix", "a.yaml", folder=tmp_path, stdin=b"y\n")
    assert (done.returncode, path.read_text()) == (2, BROKEN)
    assert "say --yes" in done.stderr


def test_fix_leaves_what_it_cannot_cure(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = "version: 1\ntreshold: 0.6\nthreshol: 0.7\nzzz: 1\n"
    path.write_text(text)
    with pytest.raises(RulesError) as caught:
        build(str(path), ground())
    after, changed = cured(text, caught.value.faults)
    assert after == "version: 1\ntreshold: 0.6\nthreshold: 0.7\nzzz: 1\n", "a key is never written twice"
    assert len(changed) == 1
    done = hushwire("check", "--fix", "--yes", "default", folder=tmp_path)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("[id]", "[$.id]"),
        ("['id']", "['$.id']"),
        ('["id"]', '["$.id"]'),
        ("[items*]", None),
        ('["items[*].id"]', '["$.items[].id"]'),
        ("""["$['odd']"]""", r"""["$[\"odd\"]"]"""),
    ],
)
def test_a_name_is_spelt_so_that_yaml_reads_it(tmp_path: Path, wrong: str, right: str | None) -> None:
    text = f"version: 1\nstructure: {{ignore: {wrong}}}\n"
    path = tmp_path / "a.yaml"
    path.write_text(text)
    try:
        build(str(path), ground())
    except RulesError as error:
        after, _ = cured(text, error.faults)
        assert after == text.replace(wrong, right or wrong)


def test_the_kind_of_a_file_is_told_by_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "any.yaml"
    for text, config in ((CONFIG, True), ("version: 1\nrules: []\n", False), ("listen: x\n", True), ("[", False)):
        path.write_text(text)
        assert is_config(str(path)) is config
    assert not is_config("default")
    assert not is_config(str(tmp_path / "none.yaml"))
