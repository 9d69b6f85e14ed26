"""Events as the log tells them: what is left to read when a node recorded no inner instructions."""

import re
from base64 import b64decode
from typing import Final, NamedTuple

from ingest.decode.outcome import Broken, Line

# What a program itself writes comes behind "Program log: " or "Program data: ": it cannot pretend
# to be one of these.
_STEP: Final = re.compile(
    r"Program (\S+) (?:invoke \[(\d+)\]|(success)|failed(?:: .*)?)", re.DOTALL
)
_EVENT: Final = "Program data: "
# The runtime keeps 10,000 bytes of a transaction's log; this line is its last one then.
_TRUNCATED: Final = "Log truncated"


class Logged(NamedTuple):
    """An event that a program wrote into the log, discriminator first."""

    where: Line
    program: str
    event: bytes


class Log(NamedTuple):
    """What a log tells of some programs: outer calls of theirs that it shows, and their events."""

    outer_calls: int
    events: list[Logged]


class _Frame(NamedTuple):
    """A program that is running, and how many events were told before it began."""

    program: str
    events_before: int


def read_log(lines: list[str], programs: frozenset[str]) -> Log:
    """The events that these programs wrote, in execution order, each by whoever really ran it.

    What a failed call wrote is left out, for it took no effect. Raises Broken when the log does not
    show the whole execution: because it was truncated, or because its calls do not nest.
    """
    stack: list[_Frame] = []
    events: list[Logged] = []
    outer_calls = 0
    for number, line in enumerate(lines):
        if line == _TRUNCATED:
            raise Broken("the log was truncated, and events with it", Line(number))
        if line.startswith(_EVENT):
            if stack and stack[-1].program in programs:
                events.append(_logged(line, Line(number), stack[-1].program))
        elif (step := _STEP.fullmatch(line)) is not None:
            outer_calls += _follow(step, Line(number), stack, events) and step[1] in programs
    if stack:
        raise Broken(f"the log ends inside a call of {stack[-1].program}")
    return Log(outer_calls, events)


def _follow(step: re.Match[str], where: Line, stack: list[_Frame], events: list[Logged]) -> bool:
    """Enters or leaves a call; whether an outer one was entered."""
    program, depth, success = step.groups()
    if depth is not None:
        if int(depth) != len(stack) + 1:
            raise Broken(f"a call at depth {depth} follows one at {len(stack)}", where)
        stack.append(_Frame(program, len(events)))
        return len(stack) == 1
    if not stack or stack[-1].program != program:
        raise Broken(f"{program} ends, and is not what runs", where)
    frame = stack.pop()
    if success is None:
        del events[frame.events_before :]
    return False


def _logged(line: str, where: Line, program: str) -> Logged:
    try:
        return Logged(where, program, b64decode(line.removeprefix(_EVENT), validate=True))
    except ValueError as error:
        raise Broken("the event is not base64", where) from error
