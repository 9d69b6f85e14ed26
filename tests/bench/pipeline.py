"""How many trades a second a full inbox becomes, boards included, against a COPY of the trades."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier, Event
from statistics import median
from typing import Final, NamedTuple

from django.db import connection

from ingest.bodies import packed
from ingest.operations import process_pending
from leaderboard.operations import refresh
from pnl import rows
from tests.bench.aside import FORK, Aside
from tests.bench.copying import seconds_to_copy
from tests.bench.figures import Figure, Report, Sizes
from tests.bench.playing import DUPLICATES, REORDERED, deliveries
from tests.bench.proof import prove_booked
from tests.bench.scratch import scratch

WORKERS: Final = (1, 2)
REFRESH_SECONDS: Final = 0.1
TARGET_PER_SECOND: Final = 5000
WRITTEN: Final = (
    "ingest_delivery, pnl_trade, pnl_position, pnl_realization, pnl_hourlyrollup, pnl_touched, "
    "pnl_trader, pnl_token, leaderboard_standing"
)


class Shift(NamedTuple):
    """One worker's part: when it began, when it found the inbox empty, the CPU its Python took."""

    began: float
    ended: float
    cpu_seconds: float


def measure(sizes: Sizes) -> Report:
    """The same inbox booked by one worker, by two, and copied; round after round."""
    speeds: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    costs: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    copies: list[float] = []
    with scratch():
        trades = _prepare(sizes.deliveries)
        for _ in range(sizes.rounds):
            for workers in WORKERS:
                shifts = _book(workers)
                prove_booked(trades)
                speeds[workers].append(trades / _seconds(shifts))
                costs[workers].append(1e6 * sum(shift.cpu_seconds for shift in shifts) / trades)
            copies.append(trades / seconds_to_copy())
    best = max(WORKERS, key=lambda workers: median(speeds[workers]))
    figures = [Figure("COPY of the trades", "trades/s", copies)]
    figures += [
        Figure(_name(workers), "trades/s", speeds[workers], "COPY of the trades")
        for workers in WORKERS
    ]
    figures += [
        Figure(f"best: {_name(best)}", "trades/s", speeds[best], None, TARGET_PER_SECOND),
        Figure("CPU of the workers' Python", "µs/trade", costs[best]),
    ]
    return Report("pipeline", figures, [_checked(sizes.deliveries, trades)])


def _name(workers: int) -> str:
    return f"booked by {workers} process{'es' if workers > 1 else ''}"


def _checked(count: int, trades: int) -> str:
    return (
        f"{count} deliveries ({DUPLICATES:.0%} twice, {REORDERED:.0%} late) became {trades} "
        "trades, each once; positions, realizations and rollups equal a fold in chain order"
    )


def _prepare(count: int) -> int:
    """Keep the deliveries where every round can take them from; how many trades are in them."""
    trades = 0
    with rows.cursor() as raw:
        raw.execute("CREATE TABLE bench_body (place serial PRIMARY KEY, body bytea, size int4)")
        raw.execute("ALTER TABLE bench_body ALTER COLUMN body SET STORAGE EXTERNAL")
        with raw.copy("COPY bench_body (body, size) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["bytea", "int4"])
            for delivery in deliveries(count):
                copy.write_row([packed(delivery.body), len(delivery.body)])
                trades += 0 if delivery.duplicate else delivery.trades
    return trades


def _fill_inbox() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {WRITTEN} RESTART IDENTITY")
        cursor.execute(
            "INSERT INTO ingest_delivery (body, size_bytes) "
            "SELECT body, size FROM bench_body ORDER BY place"
        )


def _book(workers: int) -> list[Shift]:
    """A full inbox booked until it is empty."""
    _fill_inbox()
    start = FORK.Barrier(workers)
    with ExitStack() as stack, _refreshed():
        booking = [stack.enter_context(Aside(_work, start)) for _ in range(workers)]
        return [aside.result() for aside in booking]


def _seconds(shifts: list[Shift]) -> float:
    """From the first claim to the last commit."""
    return max(shift.ended for shift in shifts) - min(shift.began for shift in shifts)


def _work(start: Barrier) -> Shift:
    connection.ensure_connection()
    start.wait()
    began, cpu_before = time.monotonic(), time.process_time()
    while process_pending().deliveries:
        continue
    return Shift(began, time.monotonic(), time.process_time() - cpu_before)


@contextmanager
def _refreshed() -> Iterator[None]:
    """The boards are refreshed by a process of their own while this lasts, and once more after."""
    stop = FORK.Event()
    with Aside(_refresh, stop) as boards:
        yield
        stop.set()
        boards.result()


def _refresh(stop: Event) -> None:
    while not stop.wait(REFRESH_SECONDS):
        refresh(now=datetime.now(UTC))
    while refresh(now=datetime.now(UTC)).traders:
        continue
