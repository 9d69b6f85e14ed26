"""How many deliveries a second the door keeps durably, against one that keeps nothing.

Then how long it takes to answer at a steady rate, while a worker books what comes in.
"""

from itertools import islice
from typing import Final

from django.db import connection

from tests.bench.aside import Aside
from tests.bench.caller import Tally, drive, drive_paced, request_of
from tests.bench.figures import Figure, Report, Sizes, percentile
from tests.bench.playing import bodies, transactions
from tests.bench.scratch import Scratch, scratch
from tests.bench.site import web, worker

NOOP: Final = "tests.bench.noop:application"
BODIES: Final = 2000
# Of the market's bodies those about as large as Helius's usual ones; the mean is 7 KB.
BODY_BYTES: Final = range(6_000, 8_000)
WARM_UP_SECONDS: Final = 0.5
TARGET_PER_SECOND: Final = 8000
TARGET_RATIO: Final = 0.25
TARGET_P99_MILLISECONDS: Final = 50
PACED_PER_SECOND: Final = 2000
PACED_TARGET_P99_MILLISECONDS: Final = 1000
TRUNCATE: Final = "TRUNCATE ingest_delivery"
KEPT: Final = "SELECT count(*) FROM ingest_delivery WHERE octet_length(body) < size_bytes"
BOOKED: Final = "SELECT count(*) FROM ingest_delivery WHERE processed_at IS NOT NULL"


def measure(sizes: Sizes) -> Report:
    """Rounds of load on both applications in turn; every 200 must be a row."""
    kept: list[Tally] = []
    bare: list[Tally] = []
    with scratch() as place, web(place) as ours:
        requests = [request_of(body, place.secret) for body in usual_bodies()]
        with web(place, NOOP) as noop:
            for port in (ours, noop):
                _load(port, sizes._replace(seconds=WARM_UP_SECONDS), requests)
            for _ in range(sizes.rounds):
                bare.append(_load(noop, sizes, requests))
                kept.append(_durable(ours, sizes, requests))
        paced, booked = _while_booking(place, ours, sizes)
    mean = sum(map(len, requests)) // len(requests)
    return Report(
        "receiver",
        [*_bare_figures(bare), *_kept_figures(kept), *_paced_figures(paced, booked)],
        [
            f"{sum(tally.kept for tally in (*kept, *paced))} answers 200 are as many committed "
            f"rows ({sizes.connections} connections, {mean} bytes a request, one web process)"
        ],
    )


def usual_bodies() -> list[bytes]:
    """Bodies of one transaction each, about as large as most are."""
    return [body for body in bodies(2 * BODIES) if len(body) in BODY_BYTES][:BODIES]


def _load(port: int, sizes: Sizes, requests: list[bytes]) -> Tally:
    with Aside(drive, port, sizes.connections, requests, sizes.seconds) as client:
        return _all_kept(client.result())


def _all_kept(tally: Tally) -> Tally:
    assert set(tally.statuses) == {200}, f"answers by status: {tally.statuses}"
    return tally


def _durable(port: int, sizes: Sizes, requests: list[bytes]) -> Tally:
    """A round on an empty inbox, which must hold what was answered 200 afterwards."""
    _ask(TRUNCATE)
    tally = _load(port, sizes, requests)
    rows = _ask(KEPT)
    assert rows == tally.kept, f"{tally.kept} answers 200, {rows} rows"
    return tally


def _while_booking(place: Scratch, port: int, sizes: Sizes) -> tuple[list[Tally], list[float]]:
    """Rounds at a steady rate; and how many deliveries a second were booked meanwhile."""
    size = int(PACED_PER_SECOND * sizes.seconds)
    played = transactions(size * sizes.rounds)
    paced, booked = [], []
    _ask(TRUNCATE)
    with worker(place):
        for _ in range(sizes.rounds):
            bodies = [f"[{each.json}]".encode() for each in islice(played, size)]
            requests = [request_of(body, place.secret) for body in bodies]
            before = _ask(BOOKED)
            paced.append(_paced(port, sizes.connections, requests))
            booked.append((_ask(BOOKED) - before) / paced[-1].seconds)
            assert booked[-1] > 0, "nothing was booked meanwhile"
        rows = _ask(KEPT)
    assert rows == sum(tally.kept for tally in paced), f"{rows} rows"
    return paced, booked


def _paced(port: int, connections: int, requests: list[bytes]) -> Tally:
    with Aside(drive_paced, port, connections, requests, PACED_PER_SECOND) as client:
        return _all_kept(client.result())


def _ask(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0]) if cursor.description else 0


def _bare_figures(rounds: list[Tally]) -> list[Figure]:
    return [
        Figure("no-op, deliveries", "/s", _speeds(rounds)),
        *(Figure(f"no-op, p{each}", "ms", _times(rounds, each)) for each in (50, 99)),
    ]


def _kept_figures(rounds: list[Tally]) -> list[Figure]:
    return [
        Figure(
            *("receiver, deliveries", "/s", _speeds(rounds), "no-op, deliveries"),
            at_least=TARGET_PER_SECOND,
            ratio_at_least=TARGET_RATIO,
        ),
        Figure("receiver, p50", "ms", _times(rounds, 50), "no-op, p50"),
        Figure(
            *("receiver, p99", "ms", _times(rounds, 99), "no-op, p99"),
            at_most=TARGET_P99_MILLISECONDS,
        ),
    ]


def _paced_figures(rounds: list[Tally], booked: list[float]) -> list[Figure]:
    return [
        Figure("receiver beside a worker, deliveries", "/s", _speeds(rounds)),
        Figure("booked meanwhile", "/s", booked),
        Figure("receiver beside a worker, p50", "ms", _times(rounds, 50)),
        Figure(
            *("receiver beside a worker, p99", "ms", _times(rounds, 99)),
            at_most=PACED_TARGET_P99_MILLISECONDS,
        ),
    ]


def _speeds(rounds: list[Tally]) -> list[float]:
    return [tally.kept / tally.seconds for tally in rounds]


def _times(rounds: list[Tally], percent: int) -> list[float]:
    return [1000 * percentile(tally.latencies, percent) for tally in rounds]
