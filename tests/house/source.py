"""The house as text: its files, its modules as syntax trees, and the functions in them."""

import ast
import fnmatch
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("ingest", "pnl", "leaderboard", "analytics")
PRODUCT = ("pumploss", *APPS)
PURE = ("pnl.engine", "ingest.decode", "leaderboard.ranking", "leaderboard.messages")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file of ours."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def name(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def is_migration(self) -> bool:
        return "/migrations/" in self.path

    @property
    def is_pure(self) -> bool:
        return any(self.name == pure or self.name.startswith(f"{pure}.") for pure in PURE)

    def place(self, node: ast.stmt | ast.expr | ast.ExceptHandler) -> str:
        return f"{self.path}:{node.lineno}"

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node


@cache
def generated() -> frozenset[str]:
    """Names that .gitignore keeps out of the repository."""
    lines = (ROOT / ".gitignore").read_text().splitlines()
    names = (line.strip().strip("/") for line in lines)
    return frozenset(name for name in names if name and not name.startswith("#")) | {".git"}


def is_generated(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in generated())


@cache
def files() -> tuple[str, ...]:
    """Every file of the repository, as a path from its root."""
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = sorted(name for name in below if not is_generated(name))
        here = Path(folder).relative_to(ROOT)
        found += [(here / name).as_posix() for name in sorted(names) if not is_generated(name)]
    return tuple(found)


def read(path: str) -> str:
    """The text of a file, or nothing while it does not exist."""
    file = ROOT / path
    return file.read_text() if file.exists() else ""


@cache
def modules() -> tuple[Module, ...]:
    """Every Python module of the house, tests included."""
    return tuple(Module(path, read(path)) for path in files() if path.endswith(".py"))


def product() -> list[Module]:
    """The modules that run in production, migrations left out: those are written by Django."""
    ours = [module for module in modules() if module.package in (*PRODUCT, "manage")]
    return [module for module in ours if not module.is_migration]


def suite() -> list[Module]:
    return [module for module in modules() if module.package == "tests"]


def pure() -> list[Module]:
    found = [module for module in modules() if module.is_pure]
    assert found, "the pure code has moved away from where this house looks for it"
    return found


def refuse(found: Collection[str], advice: str) -> None:
    """Fail with what was found, one a line, and what to do about it."""
    notes = found if isinstance(found, Mapping) else dict.fromkeys(found, "")
    lines = [f"  {place}  {note}".rstrip() for place, note in sorted(notes.items())]
    assert not found, "\n".join([f"{advice}:", *lines])


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an expression that is such a name; nothing of any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def length(function: Function) -> int:
    """Lines from `def` to the end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def statements(function: Function) -> int:
    """Statements of a body at every depth, its docstring left out."""
    every = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
    return every - (ast.get_docstring(function) is not None)


def words(name: str) -> list[str]:
    """`BoardConsumer` and `board_consumer` as ["board", "consumer"]."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")
