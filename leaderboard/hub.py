"""One subscription a process, every socket served from it.

Joining the channel group once a process instead of once a socket makes a broadcast cost about
20 µs a socket instead of several hundred. A socket has a short queue: one that does not drain it
loses its backlog and gets a fresh snapshot, so a slow client never stalls the loop or fills memory.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from leaderboard import broadcast, messages, queries
from leaderboard.models import Period

log = logging.getLogger(__name__)

QUEUE_MAX = 16
RESUBSCRIBE_SECONDS = 1.0

Write = Callable[[bytes], Awaitable[None]]


class Viewer:
    """One socket on one board. Frames wait here until the socket takes them."""

    def __init__(self, period: str, write: Write) -> None:
        self.period = period
        self.version: int | None = None
        self._write = write
        self._waiting: deque[tuple[int | None, bytes]] = deque()
        self._ready = asyncio.Event()

    def offer(self, version: int | None, frame: bytes) -> bool:
        """Queue a frame; False when the socket is too slow and its backlog was dropped."""
        if len(self._waiting) >= QUEUE_MAX:
            self._waiting.clear()
            return False
        self._waiting.append((version, frame))
        self._ready.set()
        return True

    def start_from(self, version: int, frame: bytes) -> None:
        """A snapshot: what was queued before and is not newer is already in it."""
        newer = [item for item in self._waiting if item[0] is not None and item[0] > version]
        self._waiting.clear()
        self._waiting.append((None, frame))
        self._waiting.extend(newer)
        self.version = version
        self._ready.set()

    async def serve(self) -> None:
        """Write what waits, for as long as the socket lives."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._waiting and self.version is not None:
                _, frame = self._waiting.popleft()
                await self._write(frame)


class Hub:
    """The boards' viewers of this process."""

    def __init__(self) -> None:
        self._viewers: dict[str, set[Viewer]] = {period: set() for period in Period.values}
        self._snapshots: dict[str, tuple[int, bytes]] = {}
        self._reading: dict[str, asyncio.Task[tuple[int, bytes]]] = {}
        self._versions: dict[str, int] = {}
        self._as_of: str | None = None
        self._listener: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()

    async def join(self, viewer: Viewer) -> None:
        """Add a viewer: it hears deltas from now on, then gets the snapshot they continue."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen_for_ever())
        self._viewers[viewer.period].add(viewer)
        await self.restart(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self._viewers[viewer.period].discard(viewer)

    async def restart(self, viewer: Viewer) -> None:
        """Give a viewer a snapshot to start from, now or again; deltas wait until it is there."""
        before, viewer.version = viewer.version, None
        try:
            version, frame = await self._snapshot(viewer.period)
        except BaseException:
            viewer.version = before
            raise
        viewer.start_from(version, frame)

    def pong(self, period: str) -> bytes:
        """When the boards were last looked at, as far as this process has heard."""
        return messages.encoded(messages.pong(period, self._versions.get(period, 0), self._as_of))

    async def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.cancel()

    async def _snapshot(self, period: str) -> tuple[int, bytes]:
        """The board's snapshot, read once a version however many viewers ask."""
        if period in self._snapshots:
            return self._snapshots[period]
        reading = self._reading.get(period)
        if reading is None or reading.done():
            reading = self._reading[period] = asyncio.create_task(self._read(period))
        return await asyncio.shield(reading)

    async def _read(self, period: str) -> tuple[int, bytes]:
        # Outside a request nobody else looks whether the thread's connection is still alive.
        seen = await database_sync_to_async(queries.snapshot, thread_sensitive=False)(period)
        rendered = (seen.version, messages.encoded(seen.frame()))
        # Only what keeps hearing deltas may remember a snapshot, and only while none is newer.
        if self._subscribed.is_set() and self._versions.get(period, 0) <= seen.version:
            self._snapshots[period] = rendered
            self._versions[period] = seen.version
        return rendered

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                log.warning("The frames stopped, listening again: %s", error)
            self._subscribed.clear()
            self._snapshots.clear()
            await asyncio.sleep(RESUBSCRIBE_SECONDS)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        for group in [messages.BEAT_GROUP, *map(messages.group_of, Period.values)]:
            await layer.group_add(group, channel)
        self._subscribed.set()
        await self._resync_all()
        while True:
            self._hear(await layer.receive(channel))

    def _hear(self, message: dict[str, Any]) -> None:
        self._as_of = message["as_of"]
        if message["type"] == broadcast.BEAT:
            self._compare(message["versions"])
            return
        period, version, frame = message["period"], message["version"], message["frame"]
        self._move_on(period, version)
        for viewer in self._viewers[period]:
            if not viewer.offer(version, frame):
                self._start_anew(viewer)

    def _compare(self, versions: dict[str, int]) -> None:
        """A board at a version that was not heard of lost its frame on the way."""
        for period, version in versions.items():
            if self._versions.get(period) != version:
                self._move_on(period, version)
                for viewer in self._viewers[period]:
                    self._start_anew(viewer)

    def _move_on(self, period: str, version: int) -> None:
        """What was read, or is being read, may be of an earlier version."""
        self._snapshots.pop(period, None)
        self._reading.pop(period, None)
        self._versions[period] = version

    def _start_anew(self, viewer: Viewer) -> None:
        task = asyncio.ensure_future(self.restart(viewer))
        task.add_done_callback(_log_failure)

    async def _resync_all(self) -> None:
        """After a silence of unknown length, everybody starts from a snapshot again."""
        for viewers in self._viewers.values():
            for viewer in tuple(viewers):
                if viewer.version is not None:
                    self._start_anew(viewer)


def _log_failure(task: "asyncio.Future[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.warning("A viewer got no snapshot: %s", task.exception())


hub = Hub()
