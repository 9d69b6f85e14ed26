"""Writing the boards: touched traders are summed again and viewers get what changed."""

import time
from collections.abc import Iterable, Mapping, Sequence
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
# While the planner has no statistics of a board that grows, it would read and sort the whole of it.
BY_INDEX = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
AS_PLANNED = "SET LOCAL enable_sort = on; SET LOCAL enable_bitmapscan = on"
# A refresh rests half as long as it took, and under load four times as long: then the boards take a
# tenth of two cores, and what comes in the meantime is summed together.
LOAD_TRADERS = 1000
REST, REST_UNDER_LOAD = 0.5, 4
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
        time.sleep(rest_after(time.monotonic() - began, traders))
    return total


def rest_after(seconds: float, traders: int) -> float:
    """How long to rest after a refresh of so many traders that took so long."""
    rest = REST if traders < LOAD_TRADERS else REST_UNDER_LOAD
    return min(rest * seconds, REST_SECONDS_MAX)


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
    before = _tops(boards)
    _stand(traders, now)
    after = _tops(boards)
    return tuple(
        period
        for period, version in boards.items()
        if _publish(queries.Snapshot(period, version + 1, now, after[period]), before[period])
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


def _tops(boards: Iterable[Period]) -> dict[Period, list[Line]]:
    """The visible top of each board, by its index."""
    with connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        found = {period: queries.top(period) for period in boards}
        cursor.execute(AS_PLANNED)
    return found


def _publish(seen: queries.Snapshot, before: list[Line]) -> bool:
    """Move the board to its next version and send the change, if the visible top did change."""
    difference = changes(before, seen.lines)
    if not (difference.upserts or difference.removed):
        return False
    boards = Board.objects.filter(period=seen.period)
    boards.update(version=seen.version, refreshed_at=seen.as_of)
    transaction.on_commit(partial(broadcast.publish, seen, difference))
    return True
