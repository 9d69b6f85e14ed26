"""The door: a small ASGI app in front of Django that keeps webhook bodies and understands nothing.

Django's own ASGI path costs about a millisecond of thread hops a request; this one costs a tenth
of that. Requests that are open at the same moment share one insert and one commit, and each is
answered 200 only after that commit. A flush starts as soon as the one before has ended; a timer
would only add its own wait.
"""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import psycopg

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

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
SELECT body, octet_length(body) FROM unnest(%b::bytea[]) AS b(body)
"""


class Refusal(NamedTuple):
    """A status and the sentence that explains it."""

    status: int
    reason: str


class Door(NamedTuple):
    """What the receiver must know: where to keep bodies, who may knock, how much fits."""

    database_url: str
    secrets: tuple[bytes, ...]
    body_bytes_max: int


class Unavailable(Exception):
    """The inbox could not keep the body; the sender must try again."""


class Inbox:
    """Group commit: everything that waits at one moment becomes durable in one transaction."""

    def __init__(self, database_url: str, on_commit: Callable[[], None]) -> None:
        self._database_url = database_url
        self._on_commit = on_commit
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._waiting_bytes = 0
        self._flusher: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def keep(self, body: bytes) -> None:
        """Return once the body is committed. Raises Unavailable when it is not known to be."""
        if self._waiting_bytes + len(body) > WAITING_BYTES_MAX:
            raise Unavailable("too many bodies are waiting for the database")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, kept))
        self._waiting_bytes += len(body)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush_all())
        await kept

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        if self._flusher is not None:
            await self._flusher
        await self._disconnect()

    async def _flush_all(self) -> None:
        while self._waiting:
            group = self._take_group()
            try:
                await self._insert([body for body, _ in group])
            except Exception as error:
                log.warning("The inbox did not commit %d bodies: %s", len(group), error)
                await self._disconnect()
                self._answer(group, Unavailable(str(error)))
            else:
                self._answer(group, None)
                self._on_commit()

    def _take_group(self) -> list[tuple[bytes, asyncio.Future[None]]]:
        size = count = 0
        for body, _ in self._waiting[:FLUSH_BODIES_MAX]:
            size += len(body)
            if count and size > FLUSH_BYTES_MAX:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= sum(len(body) for body, _ in group)
        return group

    @staticmethod
    def _answer(
        group: list[tuple[bytes, asyncio.Future[None]]], failure: Unavailable | None
    ) -> None:
        for _, kept in group:
            if kept.done():  # the sender hung up and its request was cancelled
                continue
            if failure is None:
                kept.set_result(None)
            else:
                kept.set_exception(failure)

    async def _insert(self, bodies: list[bytes]) -> None:
        """Commit the bodies, over a new connection if the one at hand broke since its last use.

        Then nobody knows whether they were committed, and they may be kept twice: a delivery that
        is there twice is booked once.
        """
        was_open = self._connection is not None
        try:
            await self._execute(bodies)
        except psycopg.OperationalError:
            if not was_open or not self._is_broken():
                raise
            await self._execute(bodies)

    async def _execute(self, bodies: list[bytes]) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            connection = await self._connected()
            await connection.execute(INSERT, [bodies])

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

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class Receiver:
    """The ASGI app of the webhook path."""

    def __init__(self, door: Door, kick: Callable[[], None]) -> None:
        self._door = door
        self._kick = kick
        self._kicker: asyncio.Task[None] | None = None
        self._kick_again = False
        self._inbox = Inbox(door.database_url, self._on_commit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = self._refused_by_head(scope)
        if refusal is None:
            body = await self._body(receive)
            refusal = body if isinstance(body, Refusal) else await self._keep(body)
        await _answer(send, refusal or Refusal(200, "kept"))

    async def close(self) -> None:
        """Answer those who wait, then stop."""
        await self._inbox.close()
        if self._kicker is not None:
            await self._kicker

    def _refused_by_head(self, scope: Scope) -> Refusal | None:
        """Method, secret and announced size decide before a byte of the body is read."""
        if scope["method"] != "POST":
            return Refusal(405, "only POST is answered here")
        headers = dict(scope["headers"])
        if not self._is_known(headers.get(b"authorization", b"")):
            # Never 403: Helius does not retry it, and a delivery during a rotation would be lost.
            return Refusal(401, "the Authorization header is not the webhook's secret")
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._door.body_bytes_max:
            return self._too_large()
        return None

    def _is_known(self, offered: bytes) -> bool:
        """Compare with every secret in constant time, whichever matches."""
        matches = [hmac.compare_digest(offered, secret) for secret in self._door.secrets]
        return any(matches)

    def _too_large(self) -> Refusal:
        return Refusal(413, f"a body may have {self._door.body_bytes_max} bytes at most")

    async def _body(self, receive: Receive) -> bytes | Refusal:
        chunks: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return Refusal(400, "the connection closed before the body was complete")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._door.body_bytes_max:
                return self._too_large()
            more = message.get("more_body", False)
        return b"".join(chunks)

    async def _keep(self, body: bytes) -> Refusal | None:
        start = body.lstrip()[:1]
        if not start:
            return Refusal(400, "the body is empty")
        if start not in (b"[", b"{"):
            return Refusal(400, "the body does not look like JSON: it must start with [ or {")
        try:
            await self._inbox.keep(body)
        except Unavailable:
            return Refusal(503, "the inbox is not available, please send again")
        return None

    def _on_commit(self) -> None:
        """Wake a worker without waiting for the broker: at most one thread asks at a time."""
        self._kick_again = True
        if self._kicker is None or self._kicker.done():
            self._kicker = asyncio.create_task(self._kick_until_quiet())

    async def _kick_until_quiet(self) -> None:
        while self._kick_again:
            self._kick_again = False
            await asyncio.to_thread(self._kick)


async def _answer(send: Send, refusal: Refusal) -> None:
    body = refusal.reason.encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 405:
        headers.append((b"allow", b"POST"))
    if refusal.status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
