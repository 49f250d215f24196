"""Presidio, imported piece by piece: its packages hand out a name when somebody asks for it, not before.

`import presidio_analyzer` loads spaCy, thinc, numpy, requests, recognizers of all countries: 90 MB and 0.7 s,
where those used here need 6 MB and 0.05 s. Its `__init__` files are executed as they are written, except that
`from presidio_analyzer.x import Y` waits until Y is wanted (PEP 562), with whatever else reads Y. The classes are
Presidio's, unchanged. Which of them are used is not known here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import resolve_name
from types import ModuleType

PRESIDIO = "presidio_analyzer"
WAITED_FOR = (PRESIDIO, "spacy")
# No package, but recognizers import it for their annotations, and it imports spaCy for its own.
ANNOTATED = f"{PRESIDIO}.nlp_engine.nlp_artifacts"
# A registry knows recognizers by EntityRecognizer.__subclasses__(), so there must be all of them.
COMPLETE = {f"{PRESIDIO}.recognizer_registry": f"{PRESIDIO}.predefined_recognizers"}


def postpone() -> None:
    """Import Presidio piece by piece from now on. What somebody has imported already stays as it is."""
    if not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python finds, with a loader of ours if it is one of Presidio's packages; None: Python's own way."""
        if fullname.partition(".")[0] != PRESIDIO:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        if spec.submodule_search_locations is not None or fullname == ANNOTATED:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Of what waits. Past __pycache__, which holds the code that does not."""

    def exec_module(self, module: ModuleType) -> None:
        """Execute what need not wait."""
        if needed := COMPLETE.get(module.__name__):
            package = import_module(needed)
            for name in dir(package):
                getattr(package, name)
        waiting = _Waiting(module, self.path)
        vars(module).update(__getattr__=waiting.get, __dir__=waiting.names)
        for statement in ast.parse(self.get_data(self.path), self.path).body:
            waiting.add(statement)


class _Waiting:
    """Statements of a module by the names that they bind."""

    def __init__(self, module: ModuleType, path: str) -> None:
        assert module.__spec__ is not None  # or nobody could have loaded it
        self.module, self.path, self.package = module, path, module.__spec__.parent
        self.statements: dict[str, ast.stmt] = {}
        self.read: set[str] = set()  # by what was executed

    def add(self, statement: ast.stmt) -> None:
        """Let `statement` wait if it can; else execute it, and before it all that it reads."""
        names = self._imported(statement)
        if isinstance(statement, ast.Assign) and self.statements.keys() & set(_read(statement)):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        if names and self.read.isdisjoint(names):
            self.statements.update(dict.fromkeys(names, statement))
        else:
            self._execute(statement)

    def get(self, name: str) -> object:
        """The module's `__getattr__`: asked for what is not bound yet."""
        if name not in self.statements:
            raise AttributeError(f"module {self.module.__name__!r} has no attribute {name!r}", name=name)
        self._execute(self.statements[name])
        return vars(self.module)[name]

    def names(self) -> list[str]:
        """The module's `__dir__`: what is bound and what waits."""
        return sorted({*vars(self.module), *self.statements})

    def _execute(self, statement: ast.stmt) -> None:
        names = set(_read(statement))
        self.read |= names
        for name in names & self.statements.keys():
            getattr(self.module, name)  # a function finds no __getattr__ in its globals
        source, without_annotations = ast.Module([statement], []), annotations.compiler_flag
        code = compile(source, self.path, "exec", without_annotations, dont_inherit=True)
        exec(code, vars(self.module))  # noqa: S102 - what Python would execute

    def _imported(self, statement: ast.stmt) -> list[str]:
        """The names that `statement` imports from a module worth waiting for; none if it is another statement."""
        if not isinstance(statement, ast.ImportFrom):
            return []
        home = resolve_name("." * statement.level + (statement.module or ""), self.package)
        names = [alias.asname or alias.name for alias in statement.names]
        # To import a module binds its name in the package, so another thing of that name cannot wait.
        waits = home.partition(".")[0] in WAITED_FOR and not {"*", home.rpartition(".")[2]} & set(names)
        return names if waits else []


def _read(node: ast.AST) -> Iterator[str]:
    """Names that `node` reads, not counting its annotations."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _read(child)
