"""Whether what was booked is right: all that derives from the trades is derived once more."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from django.db import connection

from pnl.engine.booking import Realization
from pnl.engine.positions import Position
from pnl.engine.replay import replay
from pnl.engine.trades import Side, Trade, Venue

Key = tuple[int, int]

TIMES: Final = {"opened_at", "first_at", "last_at"}
TRADES: Final = """
SELECT trader_id, token_id, id, signature, event_index, slot, block_index,
       extract(epoch FROM block_time)::int8, side, token_units, lamports
  FROM pnl_trade WHERE trader_id BETWEEN %s AND %s
"""
ROLLUPS: Final = """
SELECT trader_id, sum(trades), sum(realized_lamports), min(worst_lamports)
  FROM pnl_hourlyrollup WHERE trader_id BETWEEN %s AND %s GROUP BY trader_id
"""
# Traders whose trades are held in memory together.
TOGETHER: Final = 20_000

Part = tuple[int, int]  # the first and the last trader id


def prove_booked(trades: int) -> None:
    """Raises AssertionError unless so many trades stand in the ledger and all else follows."""
    assert _one("SELECT count(*) FROM ingest_delivery WHERE processed_at IS NULL") == 0
    assert _one("SELECT count(*) FROM pnl_trade") == trades, "trades are missing, or too many"
    for first in range(1, _one("SELECT max(id) FROM pnl_trader") + 1, TOGETHER):
        part = (first, first + TOGETHER - 1)
        positions, realizations, traders = _refolded(part)
        assert _positions(part) == positions, "positions differ from the fold of their trades"
        assert _realizations(part) == realizations, "realizations differ from the fold"
        assert {key: whole for key, *whole in _all(ROLLUPS, part)} == traders, "rollups differ"


def _refolded(
    part: Part,
) -> tuple[dict[Key, Position], dict[int, Realization], dict[int, list[int]]]:
    """Positions by key, realizations by trade, and each trader's trades, result and worst sell."""
    positions: dict[Key, Position] = {}
    realizations: dict[int, Realization] = {}
    traders: dict[int, list[int]] = {}
    for key, found in _trades(part).items():
        positions[key], booked = replay(found.values())
        ids = {trade: pk for pk, trade in found.items()}
        sums = traders.setdefault(key[0], [0, 0, 0])
        for trade, result in booked:
            sums[0] += 1
            if isinstance(result, Realization):
                realizations[ids[trade]] = result
                sums[1] += result.realized_lamports
                sums[2] = min(sums[2], result.realized_lamports)
    return positions, realizations, traders


def _trades(part: Part) -> dict[Key, dict[int, Trade]]:
    found: dict[Key, dict[int, Trade]] = {}
    for trader_id, token_id, pk, *columns in _all(TRADES, part):
        found.setdefault((trader_id, token_id), {})[pk] = _trade(*columns)
    return found


def _trade(*columns: Any) -> Trade:
    """A trade in SOL, as far as the fold looks at it."""
    signature, event_index, slot, block_index, block_time, side, units, lamports = columns
    return Trade(
        *(bytes(signature), event_index, slot, block_index, block_time, b"", b"", Side(side)),
        *(int(units), None, lamports, 0, Venue.PUMP),
    )


def _positions(part: Part) -> dict[Key, Position]:
    names = [field.name for field in fields(Position)]
    columns = [f"extract(epoch FROM {name})" if name in TIMES else name for name in names]
    statement = (
        f"SELECT trader_id, token_id, {', '.join(columns)} FROM pnl_position "  # noqa: S608
        "WHERE trader_id BETWEEN %s AND %s"
    )
    return {
        (trader_id, token_id): Position(*map(_whole, state))
        for trader_id, token_id, *state in _all(statement, part)
    }


def _realizations(part: Part) -> dict[int, Realization]:
    columns = ", ".join(Realization._fields)
    statement = (
        f"SELECT trade_id, {columns} FROM pnl_realization "  # noqa: S608
        "WHERE trader_id BETWEEN %s AND %s"
    )
    return {pk: Realization(*result) for pk, *result in _all(statement, part)}


def _whole(value: Any) -> Any:
    return None if value is None else int(value)


def _one(statement: str) -> Any:
    return _all(statement)[0][0]


def _all(statement: str, params: Sequence[int] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())
