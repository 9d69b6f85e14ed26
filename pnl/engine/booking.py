"""Booking one trade onto a position by weighted average cost; what a sell realized is returned.

Splits round down, and a sell of everything held takes the whole remaining cost, so over the life of
a position the costs of its sells and the cost still held add up to what its buys cost, to the
lamport. Units that were sold but never seen bought (transferred in, or bought before we watched)
carry no cost we know: they are booked as unmatched and make neither gain nor loss.
"""

from typing import NamedTuple, Protocol

from pnl.engine.positions import Position
from pnl.engine.trades import Side


class Foldable(Protocol):
    """What the fold must know of a trade: a whole one, or a row of the ledger.

    `lamports` is None while the trade is in a quote without a SOL price; times are Unix seconds.
    """

    @property
    def side(self) -> Side: ...
    @property
    def token_units(self) -> int: ...
    @property
    def lamports(self) -> int | None: ...
    @property
    def block_time(self) -> int: ...


class Realization(NamedTuple):
    """What one sell realized. Lamports and raw token units.

    `realized_lamports` = `proceeds_lamports` - `cost_lamports`, both of the matched units only.
    `closes` tells that the sell ended a round trip, which realized `trip_lamports` in
    `hold_seconds` since its first buy.
    """

    matched_units: int
    unmatched_units: int
    cost_lamports: int
    proceeds_lamports: int
    unmatched_lamports: int
    realized_lamports: int
    closes: bool
    trip_lamports: int
    hold_seconds: int


class Bought(NamedTuple):
    """A buy was added to the position."""

    units: int


class Unpriced(NamedTuple):
    """The trade is in a quote without a SOL price: kept and counted, but not folded."""

    units: int


Booked = Bought | Realization | Unpriced


def book(position: Position, trade: Foldable) -> Booked:
    """Fold one trade, which must be the position's latest in chain order, into the position."""
    _touch(position, trade.block_time)
    lamports = trade.lamports
    if lamports is None:
        position.unpriced += 1
        return Unpriced(trade.token_units)
    if trade.side is Side.BUY:
        return _buy(position, trade.token_units, lamports, trade.block_time)
    return _sell(position, trade.token_units, lamports, trade.block_time)


def _touch(position: Position, block_time: int) -> None:
    if position.first_at is None or block_time < position.first_at:
        position.first_at = block_time
    if position.last_at is None or block_time > position.last_at:
        position.last_at = block_time


def _buy(position: Position, units: int, lamports: int, block_time: int) -> Bought:
    if position.units == 0:
        position.opened_at = block_time
        position.trip_lamports = 0
    position.units += units
    position.cost_lamports += lamports
    position.bought_units += units
    position.bought_lamports += lamports
    position.buys += 1
    return Bought(units)


def _sell(position: Position, units: int, lamports: int, block_time: int) -> Realization:
    held = position.units
    matched = units if units < held else held
    cost = share_of_cost(position.cost_lamports, matched, held)
    proceeds = lamports if matched == units and units else share(lamports, matched, units)
    realized = proceeds - cost
    closes = 0 < matched == held
    position.units = held - matched
    position.cost_lamports -= cost
    position.sold_units += units
    position.sold_lamports += lamports
    position.realized_lamports += realized
    position.unmatched_units += units - matched
    position.unmatched_lamports += lamports - proceeds
    position.sells += 1
    position.trip_lamports += realized
    trip, hold = _close(position, block_time) if closes else (0, 0)
    return Realization(
        matched, units - matched, cost, proceeds, lamports - proceeds, realized, closes, trip, hold
    )


def share(amount: int, part: int, whole: int) -> int:
    """The part's share of an amount, rounded down; nothing of an empty whole."""
    return amount * part // whole if whole else 0


def share_of_cost(cost: int, matched: int, held: int) -> int:
    """The cost that leaves with the matched units: none without any, all of it when none stays."""
    if matched == held:
        return cost if held else 0
    return cost * matched // held


def _close(position: Position, block_time: int) -> tuple[int, int]:
    trip = position.trip_lamports
    opened_at = position.opened_at if position.opened_at is not None else block_time
    position.closed += 1
    position.wins += trip > 0
    position.losses += trip < 0
    position.trip_lamports = 0
    position.opened_at = None
    return trip, max(0, block_time - opened_at)
