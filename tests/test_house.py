"""The house checks itself: which room may know which, and what is never printed or logged.

The plan is in the tables; a change of plan is a change of a table, with its reason beside it. Everything is
read from the sources as syntax trees, so imports inside functions and under TYPE_CHECKING count too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "proxy").rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}

ROOMS = {"core", "codecs", "detect", "pseudonyms", "audit", "rulebook", "config", "wire", "admin"}
FRONT = {  # files beside the rooms
    *("settings", "template", "route", "certificates", "options", "faults"),
    *("health", "banner", "transcript", "supervisor", "starting"),
}
ALL = ROOMS | FRONT

# Who may import whom. Whoever is not mentioned on the right is not known on the left.
KNOWS: dict[str, set[str]] = {
    "core": set(),
    "codecs": {"core"},
    "detect": {"core"},
    "pseudonyms": {"core"},
    "audit": {"core"},
    "rulebook": {"core", "codecs", "detect", "pseudonyms"},
    # every parser of settings, and the faults, secrets and files of rules; what is made is options' and routes'
    "config": {"pseudonyms", "rulebook", "settings", "template", "route", "certificates", "options", "faults"},
    "wire": {"core", "codecs", "settings", "template", "route"},
    "admin": {"core", "rulebook", "audit", "settings"},
    "settings": set(),
    "options": {"settings"},
    "template": set(),
    "route": {"settings", "template"},
    "certificates": set(),
    "faults": {"settings", "options", "certificates"},
    "health": {"settings"},
    "banner": {"settings", "health"},
    "transcript": {"core"},
    "supervisor": set(),
    "explain_why": {"core", "detect", "rulebook"},
    "explain": {"core", "codecs", "detect", "explain_why"},
    "explain_show": {"core", "explain", "explain_why"},
    "starting": {"rulebook", "settings", "wire"},
    "audited": {"audit", "core", "rulebook", "settings", "starting"},
    "building": {"core", "detect", "pseudonyms", "route", "rulebook", "settings", "starting"},
    "process": ALL | {"audited", "building"},
    "app": ALL | {"audited", "building", "process"},
    "commands": ALL | {"building"},
    "cli": ALL | {"app", "building", "demo", "explain", "explain_show", "commands"},
    "demo": ALL,
    "__main__": {"cli"},
}

# The same within the audit; all of them know its files.
AUDIT_KNOWS: dict[str, set[str]] = {
    "reading": set(),
    "people": {"reading"},
    "sinks": set(),
    "writing": {"people", "sinks"},  # what is held, and what was shipped, decides what is removed
    "proof": {"writing", "people"},  # the place at which a log is continued; what is held
}

# Where packages from outside have their place; any that is not in this table has none.
OUTSIDE: dict[str, set[str]] = {
    "fastapi": {"process", "admin", "demo", "wire.front"},
    "uvicorn": {"wire", "demo"},
    "websockets": {"wire", "demo", "commands.audit.play"},  # the last one is a client, for once
    "httptools": {"wire"},
    "uvloop": {"app"},
    "presidio_analyzer": {"detect"},
    # the audit: to look for a number that was asked for as people of a country spell it; not imported unless so
    "phonenumbers": {"detect", "audit.people.telephone"},
    "ahocorasick_rs": {"detect"},
    "hyperscan": {"detect"},
    "re2": {"detect"},
    "regex": {"detect"},
    # libraries of other models are imported by their names, in detect.ner.adapters
    **{name: {"detect.ner.rampart"} for name in ("numpy", "onnxruntime", "tokenizers")},
    "cryptography": {"pseudonyms", "audit"},
    "msgspec": {"audit"},
    "rfc3161_client": {"audit.proof.anchors_tsa"},  # an extra: not imported unless time stamps are asked for
    "psycopg": {"audit.sinks.postgres"},  # these three are not imported unless somebody ships there
    "clickhouse_connect": {"audit.sinks.clickhouse"},
    "confluent_kafka": {"audit.sinks.kafka"},
    "redis": {"pseudonyms.redis_vault"},  # not imported unless a vault in Redis is asked for
    "yaml": {"rulebook", "settings", "admin"},
    "pydantic": {"rulebook", "config", "settings", "admin", "faults"},  # faults: tells what is wrong with settings
    "pydantic_core": {"rulebook"},
    "rapidfuzz": {"rulebook.meant"},
    "prometheus_client": {"admin"},
    "watchfiles": {"rulebook.watch"},
    "pyarrow": {"audit.reading.export"},  # the extra `parquet`
    "typer": {"cli", "options", "commands"},
    "rich": {"commands", "banner", "demo", "transcript", "explain_show"},
}

IMPURE = {
    *("asyncio", "time", "datetime", "random", "secrets", "uuid", "logging", "warnings"),
    *("os", "sys", "io", "pathlib", "tempfile", "socket", "ssl", "select", "signal", "subprocess"),
    *("threading", "multiprocessing", "ctypes"),
}


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of everything a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say the full name"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(module: str) -> str:
    """`proxy.core.lane` -> `core.lane`; `proxy` itself is the package that holds the version."""
    return module.removeprefix("proxy").removeprefix(".")


def room(module: str) -> str:
    return place(module).partition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_knows_only_the_rooms_it_may(module):
    inside = {name for name in imports(TREES[module]) if name.split(".")[0] == "proxy"}
    known = {room(name) for name in inside - {"proxy.__version__"}}
    assert known <= KNOWS.get(room(module), set()) | {room(module)} - {""}


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) == "audit"])
def test_a_room_of_the_audit_knows_only_those_it_may(module):
    def within(name: str) -> str:
        return name.split(".")[2] if len(name.split(".")) > 2 else ""

    known = {within(name) for name in imports(TREES[module]) if name.startswith("proxy.audit.")} & set(AUDIT_KNOWS)
    assert known <= AUDIT_KNOWS.get(within(module), set()) | {within(module)}


@pytest.mark.parametrize("module", MODULES)
def test_packages_from_outside_stay_where_they_belong(module):
    used = {name.split(".")[0] for name in imports(TREES[module])} - set(sys.stdlib_module_names) - {"proxy"}
    homeless = {package for package in used if not OUTSIDE.get(package, set()) & {room(module), place(module)}}
    assert homeless == set()


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) in ("core", "codecs")])
def test_pure_rooms_wait_for_nothing_and_read_nothing(module):
    used = {name.split(".")[0] for name in imports(TREES[module])}
    assert used & IMPURE == set()
    called = {node.func.id for node in calls(TREES[module]) if isinstance(node.func, ast.Name)}
    assert called & {"open", "print", "input", "eval", "exec", "__import__"} == set()


def test_only_the_command_line_imports_app():
    importing = {module for module, tree in TREES.items() if any(n.startswith("proxy.app") for n in imports(tree))}
    assert {room(module) for module in importing} == {"cli"}


def test_the_plan_has_no_rooms_that_do_not_exist():
    assert set(KNOWS) == {room(module) for module in MODULES} - {""}
    used = {name.split(".")[0] for tree in TREES.values() for name in imports(tree)}
    assert set(OUTSIDE) <= used | {"yaml"}


def test_every_module_says_what_lives_in_it():
    silent = [module for module, tree in TREES.items() if tree.body and ast.get_docstring(tree) is None]
    assert silent == []


# -- what is printed and logged -----------------------------------------------------------------------------

LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
# the last two: tables of commands
PRINTERS = {"cli", "commands", "banner", "demo", "health", "transcript", "explain_show"}

# What may stand in a line of the log: numbers, names of our own, types of exceptions, and words of the system's.
LOGGABLE = {
    *("self.relay.name", "self.name", "relay.name", "relay.first", "age", "up", "down"),
    *("len(routes.relays())", "route.name"),  # of a route, as the operator wrote it
    *("worker", "code", "name", "PATIENCE", "QUICK", "type(error).__name__"),
    *("fits", "allowed"),
    *("len(triggers)", "gate.engine", "len(gate.blind)"),
    "error.strerror or type(error).__name__",  # OSError of a dial: the system's words, never the peer's
    "error.reason or type(error).__name__",  # SSLError: OpenSSL's name of the failure
    *(
        "self.source",
        "rules.source",
        "built.policy.digest",
        "len(error.faults)",
        "SWEEP",
    ),  # rules by path, and their digest
    *("fault.source", "fault.line", "fault.column"),  # where a rule file is wrong, never what it says there
    "why",  # OSError of a disk: the system's words; or what is wrong with a log, in words of ours
    *("folder.name", "self.log.folder.name", "segment.path.name", "step"),  # files of the audit, named by us
    "segment.path.name",  # a file of the audit
    *("at.where", "self.place.where", "folder", "missed"),  # of a sink: without users, passwords and parameters
    "problem",  # our own words of what is wrong with a sink or a log, or a server's code
}


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def logged(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls of any logger, whatever it is called."""
    for call in calls(tree):
        # `task.exception()` is no logging: that takes words
        if isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS and (call.args or call.keywords):
            yield call


