"""Writing the ledger: trades are booked in batches, once, whatever order they arrive in."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from pnl import amendments, folding, interning, queries, rows, statements
from pnl.amendments import Identity, Withdrawn
from pnl.engine.pricing import UNITS_PER_USD, lamports_of, minute_of
from pnl.engine.trades import Trade
from pnl.folding import Batch, Entry, Fold
from pnl.models import Touched, Trader


class Booking(NamedTuple):
    """What became of a batch: trades booked, trades known already, and units sold unseen."""

    booked: int
    duplicates: int
    unmatched_units: int


def book_trades(trades: Iterable[Trade], *, tradeless: Collection[bytes] = ()) -> Booking:
    """Book a batch inside the caller's transaction; trades that are known already change nothing.

    A better report of a known trade replaces it. `tradeless` are the signatures of transactions
    that were read whole and hold no trade: what balances made of them goes, and stays out. Raises
    TransactionManagementError outside a transaction: a batch is booked whole or not at all.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("book_trades belongs in its caller's transaction")
    enter_booking()
    offered = _priced(list(trades))
    reports = amendments.best_reports(offered)
    interned = _interned(reports)
    withdrawn = _without_guesses(reports, tradeless)
    inserted = _insert(statements.INSERT_TRADES, interned.values())
    booked = len(inserted)
    known = [report for identity, report in reports.items() if identity not in inserted]
    beaten = amendments.withdraw_beaten(known)
    if beaten:
        inserted |= _restore(interned, beaten)
    pasts = amendments.pasts_of([*withdrawn, *beaten])
    folds = _fold(Batch(_entries(reports, interned, inserted), pasts))
    new = inserted.values()
    return Booking(booked, len(offered) - booked, folding.unmatched_units(folds, set(new)))


def enter_booking() -> None:
    """Keep whoever takes trades back waiting until the caller's transaction ends.

    Called by `book_trades`; who locks other rows of the ledger before that calls it first.
    """
    _lock(statements.LOCK_SHARED)


def drop_trades(places: Collection[tuple[bytes, int]]) -> int:
    """Take back the trades of transactions that the chain has dropped: (signature, slot) each.

    They stay out if they are delivered again at that slot; the same transaction may land again in a
    later one. Returns how many trades were taken back.
    """
    with transaction.atomic():
        _lock(statements.LOCK_ALONE)
        withdrawn = amendments.withdraw_dropped(places)
        _fold(Batch({}, amendments.pasts_of(withdrawn)))
    return len(withdrawn)


def undrop(places: Collection[tuple[bytes, int]]) -> int:
    """Let transactions (signature, slot) in again that turned out to be final after all.

    Their trades come with their next delivery. Returns how many had been dropped.
    """
    return amendments.forget_dropped(places)


def reprice(minutes: Collection[int]) -> int:
    """Count the trades in other quotes of these minutes (Unix seconds) for what they are worth.

    Returns how many trades got a SOL value, or another one. A minute without a price, and a quote
    without one, change nothing.
    """
    with transaction.atomic():
        _lock(statements.LOCK_ALONE)
        found = amendments.withdraw_mispriced(queries.sol_prices(minutes))
        pasts = amendments.pasts_of([trade for trade, _ in found])
        valued = [trade._replace(lamports=lamports) for trade, lamports in found]
        _insert(statements.RESTORE_TRADES, valued)
        entries: dict[rows.Key, list[Entry]] = {}
        for trade in valued:
            entries.setdefault(trade.key, []).append(folding.entry_of(trade.id, trade))
        _fold(Batch(entries, pasts))
    return len(valued)


def touch(trader_ids: Iterable[int]) -> None:
    """Ask the boards to look at these traders again."""
    with rows.cursor() as raw:
        raw.execute(statements.TOUCH_TRADERS, [sorted(set(trader_ids))])


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


def _lock(statement: str) -> None:
    with rows.cursor() as raw:
        raw.execute(statement)


def _without_guesses(
    reports: Mapping[Identity, Trade], tradeless: Collection[bytes]
) -> list[Withdrawn]:
    """Take back what was guessed at the transactions of these reports, and at those without any."""
    told = {report.signature for report in reports.values() if not report.inferred}
    withdrawn = amendments.withdraw_inferred(told | set(tradeless))
    none = {trade.signature for trade in withdrawn} - told
    amendments.remember_dropped([(t.signature, t.slot) for t in withdrawn if t.signature in none])
    return withdrawn


def _priced(trades: list[Trade]) -> list[Trade]:
    """The trades in other quotes with what they are worth in SOL, where that is known already."""
    quoted = [trade for trade in trades if trade.quote_mint in UNITS_PER_USD]
    if not quoted:
        return trades
    prices = queries.sol_prices({minute_of(trade.block_time) for trade in quoted})
    return [_valued(trade, prices) for trade in trades]


