"""Pure code knows no Django, no clock, no chance, no float and no world; it stays simple, too."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT, Module, dotted, pure, refuse

COMPLEXITY_MAX = 8
WORLD = {
    "asyncio", "http", "io", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket",
    "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
WORLDLY_NAMES = {"float", "input", "open", "print"}
CLOCKS = ("now", "utcnow", "today", "time", "monotonic", "perf_counter")

# Whatever these names belong to must not be needed to import the pure code.
BLOCKED = [
    "celery",
    "channels",
    "django",
    "httpx",
    "psycopg",
    "redis",
    "requests",
    "rest_framework",
]
WITHOUT_FRAMEWORKS = f"""
import importlib, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(name + " is not for pure code")
sys.meta_path.insert(0, Blocked())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def inexact(node: ast.AST) -> bool:
    """A float, or a division that would make one."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float | complex)
    operator = getattr(node, "op", None)
    return isinstance(operator, ast.Div)


def worldly(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in WORLD for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] in WORLD
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in CLOCKS and dotted(node.func.value) != ""
    return isinstance(node, ast.Name) and node.id in WORLDLY_NAMES


def impurities(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if inexact(node) or worldly(node):
            assert isinstance(node, ast.stmt | ast.expr)
            yield f"{module.place(node)} {ast.unparse(node)}"


def test_no_pure_module_meets_a_float_a_clock_or_the_world() -> None:
    found = [impurity for module in pure() for impurity in impurities(module)]
    refuse(found, "amounts are integers; times and chance are arguments")


def test_every_pure_module_imports_without_django() -> None:
    names = [module.name for module in pure()]
    command = [sys.executable, "-c", WITHOUT_FRAMEWORKS, *names]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_pure_function_is_simple() -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    limit = f"lint.mccabe.max-complexity={COMPLEXITY_MAX}"
    paths = [module.path for module in pure()]
    command = [ruff, "check", "--no-cache", "--select=C901", f"--config={limit}", *paths]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