@pytest.mark.parametrize("module", MODULES)
def test_only_the_rooms_with_a_terminal_print(module):
    prints = [
        call.lineno
        for call in calls(TREES[module])
        if (isinstance(call.func, ast.Name) and call.func.id == "print")
        or (isinstance(call.func, ast.Attribute) and call.func.attr == "print")
    ]
    assert not prints or room(module) in PRINTERS, prints


@pytest.mark.parametrize("module", MODULES)
def test_a_line_of_the_log_holds_nothing_of_a_message(module):
    for call in logged(TREES[module]):
        words, *values = call.args[call.func.attr == "log" :]  # type: ignore[attr-defined] # behind the level
        assert isinstance(words, ast.Constant), f"line {call.lineno}: the words of a log line are a constant"
        assert not call.keywords, f"line {call.lineno}: exc_info would quote what the exception quotes"
        assert call.func.attr != "exception", f"line {call.lineno}: a traceback ends with the exception's text"  # type: ignore[attr-defined]
        said = {ast.unparse(value) for value in values if not isinstance(value, ast.Constant)}
        assert said <= LOGGABLE, f"line {call.lineno}"


def test_nothing_is_loggable_that_nobody_logs():
    said = {ast.unparse(value) for tree in TREES.values() for call in logged(tree) for value in call.args}
    assert said >= LOGGABLE


