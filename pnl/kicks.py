"""Coalesced wake-ups: a thousand deliveries a second cost a few tasks a second.

A kick only shortens the wait. The periodic sweep finds the same rows without it, so a broker that
is slow or gone is logged and otherwise ignored.
"""

import logging
import time
from functools import cache

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError

log = logging.getLogger(__name__)

# A wake-up that was lost with its broker blocks the next one for no longer than this.
PENDING_MILLISECONDS = 1000

# A broker that did not answer is left alone for a moment: asking costs its callers a timeout each.
SILENCE_SECONDS = 1.0


class _Silence:
    """Whether the broker is being left alone."""

    until = 0.0

    def begin(self) -> None:
        """Ask nothing for a moment."""
        self.until = time.monotonic() + SILENCE_SECONDS

    def __bool__(self) -> bool:
        return time.monotonic() < self.until


_silence = _Silence()


@cache
def _redis() -> "redis.Redis":
    timeout = settings.REDIS_TIMEOUT_SECONDS
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout
    )


def wake(task: str) -> None:
    """Ask a worker to run a task, unless one has been asked and has not started yet."""
    if _silence:
        return
    try:
        if _redis().set(_key(task), 1, nx=True, px=PENDING_MILLISECONDS):
            current_app.send_task(task, retry=False)
    except (redis.RedisError, BrokerError) as error:
        _silence.begin()
        log.warning("No wake-up for %s, the sweep will find the rows: %s", task, error)


def awake(task: str) -> None:
    """The task has started to look: what happens from now on needs another wake-up."""
    try:
        _redis().delete(_key(task))
    except redis.RedisError as error:
        log.warning("Redis did not answer: %s", error)


def _key(task: str) -> str:
    return f"pumploss:asked:{task}"
