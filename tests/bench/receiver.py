"""How many deliveries a second the door keeps durably, against one that keeps nothing."""

from typing import Final

from django.db import connection

from tests.bench.aside import Aside
from tests.bench.caller import Tally, drive, request_of
from tests.bench.figures import Figure, Report, Sizes, percentile
from tests.bench.playing import bodies
from tests.bench.scratch import scratch
from tests.bench.site import web

NOOP: Final = "tests.bench.noop:application"
BODIES: Final = 2000
WARM_UP_SECONDS: Final = 0.5
TARGET_PER_SECOND: Final = 5000


def measure(sizes: Sizes) -> Report:
    """Rounds of load on both applications in turn; every 200 must be a row."""
    with scratch() as place, web(place) as ours, web(place, NOOP) as noop:
        requests = [request_of(body, place.secret) for body in bodies(BODIES)]
        for port in (ours, noop):
            _load(port, sizes._replace(seconds=WARM_UP_SECONDS), requests)
        kept: list[Tally] = []
        bare: list[Tally] = []
        for _ in range(sizes.rounds):
            bare.append(_load(noop, sizes, requests))
            kept.append(_durable(ours, sizes, requests))
    mean = sum(map(len, requests)) // len(requests)
    return Report(
        "receiver",
        [*_figures("no-op", bare), *_figures("receiver", kept, "no-op", TARGET_PER_SECOND)],
        [
            f"{sum(tally.kept for tally in kept)} answers 200 are as many committed rows "
            f"({sizes.connections} connections, {mean} bytes a request, one web process)"
        ],
    )


def _load(port: int, sizes: Sizes, requests: list[bytes]) -> Tally:
    with Aside(drive, port, sizes.connections, requests, sizes.seconds) as client:
        tally: Tally = client.result()
    assert set(tally.statuses) == {200}, f"answers by status: {tally.statuses}"
    return tally


def _durable(port: int, sizes: Sizes, requests: list[bytes]) -> Tally:
    """A round on an empty inbox, which must hold what was answered 200 afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ingest_delivery")
    tally = _load(port, sizes, requests)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ingest_delivery WHERE octet_length(body) = size_bytes")
        (rows,) = cursor.fetchone()
    assert rows == tally.kept, f"{tally.kept} answers 200, {rows} rows"
    return tally


def _figures(
    name: str, rounds: list[Tally], against: str | None = None, target: float | None = None
) -> list[Figure]:
    speeds = [tally.kept / tally.seconds for tally in rounds]
    found = [Figure(f"{name}, deliveries", "/s", speeds, _suffixed(against, "deliveries"), target)]
    for percent in (50, 99):
        times = [1000 * percentile(tally.latencies, percent) for tally in rounds]
        found.append(Figure(f"{name}, p{percent}", "ms", times, _suffixed(against, f"p{percent}")))
    return found


def _suffixed(name: str | None, what: str) -> str | None:
    return None if name is None else f"{name}, {what}"
