"""Group commit: bodies that wait at the same moment become durable in one transaction.

A flush starts as soon as there is a free lane for it; a timer would only add its own wait. While
the database commits what came in one lane, the other takes in the next.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg

from ingest.bodies import packed

log = logging.getLogger(__name__)

# With one, the processor would wait for the disk; more only make smaller groups.
LANES = 2
# One flush: bounded, so that a burst neither holds the answer back nor fills the memory.
FLUSH_BODIES_MAX = 512
FLUSH_BYTES_MAX = 16 * 1024 * 1024
# Bodies waiting for a flush; beyond it the truth is that we cannot keep up.
WAITING_BYTES_MAX = 256 * 1024 * 1024
CONNECT_TIMEOUT_SECONDS = 3
STATEMENT_TIMEOUT_MILLISECONDS = 5000
# A server that hangs answers no timeout of its own.
ANSWER_TIMEOUT_SECONDS = 8

INSERT = """
INSERT INTO ingest_delivery (body, size_bytes)
SELECT body, size_bytes FROM unnest(%b::bytea[], %b::int4[]) AS b(body, size_bytes)
"""


class Waiting(NamedTuple):
    """A body that waits for its commit, packed; `size_bytes` is what it had when it came."""

    body: bytes
    size_bytes: int
    kept: asyncio.Future[None]


class Unavailable(Exception):
    """The inbox could not keep the body; the sender must try again."""


class Inbox:
    """The durable inbox, as the door sees it."""

    def __init__(self, database_url: str, on_commit: Callable[[], None]) -> None:
        self._on_commit = on_commit
        self._waiting: list[Waiting] = []
        self._waiting_bytes = 0
        self._lanes = [Lane(database_url) for _ in range(LANES)]
        self._flushers: dict[Lane, asyncio.Task[None]] = {}

    async def keep(self, body: bytes) -> None:
        """Return once the body is committed. Raises Unavailable when it is not known to be."""
        if self._waiting_bytes + len(body) > WAITING_BYTES_MAX:
            raise Unavailable("too many bodies are waiting for the database")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = Waiting(packed(body), len(body), kept)
        self._waiting.append(waiting)
        self._waiting_bytes += len(waiting.body)
        if len(self._flushers) < LANES:
            lane = next(lane for lane in self._lanes if lane not in self._flushers)
            self._flushers[lane] = asyncio.create_task(self._flush_all(lane))
        await kept

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        while self._flushers:
            await asyncio.wait(self._flushers.values())
        for lane in self._lanes:
            await lane.disconnect()

    async def _flush_all(self, lane: "Lane") -> None:
        try:
            while self._waiting:
                await self._flush(lane, self._take_group())
        finally:
            del self._flushers[lane]

    async def _flush(self, lane: "Lane", group: list[Waiting]) -> None:
        try:
            await lane.insert(group)
        except Exception as error:
            log.warning("The inbox did not commit %d bodies: %s", len(group), error)
            await lane.disconnect()
            self._answer(group, Unavailable(str(error)))
        else:
            self._answer(group, None)
            self._on_commit()

    def _take_group(self) -> list[Waiting]:
        size = count = 0
        for waiting in self._waiting[:FLUSH_BODIES_MAX]:
            size += len(waiting.body)
            if count and size > FLUSH_BYTES_MAX:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= sum(len(waiting.body) for waiting in group)
        return group

    @staticmethod
    def _answer(group: list[Waiting], failure: Unavailable | None) -> None:
        for *_, kept in group:
            if kept.done():  # the sender hung up and its request was cancelled
                continue
            if failure is None:
                kept.set_result(None)
            else:
                kept.set_exception(failure)


class Lane:
    """One connection to the database, opened when it is needed."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def insert(self, group: list[Waiting]) -> None:
        """Commit the bodies of a group, over a new connection if the last one broke since its use.

        Then nobody knows whether they were committed, and they may be kept twice: a delivery that
        is there twice is booked once.
        """
        was_open = self._connection is not None
        try:
            await self._execute(group)
        except psycopg.OperationalError:
            if not was_open or not self._is_broken():
                raise
            await self._execute(group)

    async def disconnect(self) -> None:
        """Let go of the database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _execute(self, group: list[Waiting]) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            connection = await self._connected()
            bodies = [waiting.body for waiting in group]
            sizes = [waiting.size_bytes for waiting in group]
            await connection.execute(INSERT, [bodies, sizes])

    def _is_broken(self) -> bool:
        return self._connection is None or self._connection.closed

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._database_url,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                options=f"-c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS}",
                application_name="pumploss receiver",
            )
        return self._connection
