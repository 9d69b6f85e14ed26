"""The door: a small ASGI app in front of Django that keeps webhook bodies and understands nothing.

Django's own ASGI path costs about a millisecond of thread hops a request; this one costs a tenth
of that. Requests that are open at the same moment share one insert and one commit, and each is
answered 200 only after that commit.

Whoever knocks may be slow, lying or hostile: what a request may cost in time and memory is bounded
before its first byte is kept.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from ingest.group_commit import Inbox, Unavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


# What belongs to an answer of that status. The rest of a body that is late is not waited for.
MORE_HEADERS = {
    405: [(b"allow", b"POST")],
    408: [(b"connection", b"close")],
    415: [(b"accept-encoding", b"identity")],
    503: [(b"retry-after", b"1")],
}


class Refusal(NamedTuple):
    """A status and the sentence that explains it."""

    status: int
    reason: str


class Door(NamedTuple):
    """What the receiver must know: where to keep bodies, who may knock, how much fits.

    A body must have arrived within `body_seconds`; all that are arriving share `reading_bytes_max`.
    """

    database_url: str
    secrets: tuple[bytes, ...]
    body_bytes_max: int
    body_seconds: float
    reading_bytes_max: int


class Intake:
    """Bodies while they arrive: each bounded in time and size, all of them in memory."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._arriving_bytes = 0

    async def read(self, receive: Receive) -> bytes | Refusal:
        """The whole body, or why not."""
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(self._door.body_seconds):
                refusal = await self._read_into(chunks, receive)
        except TimeoutError:
            seconds = self._door.body_seconds
            return Refusal(408, f"the body was not complete within {seconds:g} seconds")
        finally:
            self._arriving_bytes -= sum(map(len, chunks))
        return b"".join(chunks) if refusal is None else refusal

    async def _read_into(self, chunks: list[bytes], receive: Receive) -> Refusal | None:
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return Refusal(400, "the connection closed before the body was complete")
            chunk = message.get("body", b"")
            chunks.append(chunk)
            size += len(chunk)
            self._arriving_bytes += len(chunk)
            if size > self._door.body_bytes_max:
                return _too_large(self._door)
            if self._arriving_bytes > self._door.reading_bytes_max:
                return Refusal(503, "too many bodies are arriving at once, please send again")
            more = message.get("more_body", False)
        return None


class Receiver:
    """The ASGI app of the webhook path."""

    def __init__(self, door: Door, kick: Callable[[], None]) -> None:
        self._door = door
        self._kick = kick
        self._kicker: asyncio.Task[None] | None = None
        self._kick_again = False
        self._inbox = Inbox(door.database_url, self._on_commit)
        self._intake = Intake(door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = self._refused_by_head(scope)
        if refusal is None:
            body = await self._intake.read(receive)
            refusal = body if isinstance(body, Refusal) else await self._keep(body)
        await _answer(send, refusal or Refusal(200, "kept"))

    async def close(self) -> None:
        """Answer those who wait, then stop."""
        await self._inbox.close()
        if self._kicker is not None:
            await self._kicker

    def _refused_by_head(self, scope: Scope) -> Refusal | None:
        """Method, secret, encoding and announced size decide before the body is read."""
        if scope["method"] != "POST":
            return Refusal(405, "only POST is answered here")
        headers = dict(scope["headers"])
        if not self._is_known(headers.get(b"authorization", b"")):
            # Never 403: Helius does not retry it, and a delivery during a rotation would be lost.
            return Refusal(401, "the Authorization header is not the webhook's secret")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            # Helius does not compress, and what is never expanded cannot explode.
            return Refusal(415, "a body must come as it is, without a Content-Encoding")
        announced = headers.get(b"content-length", b"0").lstrip(b"0")
        limit = str(self._door.body_bytes_max).encode()
        if announced.isdigit() and (len(announced), announced) > (len(limit), limit):
            return _too_large(self._door)
        return None

    def _is_known(self, offered: bytes) -> bool:
        """Compare with every secret in constant time, whichever matches."""
        matches = [hmac.compare_digest(offered, secret) for secret in self._door.secrets]
        return any(matches)

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


def _too_large(door: Door) -> Refusal:
    return Refusal(413, f"a body may have {door.body_bytes_max} bytes at most")


async def _answer(send: Send, refusal: Refusal) -> None:
    body = refusal.reason.encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    headers += MORE_HEADERS.get(refusal.status, [])
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
