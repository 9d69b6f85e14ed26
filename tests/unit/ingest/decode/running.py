"""The log of a transaction, written the way the runtime writes it, from the calls that ran."""

import base64
from collections.abc import Callable

# What runs inside a call, given the call's depth: its lines.
Step = Callable[[int], list[str]]


def ran(program: str, *inside: Step, end: str = "success") -> Step:
    """A call of a program, with what it did and how it ended."""

    def at(depth: int) -> list[str]:
        lines = [line for step in inside for line in step(depth + 1)]
        spent = f"Program {program} consumed 2125 of 181726 compute units"
        return [f"Program {program} invoke [{depth}]", *lines, spent, f"Program {program} {end}"]

    return at


def told(event: bytes) -> Step:
    """An event, written by the program that runs."""
    return said(f"Program data: {base64.b64encode(event).decode()}")


def said(line: str) -> Step:
    """Any line."""
    return lambda depth: [line]


def log_of(*outer: Step) -> list[str]:
    """The whole log."""
    return [line for step in outer for line in step(1)]
