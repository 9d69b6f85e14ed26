"""`python -m pumploss.stack`: demo, run, reset."""

import argparse
import os
import signal
import sys

from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import die_with_parent


def main() -> int:
    """Obeys one wish; what goes wrong is told in a sentence, not in a traceback."""
    _end_with_make()
    try:
        return _obey(_parser().parse_args())
    except StackProblem as problem:
        print(f"\n{problem}\n", file=sys.stderr)
        return 1
    except ModuleNotFoundError as missing:
        print(f"The package {missing.name} is not installed. Run: make install", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pumploss.stack", description=__doc__)
    commands = parser.add_subparsers(dest="wish", required=True)
    commands.add_parser("demo", help="run the site with a playing market until Ctrl-C")
    commands.add_parser("reset", help="remove all databases of this clone")
    run = commands.add_parser("run", help="run one command with the servers of an instance")
    run.add_argument("instance")
    run.add_argument("command", nargs="+")
    once_live = commands.add_parser("once-live", help="wait for the site, then run a command")
    once_live.add_argument("url")
    once_live.add_argument("command", nargs="+")
    return parser


def _obey(wish: argparse.Namespace) -> int:
    # Imported where they are used: a missing package is then a sentence, and `reset` needs none.
    if wish.wish == "reset":
        from pumploss.stack.removal import reset

        removed = ", ".join(reset()) or "nothing"
        print(f"Removed: {removed}.")
        return 0
    if wish.wish == "run":
        from pumploss.stack.borrowed import run

        return run(wish.instance, wish.command)
    if wish.wish == "once-live":
        from pumploss.stack.site import once_live

        once_live(wish.url, wish.command)
    from pumploss.stack.demo import demo

    return demo()


def _end_with_make() -> None:
    """A make that was killed cannot pass the signal on, so the kernel is asked to."""
    if os.environ.get("MAKELEVEL"):
        die_with_parent(signal.SIGTERM, os.getppid())()


if __name__ == "__main__":
    sys.exit(main())
