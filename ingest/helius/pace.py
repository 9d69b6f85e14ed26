"""How fast and how often we ask: a token bucket, and pauses that grow and differ."""

import email.utils
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple


class Patience(NamedTuple):
    """How long one call may take: its timeouts, its attempts, and the pauses between them.

    `read_seconds` bounds the wait for the next bytes, `answer_seconds` an attempt with its answer.
    A pause that Helius asks for is kept up to `pause_seconds_max`; if it asks for more, the call
    ends and whoever made it comes back later.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    answer_seconds: float = 60.0
    attempts: int = 5
    pause_seconds: float = 0.5
    pause_seconds_max: float = 10.0

    def pause_ceiling(self, attempt: int) -> float:
        """The longest pause after this attempt, counted from 1: twice as long each time."""
        grown: float = self.pause_seconds * 2 ** (attempt - 1)
        return min(self.pause_seconds_max, grown)


# A task must end: it asks less patiently than a person, and comes back.
BRIEF = Patience(
    connect_seconds=3, read_seconds=10, answer_seconds=20, attempts=2, pause_seconds_max=3
)


class TokenBucket:
    """Lets so many requests a second through, a second's worth at once; threads share it."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second)
        self._tokens = self._capacity
        self._clock, self._sleep = clock, sleep
        self._filled_at = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Return when the next request may go."""
        delay = self._reserve()
        if delay > 0:
            self._sleep(delay)

    def _reserve(self) -> float:
        """Take a token, on credit if there is none; the seconds until it will have been there."""
        with self._lock:
            now = self._clock()
            grown = self._tokens + (now - self._filled_at) * self._per_second
            self._tokens = min(self._capacity, grown) - 1
            self._filled_at = now
            return max(0.0, -self._tokens / self._per_second)


def asked_pause_seconds(retry_after: str | None, now: datetime | None = None) -> float | None:
    """A Retry-After header, seconds or an HTTP date, as seconds; None when it says nothing."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    zoned = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (zoned - (now or datetime.now(UTC))).total_seconds())