def test_logging_is_done_through_loggers_that_this_test_can_see():
    """A logger kept under another name would still be found by its methods; handlers and `print` to stderr not."""
    for module, tree in TREES.items():
        for call in calls(tree):
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("write", "writelines"):
                assert "std" not in ast.unparse(call.func.value), module


# -- sister tests -------------------------------------------------------------------------------------------

SMALL = 15  # statements; what is shorter is tested with what uses it

# Modules whose tests have another name, and why.
ELSEWHERE = {
    "proxy.admin.metrics": ("tests/admin/test_api.py", "metrics are judged by what is scraped"),
    "proxy.config.plan": ("tests/config/test_read.py", "what is read is judged by what runs"),
    "proxy.config.values": ("tests/config/test_faults.py", "reading is judged by the faults it tells"),
    "proxy.audit.proof.unheld": ("tests/audit/test_held.py", "judged by what verify says of holds"),
    "proxy.audit.reading.asking": ("tests/audit/test_search.py", "conditions are judged by what fits them"),
    "proxy.audit.reading.index_follow": ("tests/audit/test_search.py", "an index is judged by what it answers"),
    "proxy.audit.reading.index_rows": ("tests/audit/test_search.py", "an index is judged by what it answers"),
    **{
        f"proxy.{name}": ("tests/commands/audit/test_reading.py", "answers are judged as they are shown")
        for name in (
            *("audit.reading.export", "audit.reading.report", "audit.reading.sessions"),
            *(
                f"commands.audit.{verb}"
                for verb in ("asked", "export", "given", "index", "record", "report", "search", "show", "stats")
            ),
            *("commands.audit.tail", "commands.audit.told"),
        )
    },
    "proxy.audit.proof.admitted": ("tests/audit/test_verify.py", "what events admit is judged by the verdict"),
    "proxy.audit.proof.committed": ("tests/audit/test_verify.py", "what is missing is judged by the verdict"),
    "proxy.audit.proof.digesting": ("tests/audit/test_crew.py", "a process is judged by what it answers"),
    "proxy.audit.proof.examine": ("tests/audit/test_verify.py", "one log is judged as an audit of one"),
    "proxy.audit.snapshot": ("tests/audit/test_verify.py", "a moment of a log is judged by the verdict"),
    "proxy.audit.writing.leaves": ("tests/audit/test_log.py", "hashes are judged by the segments they are of"),
    "proxy.audit.writing.page": ("tests/audit/test_journal.py", "events are judged by what is written"),
    "proxy.audit.writing.syncing": ("tests/audit/test_journal.py", "a thread is judged by what waits for it"),
    "proxy.commands.audit.around": (
        "tests/commands/audit/test_person.py",
        "what stands around a verb is judged with it",
    ),
    "proxy.commands.audit.erase": (
        "tests/commands/audit/test_person.py",
        "persons are asked about by all its verbs",
    ),
    "proxy.commands.audit.hold": (
        "tests/commands/audit/test_person.py",
        "persons are asked about by all its verbs",
    ),
    "proxy.commands.audit.subject": (
        "tests/commands/audit/test_person.py",
        "persons are asked about by all its verbs",
    ),
    "proxy.certificates": ("tests/test_cli.py", "files are judged by the faults that are told"),
    "proxy.wire.crowd": ("tests/config/test_routes.py", "what routes share is judged with several of them"),
    "proxy.wire.routes": ("tests/config/test_routes.py", "routes are judged by both ends of a connection"),
    "proxy.starting": ("tests/test_cli.py", "starting is judged by what a user is told"),
    "proxy.commands.audit.anchor": ("tests/commands/audit/test_verify.py", "what is anchored is verified"),
    "proxy.commands.audit.prove": ("tests/commands/audit/test_verify.py", "proofs are of what is verified"),
    "proxy.audited": ("tests/wire/test_audited.py", "put together, it runs as a process"),
    "proxy.app": ("tests/wire/test_shutdown.py", "runs as a process, as in every drill"),
    "proxy.process": ("tests/wire/test_shutdown.py", "is a process, as in every drill"),
    "proxy.codecs.escapes": ("tests/codecs/test_laws.py", "escapes are judged by what the codecs read and write"),
    "proxy.codecs.jsontext": ("tests/codecs/test_json.py", "the module must not be called json, its test may"),
    "proxy.core.plugs": ("tests/core/test_lane.py", "signatures without behaviour"),
    "proxy.detect.database": ("tests/detect/test_gate.py", "kept or compiled, it is a gate's"),
    "proxy.detect.patterns": ("tests/detect/test_verdicts.py", "a recognizer is what it finds"),
    "proxy.detect.presidio": ("tests/detect/test_verdicts.py", "a recognizer is what it finds"),
    "proxy.detect.ner.adapters": ("tests/detect/ner/test_models.py", "models of one's own are opened by name"),
    "proxy.detect.recognizers.labelled": ("tests/detect/test_quality.py", "a recognizer is what it finds"),
    "proxy.detect.aliases": ("tests/detect/test_keys.py", "names of keys are judged by what keys say"),
    "proxy.detect.keywords": ("tests/detect/test_keys.py", "names of keys are judged by what keys say"),
    "proxy.detect.keygate": ("tests/detect/test_ownkeys.py", "a gate is judged by what it lets pass"),
    "proxy.detect.characters": ("tests/detect/test_normal.py", "characters are judged by what is folded"),
    "proxy.pseudonyms.fakes.dates": ("tests/pseudonyms/test_fakes.py", "a surrogate is judged by its form"),
    "proxy.pseudonyms.fakes.draw": ("tests/pseudonyms/test_fakes.py", "a surrogate is judged by its form"),
    "proxy.pseudonyms.fakes.net": ("tests/pseudonyms/test_fakes.py", "a surrogate is judged by its form"),
    "proxy.pseudonyms.fakes.people": ("tests/pseudonyms/test_fakes.py", "a surrogate is judged by its form"),
    "proxy.pseudonyms.fakes.phones": ("tests/pseudonyms/test_fakes.py", "a surrogate is judged by its form"),
    "proxy.pseudonyms.fakes.shape": ("tests/pseudonyms/test_fakes.py", "a surrogate is judged by its form"),
    "proxy.pseudonyms.spelling": ("tests/pseudonyms/test_cipher.py", "spelling is judged by what comes back"),
    "proxy.rulebook.actions": ("tests/rulebook/test_faults.py", "reading is judged by the faults it tells"),
    "proxy.rulebook.closed": ("tests/rulebook/test_faults.py", "reading is judged by the faults it tells"),
    "proxy.rulebook.document": ("tests/rulebook/test_faults.py", "reading is judged by the faults it tells"),
    "proxy.rulebook.schema": ("tests/rulebook/test_faults.py", "reading is judged by the faults it tells"),
    "proxy.rulebook.load": ("tests/rulebook/test_compile.py", "loading is compiling what was found"),
    "proxy.rulebook.defined": ("tests/rulebook/test_proof.py", "an entity is what it finds"),
    "proxy.rulebook.files": ("tests/rulebook/test_family.py", "files are read to be extended"),
    "proxy.rulebook.told": ("tests/rulebook/test_faults.py", "reading is judged by the faults it tells"),
    "proxy.rulebook.meaning": ("tests/rulebook/test_faults.py", "reading is judged by the faults it tells"),
    "proxy.rulebook.merge": ("tests/rulebook/test_family.py", "merging is judged by what stands where"),
    "proxy.rulebook.make": ("tests/rulebook/test_compile.py", "a policy is made of what was compiled"),
    "proxy.rulebook.digest": ("tests/rulebook/test_compile.py", "a digest changes with what it names"),
    "proxy.rulebook.expiry": ("tests/rulebook/test_exceptions.py", "exceptions are what ends"),
    "proxy.rulebook.spare": ("tests/rulebook/test_exceptions.py", "values are what exceptions spare"),
    "proxy.supervisor": ("tests/wire/test_workers.py", "workers are processes, and are drilled as such"),
    "proxy.wire.inspection": ("tests/wire/test_relay.py", "looking is told as part of a conversation"),
    "proxy.wire.notes": ("tests/wire/test_unlogged.py", "notes are judged by what waits for them"),
    "proxy.wire.pending": ("tests/wire/test_held.py", "a held message is judged by what waits behind it"),
    "proxy.wire.pump": ("tests/wire/test_leg.py", "what is read is judged by what a leg sends on"),
    "proxy.wire.unfinished": ("tests/wire/test_leg.py", "fragments are judged by what they add up to"),
    "proxy.wire.door": ("tests/wire/test_fidelity.py", "a handshake is judged by both of its ends"),
    "proxy.wire.edge": ("tests/wire/test_limits.py", "listens on sockets; its internals are in test_pins.py"),
    "proxy.wire.exchange": ("tests/wire/test_relay.py", "plays in every script, timers and all"),
    "proxy.wire.server": ("tests/wire/test_shutdown.py", "listens on sockets; its internals are in test_pins.py"),
}


