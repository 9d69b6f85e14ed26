"""Children that end with their parent, and processes ended by their id."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pumploss.stack.account import Account

PR_SET_PDEATHSIG = 1
PROC = Path("/proc")
# Loaded before any fork: between fork and exec a child should not load libraries.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(last_signal: int, parent: int | None = None) -> Callable[[], None]:
    """For a child to call between fork and exec: the kernel signals it when we die.

    It must be called after the user was changed, which clears the wish, and Linux ties the wish
    to the thread that started the child: start children from a thread that lives on.
    """
    expected = parent or os.getpid()

    def wish() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, int(last_signal))
            # It may have died a moment before we asked.
            if os.getppid() != expected:
                os._exit(1)

    return wish


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    account: Account | None = None,
    environ: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, out of reach of Ctrl-C; the caller looks at the exit code."""
    return subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environ,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path,
    account: Account | None = None,
    environ: Mapping[str, str] | None = None,
    last_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts a server in a session of its own, so that Ctrl-C reaches only the launcher."""
    log.touch(mode=0o600)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=environ,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
            preexec_fn=die_with_parent(last_signal),
        )


def end(process: subprocess.Popen[bytes], *steps: tuple[int, float]) -> None:
    """Goes from the gentle signal to the last one, each with its time to obey in seconds."""
    for signal_number, patience in (*steps, (signal.SIGKILL, 10.0)):
        if process.poll() is not None:
            return
        process.send_signal(signal_number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def residents(directory: Path) -> list[int]:
    """The processes whose working directory is this folder, as PostgreSQL's all are."""
    place = str(directory.resolve())
    return [int(entry.name) for entry in PROC.glob("[0-9]*") if _working_in(entry) == place]


def signal_all(pids: Sequence[int], signal_number: int) -> None:
    """Passes over those that have ended meanwhile."""
    for pid in pids:
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            continue


def wait_until(condition: Callable[[], bool], patience: float, interval: float = 0.02) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, indented to stand below a sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-count:])


def turn_over(log: Path) -> None:
    """Keeps one older log, so that a crash can still be read after the next start."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))


def _working_in(entry: Path) -> str | None:
    try:
        return os.readlink(entry / "cwd")
    except OSError:
        return None
