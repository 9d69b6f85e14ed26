"""What will happen in the market and when; and how many trades that makes in the near future."""

import heapq
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from ingest.market.exchange import Transaction

HORIZON_MS: Final = 8_000
Act = Callable[..., list[Transaction]]
_HORIZON_S: Final = HORIZON_MS // 1_000


class Entry(NamedTuple):
    """Something due: at a market time in ms; `number` keeps equal times in order of entry."""

    at: int
    number: int
    act: Act
    args: tuple[object, ...]


class Agenda:
    """A heap of entries that also counts how many are due within the horizon."""

    __slots__ = ("_by_second", "_edge", "_heap", "_near", "_number")

    def __init__(self, now_ms: int) -> None:
        self._heap: list[Entry] = []
        self._number = 0
        self._near = 0
        self._edge = now_ms // 1_000 + _HORIZON_S
        self._by_second: Counter[int] = Counter()

    def add(self, at: int, act: Act, *args: object) -> None:
        """Enter something."""
        self._number += 1
        heapq.heappush(self._heap, Entry(at, self._number, act, args))
        if at // 1_000 < self._edge:
            self._near += 1
        else:
            self._by_second[at // 1_000] += 1

    def next(self) -> Entry:
        """Take out what is due first."""
        entry = heapq.heappop(self._heap)
        second = entry.at // 1_000
        self._slide(second + _HORIZON_S)
        self._near -= 1
        return entry

    def first_at(self, default: int) -> int:
        """When the next thing is due, or a time after the default if nothing is."""
        return self._heap[0].at if self._heap else default + 1

    def near(self, now_ms: int) -> int:
        """How many entries are due within the horizon, to the second."""
        self._slide(now_ms // 1_000 + _HORIZON_S)
        return self._near

    def _slide(self, edge: int) -> None:
        if edge - self._edge > len(self._by_second):
            passed = [second for second in self._by_second if second < edge]
        else:
            passed = list(range(self._edge, edge))
        self._near += sum(self._by_second.pop(second, 0) for second in passed)
        self._edge = max(edge, self._edge)


class Pace:
    """How many trades there should have been: a rate from a moment on, in market time."""

    __slots__ = ("_done", "_rate", "_start")

    def __init__(self, rate: float, start_ms: int, done: int = 0) -> None:
        self._rate = rate / 1_000  # per ms
        self._start = start_ms
        self._done = done

    def due(self, at_ms: int) -> float:
        """Trades that should have happened by then."""
        return self._done + self._rate * (at_ms - self._start)

    def wait(self, trades: float) -> int:
        """How many ms it takes until so many more trades are due."""
        return int(trades / self._rate)
