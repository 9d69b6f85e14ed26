"""Between rows and engine: which positions are extended, which replayed, and the result.

A trade that follows everything its position has seen is folded onto it. Anything else (late, or
corrected, or withdrawn) replays the whole position from its trades, so that the rows are those of a
fold in chain order whatever the order of arrival was.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

from pnl import rows, statements
from pnl.engine.booking import Booked, Foldable, Realization, book
from pnl.engine.positions import Position
from pnl.engine.trades import Place, Side, place_of
from pnl.rollups import Hours, Share

_STATE: Final = tuple(name for name, _ in statements.POSITION_COLUMNS[:-5])
_state_of = attrgetter(*_STATE)


class Entry(NamedTuple):
    """A trade as the fold needs it, with its row's id."""

    trade_id: int
    slot: int
    block_index: int | None
    block_time: int
    side: Side
    token_units: int
    lamports: int | None
    signature: bytes
    event_index: int

    @property
    def place(self) -> Place:
        """Where the trade stands in the order of the chain."""
        return place_of(self.slot, self.block_index, self.side, self.signature, self.event_index)


class Past(NamedTuple):
    """What a withdrawn trade was, and whose position it was in."""

    key: rows.Key
    share: Share


class Batch(NamedTuple):
    """What changes: new trades by position and in chain order, withdrawn ones by their ids.

    A withdrawn trade whose id is among the new ones was corrected; the others are gone.
    """

    new: Mapping[rows.Key, list[Entry]]
    withdrawn: Mapping[int, Past]

    @property
    def keys(self) -> list[rows.Key]:
        """The positions concerned, in the order in which they are locked."""
        return sorted(self.new.keys() | {past.key for past in self.withdrawn.values()})


class Held(NamedTuple):
    """A position as it stands: its row's id (None if it has none), its state, its last place."""

    position_id: int | None
    position: Position
    last_place: Place | None


class Fold(NamedTuple):
    """A position after the batch, what each folded trade became, and what each was before.

    `before` is None where every folded trade is new. `entries` is empty if none is left.
    """

    key: rows.Key
    position_id: int | None
    position: Position
    entries: list[Entry]
    booked: list[Booked]
    before: dict[int, Share] | None


class Placed(Foldable, Protocol):
    """What an entry is made of: a trade as it was offered, or its row."""

    @property
    def slot(self) -> int: ...
    @property
    def block_index(self) -> int | None: ...
    @property
    def signature(self) -> bytes: ...
    @property
    def event_index(self) -> int: ...


def entry_of(trade_id: int, trade: Placed) -> Entry:
    """A trade that has its row."""
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


def fold(keys: Sequence[rows.Key], batch: Batch) -> list[Fold]:
    """Lock these positions and fold the batch into them, in key order."""
    held = _locked(keys)
    shaken = {past.key for past in batch.withdrawn.values()}
    late = [key for key in keys if key in shaken or _is_late(held.get(key), batch.new[key])]
    history = _history(late)
    return [
        _replayed(key, held.get(key), history[key], batch)
        if key in history
        else _extended(key, held.get(key), batch.new[key])
        for key in keys
    ]


def _locked(keys: Sequence[rows.Key]) -> dict[rows.Key, Held]:
    """The positions of these keys that exist, locked until the commit."""
    return {(row[0], row[1]): _held(row) for row in rows.read(statements.LOCK_POSITIONS, keys)}


def _held(row: rows.Row) -> Held:
    slot, block_index, side, signature, event_index = row[-5:]
    last = place_of(slot, block_index, side, signature, event_index)
    return Held(row[2], Position(*map(_whole, row[3:-5])), last)


def _whole(value: Any) -> Any:
    """Numeric columns come as text, from which an integer is made faster than from a Decimal."""
    return None if value is None else int(value)


def _is_late(held: Held | None, entries: Sequence[Entry]) -> bool:
    return held is not None and held.last_place is not None and entries[0].place <= held.last_place


