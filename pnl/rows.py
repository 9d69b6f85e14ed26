"""Set-based SQL of the booking: arrays in, rows out, a handful of statements a batch.

A statement a trade, or a model instance a row, would cost more than the whole fold. Everything here
runs inside the caller's transaction; rows that several workers may want are taken in sorted order.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

Row = tuple[Any, ...]
Key = tuple[int, int]  # trader id, token id

INSERT_TRADES = """
INSERT INTO pnl_trade (signature, event_index, slot, block_index, block_time, trader_id, token_id,
                       side, venue, token_units, lamports, fee_units, quote_id, quote_units)
SELECT signature, event_index, slot, block_index, to_timestamp(block_time), trader_id, token_id,
       side, venue, token_units, lamports, fee_units, quote_id, quote_units
  FROM unnest(%b::bytea[], %b::int2[], %b::int8[], %b::int4[], %b::int8[], %b::int8[], %b::int8[],
              %b::int2[], %b::int2[], %b::numeric[], %b::int8[], %b::numeric[], %b::int8[],
              %b::numeric[])
    AS t(signature, event_index, slot, block_index, block_time, trader_id, token_id,
         side, venue, token_units, lamports, fee_units, quote_id, quote_units)
 ORDER BY signature, event_index
    ON CONFLICT (signature, event_index) DO NOTHING
RETURNING signature, event_index, id
"""

# A trade that came without its block index (an import, an enhanced payload) learns it here.
LEARN_BLOCK_INDEXES = """
UPDATE pnl_trade t SET block_index = k.block_index
  FROM unnest(%b::bytea[], %b::int2[], %b::int8[], %b::int4[])
    AS k(signature, event_index, slot, block_index)
 WHERE t.signature = k.signature AND t.event_index = k.event_index AND t.slot = k.slot
   AND t.block_index IS NULL
RETURNING t.trader_id, t.token_id
"""

MAKE_POSITIONS = """
INSERT INTO pnl_position (trader_id, token_id)
SELECT trader_id, token_id FROM unnest(%b::int8[], %b::int8[]) AS k(trader_id, token_id)
 ORDER BY trader_id, token_id
    ON CONFLICT (trader_id, token_id) DO NOTHING
RETURNING trader_id, token_id, id
"""

LOCK_POSITIONS = """
SELECT p.trader_id, p.token_id, p.id,
       p.last_slot, p.last_block_index, p.last_side, p.last_signature, p.last_event_index,
       p.units::text, p.cost_lamports, p.bought_units::text, p.bought_lamports,
       p.sold_units::text, p.sold_lamports, p.realized_lamports, p.unmatched_units::text,
       p.unmatched_lamports, p.buys, p.sells, p.closed, p.wins, p.losses, p.trip_lamports,
       extract(epoch FROM p.opened_at)::int8, extract(epoch FROM p.first_at)::int8,
       extract(epoch FROM p.last_at)::int8, p.unpriced
  FROM unnest(%b::int8[], %b::int8[]) AS k(trader_id, token_id)
  JOIN pnl_position p ON p.trader_id = k.trader_id AND p.token_id = k.token_id
 ORDER BY p.trader_id, p.token_id
   FOR UPDATE OF p
"""

# Each position's trades by the index, one position after the other: OFFSET 0 keeps the planner from
# joining whole tables. While it believes them empty (they were analyzed before the first commit)
# it would compare every trade with every realization.
TRADES_OF_POSITIONS = """
SELECT t.trader_id, t.token_id, t.id, t.signature, t.event_index, t.slot, t.block_index,
       extract(epoch FROM t.block_time)::int8, t.side, t.token_units::text, t.lamports,
       r.matched_units::text, r.unmatched_units::text, r.cost_lamports, r.proceeds_lamports,
       r.unmatched_lamports, r.realized_lamports, r.closes, r.trip_lamports, r.hold_seconds
  FROM unnest(%b::int8[], %b::int8[]) AS k(trader_id, token_id)
 CROSS JOIN LATERAL (
       SELECT * FROM pnl_trade
        WHERE trader_id = k.trader_id AND token_id = k.token_id OFFSET 0) AS t
  LEFT JOIN LATERAL (SELECT * FROM pnl_realization WHERE trade_id = t.id OFFSET 0) AS r ON true
