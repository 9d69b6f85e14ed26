"""Writing the boards: touched traders are summed again and viewers get what changed."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from django.db import connection, transaction

import pnl.operations
import pnl.queries
from leaderboard import broadcast, queries
from leaderboard.models import Board, Period, Standing
from leaderboard.ranking import Line, changes
from leaderboard.windows import SAVE_STANDINGS, asked

REFRESH_TASK = "leaderboard.tasks.refresh_boards"

# One refresh is bounded; what is left is taken by the next. Under load a trader is touched again
# and again, and is summed once for all notes that a refresh takes: the more it takes, the less it
# costs.
TOUCHED_MAX = 50_000
REBUILD_CHUNK = 5000
# Resting four times as long as working, the boards take a tenth of two cores at the most.
REST = 4
REST_SECONDS_MAX = 4.0
# The sums of so many traders at once must not go through files.
ROOM_TO_SUM = "SET LOCAL work_mem = '64MB'"


class Refreshed(NamedTuple):
    """What a refresh did: traders summed again, boards whose visible top changed."""

    traders: int
    boards: tuple[str, ...]


def refresh(*, now: datetime, limit: int = TOUCHED_MAX) -> Refreshed:
    """Sum again who was touched or whose window moved on, and tell the viewers what changed.

    Summing again, rather than adding up what happened, makes a board correct itself after a replay.
    """
    with transaction.atomic():
        boards = _locked_boards()
        traders = _due(now, limit)
        changed = _refreshed(boards, traders, now) if traders else ()
        Board.objects.exclude(period__in=changed).update(refreshed_at=now)
        versions = {period.value: boards[period] + (period in changed) for period in boards}
        transaction.on_commit(partial(broadcast.beat, now, versions))
    return Refreshed(len(traders), changed)


def refresh_until_quiet(*, seconds: float) -> int:
    """Refresh until nobody is due, or the time is up; the number of traders summed."""
    until = time.monotonic() + seconds
    total = 0
    while (began := time.monotonic()) < until:
        traders = refresh(now=datetime.now(UTC)).traders
        total += traders
        if not traders:
            break
        time.sleep(rest_after(time.monotonic() - began))
    return total


def rest_after(seconds: float) -> float:
    """How long to rest after a refresh that took so long; longer, for booking has to go on.

    What comes in the meantime is summed together, which costs less; a quiet board hardly rests.
    """
    return min(REST * seconds, REST_SECONDS_MAX)


def rebuild(*, now: datetime) -> int:
    """Touch every trader who ever traded; the refreshes that follow write every standing anew."""
    last = 0
    total = 0
    while ids := pnl.queries.trader_ids_after(last, limit=REBUILD_CHUNK):
        with transaction.atomic():
            pnl.operations.touch(ids)
        total += len(ids)
        last = ids[-1]
    return total


def _locked_boards() -> dict[Period, int]:
    """All boards and their versions, locked in order: one refresh at a time, and no gaps."""
    rows = Board.objects.select_for_update().order_by("period").values_list("period", "version")
    return {Period(period): version for period, version in rows}


def _refreshed(
    boards: Mapping[Period, int], traders: Sequence[int], now: datetime
) -> tuple[Period, ...]:
    """Write the standings of these traders; the boards whose visible top is another now."""
    before = {period: queries.top(period) for period in boards}
    _stand(traders, now)
    return tuple(
        period
        for period, version in boards.items()
        if _publish(period, version + 1, before[period], now)
    )


def _due(now: datetime, limit: int) -> list[int]:
    """Traders touched since they were last summed, and traders whose oldest entry has left."""
    touched = pnl.operations.take_touched(limit=limit)
    expired = Standing.objects.filter(expires_at__lte=now).order_by("expires_at")
    return sorted({*touched, *expired.values_list("trader_id", flat=True)[:limit]})


def _stand(traders: Sequence[int], now: datetime) -> None:
    """Write the standings of these traders on all boards."""
    with connection.cursor() as cursor:
        cursor.execute(ROOM_TO_SUM)
        cursor.execute(SAVE_STANDINGS, asked(list(traders), now))


def _publish(period: Period, version: int, before: list[Line], now: datetime) -> bool:
    """Move the board to its next version and send the change, if the visible top did change."""
    after = queries.top(period)
    difference = changes(before, after)
    if not (difference.upserts or difference.removed):
        return False
    Board.objects.filter(period=period).update(version=version, refreshed_at=now)
    seen = queries.Snapshot(period, version, now, after)
    transaction.on_commit(partial(broadcast.publish, seen, difference))
    return True
