"""Events as the log tells them: what is left to read where no inner instructions are recorded."""

import re
from base64 import b64decode
from typing import Final, NamedTuple

from ingest.decode.outcome import Broken, Line

# What a program itself writes comes behind "Program log: " or "Program data: ": it cannot pretend
# to be one of these.
_STEP: Final = re.compile(
    r"Program (\S+) (?:invoke \[([0-9]{1,4})\]|(success)|failed(?:: .*)?)", re.DOTALL
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
    """What a log tells of some programs: the number of their outer calls, and their events."""

    outer_calls: int
    events: list[Logged]


class _Running(NamedTuple):
    """A program that runs, and how many events had been told before it began."""

    program: str
    events_before: int


def read_log(lines: list[str], programs: frozenset[str]) -> Log:
    """The events that these programs wrote, in execution order, each by whoever really ran it.

    What a failed call wrote is left out, for it took no effect. Raises Broken when the log does not
    show the whole execution: because it was truncated, or because its calls do not nest.
    """
    reader = _Reader(programs)
    for number, line in enumerate(lines):
        reader.read(line, Line(number))
    if reader.stack:
        raise Broken(f"the log ends inside a call of {reader.stack[-1].program}")
    return Log(reader.outer_calls, reader.events)


class _Reader:
    """Follows the calls of a log line by line, and keeps the events of some programs."""

    def __init__(self, programs: frozenset[str]) -> None:
        self.programs = programs
        self.stack: list[_Running] = []
        self.outer_calls = 0
        self.events: list[Logged] = []

    def read(self, line: str, where: Line) -> None:
        if line == _TRUNCATED:
            raise Broken("the log was truncated, and events with it", where)
        if line.startswith(_EVENT):
            self._hear(line.removeprefix(_EVENT), where)
        elif (step := _STEP.fullmatch(line)) is not None:
            program, depth, success = step.groups()
            if depth is None:
                self._leave(program, success is not None, where)
            else:
                self._enter(program, int(depth), where)

    def _hear(self, told: str, where: Line) -> None:
        if not self.stack or self.stack[-1].program not in self.programs:
            return
        try:
            event = b64decode(told, validate=True)
        except ValueError as error:
            raise Broken("the event is not base64", where) from error
        self.events.append(Logged(where, self.stack[-1].program, event))

    def _enter(self, program: str, depth: int, where: Line) -> None:
        if depth != len(self.stack) + 1:
            raise Broken(f"a call at depth {depth} follows one at {len(self.stack)}", where)
        if depth == 1 and program in self.programs:
            self.outer_calls += 1
        self.stack.append(_Running(program, len(self.events)))

    def _leave(self, program: str, succeeded: bool, where: Line) -> None:
        if not self.stack or self.stack[-1].program != program:
            raise Broken(f"{program} ends, and is not what runs", where)
        left = self.stack.pop()
        if not succeeded:
            del self.events[left.events_before :]
