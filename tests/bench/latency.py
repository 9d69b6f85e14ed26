"""How long a losing sell takes from its POST to the board that shows it, through real processes."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final, NamedTuple

import uvloop
from websockets.asyncio.client import connect as open_socket

from pnl.engine.booking import Realization, book
from pnl.engine.positions import Position
from pnl.engine.trades import Trade
from pnl.fields import base58_text
from pumploss.stack.ports import LOCALHOST
from tests.bench.caller import Caller, connect, request_of
from tests.bench.figures import Figure, Report, Sizes, percentile
from tests.bench.playing import transactions
from tests.bench.scratch import Scratch, scratch
from tests.bench.site import site
from tests.bench.watching import Awaited, Watch

# Few enough to stand on a board all together, so that every losing sell must be seen.
TRADERS: Final = 90
PERIODS: Final = ("all", "24h")
CONNECTIONS: Final = 8
WARM_UP_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 30.0
TARGET_MILLISECONDS: Final = 500
PERCENTS: Final = (50, 99)
DOOR: Final = "POST to 200"


class Post(NamedTuple):
    """A request, and the losing sells in it: the trader, and his trades up to and with it."""

    request: bytes
    losses: list[tuple[str, int]]


class Round(NamedTuple):
    """Seconds of each step by its name, and what came and went in the meantime."""

    latencies: dict[str, list[float]]
    frames: int
    posts: int
    seconds: float


def measure(sizes: Sizes) -> Report:
    """Post at a fixed rate and watch two boards, round after round on one running site."""
    seconds = WARM_UP_SECONDS + sizes.rounds * sizes.seconds
    with scratch() as place, site(place) as port:
        posts = list(_posts(place, int(sizes.rate * seconds)))
        rounds = uvloop.run(_play(port, posts, sizes))
    losses = sum(len(found.latencies[_shown(PERIODS[0])]) for found in rounds)
    figures = [figure for percent in PERCENTS for figure in _figures(rounds, percent)]
    figures += [
        Figure("posted", "/s", [found.posts / found.seconds for found in rounds]),
        Figure("frames", "/s", [found.frames / found.seconds for found in rounds]),
    ]
    return Report("latency", figures, [f"each of {losses} losing sells was shown on {PERIODS}"])


def _figures(rounds: Sequence[Round], percent: int) -> Iterator[Figure]:
    door = f"{DOOR}, p{percent}"
    for name in rounds[0].latencies:
        times = [1000 * percentile(found.latencies[name], percent) for found in rounds]
        against = None if name == DOOR else door
        target = TARGET_MILLISECONDS if against and percent == 50 else None
        yield Figure(f"{name}, p{percent}", "ms", times, against, at_most=target)


def _shown(period: str) -> str:
    return f"POST to {period} board"


def _posts(place: Scratch, count: int) -> Iterator[Post]:
    """Transactions as requests, with what each must bring about."""
    positions: dict[tuple[bytes, bytes], Position] = {}
    counted: Counter[bytes] = Counter()
    for transaction in transactions(count, traders=TRADERS):
        losses = []
        for trade in transaction.trades:
            counted[trade.trader] += 1
            position = positions.setdefault((trade.trader, trade.mint), Position())
            if _loses(position, trade):
                losses.append((base58_text(trade.trader), counted[trade.trader]))
        yield Post(request_of(f"[{transaction.json}]".encode(), place.secret), losses)


def _loses(position: Position, trade: Trade) -> bool:
    result = book(position, trade)
    return isinstance(result, Realization) and result.realized_lamports < 0


async def _play(port: int, posts: list[Post], sizes: Sizes) -> list[Round]:
    async with AsyncExitStack() as stack:
        watches = {period: Watch() for period in PERIODS}
        for period, watch in watches.items():
            path = f"ws://{LOCALHOST}:{port}/ws/leaderboards/{period}/"
            socket = await stack.enter_async_context(open_socket(path, max_size=None))
            stack.callback(asyncio.create_task(watch.listen(socket)).cancel)
        poster = await Poster.at(port, sizes.rate, watches)
        warm_up = int(sizes.rate * WARM_UP_SECONDS)
        await poster.round(posts[:warm_up])
        size = (len(posts) - warm_up) // sizes.rounds
        ends = range(warm_up, warm_up + sizes.rounds * size, size)
        return [await poster.round(posts[start : start + size]) for start in ends]


class Poster:
    """Posts at a fixed rate over a few connections, and tells the watches what to look for."""

    def __init__(self, rate: float, watches: dict[str, Watch]) -> None:
        self._rate = rate
        self._watches = watches
        self._free: asyncio.Queue[Caller] = asyncio.Queue()
        self._answers: list[float] = []
        self._statuses: Counter[int] = Counter()

    @classmethod
    async def at(cls, port: int, rate: float, watches: dict[str, Watch]) -> "Poster":
        """A poster with open connections to the door."""
        poster = cls(rate, watches)
        for _ in range(CONNECTIONS):
            poster._free.put_nowait(await connect(port, poster._on_answer))
        return poster

    async def round(self, posts: Sequence[Post]) -> Round:
        """Post all of these at their times, and wait until every loss has been shown."""
        began = time.perf_counter()
        for place, post in enumerate(posts):
            await asyncio.sleep(began + place / self._rate - time.perf_counter())
            self._post(await self._free.get(), post)
        seconds = time.perf_counter() - began
        await self._settle()
        latencies, self._answers = {DOOR: self._answers}, []
        seen = {period: watch.take() for period, watch in self._watches.items()}
        latencies |= {_shown(period): found for period, (found, _) in seen.items()}
        return Round(latencies, seen[PERIODS[0]][1], len(posts), seconds)

    def _post(self, caller: Caller, post: Post) -> None:
        now = time.perf_counter()
        caller.send(post.request)
        for address, trades in post.losses:
            for watch in self._watches.values():
                watch.expect(address, Awaited(trades, now))

    async def _settle(self) -> None:
        until = time.perf_counter() + PATIENCE_SECONDS
        while missing := {period: watch.missing for period, watch in self._watches.items()}:
            if not any(missing.values()):
                break
            assert time.perf_counter() < until, f"losses that no board has shown: {missing}"
            await asyncio.sleep(0.02)
        assert set(self._statuses) == {200}, f"answers by status: {self._statuses}"

    def _on_answer(self, caller: Caller, status: int, seconds: float) -> None:
        self._statuses[status] += 1
        self._answers.append(seconds)
        self._free.put_nowait(caller)
