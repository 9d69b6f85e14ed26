"""Where the servers of a clone live, and as whom they run."""

import hashlib
import os
import pwd
import re
from pathlib import Path

from pumploss.stack.account import Account
from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import run

CLONE = Path(__file__).resolve().parents[2]
REFUGES = Path("/var/lib/pumploss")


def instance_directory(instance: str, root: Path = CLONE) -> Path:
    """The ignored folder of one instance, made when it is missing."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", instance):
        raise StackProblem(f"{instance!r} is no name of an instance: demo, test, bench, …")
    directory = root / ".pumploss" / instance
    for folder in (directory.parent, directory):
        _make_passable(folder)
    return directory


def refuge(root: Path) -> Path:
    """The place outside the clone for what the servers' user cannot reach inside it."""
    return REFUGES / short_hash(root)


def refuge_of(directory: Path, root: Path) -> Path:
    """The folder in the refuge that stands for this folder of the clone."""
    inside = directory.parent == root / ".pumploss"
    return refuge(root) / (directory.name if inside else f"other-{short_hash(directory)}")


def short_hash(path: Path) -> str:
    """Tells clones apart in the refuge without repeating their long paths."""
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]


def make_refuge(folder: Path) -> None:
    """Every folder on the way may be passed by the servers' user, none may be listed."""
    ways = [parent for parent in reversed(folder.parents) if parent.is_relative_to(REFUGES)]
    for part in (*ways, folder):
        _make_passable(part)


def reaches(account: Account | None, program: Path, directory: Path) -> bool:
    """Really tries: the user enters the folder and runs the program there."""
    if account is None:
        return True
    script = 'cd "$1" && exec "$2" --version'
    trial: list[str | Path] = ["/bin/sh", "-c", script, "sh", directory, program]
    try:
        return run(trial, cwd=Path("/"), account=account).returncode == 0
    except OSError as error:
        raise StackProblem(
            f"Cannot become the user 'nobody' here ({error}). "
            "Run as a user other than root, or set DATABASE_URL."
        ) from None


def _make_passable(folder: Path) -> None:
    """Others may pass through but not look; only folders that we made are changed."""
    try:
        folder.mkdir(exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o711)
            return
        owner = _name_of(folder.stat().st_uid)
    except OSError as error:
        raise StackProblem(f"{folder} cannot be used: {error.strerror}.") from None
    raise StackProblem(
        f"{folder} belongs to the user {owner}. Run this as {owner}, or remove the folder."
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
