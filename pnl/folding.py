"""Between rows and engine: which positions are extended, which replayed, and the result.

A trade that follows everything its position has seen is folded onto it. Anything else (late, or
newly told its block index) replays the whole position from its trades, so that the rows are those
of a fold in chain order whatever the order of arrival was.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pnl import rows
from pnl.engine.booking import Booked, Realization, book
from pnl.engine.positions import Position
from pnl.engine.trades import Place, Side, Trade, place_of
from pnl.rollups import Activity


class Entry(NamedTuple):
    """A trade as the fold needs it, with its row's id and what an earlier fold made of it."""

    trade_id: int
    slot: int
    block_index: int | None
    block_time: int
    side: Side
    token_units: int
    lamports: int | None
    signature: bytes
    event_index: int
    replaces: Realization | None = None

    @property
    def place(self) -> Place:
        """Where the trade stands in the order of the chain."""
        return place_of(self.slot, self.block_index, self.side, self.signature, self.event_index)


class Held(NamedTuple):
    """A locked position: its key, its row's id, the place of its last trade, its state."""

    key: rows.Key
    position_id: int
    last_place: Place | None
    position: Position


class Fold(NamedTuple):
    """A position after the batch, and what each folded trade became."""

    key: rows.Key
    position_id: int
    position: Position
    last: Entry
    entries: list[Entry]
    booked: list[Booked]


def new_entries(
    interned: Iterable[tuple[Trade, rows.Row]], inserted: dict[tuple[bytes, int], int]
) -> dict[rows.Key, list[Entry]]:
    """The trades that were really new, by position and in chain order."""
    entries: dict[rows.Key, list[Entry]] = {}
    for trade, row in interned:
        trade_id = inserted.get((trade.signature, trade.event_index))
        if trade_id is not None:
            entries.setdefault((row[5], row[6]), []).append(_entry(trade_id, trade))
    for found in entries.values():
        if len(found) > 1:
            found.sort(key=lambda entry: entry.place)
    return entries


def _entry(trade_id: int, trade: Trade) -> Entry:
    return Entry(
        trade_id,
        trade.slot,
        trade.block_index,
        trade.block_time,
        trade.side,
        trade.token_units,
        trade.lamports,
        trade.signature,
        trade.event_index,
    )


def locked(keys: Sequence[rows.Key]) -> list[Held]:
    """The positions of these keys, made if need be, locked until the commit.

    Nobody else sees a position before the commit that makes it: it needs no lock and no reading.
    """
    made = rows.make_positions(keys)
    known = rows.read(rows.LOCK_POSITIONS, [key for key in keys if key not in made])
    new = (Held(key, position_id, None, Position()) for key, position_id in made.items())
    return [*new, *map(_held, known)]


def _held(row: rows.Row) -> Held:
    slot, block_index, side, signature, event_index = row[3:8]
    last = None if slot is None else place_of(slot, block_index, side, signature, event_index)
    return Held((row[0], row[1]), row[2], last, Position(*map(_whole, row[8:])))


def _whole(value: Any) -> Any:
    """Numeric columns come as text, from which an integer is made faster than from a Decimal."""
    return None if value is None else int(value)


def fold(
    positions: Sequence[Held], new: dict[rows.Key, list[Entry]], *, replay: Collection[rows.Key]
) -> list[Fold]:
    """Extend the positions whose new trades all come later; replay the others from their trades."""
    late = [held for held in positions if held.key in replay or _is_late(held, new[held.key])]
    replayed = {held.key for held in late}
    history = _history(sorted(replayed))
    folds = [_folded(held, Position(), history[held.key]) for held in late]
    in_order = (held for held in positions if held.key not in replayed)
    folds += [_folded(held, held.position, new[held.key]) for held in in_order]
    return sorted(folds, key=lambda done: done.position_id)


def _is_late(held: Held, entries: Sequence[Entry]) -> bool:
    return held.last_place is not None and entries[0].place <= held.last_place


def _folded(held: Held, start: Position, entries: list[Entry]) -> Fold:
    booked = [book(start, entry) for entry in entries]
    return Fold(held.key, held.position_id, start, entries[-1], entries, booked)


def _history(keys: Sequence[rows.Key]) -> dict[rows.Key, list[Entry]]:
    """All trades of these positions in chain order, each with the realization on record."""
    history: dict[rows.Key, list[Entry]] = {key: [] for key in keys}
    for row in rows.read(rows.TRADES_OF_POSITIONS, keys):
        history[row[0], row[1]].append(_entry_of_row(row))
    for entries in history.values():
        entries.sort(key=lambda entry: entry.place)
    return history


def _entry_of_row(row: rows.Row) -> Entry:
    trade_id, signature, event_index, slot, block_index, block_time, side, units, lamports = row[
        2:11
    ]
    replaces = None if row[11] is None else _realization(row[11:])
    return Entry(
        trade_id,
        slot,
        block_index,
        block_time,
        Side(side),
        int(units),
        lamports,
        bytes(signature),
        event_index,
        replaces,
    )


def _realization(row: rows.Row) -> Realization:
    matched, unmatched, cost, proceeds, unmatched_lamports, realized, closes, trip, hold = row
    return Realization(
        int(matched),
        int(unmatched),
        cost,
        proceeds,
        unmatched_lamports,
        realized,
        closes,
        trip,
        hold,
    )


def position_row(done: Fold) -> rows.Row:
    """A position as UPDATE_POSITIONS takes it."""
    p, last = done.position, done.last
    return (
        done.position_id,
        p.units,
        p.cost_lamports,
        p.bought_units,
        p.bought_lamports,
        p.sold_units,
        p.sold_lamports,
        p.realized_lamports,
        p.unmatched_units,
        p.unmatched_lamports,
        p.buys,
        p.sells,
        p.closed,
        p.wins,
        p.losses,
        p.trip_lamports,
        p.opened_at,
        p.first_at,
        p.last_at,
        p.unpriced,
        last.slot,
        last.block_index,
        int(last.side),
        last.signature,
        last.event_index,
    )


def realization_rows(folds: Iterable[Fold]) -> list[rows.Row]:
    """The realizations that are new or came out differently, as UPSERT_REALIZATIONS takes them."""
    changed = [
        (entry.trade_id, *done.key, entry.slot, entry.block_time, *result)
        for done, entry, result in _results(folds)
        if result != entry.replaces
    ]
    return sorted(changed)


def _results(folds: Iterable[Fold]) -> Iterator[tuple[Fold, Entry, Realization]]:
    for done in folds:
        for entry, result in zip(done.entries, done.booked, strict=True):
            if isinstance(result, Realization):
                yield done, entry, result


def activities(folds: Iterable[Fold], *, new_ids: Collection[int]) -> Iterator[Activity]:
    """Every folded trade's part in its trader's hour."""
    for done in folds:
        for entry, result in zip(done.entries, done.booked, strict=True):
            yield Activity(
                done.key[0],
                entry.block_time,
                entry.trade_id in new_ids,
                entry.lamports,
                result if isinstance(result, Realization) else None,
                entry.replaces,
            )


def unmatched_units(folds: Iterable[Fold], new_ids: Collection[int]) -> int:
    """How many units of the new sells were never seen bought."""
    return sum(
        result.unmatched_units for _, entry, result in _results(folds) if entry.trade_id in new_ids
    )
