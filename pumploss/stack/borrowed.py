"""Runs one command with the servers of an instance behind it."""

import signal
import subprocess
from pathlib import Path
from types import FrameType

from pumploss.stack.environment import attach, running
from pumploss.stack.places import CLONE, instance_directory
from pumploss.stack.processes import die_with_parent
from pumploss.stack.procfile import process_environ


def run(instance: str, command: list[str], root: Path = CLONE) -> int:
    """The exit code of the command; servers that already run are shared."""
    if attached := attach(instance, root):
        return _run(instance, command, attached, root)
    with running(instance, root, lend=True) as environ:
        return _run(instance, command, environ, root)


def _run(instance: str, command: list[str], environ: dict[str, str], root: Path) -> int:
    complete = process_environ(environ, 8000, instance_directory(instance, root), root)
    wish = die_with_parent(signal.SIGTERM)
    child = subprocess.Popen(command, cwd=root, env=complete, preexec_fn=wish)

    def pass_on(signal_number: int, _frame: FrameType | None) -> None:
        child.send_signal(signal_number)

    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, pass_on)
    # The terminal sends Ctrl-C to the command as well: how it ends is the command's affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = child.wait()
    return code if code >= 0 else 128 - code
