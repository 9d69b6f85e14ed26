"""The SQL of the booking: arrays in, rows out, a handful of statements a batch.

Rows that several workers may want are taken in sorted order. Times travel as Unix seconds.
"""

from collections.abc import Sequence

Columns = Sequence[tuple[str, str]]

TRADE_COLUMNS = (
    ("signature", "bytea"),
    ("event_index", "int2"),
    ("slot", "int8"),
    ("block_index", "int4"),
    ("block_time", "timestamptz"),
    ("trader_id", "int8"),
    ("token_id", "int8"),
    ("side", "int2"),
    ("venue", "int2"),
    ("token_units", "numeric"),
    ("lamports", "int8"),
    ("fee_units", "numeric"),
    ("quote_id", "int8"),
    ("quote_units", "numeric"),
    ("inferred", "bool"),
)

POSITION_COLUMNS = (
    ("units", "numeric"),
    ("cost_lamports", "int8"),
    ("bought_units", "numeric"),
    ("bought_lamports", "int8"),
    ("sold_units", "numeric"),
    ("sold_lamports", "int8"),
    ("realized_lamports", "int8"),
    ("unmatched_units", "numeric"),
    ("unmatched_lamports", "int8"),
    ("buys", "int4"),
    ("sells", "int4"),
    ("closed", "int4"),
    ("wins", "int4"),
    ("losses", "int4"),
    ("trip_lamports", "int8"),
    ("opened_at", "timestamptz"),
    ("first_at", "timestamptz"),
    ("last_at", "timestamptz"),
    ("unpriced", "int4"),
    ("last_slot", "int8"),
    ("last_block_index", "int4"),
    ("last_side", "int2"),
    ("last_signature", "bytea"),
    ("last_event_index", "int2"),
)

RESULT_COLUMNS = (
    ("matched_units", "numeric"),
    ("unmatched_units", "numeric"),
    ("cost_lamports", "int8"),
    ("proceeds_lamports", "int8"),
    ("unmatched_lamports", "int8"),
    ("realized_lamports", "int8"),
    ("closes", "bool"),
    ("trip_lamports", "int8"),
    ("hold_seconds", "int8"),
)
REALIZATION_COLUMNS = (
    ("trade_id", "int8"),
    ("trader_id", "int8"),
    ("token_id", "int8"),
    ("slot", "int8"),
    ("realized_at", "timestamptz"),
    *RESULT_COLUMNS,
)


def _arrays(columns: Columns) -> str:
    """The unnest arguments of typed columns."""
    kinds = ("int8" if kind == "timestamptz" else kind for _, kind in columns)
    return ", ".join(f"%b::{kind}[]" for kind in kinds)


def _values(columns: Columns, source: str) -> list[str]:
    """The columns of the unnested source, times made times again."""
    return [
        f"to_timestamp({source}.{name})" if kind == "timestamptz" else f"{source}.{name}"
        for name, kind in columns
    ]


def _names(columns: Columns) -> str:
    return ", ".join(name for name, _ in columns)


def _as_read(columns: Columns, source: str) -> str:
    """The columns as integers and bytes: a numeric is made an int faster from text."""
    read = {"numeric": "{}::text", "timestamptz": "extract(epoch FROM {})::int8"}
    return ", ".join(read.get(kind, "{}").format(f"{source}.{name}") for name, kind in columns)


def _insert(table: str, columns: Columns, order: str) -> str:
    values = ", ".join(_values(columns, "v"))
    return (
        f"INSERT INTO {table} ({_names(columns)}) SELECT {values} "  # noqa: S608
        f"FROM unnest({_arrays(columns)}) AS v({_names(columns)}) ORDER BY {order} "
    )


def _insert_trades(columns: Columns) -> str:
    return (
        _insert("pnl_trade", columns, "signature, event_index")
        + "ON CONFLICT (signature, event_index) DO NOTHING RETURNING signature, event_index, id"
    )


def _update_positions() -> str:
    pairs = zip(POSITION_COLUMNS, _values(POSITION_COLUMNS, "v"), strict=True)
    assignments = ", ".join(f"{name} = {value}" for (name, _), value in pairs)
    return (
        f"UPDATE pnl_position p SET {assignments} "  # noqa: S608
        f"FROM unnest(%b::int8[], {_arrays(POSITION_COLUMNS)}) AS v(id, {_names(POSITION_COLUMNS)})"
        " WHERE p.id = v.id"
    )


def _upsert_realizations() -> str:
    told = [name for name, _ in REALIZATION_COLUMNS[3:]]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in told)
    insert = _insert("pnl_realization", REALIZATION_COLUMNS, "trade_id")
    return f"{insert}ON CONFLICT (trade_id) DO UPDATE SET {assignments}"


INSERT_TRADES = _insert_trades(TRADE_COLUMNS)
# Trades that were withdrawn to be corrected come back under their ids.
RESTORE_TRADES = _insert_trades((("id", "int8"), *TRADE_COLUMNS))

# Bookings hold it together, until they commit; whoever takes trades back or prices them anew holds
# it alone. Else a booking that has already looked would bring back what is just being taken away.
BOOKING_LOCK = 0x5075_4C6F_0003
LOCK_SHARED = f"SELECT pg_advisory_xact_lock_shared({BOOKING_LOCK})"
LOCK_ALONE = f"SELECT pg_advisory_xact_lock({BOOKING_LOCK})"

# What was read off balances is worth nothing once the whole transaction has been read.
WITHDRAW_INFERRED = f"""
DELETE FROM pnl_trade t USING unnest(%b::bytea[]) AS k(signature)
 WHERE t.inferred AND t.signature = k.signature
RETURNING t.id, {_as_read(TRADE_COLUMNS, "t")}
"""  # noqa: S608

