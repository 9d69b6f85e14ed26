"""Writing the ledger: trades are booked in batches, once, whatever order they arrive in."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from pnl import folding, interning, rows
from pnl.engine.trades import Trade
from pnl.models import Touched, Trader
from pnl.rollups import count_hours

Identity = tuple[bytes, int]


class Booking(NamedTuple):
    """What became of a batch: trades booked, trades known already, and units sold unseen."""

    booked: int
    duplicates: int
    unmatched_units: int


def book_trades(trades: Iterable[Trade]) -> Booking:
    """Book a batch inside the caller's transaction; trades that are known already change nothing.

    Raises TransactionManagementError outside a transaction: a batch is booked whole or not at all.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("book_trades belongs in its caller's transaction")
    offered = list(trades)
    unique = _by_identity(offered)
    interned = _interned(unique.values())
    inserted = rows.insert_trades([row for _, row in interned])
    enriched = _learn_block_indexes(unique, inserted)
    keys = {(row[5], row[6]) for trade, row in interned if _identity(trade) in inserted}
    unmatched = _fold(sorted(keys | enriched), interned, inserted, enriched)
    return Booking(len(inserted), len(offered) - len(inserted), unmatched)


def touch(trader_ids: Iterable[int]) -> None:
    """Ask the boards to look at these traders again."""
    with rows.cursor() as raw:
        raw.execute(rows.TOUCH_TRADERS, [sorted(set(trader_ids))])


def take_touched(*, limit: int) -> list[int]:
    """Take traders to look at again; they come back if the caller's transaction does not commit."""
    oldest = Touched.objects.order_by("pk").values("pk")[:limit]
    with connection.cursor() as cursor:
        ids, params = oldest.query.sql_with_params()
        cursor.execute(
            f"DELETE FROM pnl_touched WHERE id IN ({ids}) RETURNING trader_id",  # noqa: S608
            params,
        )
        return sorted({trader_id for (trader_id,) in cursor.fetchall()})


def set_traders_hidden(traders: Collection[Trader], *, hidden: bool) -> None:
    """Take wallets off every board and page, or put them back."""
    ids = [trader.pk for trader in traders]
    with transaction.atomic():
        Trader.objects.filter(pk__in=ids).update(hidden=hidden)
        touch(ids)


def save_trader(trader: Trader) -> None:
    """Keep what staff say of a wallet, and let the boards know."""
    with transaction.atomic():
        trader.save(update_fields=["label", "kind", "hidden", "watched"])
        touch([trader.pk])


def _identity(trade: Trade) -> Identity:
    return trade.signature, trade.event_index


def _by_identity(trades: Sequence[Trade]) -> dict[Identity, Trade]:
    """One trade an identity; of two reports of it, the one that knows its block index."""
    unique: dict[Identity, Trade] = {}
    for trade in trades:
        known = unique.get(_identity(trade))
        if known is None or (known.block_index is None and trade.block_index is not None):
            unique[_identity(trade)] = trade
    return unique


def _interned(trades: Collection[Trade]) -> list[tuple[Trade, rows.Row]]:
    """Each trade with its row for the database, wallets and mints as ids."""
    traders = interning.trader_ids({trade.trader for trade in trades})
    mints = {trade.mint for trade in trades}
    quotes = {trade.quote_mint for trade in trades if trade.quote_mint is not None}
    tokens = interning.token_ids(mints | quotes)
    return [(trade, _row(trade, traders, tokens)) for trade in trades]


def _row(trade: Trade, traders: interning.Ids, tokens: interning.Ids) -> rows.Row:
    quoted = trade.quote_mint is not None
    return (
        trade.signature,
        trade.event_index,
        trade.slot,
        trade.block_index,
        trade.block_time,
        traders[trade.trader],
        tokens[trade.mint],
        int(trade.side),
        int(trade.venue),
        trade.token_units,
        trade.lamports,
        trade.fee_units,
        tokens[trade.quote_mint] if trade.quote_mint is not None else None,
        trade.quote_units if quoted else None,
    )


def _learn_block_indexes(
    unique: dict[Identity, Trade], inserted: Collection[Identity]
) -> set[rows.Key]:
    """Tell known trades of unknown order their place; the positions to replay for it."""
    told = [
        (trade.signature, trade.event_index, trade.slot, trade.block_index)
        for identity, trade in unique.items()
        if identity not in inserted and trade.block_index is not None
    ]
    return {(trader, token) for trader, token in rows.read(rows.LEARN_BLOCK_INDEXES, sorted(told))}


def _fold(
    keys: list[rows.Key],
    interned: list[tuple[Trade, rows.Row]],
    inserted: dict[Identity, int],
    enriched: set[rows.Key],
) -> int:
    """Fold the new trades into their positions and write all that derives from them."""
    if not keys:
        return 0
    new = folding.new_entries(interned, inserted)
    positions = folding.locked(keys)
    folds = folding.fold(positions, new, replay=enriched)
    rows.write(rows.UPDATE_POSITIONS, [folding.position_row(fold) for fold in folds])
    rows.write(rows.UPSERT_REALIZATIONS, folding.realization_rows(folds))
    count_hours(folding.activities(folds, new_ids=set(inserted.values()))).save()
    touch(trader_id for trader_id, _ in keys)
    return folding.unmatched_units(folds, set(inserted.values()))
