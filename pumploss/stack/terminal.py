"""Speaks to the person at the terminal, as long as there is one."""

import os
import sys


def say(text: str) -> None:
    """A terminal that was closed must not keep the servers from being stopped in order."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 — until the end