def statements(tree: ast.Module) -> int:
    return sum(isinstance(node, ast.stmt) and not isinstance(node, ast.Expr) for node in ast.walk(tree))


def imported_by_tests() -> set[str]:
    """Modules that some test imports, or something of them."""
    names: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in imports(ast.parse(path.read_text())):
            names |= {name, name.rpartition(".")[0]}
    return names


def test_every_module_has_a_sister_test():
    imported = imported_by_tests()
    alone = []
    for module, tree in TREES.items():
        *rooms, name = module.split(".")[1:] or ["__init__"]
        sister = ROOT.joinpath("tests", *rooms, f"test_{name}.py")
        if statements(tree) > SMALL and not sister.exists() and module not in imported and module not in ELSEWHERE:
            alone.append(module)
    assert alone == []


@pytest.mark.parametrize("module", ELSEWHERE)
def test_a_test_that_is_said_to_be_elsewhere_is_there(module):
    path, reason = ELSEWHERE[module]
    assert module in MODULES
    assert (ROOT / path).exists(), reason


# -- README -------------------------------------------------------------------------------------------------


def test_every_path_that_the_readme_mentions_exists():
    readme = (ROOT / "README.md").read_text()
    links = {link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", readme) if "://" not in link}
    paths = set(re.findall(r"\b(?:rules|examples|proxy|tests|benchmarks)/[\w./-]*\w", readme))
    modules = {name.replace(".", "/") for name in re.findall(r"\b(?:examples|benchmarks)(?:\.\w+)+", readme)}
    assert paths, "the README names the rules and examples that come along"
    missing = {path for path in links | paths if not (ROOT / path).exists()}
    missing |= {name for name in modules if not (ROOT / f"{name}.py").exists() and not (ROOT / name).exists()}
    assert missing == set()


def test_every_file_that_a_comment_sends_the_reader_to_exists():
    lost = set()
    for path in [*MODULES.values(), ROOT / "pyproject.toml"]:
        for name in re.findall(r"\b[\w/]+\.py\b", path.read_text()):
            if not any((folder / name).exists() for folder in (ROOT, ROOT / "proxy", path.parent)):
                lost.add(f"{path.name}: {name}")
    assert lost == set()


def test_the_readme_mentions_every_rule_file_that_comes_along():
    readme = (ROOT / "README.md").read_text()
    assert [path.name for path in (ROOT / "rules").glob("*.yaml") if path.name not in readme] == []
