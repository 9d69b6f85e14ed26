"""The windows of the boards, and the SQL that sums a trader's results within one.

A window is what happened after now - length, exact to the second: whole hours come from rollups,
and the hour that the window's edge cuts is read trade by trade. The standing remembers when its
oldest entry leaves, so that results age out without new trades and without a scan of history.
"""

from datetime import timedelta

from leaderboard.models import Period

LENGTHS = {
    Period.DAY: timedelta(hours=24),
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=30),
    Period.ALL: None,
}

# Everything a window needs of a trader's hours. For all time, `edge` is null and nothing is cut.
SUM_WINDOW = """
WITH asked AS (SELECT unnest(%(traders)s::int8[]) AS trader_id),
entries AS (
    SELECT r.trader_id, r.trades, r.volume_lamports, r.matched_sells, r.unmatched_sells,
           r.unpriced, r.cost_lamports, r.realized_lamports, r.loss_lamports, r.worst_lamports,
           r.closed, r.wins, r.last_loss_at, r.hour AS oldest_at
      FROM asked JOIN pnl_hourlyrollup r USING (trader_id)
     WHERE %(edge)s::timestamptz IS NULL OR r.hour > %(edge)s::timestamptz
    UNION ALL
    SELECT t.trader_id, 1, coalesce(t.lamports, 0), 0, 0, (t.lamports IS NULL)::int,
           0, 0, 0, 0, 0, 0, NULL, t.block_time
      FROM asked JOIN pnl_trade t USING (trader_id)
     WHERE t.block_time > %(edge)s AND t.block_time < %(edge_end)s
    UNION ALL
    SELECT x.trader_id, 0, 0, (x.matched_units > 0)::int, (x.unmatched_units > 0)::int, 0,
           x.cost_lamports, x.realized_lamports, LEAST(0, x.realized_lamports),
           LEAST(0, x.realized_lamports), x.closes::int,
           (x.closes AND x.trip_lamports > 0)::int,
           CASE WHEN x.realized_lamports < 0 THEN x.realized_at END, x.realized_at
      FROM asked JOIN pnl_realization x USING (trader_id)
     WHERE x.realized_at > %(edge)s AND x.realized_at < %(edge_end)s
),
summed AS (
    SELECT trader_id, sum(trades) AS trades, sum(volume_lamports) AS volume_lamports,
           sum(matched_sells) AS matched_sells, sum(unmatched_sells) AS unmatched_sells,
           sum(unpriced) AS unpriced, sum(cost_lamports) AS cost_lamports,
           sum(realized_lamports) AS realized_lamports, sum(loss_lamports) AS loss_lamports,
           min(worst_lamports) AS worst_lamports, sum(closed) AS closed, sum(wins) AS wins,
           max(last_loss_at) AS last_loss_at, min(oldest_at) AS oldest_at
      FROM entries GROUP BY trader_id
)
"""

# A streak is the number of losing round trips since the last one that did not lose.
STREAK = """
CROSS JOIN LATERAL (
    SELECT count(*) AS losing_streak
      FROM pnl_realization c
     WHERE c.trader_id = s.trader_id AND c.closes AND c.trip_lamports < 0
       AND c.slot > coalesce((SELECT max(w.slot) FROM pnl_realization w
                               WHERE w.trader_id = s.trader_id AND w.closes
                                 AND w.trip_lamports >= 0), -1)
) AS streak
"""

SAVE_STANDINGS = (
    SUM_WINDOW
    + """
INSERT INTO leaderboard_standing AS old
       (period, trader_id, label, kind, ranked, realized_lamports, loss_lamports, cost_lamports,
        volume_lamports, worst_lamports, trades, closed, wins, losing_streak, unmatched_sells,
        unpriced, last_loss_at, expires_at)
SELECT %(period)s, s.trader_id, t.label, t.kind, t.kind = 'person', s.realized_lamports,
       s.loss_lamports, s.cost_lamports, s.volume_lamports, s.worst_lamports, s.trades, s.closed,
       s.wins, streak.losing_streak, s.unmatched_sells, s.unpriced, s.last_loss_at,
       s.oldest_at + %(length)s::interval
  FROM summed s
  JOIN pnl_trader t ON t.id = s.trader_id AND NOT t.hidden
"""
    + STREAK
    + """
 WHERE s.matched_sells > 0
 ORDER BY s.trader_id
    ON CONFLICT (period, trader_id) DO UPDATE
   SET label = excluded.label, kind = excluded.kind, ranked = excluded.ranked,
       realized_lamports = excluded.realized_lamports, loss_lamports = excluded.loss_lamports,
       cost_lamports = excluded.cost_lamports, volume_lamports = excluded.volume_lamports,
       worst_lamports = excluded.worst_lamports, trades = excluded.trades,
       closed = excluded.closed, wins = excluded.wins, losing_streak = excluded.losing_streak,
       unmatched_sells = excluded.unmatched_sells, unpriced = excluded.unpriced,
       last_loss_at = excluded.last_loss_at, expires_at = excluded.expires_at
RETURNING trader_id
"""
)

# Whoever was summed and has nothing left in the window, or was hidden, leaves the board.
DROP_STANDINGS = """
DELETE FROM leaderboard_standing
 WHERE period = %(period)s AND trader_id = ANY(%(traders)s::int8[])
   AND NOT trader_id = ANY(%(kept)s::int8[])
"""
