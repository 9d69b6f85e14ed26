"""Runs the site's processes together: one terminal, one end for all of them."""

import multiprocessing
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import honcho.manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process

from pumploss.stack.processes import die_with_parent, turn_over

# A worker finishes the batch it holds before it goes; after this it is killed.
STOP_PATIENCE_SECONDS = 15


class Supervisor(honcho.manager.Manager):  # type: ignore[misc]
    """A honcho manager that also ends on a hang-up, names the first to fall and keeps logs."""

    def __init__(self, logs: Path, once_started: Callable[[], None]) -> None:
        # Children are forked, so that the end of this process reaches them (see `_attend`).
        multiprocessing.set_start_method("fork", force=True)
        honcho.manager.KILL_WAIT = STOP_PATIENCE_SECONDS
        super().__init__(LoggingPrinter(logs))
        self._process_ctor = _process
        self._once_started = once_started
        self.fallen: str | None = None

    def loop(self) -> None:
        """Returns when all processes have ended, whatever the reason."""
        signal.signal(signal.SIGHUP, self._hang_up)
        signal.signal(signal.SIGALRM, self._ring)
        try:
            super().loop()
        finally:
            signal.alarm(0)
            self._killall(force=True)

    def terminate(self) -> None:
        """The first call decides why everything ends: a signal, or a process that fell."""
        if self._terminating:
            return
        if not self._all_started():
            # A process that has not yet told its id cannot be signalled: ask again soon.
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return
        ended = (name for name, process in self._processes.items() if "returncode" in process)
        self.fallen = next(ended, None)
        signal.alarm(STOP_PATIENCE_SECONDS)
        super().terminate()

    def exit_code_of(self, name: str) -> int:
        return int(self._processes[name]["returncode"])

    def _start(self) -> None:
        super()._start()
        threading.Thread(target=self._once_started, daemon=True).start()

    def _killall(self, force: bool = False) -> None:
        """Replaces honcho's, which announces every signal and needs every id."""
        reach = self._procmgr.kill if force else self._procmgr.terminate
        for process in self._processes.values():
            if "returncode" not in process and "pid" in process:
                reach(process["pid"])

    def _hang_up(self, _signal: int, _frame: FrameType | None) -> None:
        self.terminate()

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if self._terminating:
            self._killall(force=True)
        else:
            self.terminate()


class LoggingPrinter(Printer):  # type: ignore[misc]
    """Prints like honcho, and keeps each process's lines in a file of its own."""

    def __init__(self, logs: Path) -> None:
        super().__init__()
        logs.mkdir(mode=0o700, exist_ok=True)
        self._logs = logs
        for log in logs.glob("*.log"):
            turn_over(log)

    def write(self, message: Message) -> None:
        """A terminal that is gone must not keep the processes from being ended."""
        line = message.data.encode() if isinstance(message.data, str) else message.data
        with (self._logs / f"{message.name}.log").open("ab") as log:
            log.write(line)
        try:
            super().write(message)
        except OSError:
            return


def _process(*arguments: Any, **options: Any) -> Any:
    process = Process(*arguments, **options)
    process._child_ctor = _attend
    return process


def _attend(command: str, **options: Any) -> subprocess.Popen[bytes]:
    """Runs in honcho's forked process, which stands between the launcher and the command.

    The kernel ends this process when the launcher dies, and the command when this one does.
    """
    launcher = multiprocessing.parent_process()
    die_with_parent(signal.SIGKILL, launcher.pid if launcher else None)()
    wish = die_with_parent(signal.SIGTERM)
    child: subprocess.Popen[bytes] = Popen(
        command, stdin=subprocess.DEVNULL, preexec_fn=wish, **options
    )
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return child
