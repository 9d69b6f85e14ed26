"""The law of imports is kept, and covers the whole house."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.house.source import APPS, ROOT, modules, read


def law() -> dict[str, Any]:
    linter: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]
    return linter


def contract(name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [c for c in law()["contracts"] if c["id"] == name]
    assert found, f"pyproject.toml has no contract {name!r}"
    return found[0]


def packages() -> set[str]:
    return {module.package for module in modules() if module.path.endswith("/__init__.py")}


def test_the_law_of_imports_is_kept() -> None:
    linter = str(Path(sys.executable).with_name("lint-imports"))
    command = [linter, "--no-cache", "--config=pyproject.toml"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_package_is_under_the_law() -> None:
    named = {name.strip(" ()") for layer in contract("apps")["layers"] for name in layer.split("|")}
    assert packages() <= set(law()["root_packages"]), "add them to root_packages"
    assert packages() <= named, "add them to the layers of the contract `apps`"


def test_every_app_has_its_floors_laid_out_exhaustively() -> None:
    for app in sorted(packages() & {*APPS, "pumploss"}):
        floors = contract("wiring" if app == "pumploss" else app)
        assert floors["containers"] == [app]
        assert floors["exhaustive"], f"{app} needs the contract of its floors"


def test_analytics_asks_and_never_tells() -> None:
    if "analytics" not in packages():
        return
    readonly = contract("analytics-asks")
    assert readonly["type"] == "forbidden"
    assert readonly["source_modules"] == ["analytics"]
    assert {"pnl.operations", "leaderboard.operations"} <= set(readonly["forbidden_modules"])