# A stored trade gives way to a better report of it: amounts of the program's event are better than
# such read off balances; a transaction that landed again did so in a later slot; and a report that
# knows the place in the block is better than one that does not. Two that know different places in
# one slot cannot both be right: the later place stands, whichever was told first.
WITHDRAW_BEATEN = f"""
DELETE FROM pnl_trade t
 USING unnest(%b::bytea[], %b::int2[], %b::int8[], %b::int4[], %b::bool[])
    AS k(signature, event_index, slot, block_index, inferred)
 WHERE t.signature = k.signature
   AND (t.inferred AND NOT k.inferred
        OR t.event_index = k.event_index AND t.inferred = k.inferred
           AND (k.slot > t.slot
                OR k.slot = t.slot AND k.block_index > coalesce(t.block_index, -1)))
RETURNING t.id, {_as_read(TRADE_COLUMNS, "t")}
"""  # noqa: S608

# Trades of transactions that the chain has dropped.
WITHDRAW_DROPPED = f"""
DELETE FROM pnl_trade t
 USING unnest(%b::bytea[], %b::int8[]) AS k(signature, slot)
 WHERE t.signature = k.signature AND t.slot = k.slot
RETURNING t.id, {_as_read(TRADE_COLUMNS, "t")}
"""  # noqa: S608

WITHDRAW_TRADES = f"""
DELETE FROM pnl_trade t USING unnest(%b::int8[]) AS k(id) WHERE t.id = k.id
RETURNING t.id, {_as_read(TRADE_COLUMNS, "t")}
"""  # noqa: S608

# What was paid in other quotes in these minutes, and what it counts for in SOL.
FIND_QUOTED = """
SELECT t.id, k.minute, q.mint, t.quote_units::text, t.lamports
  FROM unnest(%b::int8[]) AS k(minute)
  JOIN pnl_trade t ON t.quote_id IS NOT NULL AND t.block_time >= to_timestamp(k.minute)
                  AND t.block_time < to_timestamp(k.minute) + interval '1 minute'
  JOIN pnl_token q ON q.id = t.quote_id
"""

FIND_EXACT = """
SELECT DISTINCT t.signature FROM pnl_trade t
  JOIN unnest(%b::bytea[]) AS k(signature) USING (signature) WHERE NOT t.inferred
"""

FIND_DROPPED = """
SELECT d.signature, d.slot FROM pnl_droppedtransaction d
  JOIN unnest(%b::bytea[]) AS k(signature) USING (signature)
"""
REMEMBER_DROPPED = """
INSERT INTO pnl_droppedtransaction (signature, slot)
SELECT signature, slot FROM unnest(%b::bytea[], %b::int8[]) AS k(signature, slot)
 ORDER BY signature, slot
    ON CONFLICT (signature, slot) DO NOTHING
"""

FORGET_DROPPED = """
DELETE FROM pnl_droppedtransaction d USING unnest(%b::bytea[], %b::int8[]) AS k(signature, slot)
 WHERE d.signature = k.signature AND d.slot = k.slot
RETURNING d.slot
"""

INSERT_POSITIONS = (
    _insert(
        "pnl_position",
        (("trader_id", "int8"), ("token_id", "int8"), *POSITION_COLUMNS),
        "trader_id, token_id",
    )
    + "ON CONFLICT (trader_id, token_id) DO NOTHING RETURNING trader_id, token_id"
)
UPDATE_POSITIONS = _update_positions()
DELETE_POSITIONS = "DELETE FROM pnl_position WHERE id = ANY(%b::int8[])"

# The state first, as the engine's Position takes it, then the place of the last trade.
LOCK_POSITIONS = f"""
SELECT p.trader_id, p.token_id, p.id, {_as_read(POSITION_COLUMNS, "p")}
  FROM unnest(%b::int8[], %b::int8[]) AS k(trader_id, token_id)
  JOIN pnl_position p ON p.trader_id = k.trader_id AND p.token_id = k.token_id
 ORDER BY p.trader_id, p.token_id
   FOR UPDATE OF p
"""  # noqa: S608

# Each position's trades by the index, one position after the other: OFFSET 0 keeps the planner from
# joining whole tables. While it believes them empty (they were analyzed before the first commit)
# it would compare every trade with every realization.
TRADES_OF_POSITIONS = f"""
SELECT t.trader_id, t.token_id, t.id, t.slot, t.block_index,
       extract(epoch FROM t.block_time)::int8, t.side, t.token_units::text, t.lamports,
       t.signature, t.event_index, {_as_read(RESULT_COLUMNS, "r")}
  FROM unnest(%b::int8[], %b::int8[]) AS k(trader_id, token_id)
 CROSS JOIN LATERAL (
       SELECT * FROM pnl_trade
        WHERE trader_id = k.trader_id AND token_id = k.token_id OFFSET 0) AS t
  LEFT JOIN LATERAL (SELECT * FROM pnl_realization WHERE trade_id = t.id OFFSET 0) AS r ON true
"""  # noqa: S608

UPSERT_REALIZATIONS = _upsert_realizations()
WITHDRAW_REALIZATIONS = f"""
DELETE FROM pnl_realization r USING unnest(%b::int8[]) AS k(trade_id)
 WHERE r.trade_id = k.trade_id
RETURNING r.trade_id, {_as_read(RESULT_COLUMNS, "r")}
"""  # noqa: S608

TOUCH_TRADERS = "INSERT INTO pnl_touched (trader_id) SELECT unnest(%b::int8[])"
