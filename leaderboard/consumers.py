"""The board socket: a snapshot on connect, then deltas; the hub does the work."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from leaderboard.hub import Viewer, hub
from leaderboard.models import Period

log = logging.getLogger(__name__)

UNKNOWN_PERIOD = 4404
TRY_AGAIN = 1013
# What a viewer may ask fits into a line; nothing longer is read.
QUESTION_CHARACTERS_MAX = 200


class BoardConsumer(AsyncWebsocketConsumer):
    """One viewer of one board. Says nothing until the client's frames ask: `ping` and `resync`."""

    viewer: Viewer | None = None
    serving: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        """Accept, and join the board named in the path."""
        period = self.scope["url_route"]["kwargs"]["period"]
        await self.accept()
        if period not in Period.values:
            await self.close(code=UNKNOWN_PERIOD, reason=f"no board is called {period[:20]!r}")
            return
        self.viewer = Viewer(period, self._write)
        self.serving = asyncio.create_task(self.viewer.serve())
        await self._start(hub.join, self.viewer)

    async def __call__(self, *application: Any) -> None:
        """Serve the socket, and leave the board however that ends."""
        try:
            await super().__call__(*application)
        finally:
            self._leave()

    def _leave(self) -> None:
        if self.viewer is not None:
            hub.leave(self.viewer)
        if self.serving is not None:
            self.serving.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer a ping; give a snapshot to a client that noticed a gap. All else is ignored."""
        if self.viewer is None:
            return
        match _kind(text_data):
            case "ping":
                await self._write(hub.pong(self.viewer.period))
            case "resync":
                await self._start(hub.restart, self.viewer)

    async def _start(self, start: Callable[[Viewer], Awaitable[None]], viewer: Viewer) -> None:
        """Give the viewer its snapshot; while no board can be read it must come back later."""
        try:
            await start(viewer)
        except Error as error:
            log.warning("A viewer was sent away: %s", error)
            await self.close(code=TRY_AGAIN, reason="the board cannot be read now")

    async def _write(self, frame: bytes) -> None:
        await self.send(text_data=frame.decode())


def _kind(text: str | None) -> Any:
    if text is None or len(text) > QUESTION_CHARACTERS_MAX:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message.get("type") if isinstance(message, dict) else None
