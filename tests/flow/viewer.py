"""A viewer of a board who does with frames what every client must."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

from tests.flow.running import RunningStack
from tests.flow.truth import settle

Row = dict[str, Any]

VERSION = "SELECT version FROM leaderboard_board WHERE period = %s"


class Viewer:
    """One socket, and the board as it follows from the frames heard so far."""

    def __init__(self, ws_url: str, period: str = "24h") -> None:
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(
            connect(f"{ws_url}/ws/leaderboards/{period}/", proxy=None, max_size=None)
        )
        self.frames: list[dict[str, Any]] = []
        self.version = -1
        self.rows: dict[str, Row] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._open.close()

    @property
    def board(self) -> list[Row]:
        """The rows in the order of the board."""
        return sorted(self.rows.values(), key=lambda row: (row["rank"], row["address"]))

    def say(self, kind: str) -> None:
        """Send a frame of this type."""
        self.socket.send(json.dumps({"type": kind}))

    def ask(self, kind: str, answer: str) -> dict[str, Any]:
        """Send a frame of this type; the next frame of the other type."""
        self.say(kind)
        while (frame := self.hear())["type"] != answer:
            continue
        return frame

    def hear(self, timeout: float = 10.0) -> dict[str, Any]:
        """The next frame, applied. Raises TimeoutError."""
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout))
        self.frames.append(frame)
        match frame["type"]:
            case "snapshot":
                self.version = frame["version"]
                self.rows = {row["address"]: row for row in frame["rows"]}
            case "delta":
                self._patch(frame)
        return frame

    def hear_until(self, enough: Callable[[], object], timeout: float = 15.0) -> None:
        """Listen until something has come true."""
        deadline = time.monotonic() + timeout
        while not enough():
            self.hear(max(0.01, deadline - time.monotonic()))

    def hear_of(self, address: str, timeout: float = 15.0) -> Row:
        """The wallet's row, once it is on the board."""
        self.hear_until(lambda: address in self.rows, timeout)
        return self.rows[address]

    def _patch(self, delta: dict[str, Any]) -> None:
        """A delta that was seen before changes nothing; one too far ahead asks for a resync."""
        if delta["version"] > self.version + 1:
            self.say("resync")
        if delta["version"] != self.version + 1:
            return
        self.version = delta["version"]
        for address in delta["removed"]:
            self.rows.pop(address, None)
        self.rows |= {row["address"]: row for row in delta["upserts"]}


def catch_up(viewer: Viewer, stack: RunningStack, period: str = "24h") -> None:
    """Listen until the viewer is where the board is."""
    settle(stack)
    version = stack.sql(VERSION, [period])[0][0]
    viewer.hear_until(lambda: viewer.version >= version)


def fresh_look(stack: RunningStack, period: str) -> Viewer:
    """The board as somebody sees it who comes now, and goes again."""
    with Viewer(stack.ws_url, period) as viewer:
        assert viewer.hear()["type"] == "snapshot"
        return viewer
