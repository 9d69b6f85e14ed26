"""Hourly rollups: what a batch adds to a trader's hours, and what a replay corrects in them.

Sums are applied as differences, which commute between workers. The extremes (worst realization,
last loss) cannot be un-applied, so where a replay changed a result they are read again from the
realizations, under the lock that the addition has just taken on the hour.
"""

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

# An hour whose trades were all withdrawn is as if it had never been.
DROP_EMPTIED_HOURS = """
DELETE FROM pnl_hourlyrollup r USING unnest(%b::int8[], %b::int8[]) AS k(trader_id, hour)
 WHERE r.trader_id = k.trader_id AND r.hour = to_timestamp(k.hour) AND r.trades = 0
"""


class Share(NamedTuple):
    """One trade's part in its trader's hour. `result` is what it realized, if it is a sell."""

    block_time: int
    lamports: int | None
    result: Realization | None


class Hours:
    """The sums of one batch by trader and hour: additions apart from corrections."""

    def __init__(self) -> None:
        self.added: dict[Hour, list[int]] = {}
        self.corrected: dict[Hour, list[int]] = {}
        self.worst: dict[Hour, int] = {}
        self.last_loss: dict[Hour, int] = {}

    def add(self, trader_id: int, share: Share) -> None:
        """A trade that has no part in any hour yet."""
        hour = _hour(trader_id, share)
        _count(self.added, hour, share)
        result = share.result
        if result is not None and result.realized_lamports < 0:
            self.worst[hour] = min(self.worst.get(hour, 0), result.realized_lamports)
            self.last_loss[hour] = max(self.last_loss.get(hour, 0), share.block_time)

    def replace(self, trader_id: int, before: Share, after: Share | None) -> None:
        """A trade whose part has become another, or nothing."""
        if before == after:
            return
        self._correct(_hour(trader_id, before), before, -1)
        if after is not None:
            self._correct(_hour(trader_id, after), after, 1)

    def save(self) -> None:
        """Add, then correct. Realizations must have been written before."""
        rows.write(ADD_TO_HOURS, [self._addition(hour) for hour in sorted(self.added)])
        rows.write(CORRECT_HOURS, [(*hour, *sums) for hour, sums in sorted(self.corrected.items())])
        rows.write(DROP_EMPTIED_HOURS, sorted(self.corrected))

    def _correct(self, hour: Hour, share: Share, sign: int) -> None:
        _count(self.corrected, hour, share, sign)
        # A zero addition makes sure that the hour is there, and locked in order.
        self.added.setdefault(hour, [0] * len(SUMS))

    def _addition(self, hour: Hour) -> rows.Row:
        return (*hour, *self.added[hour], self.worst.get(hour, 0), self.last_loss.get(hour))


def _hour(trader_id: int, share: Share) -> Hour:
    """The trader's clock hour in which the trade fell."""
    return trader_id, share.block_time - share.block_time % HOUR_SECONDS


def _count(hours: dict[Hour, list[int]], hour: Hour, share: Share, sign: int = 1) -> None:
    """Add a share to an hour's sums in the order of SUMS, or take it out of them."""
    sums = hours.get(hour)
    if sums is None:
        sums = hours[hour] = [0] * len(SUMS)
    sums[0] += sign
    if share.lamports is None:
        sums[5] += sign
    else:
        sums[1] += sign * share.lamports
    if share.result is not None:
        _count_result(sums, share.result, sign)


def _count_result(sums: list[int], result: Realization, sign: int) -> None:
    sums[2] += sign
    sums[3] += sign * (result.matched_units > 0)
    sums[4] += sign * (result.unmatched_units > 0)
    sums[6] += sign * result.cost_lamports
    sums[7] += sign * result.realized_lamports
    sums[8] += sign * min(0, result.realized_lamports)
    if result.closes:
        sums[9] += sign
        sums[10] += sign * (result.trip_lamports > 0)
        sums[11] += sign * (result.trip_lamports < 0)
