"""A client that costs little, so that the server is measured: HTTP by hand, connections kept."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Final, NamedTuple, cast

import uvloop

from pumploss.stack.ports import LOCALHOST
from tests.bench.site import DOOR

END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"


class Tally(NamedTuple):
    """The answers of a round: how many of each status, how long each took, how long all took."""

    statuses: dict[int, int]
    latencies: list[float]
    seconds: float

    @property
    def kept(self) -> int:
        """How many were answered 200."""
        return self.statuses.get(200, 0)


class Caller(asyncio.Protocol):
    """One connection with one request under way at a time."""

    def __init__(self, answered: "Callable[[Caller, int, float], None]") -> None:
        self._answered = answered
        self._received = b""
        self._sent_at: float | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        # The transports of uvloop are such by their methods, not by their base.
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes) -> None:
        """Send the next request; `answered` hears of the answer."""
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, chunk: bytes) -> None:
        """A part of the answer, or all of it."""
        self._received += chunk
        head, end, body = self._received.partition(END_OF_HEAD)
        if end and len(body) >= _length(head):
            self._received = b""
            self._answer(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up, or we did; a request under way counts as answered with 0."""
        self._answer(0)

    def _answer(self, status: int) -> None:
        sent_at, self._sent_at = self._sent_at, None
        if sent_at is not None:
            self._answered(self, status, time.perf_counter() - sent_at)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Load:
    """Connections that send one request after the other until the time is up."""

    def __init__(self, requests: list[bytes], seconds: float) -> None:
        self._requests = cycle(requests)
        self._seconds = seconds
        self._until = 0.0
        self._open = 0
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []
        self._done = asyncio.Event()

    async def run(self, port: int, connections: int) -> Tally:
        """Send, and wait for the last answers."""
        callers = [await connect(port, self._on_answer) for _ in range(connections)]
        began = time.perf_counter()
        self._until, self._open = began + self._seconds, connections
        for caller in callers:
            caller.send(next(self._requests))
        await self._done.wait()
        seconds = time.perf_counter() - began
        for caller in callers:
            caller.close()
        return Tally(dict(self._statuses), self._latencies, seconds)

    def _on_answer(self, caller: Caller, status: int, seconds: float) -> None:
        self._statuses[status] += 1
        self._latencies.append(seconds)
        if status and time.perf_counter() < self._until:
            caller.send(next(self._requests))
            return
        self._open -= 1
        if not self._open:
            self._done.set()


class Pace:
    """Sends at a fixed rate, whatever the answers: a late one does not hold the next ones back.

    A latency counts from the moment at which the request was due.
    """

    def __init__(self, requests: list[bytes], rate: float) -> None:
        self._requests = requests
        self._rate = rate
        self._free: asyncio.Queue[Caller] = asyncio.Queue()
        self._due: dict[Caller, float] = {}
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []

    async def run(self, port: int, connections: int) -> Tally:
        """Send each request once at its time, and wait for the last answers."""
        callers = [await connect(port, self._on_answer) for _ in range(connections)]
        for caller in callers:
            self._free.put_nowait(caller)
        began = time.perf_counter()
        for place, request in enumerate(self._requests):
            due = began + place / self._rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            caller = await self._free.get()
            self._due[caller] = due
            caller.send(request)
        for _ in callers:
            await self._free.get()
        seconds = time.perf_counter() - began
        for caller in callers:
            caller.close()
        return Tally(dict(self._statuses), self._latencies, seconds)

    def _on_answer(self, caller: Caller, status: int, _seconds: float) -> None:
        self._statuses[status] += 1
        self._latencies.append(time.perf_counter() - self._due.pop(caller))
        self._free.put_nowait(caller)


async def connect(port: int, answered: Callable[[Caller, int, float], None]) -> Caller:
    """An open connection to the web process at this port."""
    loop = asyncio.get_running_loop()
    _, caller = await loop.create_connection(lambda: Caller(answered), LOCALHOST, port)
    return caller


def request_of(body: bytes, secret: str) -> bytes:
    """A delivery as it travels."""
    head = (
        f"POST {DOOR} HTTP/1.1\r\nHost: {LOCALHOST}\r\nAuthorization: {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + END_OF_HEAD + body


def drive(port: int, connections: int, requests: list[bytes], seconds: float) -> Tally:
    """One round of load, in an event loop of its own."""

    async def round_of_load() -> Tally:
        return await Load(requests, seconds).run(port, connections)

    return uvloop.run(round_of_load())


def drive_paced(port: int, connections: int, requests: list[bytes], rate: float) -> Tally:
    """These requests at this rate, in an event loop of its own."""

    async def round_of_load() -> Tally:
        return await Pace(requests, rate).run(port, connections)

    return uvloop.run(round_of_load())


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(LENGTH)
    return int(rest.partition(b"\r\n")[0])
