"""One owner for each instance of a clone, and the way others find what the owner started."""

import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pumploss.stack.problem import InstanceInUse
from pumploss.stack.processes import wait_until
from pumploss.stack.records import read_record, write_record

ENDPOINTS = "running.json"
START_PATIENCE = 60.0
LET_GO_PATIENCE = 1.0


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Holds the instance; the kernel lets go of it even when the launcher is killed."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Children of a killed launcher hold on for the moment they need to notice.
        if not wait_until(lambda: _locks(descriptor, fcntl.LOCK_EX), LET_GO_PATIENCE):
            raise InstanceInUse(_in_use(directory))
        (directory / ENDPOINTS).unlink(missing_ok=True)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def is_held(directory: Path) -> bool:
    """Whether some process runs this instance now."""
    return (directory / "lock").exists() and not _is_lockable(directory / "lock", fcntl.LOCK_SH)


def check_free(directory: Path) -> None:
    """Says who runs this instance before anything else is tried for it."""
    if is_held(directory):
        raise InstanceInUse(_in_use(directory))


@contextmanager
def published(directory: Path, endpoints: Mapping[str, str]) -> Iterator[None]:
    """While this lasts, other commands of the clone can use the servers."""
    write_record(directory / ENDPOINTS, endpoints)
    try:
        yield
    finally:
        (directory / ENDPOINTS).unlink(missing_ok=True)


def endpoints_of(directory: Path) -> dict[str, str] | None:
    """What the running owner published; waits for an owner that is still starting."""
    path = directory / ENDPOINTS
    wait_until(lambda: path.exists() or not is_held(directory), START_PATIENCE, 0.1)
    return read_record(path) or None if is_held(directory) else None


def borrow(directory: Path) -> None:
    """Marks this process as a user of the servers, until it ends."""
    descriptor = os.open(directory / "borrowers", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def wait_for_borrowers(directory: Path) -> None:
    """Lets the commands finish that use servers we only started for ourselves."""
    path = directory / "borrowers"
    if path.exists() and not _is_lockable(path, fcntl.LOCK_EX):
        print("Waiting for another command that uses these servers…", file=sys.stderr)
        wait_until(lambda: _is_lockable(path, fcntl.LOCK_EX), float("inf"), 0.2)


def _is_lockable(path: Path, kind: int) -> bool:
    """Whether the lock could be had at this moment; it is given back at once."""
    with path.open("rb") as file:
        return _locks(file.fileno(), kind)


def _locks(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _in_use(directory: Path) -> str:
    owner = (directory / "lock").read_text() or "?"
    web = read_record(directory / ENDPOINTS).get("WEB_URL")
    where = f" at {web}" if web else ""
    return (
        f"'{directory.name}' already runs in this clone{where} (process {owner}). "
        "Use that one, or stop it first."
    )