def _valued(trade: Trade, prices: Mapping[int, int]) -> Trade:
    micro_usd = prices.get(minute_of(trade.block_time))
    if trade.quote_mint is None or micro_usd is None:
        return trade
    value = lamports_of(trade.quote_mint, trade.quote_units, micro_usd)
    return trade._replace(priced_lamports=value)


def _interned(reports: Mapping[Identity, Trade]) -> dict[Identity, rows.Row]:
    """The row of each trade for the database, wallets and mints as ids."""
    trades = reports.values()
    traders = interning.trader_ids({trade.trader for trade in trades})
    mints = {trade.mint for trade in trades}
    quotes = {trade.quote_mint for trade in trades if trade.quote_mint is not None}
    tokens = interning.token_ids(mints | quotes)
    return {identity: _row(trade, traders, tokens) for identity, trade in reports.items()}


def _row(trade: Trade, traders: interning.Ids, tokens: interning.Ids) -> rows.Row:
    """A trade in the order of TRADE_COLUMNS."""
    quote_mint = trade.quote_mint
    return (
        trade.signature,
        trade.event_index,
        trade.slot,
        trade.block_index,
        trade.block_time,
        traders[trade.trader],
        tokens[trade.mint],
        trade.side,
        trade.venue,
        trade.token_units,
        trade.lamports,
        trade.fee_units,
        None if quote_mint is None else tokens[quote_mint],
        None if quote_mint is None else trade.quote_units,
        trade.inferred,
    )


def _insert(statement: str, trades: Iterable[rows.Row]) -> dict[Identity, int]:
    """Insert what is new; the ids of those rows by identity. Known identities are left alone."""
    found = rows.read(statement, list(trades))
    return {(bytes(signature), event_index): pk for signature, event_index, pk in found}


def _restore(
    interned: Mapping[Identity, rows.Row], withdrawn: Sequence[Withdrawn]
) -> dict[Identity, int]:
    """Put the better reports in the place of what was withdrawn, under the same ids.

    A report that names another trader or token than the one it replaces is a new row.
    """
    kept, moved = [], []
    for trade in withdrawn:
        row = interned.get(trade.identity)
        if row is not None and row[5:7] == trade.key:
            kept.append((trade.id, *row))
        elif row is not None:
            moved.append(row)
    return _insert(statements.RESTORE_TRADES, kept) | _insert(statements.INSERT_TRADES, moved)


def _entries(
    reports: Mapping[Identity, Trade],
    interned: Mapping[Identity, rows.Row],
    inserted: Mapping[Identity, int],
) -> dict[rows.Key, list[Entry]]:
    """The trades that were really new, by position and in chain order."""
    entries: dict[rows.Key, list[Entry]] = {}
    for identity, trade_id in inserted.items():
        entry = folding.entry_of(trade_id, reports[identity])
        row = interned[identity]
        entries.setdefault((row[5], row[6]), []).append(entry)
    for found in entries.values():
        if len(found) > 1:
            found.sort(key=lambda entry: entry.place)
    return entries


def _fold(batch: Batch) -> list[Fold]:
    """Fold a batch into its positions and write all that derives from them."""
    keys = batch.keys
    if not keys:
        return []
    folds = _with_new_positions(folding.fold(keys, batch), batch)
    known = [done for done in folds if done.position_id is not None]
    kept = [(done.position_id, *folding.position_row(done)) for done in known if done.entries]
    rows.write(statements.UPDATE_POSITIONS, kept)
    emptied = [(done.position_id,) for done in known if not done.entries]
    rows.write(statements.DELETE_POSITIONS, emptied)
    realized = folding.realization_rows(folds, batch.withdrawn)
    rows.write(statements.UPSERT_REALIZATIONS, realized)
    folding.count_hours(folds).save()
    touch(trader_id for trader_id, _ in keys)
    return folds


def _with_new_positions(folds: list[Fold], batch: Batch) -> list[Fold]:
    """Insert the positions that did not exist; fold those again that somebody else has just made.

    Nobody sees a position before the commit that makes it, so a new one needs no lock of its own.
    """
    new = {done.key: done for done in folds if done.position_id is None}
    made = rows.read(
        statements.INSERT_POSITIONS,
        [(*key, *folding.position_row(done)) for key, done in new.items()],
    )
    lost = sorted(new.keys() - {(trader_id, token_id) for trader_id, token_id in made})
    if not lost:
        return folds
    ours = [done for done in folds if done.key not in lost]
    return [*ours, *folding.fold(lost, batch)]
