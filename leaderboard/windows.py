"""The windows of the boards, and the SQL that sums traders' results within all of them at once.

A window is what happened after now - length, exact to the second: whole hours come from rollups,
and the hour that the window's edge cuts is read trade by trade. The standing remembers when its
oldest entry leaves, so that results age out without new trades and without a scan of history.
"""

from datetime import datetime, timedelta
from typing import Any

from leaderboard.models import Period

LENGTHS = {
    Period.DAY: timedelta(hours=24),
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=30),
    Period.ALL: None,
}

# Whole hours, and what is left of the hour that a window's edge cuts: that one is read trade by
# trade, where there is anything in it. Each trader is looked up by the indexes alone, here and
# below: OFFSET 0 keeps the planner from joining whole tables, so that the cost follows who is asked
# for, and neither history nor the length of the boards.
ENTRIES = """
asked AS MATERIALIZED (SELECT unnest(%(traders)s::int8[]) AS trader_id),
windows AS MATERIALIZED (
    SELECT * FROM unnest(%(periods)s::text[], %(lengths)s::interval[], %(edges)s::timestamptz[],
                         %(edge_hours)s::timestamptz[]) AS w(period, length, edge, edge_hour)
),
hours AS MATERIALIZED (
    SELECT r.* FROM asked CROSS JOIN LATERAL (
           SELECT * FROM pnl_hourlyrollup WHERE trader_id = asked.trader_id OFFSET 0) AS r
),
cut AS MATERIALIZED (
    SELECT w.period, h.trader_id, w.edge, w.edge_hour + interval '1 hour' AS edge_end
      FROM hours h JOIN windows w ON h.hour = w.edge_hour
),
entries AS (
    SELECT w.period, h.trader_id, h.trades, h.volume_lamports, h.matched_sells, h.unmatched_sells,
           h.unpriced, h.cost_lamports, h.realized_lamports, h.loss_lamports, h.worst_lamports,
           h.closed, h.wins, h.last_loss_at, h.hour AS oldest_at
      FROM hours h JOIN windows w ON w.edge IS NULL OR h.hour > w.edge
    UNION ALL
    SELECT c.period, c.trader_id, 1, coalesce(t.lamports, 0), 0, 0, (t.lamports IS NULL)::int,
           0, 0, 0, 0, 0, 0, NULL, t.block_time
      FROM cut c CROSS JOIN LATERAL (
           SELECT * FROM pnl_trade WHERE trader_id = c.trader_id
              AND block_time > c.edge AND block_time < c.edge_end OFFSET 0) AS t
    UNION ALL
    SELECT c.period, c.trader_id, 0, 0, (x.matched_units > 0)::int, (x.unmatched_units > 0)::int, 0,
           x.cost_lamports, x.realized_lamports, LEAST(0, x.realized_lamports),
           LEAST(0, x.realized_lamports), x.closes::int,
           (x.closes AND x.trip_lamports > 0)::int,
           CASE WHEN x.realized_lamports < 0 THEN x.realized_at END, x.realized_at
      FROM cut c CROSS JOIN LATERAL (
           SELECT * FROM pnl_realization WHERE trader_id = c.trader_id
              AND realized_at > c.edge AND realized_at < c.edge_end OFFSET 0) AS x
)
"""

SUMS = """
summed AS (
    SELECT period, trader_id, sum(trades) AS trades, sum(volume_lamports) AS volume_lamports,
           sum(matched_sells) AS matched_sells, sum(unmatched_sells) AS unmatched_sells,
           sum(unpriced) AS unpriced, sum(cost_lamports) AS cost_lamports,
           sum(realized_lamports) AS realized_lamports, sum(loss_lamports) AS loss_lamports,
           min(worst_lamports) AS worst_lamports, sum(closed) AS closed, sum(wins) AS wins,
           max(last_loss_at) AS last_loss_at, min(oldest_at) AS oldest_at
      FROM entries GROUP BY period, trader_id HAVING sum(matched_sells) > 0
)
"""

