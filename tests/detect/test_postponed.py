"""Presidio piece by piece: it is all there and its own, and nothing of it is loaded that nobody uses.

What is imported is a matter of a whole process, so most of this is asked of new ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from proxy.detect import postponed

HEAVY = {"spacy", "thinc", "numpy", "torch", "transformers", "requests", "tldextract", "onnxruntime"}


def fresh(code: str) -> object:
    """What a new process that runs `code` has put into `answer`."""
    code = f"import json, sys\n{code}\nprint(json.dumps(answer))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


START = """
from proxy.building import built_of, ground_of
built_of("default", ground_of("off")).detector.warm()
"""


def test_the_default_detector_is_ready_without_any_language_model_library() -> None:
    assert set(fresh(f"{START}answer = [*sys.modules]")) & HEAVY == set()  # type: ignore[call-overload]


def test_the_recognizers_are_presidios_own() -> None:
    code = """
from proxy.detect.presidio import recognizers
from presidio_analyzer import PatternRecognizer
sources = [one.source for one in recognizers() if hasattr(one, "source")]
import presidio_analyzer.predefined_recognizers.generic.iban_recognizer as module
answer = [
    all(isinstance(one, PatternRecognizer) for one in sources),
    any(type(one) is module.IbanRecognizer for one in sources),
    "spacy" in sys.modules,
]
"""
    assert fresh(code) == [True, True, False]


NAMES = """
import pkgutil, importlib
import presidio_analyzer
def told(value):
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__name__)}"
answer = {}
for found in [presidio_analyzer, *pkgutil.walk_packages(presidio_analyzer.__path__, "presidio_analyzer.")]:
    if getattr(found, "ispkg", True):
        module = importlib.import_module(getattr(found, "name", "presidio_analyzer"))
        public = [name for name in dir(module) if not name.startswith("__")]
        answer[module.__name__] = {name: told(getattr(module, name)) for name in public}
"""


def test_every_package_has_the_names_that_it_has_without_us() -> None:
    """The same but for submodules that nobody has imported, which are no part of what a package promises."""
    theirs, ours = fresh(NAMES), fresh(f"import proxy.detect\n{NAMES}")
    assert isinstance(theirs, dict) and isinstance(ours, dict)
    assert theirs.keys() == ours.keys() and len(theirs) > 20
    for package, names in theirs.items():
        expected = {name: what for name, what in names.items() if what != ".module"}
        assert {name: ours[package].get(name) for name in expected} == expected, package


REGISTRY = """
from presidio_analyzer import RecognizerRegistry
registry = RecognizerRegistry()
registry.load_predefined_recognizers()
answer = sorted([one.name, *one.supported_entities] for one in registry.recognizers)
"""


def test_a_registry_knows_all_of_presidios_recognizers() -> None:
    theirs = fresh(REGISTRY)
    assert fresh(f"import proxy.detect\n{REGISTRY}") == theirs
    assert len(theirs) > 10  # type: ignore[arg-type]


COUNTRIES = """
from presidio_analyzer import predefined_recognizers as all_of_them
offered = [getattr(all_of_them, name) for name in all_of_them.__all__]
told = {kind.__name__: kind.COUNTRY_CODE.lower() for kind in offered if getattr(kind, 'COUNTRY_CODE', None)}
answer = dict(sorted(told.items()))
"""


def test_recognizers_of_countries_are_all_there_and_load_no_spacy() -> None:
    code = """
from proxy.detect.recognizers.countries import ALWAYS, countries
told = {kind.__name__: code for code, kinds in countries().items() for kind in kinds}
answer = [dict(sorted(told.items())), sorted(ALWAYS), "spacy" in sys.modules]
"""
    ours, always, loaded = fresh(code)  # type: ignore[misc]
    assert {name: code for name, code in fresh(COUNTRIES).items() if name not in always} == ours  # type: ignore[attr-defined]
    assert not loaded


def test_spacy_is_there_when_something_wants_it() -> None:
    code = """
import proxy.detect
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine
before = "spacy" in sys.modules
engine = NoOpNlpEngine([{"lang_code": "en", "model_name": "none"}])
engine.load()
made = engine.process_text("a", "en")
from spacy.tokens import Doc
answer = [type(made) is NlpArtifacts, isinstance(made.tokens, Doc), made.to_json() != ""]
"""
    assert fresh(code) == [True, True, True]


# -- what may wait -----------------------------------------------------------------------------------------


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: str, **modules: str) -> ModuleType:
    """A package `bag` whose `__init__` is executed as Presidio's are."""
    monkeypatch.setattr(postponed, "WAITED_FOR", ("bag",))
    (tmp_path / "bag").mkdir()
    for name, text in {"__init__": init, **modules}.items():
        (tmp_path / "bag" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = str(tmp_path / "bag" / "__init__.py")
    loader = postponed._Loader("bag", path)
    spec = spec_from_file_location("bag", path, loader=loader, submodule_search_locations=[str(tmp_path / "bag")])
    assert spec is not None
    bag = module_from_spec(spec)
    for name in ("bag", *(f"bag.{name}" for name in modules)):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "bag", bag)
    loader.exec_module(bag)
    return bag


def test_a_name_is_imported_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bag = package(tmp_path, monkeypatch, "from .a import A as B\nfrom bag.b import C\n", a="A = [1]", b="C = 2")
    assert ["B" in dir(bag), "bag.a" in sys.modules] == [True, False]
    assert bag.B is sys.modules["bag.a"].A
    assert "bag.b" not in sys.modules
    with pytest.raises(AttributeError, match="no attribute 'D'"):
        _ = bag.D
    assert not (tmp_path / "bag" / "__pycache__").exists() or not [
        *(tmp_path / "bag" / "__pycache__").glob("__init__*")
    ]


def test_what_reads_a_waiting_name_waits_or_comes_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = """
from .a import A
from .b import B
from .c import C
TABLE = {"a": A}
def both(c: C):
    return [B, c]
"""
    bag = package(tmp_path, monkeypatch, init, a="A = 1", b="B = 2", c="C = 3")
    assert [name for name in "abc" if f"bag.{name}" in sys.modules] == ["b"]  # the function reads it, C is a note
    assert [bag.both(0), bag.TABLE, bag.C] == [[2, 0], {"a": 1}, 3]


def test_a_thing_that_is_called_as_its_module_is_the_thing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = "from .a import a\nfrom .b import *\nfrom json import loads\n"
    bag = package(tmp_path, monkeypatch, init, a="a = 5", b="x = 6")
    assert [bag.a, bag.x, bag.loads] == [5, 6, json.loads]
