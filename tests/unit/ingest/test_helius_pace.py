"""The pace of our questions: a bucket that threads share, and pauses as Helius asks for them."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from ingest.helius.pace import Patience, TokenBucket, asked_pause_seconds

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_second_s_worth_goes_at_once_and_the_rest_in_its_time(clock: Clock) -> None:
    bucket = TokenBucket(10, clock=clock, sleep=clock.sleep)
    for _ in range(10):
        bucket.take()
    assert clock.now == 0
    for _ in range(20):
        bucket.take()
    assert clock.now == pytest.approx(2.0)


def test_what_was_not_used_is_kept_for_no_longer_than_a_second(clock: Clock) -> None:
    bucket = TokenBucket(5, clock=clock, sleep=clock.sleep)
    clock.now = 1000.0
    for _ in range(10):
        bucket.take()
    assert clock.now == pytest.approx(1001.0)


def test_threads_share_one_bucket() -> None:
    bucket = TokenBucket(100)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        taken = [pool.submit(bucket.take) for _ in range(120)]
    assert [each.exception() for each in taken] == [None] * 120
    assert time.monotonic() - began >= 0.19


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 12:01:00 -0000", 60.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_a_pause_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert asked_pause_seconds(header, NOON) == seconds


def test_pauses_grow_and_stop_growing() -> None:
    patience = Patience(pause_seconds=0.5, pause_seconds_max=3)
    assert [patience.pause_ceiling(attempt) for attempt in range(1, 6)] == [0.5, 1, 2, 3, 3]
