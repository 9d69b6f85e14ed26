"""Trades that were booked and must not stay as they are: beaten by a better report, or dropped.

A correction withdraws the row and puts the better one in its place under the same id; what the old
one had contributed to its position and hours is remembered until the fold has replaced it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from pnl import rows, statements
from pnl.engine.pricing import lamports_of
from pnl.engine.trades import Side, Trade
from pnl.folding import Past, realization_of
from pnl.rollups import Share

Identity = tuple[bytes, int]


class Withdrawn(NamedTuple):
    """A trade's row after its removal, as TRADE_COLUMNS have it; times in Unix seconds."""

    id: int
    signature: bytes
    event_index: int
    slot: int
    block_index: int | None
    block_time: int
    trader_id: int
    token_id: int
    side: Side
    venue: int
    token_units: int
    lamports: int | None
    fee_units: int
    quote_id: int | None
    quote_units: int | None
    inferred: bool

    @property
    def key(self) -> rows.Key:
        """Whose position it was in."""
        return self.trader_id, self.token_id

    @property
    def identity(self) -> Identity:
        """The same through every door."""
        return self.signature, self.event_index


def identity_of(trade: Trade) -> Identity:
    """What makes two reports reports of one trade."""
    return trade.signature, trade.event_index


def best_reports(trades: Sequence[Trade]) -> dict[Identity, Trade]:
    """One trade an identity, the better of two reports of it, without what must not be booked.

    Amounts read off balances count for nothing where the program's event is known, in this batch or
    in the ledger, and a transaction that the chain has dropped at a slot is not there.
    """
    exact = {trade.signature for trade in trades if not trade.inferred}
    inferred = sorted({trade.signature for trade in trades if trade.inferred} - exact)
    exact |= {bytes(row[0]) for row in rows.read(statements.FIND_EXACT, [(s,) for s in inferred])}
    dropped = _dropped({trade.signature for trade in trades})
    best: dict[Identity, Trade] = {}
    for trade in trades:
        if trade.inferred and trade.signature in exact:
            continue
        if dropped and (trade.signature, trade.slot) in dropped:
            continue
        known = best.get(identity_of(trade))
        if known is None or _rank(known) < _rank(trade):
            best[identity_of(trade)] = trade
    return best


def withdraw_inferred(signatures: Collection[bytes]) -> list[Withdrawn]:
    """Take back the guesses at transactions that have now been read whole."""
    told = [(signature,) for signature in sorted(signatures)]
    return _withdrawn(statements.WITHDRAW_INFERRED, told)


def withdraw_beaten(reports: Collection[Trade]) -> list[Withdrawn]:
    """Take back the stored trades to which these reports are better ones."""
    told = [
        (trade.signature, trade.event_index, trade.slot, trade.block_index, trade.inferred)
        for trade in reports
    ]
    return _withdrawn(statements.WITHDRAW_BEATEN, sorted(told, key=lambda row: row[:3]))


def withdraw_dropped(places: Collection[tuple[bytes, int]]) -> list[Withdrawn]:
    """Take back the trades of transactions (signature, slot), and remember that they are none."""
    remember_dropped(places)
    return _withdrawn(statements.WITHDRAW_DROPPED, sorted(places))


def forget_dropped(places: Collection[tuple[bytes, int]]) -> int:
    """Let transactions (signature, slot) in again; how many had been dropped there."""
    return len(rows.read(statements.FORGET_DROPPED, sorted(places)))


def remember_dropped(places: Collection[tuple[bytes, int]]) -> None:
    """Let no trade of these transactions (signature, slot) in again."""
    rows.write(statements.REMEMBER_DROPPED, sorted(places))


def withdraw_mispriced(prices: Mapping[int, int]) -> list[tuple[Withdrawn, int]]:
    """Take back the trades in other quotes whose SOL value is another by these prices, with it.

    Prices are micro-USD by minute, as `pnl.engine.pricing` has them.
    """
    values: dict[int, int] = {}
    for trade_id, minute, quote, units, lamports in rows.read(
        statements.FIND_QUOTED, [(minute,) for minute in sorted(prices)]
    ):
        value = lamports_of(bytes(quote), int(units), prices[minute])
        if value is not None and value != lamports:
            values[trade_id] = value
    withdrawn = _withdrawn(statements.WITHDRAW_TRADES, [(pk,) for pk in sorted(values)])
    return [(trade, values[trade.id]) for trade in withdrawn]


def pasts_of(withdrawn: Sequence[Withdrawn]) -> dict[int, Past]:
    """What withdrawn trades had contributed; their realizations are taken back, too."""
    ids = [(trade.id,) for trade in withdrawn]
    found = rows.read(statements.WITHDRAW_REALIZATIONS, ids)
    results = {trade_id: realization_of(columns) for trade_id, *columns in found}
    return {
        trade.id: Past(trade.key, Share(trade.block_time, trade.lamports, results.get(trade.id)))
        for trade in withdrawn
    }


def _rank(trade: Trade) -> tuple[bool, int, int]:
    return not trade.inferred, trade.slot, -1 if trade.block_index is None else trade.block_index


def _dropped(signatures: Collection[bytes]) -> Mapping[tuple[bytes, int], None]:
    found = rows.read(statements.FIND_DROPPED, [(signature,) for signature in signatures])
    return {(bytes(signature), slot): None for signature, slot in found}


def _withdrawn(statement: str, told: Sequence[rows.Row]) -> list[Withdrawn]:
    return [_made(row) for row in rows.read(statement, told)]


def _made(row: rows.Row) -> Withdrawn:
    trade = Withdrawn(*row)
    quote_units = None if trade.quote_units is None else int(trade.quote_units)
    return trade._replace(
        signature=bytes(trade.signature),
        side=Side(trade.side),
        token_units=int(trade.token_units),
        fee_units=int(trade.fee_units),
        quote_units=quote_units,
    )