def _extended(key: rows.Key, held: Held | None, entries: list[Entry]) -> Fold:
    position_id, position = (None, Position()) if held is None else held[:2]
    booked = [book(position, entry) for entry in entries]
    return Fold(key, position_id, position, entries, booked, None)


def _replayed(
    key: rows.Key, held: Held | None, history: list[tuple[Entry, Realization | None]], batch: Batch
) -> Fold:
    position = Position()
    entries = [entry for entry, _ in history]
    booked = [book(position, entry) for entry in entries]
    new = {entry.trade_id for entry in batch.new.get(key, ())}
    before = {
        entry.trade_id: Share(entry.block_time, entry.lamports, result)
        for entry, result in history
        if entry.trade_id not in new
    }
    pasts = batch.withdrawn.items()
    before |= {trade_id: past.share for trade_id, past in pasts if past.key == key}
    return Fold(key, None if held is None else held[0], position, entries, booked, before)


def _history(
    keys: Sequence[rows.Key],
) -> dict[rows.Key, list[tuple[Entry, Realization | None]]]:
    """All trades of these positions in chain order, each with the realization on record."""
    history: dict[rows.Key, list[tuple[Entry, Realization | None]]] = {key: [] for key in keys}
    for row in rows.read(statements.TRADES_OF_POSITIONS, keys):
        history[row[0], row[1]].append((_entry_of_row(row), realization_of(row[11:])))
    for found in history.values():
        found.sort(key=lambda pair: pair[0].place)
    return history


def _entry_of_row(row: rows.Row) -> Entry:
    trade_id, slot, block_index, block_time, side, units, lamports, signature, event_index = row[
        2:11
    ]
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
    )


def realization_of(columns: Sequence[Any]) -> Realization | None:
    """A realization as it was read by RESULT_COLUMNS, None where there is none."""
    matched, unmatched, *rest = columns
    return None if matched is None else Realization(int(matched), int(unmatched), *rest)


def position_row(done: Fold) -> rows.Row:
    """A position in the order of POSITION_COLUMNS."""
    last = done.entries[-1]
    return (
        *_state_of(done.position),
        last.slot,
        last.block_index,
        last.side,
        last.signature,
        last.event_index,
    )


def realization_rows(folds: Iterable[Fold], withdrawn: Mapping[int, Past]) -> list[rows.Row]:
    """The realizations that are new or came out differently, as UPSERT_REALIZATIONS takes them."""
    return [
        (entry.trade_id, *done.key, entry.slot, entry.block_time, *result)
        for done, entry, result in _results(folds)
        if done.before is None
        or entry.trade_id in withdrawn
        or (share := done.before.get(entry.trade_id)) is None
        or share.result != result
    ]


def _results(folds: Iterable[Fold]) -> Iterator[tuple[Fold, Entry, Realization]]:
    for done in folds:
        for entry, result in zip(done.entries, done.booked, strict=True):
            if isinstance(result, Realization):
                yield done, entry, result


def count_hours(folds: Iterable[Fold]) -> Hours:
    """What the folds add to their traders' hours, and correct in them."""
    hours = Hours()
    for done in folds:
        trader_id, before = done.key[0], dict(done.before or {})
        for entry, result in zip(done.entries, done.booked, strict=True):
            realized = result if isinstance(result, Realization) else None
            share = Share(entry.block_time, entry.lamports, realized)
            past = before.pop(entry.trade_id, None)
            if past is None:
                hours.add(trader_id, share)
            else:
                hours.replace(trader_id, past, share)
        for past in before.values():
            hours.replace(trader_id, past, None)
    return hours


def unmatched_units(folds: Iterable[Fold], new_ids: Collection[int]) -> int:
    """How many units of the new sells were never seen bought."""
    found = _results(folds)
    return sum(result.unmatched_units for _, entry, result in found if entry.trade_id in new_ids)
