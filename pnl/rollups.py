"""Hourly rollups: what a batch adds to a trader's hours, and what a replay corrects in them.

Sums are applied as differences, which commute between workers. The extremes (worst realization,
last loss) cannot be un-applied, so where a replay changed a result they are read again from the
realizations, under the lock that the addition has just taken on the hour.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pnl import rows
from pnl.engine.booking import Realization

HOUR_SECONDS = 3600
Hour = tuple[int, int]  # trader id, Unix seconds of the hour's start

SUMS = (
    "trades",
    "volume_lamports",
    "sells",
    "matched_sells",
    "unmatched_sells",
    "unpriced",
    "cost_lamports",
    "realized_lamports",
    "loss_lamports",
    "closed",
    "wins",
    "losses",
)
_COUNTS = ", ".join(f"%b::{'int8' if name.endswith('lamports') else 'int4'}[]" for name in SUMS)
_UNNEST = f"unnest(%b::int8[], %b::int8[], {_COUNTS}"
_NAMES = ", ".join(SUMS)

ADD_TO_HOURS = f"""
INSERT INTO pnl_hourlyrollup AS r (trader_id, hour, {_NAMES}, worst_lamports, last_loss_at)
SELECT trader_id, to_timestamp(hour), {_NAMES}, worst_lamports, to_timestamp(last_loss_at)
  FROM {_UNNEST}, %b::int8[], %b::int8[])
    AS k(trader_id, hour, {_NAMES}, worst_lamports, last_loss_at)
 ORDER BY trader_id, hour
    ON CONFLICT (trader_id, hour) DO UPDATE
   SET {", ".join(f"{name} = r.{name} + excluded.{name}" for name in SUMS)},
       worst_lamports = LEAST(r.worst_lamports, excluded.worst_lamports),
       last_loss_at = GREATEST(r.last_loss_at, excluded.last_loss_at)
"""  # noqa: S608

CORRECT_HOURS = f"""
UPDATE pnl_hourlyrollup r
   SET {", ".join(f"{name} = r.{name} + k.{name}" for name in SUMS)},
       worst_lamports = seen.worst_lamports,
       last_loss_at = seen.last_loss_at
  FROM {_UNNEST}) AS k(trader_id, hour, {_NAMES})
 CROSS JOIN LATERAL (
       SELECT LEAST(0, min(x.realized_lamports)) AS worst_lamports,
              max(x.realized_at) FILTER (WHERE x.realized_lamports < 0) AS last_loss_at
         FROM pnl_realization x
        WHERE x.trader_id = k.trader_id
          AND x.realized_at >= to_timestamp(k.hour)
          AND x.realized_at < to_timestamp(k.hour) + interval '1 hour') AS seen
 WHERE r.trader_id = k.trader_id AND r.hour = to_timestamp(k.hour)
"""  # noqa: S608


class Activity(NamedTuple):
    """One trade's part in its hour. `replaces` is what an earlier fold made of the sell."""

    trader_id: int
    block_time: int
    is_new: bool
    lamports: int | None
    result: Realization | None
    replaces: Realization | None


def hour_of(block_time: int) -> int:
    """The start of the clock hour, in Unix seconds."""
    return block_time - block_time % HOUR_SECONDS


class Hours:
    """The sums of one batch by trader and hour: additions apart from corrections."""

    def __init__(self) -> None:
        self.added: dict[Hour, list[int]] = {}
        self.corrected: dict[Hour, list[int]] = {}
        self.worst: dict[Hour, int] = {}
        self.last_loss: dict[Hour, int] = {}

    def count(self, activity: Activity) -> None:
        """Take one trade in."""
        hour = (activity.trader_id, hour_of(activity.block_time))
        if activity.is_new:
            _add(self.added, hour, _trade_sums(activity))
        if activity.result == activity.replaces or activity.result is None:
            return
        if activity.replaces is None:
            _add(self.added, hour, _result_sums(activity.result))
            self._see_extremes(hour, activity)
            return
        difference = zip(
            _result_sums(activity.result), _result_sums(activity.replaces), strict=True
        )
        _add(self.corrected, hour, [new - old for new, old in difference])
        # A zero addition makes sure that the hour is locked in order before it is corrected.
        _add(self.added, hour, [0] * len(SUMS))

    def _see_extremes(self, hour: Hour, activity: Activity) -> None:
        realized = activity.result.realized_lamports if activity.result else 0
        if realized < 0:
            self.worst[hour] = min(self.worst.get(hour, 0), realized)
            self.last_loss[hour] = max(self.last_loss.get(hour, 0), activity.block_time)

    def save(self) -> None:
        """Add, then correct. Realizations must have been written before."""
        rows.write(ADD_TO_HOURS, [self._addition(hour) for hour in sorted(self.added)])
        rows.write(CORRECT_HOURS, [(*hour, *sums) for hour, sums in sorted(self.corrected.items())])

    def _addition(self, hour: Hour) -> rows.Row:
        return (*hour, *self.added[hour], self.worst.get(hour, 0), self.last_loss.get(hour))


def count_hours(activities: Iterable[Activity]) -> Hours:
    """The hours of a batch."""
    hours = Hours()
    for activity in activities:
        hours.count(activity)
    return hours


def _add(sums: dict[Hour, list[int]], hour: Hour, amounts: Sequence[int]) -> None:
    known = sums.get(hour)
    sums[hour] = (
        list(amounts) if known is None else [a + b for a, b in zip(known, amounts, strict=True)]
    )


def _trade_sums(activity: Activity) -> list[int]:
    unpriced = activity.lamports is None
    return [1, activity.lamports or 0, 0, 0, 0, int(unpriced), 0, 0, 0, 0, 0, 0]


def _result_sums(result: Realization) -> list[int]:
    return [
        0,
        0,
        1,
        int(result.matched_units > 0),
        int(result.unmatched_units > 0),
        0,
        result.cost_lamports,
        result.realized_lamports,
        min(0, result.realized_lamports),
        int(result.closes),
        int(result.closes and result.trip_lamports > 0),
        int(result.closes and result.trip_lamports < 0),
    ]
