"""A position is the fold of its trades in chain order, and nothing else."""

from collections.abc import Iterable, Sequence

from pnl.engine.booking import Booked, book
from pnl.engine.positions import Position
from pnl.engine.trades import Trade


def in_chain_order(trades: Iterable[Trade]) -> list[Trade]:
    """The trades sorted by their place on the chain."""
    return sorted(trades, key=lambda trade: trade.place)


def extend(position: Position, trades: Sequence[Trade]) -> list[Booked]:
    """Fold trades that follow, in chain order, everything the position has seen."""
    return [book(position, trade) for trade in trades]


def replay(trades: Iterable[Trade]) -> tuple[Position, list[tuple[Trade, Booked]]]:
    """Fold all trades of a position from nothing, in whatever order they come."""
    position = Position()
    ordered = in_chain_order(trades)
    return position, list(zip(ordered, extend(position, ordered), strict=True))