# Who they are, and how often they have lost of late: the number of losing round trips since the
# last one that did not lose.
WALLETS = """
wallets AS MATERIALIZED (
    SELECT s.trader_id, t.label, t.kind, streak.losing_streak
      FROM (SELECT DISTINCT trader_id FROM summed) AS s
     CROSS JOIN LATERAL (
           SELECT label, kind FROM pnl_trader
            WHERE id = s.trader_id AND NOT hidden OFFSET 0) AS t
     CROSS JOIN LATERAL (
           SELECT count(*) AS losing_streak FROM pnl_realization c
            WHERE c.trader_id = s.trader_id AND c.closes AND c.trip_lamports < 0
              AND c.slot > coalesce((SELECT max(w.slot) FROM pnl_realization w
                                      WHERE w.trader_id = s.trader_id AND w.closes
                                        AND w.trip_lamports >= 0), -1)) AS streak
)
"""

STANDINGS = """
standings AS (
    SELECT s.period, s.trader_id, k.label, k.kind, k.kind = 'person' AS ranked, s.realized_lamports,
           s.loss_lamports, s.cost_lamports, s.volume_lamports, s.worst_lamports, s.trades,
           s.closed, s.wins, k.losing_streak, s.unmatched_sells, s.unpriced, s.last_loss_at,
           s.oldest_at + w.length AS expires_at
      FROM summed s JOIN windows w USING (period) JOIN wallets k ON k.trader_id = s.trader_id
)
"""

# Written where something differs; whoever was summed and has nothing left in a window, or was
# hidden, leaves its board.
SAVE_STANDINGS = f"""
WITH {ENTRIES}, {SUMS}, {WALLETS}, {STANDINGS},
saved AS (
INSERT INTO leaderboard_standing AS old
       (period, trader_id, label, kind, ranked, realized_lamports, loss_lamports, cost_lamports,
        volume_lamports, worst_lamports, trades, closed, wins, losing_streak, unmatched_sells,
        unpriced, last_loss_at, expires_at)
SELECT * FROM standings ORDER BY period, trader_id
    ON CONFLICT (period, trader_id) DO UPDATE
   SET label = excluded.label, kind = excluded.kind, ranked = excluded.ranked,
       realized_lamports = excluded.realized_lamports, loss_lamports = excluded.loss_lamports,
       cost_lamports = excluded.cost_lamports, volume_lamports = excluded.volume_lamports,
       worst_lamports = excluded.worst_lamports, trades = excluded.trades,
       closed = excluded.closed, wins = excluded.wins, losing_streak = excluded.losing_streak,
       unmatched_sells = excluded.unmatched_sells, unpriced = excluded.unpriced,
       last_loss_at = excluded.last_loss_at, expires_at = excluded.expires_at
 WHERE old IS DISTINCT FROM excluded
)
DELETE FROM leaderboard_standing WHERE ctid = ANY(ARRAY(
    SELECT d.place FROM asked CROSS JOIN windows w CROSS JOIN LATERAL (
           SELECT ctid AS place FROM leaderboard_standing
            WHERE period = w.period AND trader_id = asked.trader_id OFFSET 0) AS d
     WHERE NOT EXISTS (
           SELECT FROM standings s WHERE s.period = w.period AND s.trader_id = asked.trader_id)))
"""  # noqa: S608


def asked(traders: list[int], now: datetime) -> dict[str, Any]:
    """The parameters of SAVE_STANDINGS for these traders at this moment."""
    edges = {period: _edge(length, now) for period, length in LENGTHS.items()}
    return {
        "traders": traders,
        "periods": [period.value for period in LENGTHS],
        "lengths": list(LENGTHS.values()),
        "edges": [edge for edge, _ in edges.values()],
        "edge_hours": [hour for _, hour in edges.values()],
    }


def _edge(length: timedelta | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Where a window begins, and the hour that its edge cuts; nothing cuts all time."""
    if length is None:
        return None, None
    edge = now - length
    return edge, edge.replace(minute=0, second=0, microsecond=0)
