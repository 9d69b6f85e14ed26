"""Whether the pipeline stands a firehose: millions of trades, booked while the boards stay fresh.

The inbox is filled first, by markets of their own people and tokens. Then two workers book it while
a third process refreshes the boards, and the run is looked at all the time. What is stored when a
tenth is booked is a tenth of what is stored at the end: the first stretch and the last tell what
growth costs.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import islice
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from django.db import connection

from ingest.bodies import packed
from ingest.market.deliveries import Harm, deliver
from ingest.market.market import Market
from ingest.operations import process_pending
from leaderboard.operations import refresh, rest_after
from pnl import rows
from tests.bench.aside import FORK, Aside
from tests.bench.copying import seconds_to_copy
from tests.bench.figures import Figure, Report, Sizes, percentile
from tests.bench.playing import (
    DUPLICATES,
    ENDED_SECONDS_AGO,
    REORDERED,
    SEED,
    TRADES_PER_SECOND,
)
from tests.bench.proof import prove_booked
from tests.bench.scratch import scratch

TRADERS: Final = 300_000
TOKENS: Final = 20_000
MARKETS: Final = 2
WORKERS: Final = 2
CHUNK: Final = 500
LOOK_SECONDS: Final = 0.25
REFRESH_PAUSE_SECONDS: Final = 0.1
TARGET_PER_SECOND: Final = 10_000
TARGET_SECONDS: Final = 120
TARGET_OF_COPY: Final = 0.15
TARGET_GROWN: Final = 0.8
TARGET_MEMORY: Final = 1.2
MEGABYTE: Final = 2**20
PAGE_BYTES: Final = 4096


class Look(NamedTuple):
    """A moment of the run: trades booked so far, and the memory of each worker in bytes."""

    at: float
    booked: int
    resident: tuple[int, ...]


class Run(NamedTuple):
    """The looks, and of every refresh the seconds since the last one, and the notes by then."""

    looks: list[Look]
    refreshes: list[tuple[float, int]]

    @property
    def seconds(self) -> float:
        """From the first claim to the last commit."""
        return self.looks[-1].at - self.looks[0].at

    def rate(self, first: float, last: float) -> float:
        """Trades a second between two parts of all that was booked (0 to 1)."""
        total = self.looks[-1].booked
        start = [look for look in self.looks if look.booked <= first * total][-1]
        end = next(look for look in self.looks if look.booked >= last * total)
        return (end.booked - start.booked) / (end.at - start.at)

    def resident(self, part: float) -> float:
        """The memory of the larger worker when so much was booked, in MB."""
        total = self.looks[-1].booked
        running = [look for look in self.looks if all(look.resident)]
        return max([look for look in running if look.booked <= part * total][-1].resident)


def measure(sizes: Sizes) -> Report:
    """One long run; its trades are proven, and copied for comparison, when it is over."""
    with scratch():
        trades = _fill(sizes.trades)
        run = _book()
        assert run.looks[-1].booked == trades, f"{run.looks[-1].booked} booked of {trades}"
        prove_booked(trades)
        copied = trades / seconds_to_copy()
        return Report("firehose", _figures(run, trades, copied), [_checked(run, trades)])


def _figures(run: Run, trades: int, copied: float) -> list[Figure]:
    cycles = [took for took, _ in run.refreshes]
    early, late = run.rate(0.05, 0.1), run.rate(0.9, 1.0)
    memory_early, memory_late = run.resident(0.25), run.resident(0.99)
    return [
        Figure("COPY of the trades", "trades/s", [copied]),
        Figure(
            f"booked by {WORKERS} processes",
            "trades/s",
            [trades / run.seconds],
            "COPY of the trades",
            at_least=TARGET_PER_SECOND,
            ratio_at_least=TARGET_OF_COPY,
        ),
        Figure("sustained for", "s", [run.seconds], at_least=TARGET_SECONDS),
        Figure("with a tenth stored", "trades/s", [early]),
        Figure(
            "with all stored",
            "trades/s",
            [late],
            "with a tenth stored",
            ratio_at_least=TARGET_GROWN,
        ),
        Figure("worker's memory at a quarter", "MB", [memory_early / MEGABYTE]),
        Figure(
            "worker's memory at the end",
            "MB",
            [memory_late / MEGABYTE],
            "worker's memory at a quarter",
            ratio_at_most=TARGET_MEMORY,
        ),
        Figure("boards refreshed every, p50", "s", [percentile(cycles, 50)]),
        Figure("boards refreshed every, p99", "s", [percentile(cycles, 99)]),
        Figure("notes waiting for a refresh, most", "", [max(left for _, left in run.refreshes)]),
    ]


def _checked(run: Run, trades: int) -> str:
    return (
        f"{trades} trades ({DUPLICATES:.0%} twice, {REORDERED:.0%} late) of {_count('pnl_trader')} "
        f"traders in {_count('pnl_token')} tokens became rows, each once; positions, realizations "
        f"and rollups equal a fold in chain order; {len(run.refreshes)} refreshes"
    )


def _fill(trades: int) -> int:
    """Fill the inbox by markets that play side by side; how many trades are in it."""
    with ExitStack() as stack:
        share = trades // MARKETS
        markets = [stack.enter_context(Aside(_play, number, share)) for number in range(MARKETS)]
        return sum(int(market.result()) for market in markets)


def _play(number: int, trades: int) -> int:
    """One market's deliveries, kept as the receiver keeps them."""
    began = int(time.time() - ENDED_SECONDS_AGO - trades / TRADES_PER_SECOND) * 1000
    market = Market(SEED + number, TRADERS // MARKETS, TOKENS // MARKETS, began)
    harm = Harm(DUPLICATES, REORDERED, batch_max=1)
    source = deliver(market.play(TRADES_PER_SECOND), harm, Random(SEED))
    total = 0
    while total < trades and (chunk := list(islice(source, CHUNK))):
        total += sum(0 if delivery.duplicate else delivery.trades for delivery in chunk)
        _keep([(packed(delivery.body), len(delivery.body)) for delivery in chunk])
    return total


def _keep(bodies: Sequence[tuple[bytes, int]]) -> None:
    with rows.cursor() as raw:
        statement = "COPY ingest_delivery (body, size_bytes) FROM STDIN (FORMAT BINARY)"
        with raw.copy(statement) as copy:
            copy.set_types(["bytea", "int4"])
            for body in bodies:
                copy.write_row(body)


def _book() -> Run:
    """Book all that waits, and look on."""
    booked = FORK.Value("q", 0)
    with ExitStack() as stack, _refreshed() as refreshes:
        start = FORK.Barrier(WORKERS + 1)
        workers = [stack.enter_context(Aside(_work, start, booked)) for _ in range(WORKERS)]
        start.wait()
        looks = [Look(time.monotonic(), 0, (0,) * WORKERS)]
        while any(worker.is_running for worker in workers):
            time.sleep(LOOK_SECONDS)
            resident = tuple(_resident(worker.pid) for worker in workers)
            looks.append(Look(time.monotonic(), booked.value, resident))
        ended = max(worker.result() for worker in workers)
        looks.append(Look(ended, booked.value, looks[-1].resident))
    return Run([look for look in looks if look.at <= ended], refreshes)


def _work(start: Any, booked: Any) -> float:
    """Book batches until nothing waits; when the last one was committed."""
    connection.ensure_connection()
    start.wait()
    ended = time.monotonic()
    while (report := process_pending()).deliveries:
        ended = time.monotonic()
        with booked.get_lock():
            booked.value += report.booked
    return ended


def _resident(pid: int) -> int:
    """Bytes of a process in memory, 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


@contextmanager
def _refreshed() -> Iterator[list[tuple[float, int]]]:
    """Refreshes the boards while this lasts; the list is filled at its end."""
    refreshes: list[tuple[float, int]] = []
    stop = FORK.Event()
    with Aside(_refresh, stop) as boards:
        yield refreshes
        stop.set()
        refreshes += boards.result()


def _refresh(stop: Event) -> list[tuple[float, int]]:
    """Refresh until told to stop and nobody is due."""
    found = []
    while True:
        began = time.monotonic()
        traders = refresh(now=datetime.now(UTC)).traders
        took = time.monotonic() - began
        is_last = stop.wait(max(rest_after(took, traders), REFRESH_PAUSE_SECONDS))
        found.append((time.monotonic() - began, _count("pnl_touched")))
        if is_last and not traders:
            return found


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(cursor.fetchone()[0])
