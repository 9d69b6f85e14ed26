"""Telling the processes that hold sockets: one frame a board, serialised once, at most once.

A frame that is lost is noticed by its version, so nothing here is retried and a Redis that is gone
costs viewers freshness, never correctness.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from leaderboard import messages, queries
from leaderboard.queries import Snapshot
from leaderboard.ranking import Changes

log = logging.getLogger(__name__)

FRAME = "board.frame"
BEAT = "board.beat"


def publish(seen: Snapshot, difference: Changes) -> None:
    """Send the change to every viewer, and leave the new top where pages look for it."""
    as_of = queries.iso(seen.as_of)
    queries.keep_rendered(seen.period, messages.encoded(seen.frame()))
    frame = messages.delta(seen.period, seen.version, as_of, difference)
    _send(
        messages.group_of(seen.period),
        {
            "type": FRAME,
            "period": seen.period,
            "version": seen.version,
            "as_of": as_of,
            "frame": messages.encoded(frame),
        },
    )


def beat(as_of: datetime, versions: Mapping[str, int]) -> None:
    """Tell that the boards were looked at, and the versions by which a lost frame is noticed."""
    message = {"type": BEAT, "as_of": queries.iso(as_of), "versions": dict(versions)}
    _send(messages.BEAT_GROUP, message)


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(group, message)
    except (RedisError, OSError) as error:
        log.warning("No frame for %s, viewers will notice the gap: %s", group, error)
