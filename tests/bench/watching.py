"""What a viewer of a board waits for: the line in which a sell of somebody's shows.

Frames tell what a trader's line has become, and several trades may be in one. A sell has arrived
with the first line of its trader that counts as many trades as there were up to this sell.
"""

import time
from collections import deque
from typing import NamedTuple

import msgspec
from websockets.asyncio.client import ClientConnection


class Awaited(NamedTuple):
    """A sell under way: the trades its trader's line must count, and when it was sent."""

    trades: int
    sent_at: float


class Line(msgspec.Struct):
    """As much of a board's line as matters here."""

    address: str
    trades: int


class Frame(msgspec.Struct):
    """The lines of a snapshot or of a delta; other frames have none."""

    rows: list[Line] = []
    upserts: list[Line] = []


class Watch:
    """One socket on one board."""

    def __init__(self) -> None:
        self._awaited: dict[str, deque[Awaited]] = {}
        self._latencies: list[float] = []
        self._frames = 0

    @property
    def missing(self) -> int:
        """How many sells are still under way."""
        return sum(map(len, self._awaited.values()))

    def expect(self, address: str, awaited: Awaited) -> None:
        """A sell has been sent."""
        self._awaited.setdefault(address, deque()).append(awaited)

    async def listen(self, socket: ClientConnection) -> None:
        """Take in every frame, until cancelled."""
        async for message in socket:
            seen_at = time.perf_counter()
            self._frames += 1
            frame = msgspec.json.decode(message, type=Frame)
            for line in (*frame.rows, *frame.upserts):
                self._see(line, seen_at)

    def take(self) -> tuple[list[float], int]:
        """Latencies in seconds and number of frames since the last call."""
        latencies, frames = self._latencies, self._frames
        self._latencies, self._frames = [], 0
        return latencies, frames

    def _see(self, line: Line, seen_at: float) -> None:
        awaited = self._awaited.get(line.address, ())
        while awaited and awaited[0].trades <= line.trades:
            self._latencies.append(seen_at - awaited.popleft().sent_at)
