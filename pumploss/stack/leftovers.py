"""Ends a PostgreSQL that a killed launcher left running on our data folder."""

import os
import signal
from pathlib import Path

from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import PROC, residents, run, signal_all, wait_until

FAST_SHUTDOWN = signal.SIGINT


def end_leftover(data: Path) -> None:
    """Afterwards nothing runs on the folder and no stale lock file keeps a server off it."""
    lock = data / "postmaster.pid"
    postmaster = _postmaster(lock, data)
    if postmaster is not None:
        signal_all([postmaster], FAST_SHUTDOWN)
    if not wait_until(lambda: not _running_on(data), 30.0):
        signal_all(_running_on(data), signal.SIGKILL)
        if not wait_until(lambda: not _running_on(data), 10.0):
            raise StackProblem(f"A PostgreSQL still runs on {data} and cannot be stopped.")
    _remove_if_foreign(lock)


def _postmaster(lock: Path, data: Path) -> int | None:
    """The id in the lock file, when that process really serves this folder."""
    pid = _locked_by(lock)
    return pid if pid in _running_on(data) else None


def _running_on(data: Path) -> list[int]:
    if PROC.is_dir():
        return residents(data)
    pid = _locked_by(data / "postmaster.pid")
    return [pid] if pid is not None and "postgres" in _command_of(pid) else []


def _command_of(pid: int) -> str:
    return run(["/bin/ps", "-o", "comm=", "-p", str(pid)], cwd=Path("/")).stdout


def _locked_by(lock: Path) -> int | None:
    try:
        first = lock.read_text().split("\n", 1)[0]
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def _remove_if_foreign(lock: Path) -> None:
    """A number that another process wears today would make PostgreSQL refuse to start.

    When the number is free PostgreSQL removes the file itself and also makes sure that
    no orphan still uses the shared memory named there: that check we leave to it.
    """
    pid = _locked_by(lock)
    if pid is not None and _worn(pid):
        lock.unlink(missing_ok=True)


def _worn(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
