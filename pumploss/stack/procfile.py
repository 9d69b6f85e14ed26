"""The processes of the site, as the Procfile lists them for every place they run in."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from honcho.environ import parse_procfile

from pumploss.stack.places import CLONE


def commands_of(root: Path = CLONE) -> dict[str, str]:
    """Name and shell command of every process, in the order of the file."""
    content = (root / "Procfile").read_text(encoding="utf-8")
    return dict(parse_procfile(content).processes)


def process_environ(
    environ: Mapping[str, str], port: int, directory: Path, root: Path = CLONE
) -> dict[str, str]:
    """The whole environment of such a process: `python` is ours, its output is not held back."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {
        **os.environ,
        **environ,
        "PATH": search,
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        # Whoever tries the site in a container is root there, and knows.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        "PUMPLOSS_STATIC_FINDERS": "1",
        "BEAT_SCHEDULE": str(directory / "beat-schedule"),
        "DJANGO_SETTINGS_MODULE": "pumploss.settings",
    }
