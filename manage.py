#!/usr/bin/env python3
"""Django's command line, with the embedded servers behind it when none are configured."""

import importlib.util
import os
import sys
from pathlib import Path

CLONE = Path(__file__).resolve().parent
ENVIRONMENT = CLONE / ".venv"


def main() -> None:
    """Finds the packages, then the servers, then leaves the rest to Django."""
    use_the_environment()
    try:
        # Only now: they need the packages of the environment, this file must run without them.
        from pumploss.stack.commands import environment_of
        from pumploss.stack.problem import StackProblem
    except ModuleNotFoundError as missing:
        sys.exit(f"The package {missing.name} is not installed. Run: make install")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pumploss.settings")
    try:
        with environment_of(sys.argv):
            run()
    except StackProblem as problem:
        sys.exit(str(problem))


def run() -> None:
    """Plain Django from here on."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def use_the_environment() -> None:
    """Starts again with the clone's own Python when this one has no Django."""
    if importlib.util.find_spec("django") is not None:
        return
    python = ENVIRONMENT / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        os.execv(python, [str(python), *sys.argv])
    sys.exit(f"Django is not installed here. Run: make -C '{CLONE}' install")


if __name__ == "__main__":
    main()