"""

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

REALIZATION_COLUMNS = (
    ("trade_id", "int8"),
    ("trader_id", "int8"),
    ("token_id", "int8"),
    ("slot", "int8"),
    ("realized_at", "timestamptz"),
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

TOUCH_TRADERS = "INSERT INTO pnl_touched (trader_id) SELECT unnest(%b::int8[])"


def _arrays(columns: Sequence[tuple[str, str]]) -> str:
    """The unnest arguments of typed columns; times travel as Unix seconds."""
    types = ("int8" if kind == "timestamptz" else kind for _, kind in columns)
    return ", ".join(f"%b::{kind}[]" for kind in types)


def _values(columns: Sequence[tuple[str, str]], source: str) -> list[str]:
    """The columns of the unnested source, times made times again."""
    return [
        f"to_timestamp({source}.{name})" if kind == "timestamptz" else f"{source}.{name}"
        for name, kind in columns
    ]


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in columns)


def _update_positions() -> str:
    values = _values(POSITION_COLUMNS, "v")
    pairs = zip(POSITION_COLUMNS, values, strict=True)
    assignments = ", ".join(f"{name} = {value}" for (name, _), value in pairs)
    return (
        f"UPDATE pnl_position p SET {assignments} "  # noqa: S608
        f"FROM unnest(%b::int8[], {_arrays(POSITION_COLUMNS)}) AS v(id, {_names(POSITION_COLUMNS)})"
        " WHERE p.id = v.id"
    )


def _upsert_realizations() -> str:
    derived = [name for name, _ in REALIZATION_COLUMNS[5:]]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in derived)
    columns = _names(REALIZATION_COLUMNS)
    values = ", ".join(_values(REALIZATION_COLUMNS, "v"))
    return (
        f"INSERT INTO pnl_realization ({columns}) SELECT {values} "  # noqa: S608
        f"FROM unnest({_arrays(REALIZATION_COLUMNS)}) AS v({columns}) "
        f"ON CONFLICT (trade_id) DO UPDATE SET {assignments}"
    )


UPDATE_POSITIONS = _update_positions()
UPSERT_REALIZATIONS = _upsert_realizations()


@contextmanager
def cursor() -> Iterator[psycopg.Cursor[Row]]:
    """A server-side-binding cursor on Django's connection: values travel in binary, not as text."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as raw:
        raw.format = psycopg.pq.Format.BINARY
        yield raw


def columns_of(rows: Sequence[Row], width: int) -> list[list[Any]]:
    """Rows turned into one array a column, as unnest takes them."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width


def write(statement: str, rows: Sequence[Row]) -> None:
    """Run a statement over the rows' columns, unless there are none."""
    if rows:
        with cursor() as raw:
            raw.execute(statement, columns_of(rows, len(rows[0])))


def read(statement: str, rows: Sequence[Row]) -> list[Row]:
    """Run a statement over the rows' columns and fetch what it returns."""
    if not rows:
        return []
    with cursor() as raw:
        return raw.execute(statement, columns_of(rows, len(rows[0]))).fetchall()


def insert_trades(rows: Sequence[Row]) -> dict[tuple[bytes, int], int]:
    """Insert what is new; the ids of those rows by identity. Known identities are left alone."""
    inserted = read(INSERT_TRADES, rows)
    return {(bytes(signature), event_index): pk for signature, event_index, pk in inserted}


def make_positions(keys: Sequence[Key]) -> dict[Key, int]:
    """Make the positions that do not exist yet, in key order; the ids of those by key."""
    return {(trader_id, token_id): pk for trader_id, token_id, pk in read(MAKE_POSITIONS, keys)}
