"""How many trades a second the fold takes, against a loop that only adds them up."""

import time
from typing import Final

from pnl.engine.booking import book
from pnl.engine.positions import Position
from pnl.engine.trades import Side, Trade
from tests.bench.figures import Figure, Report, Sizes
from tests.bench.playing import transactions

TRANSACTIONS: Final = 5000
REPEATS: Final = 10
BASELINE: Final = "added up by position"

Key = tuple[bytes, bytes]
Keyed = list[tuple[Key, Trade]]


def measure(sizes: Sizes) -> Report:
    """The fold and the addition in turn over the same trades, from nothing each time."""
    trades = [trade for transaction in transactions(TRANSACTIONS) for trade in transaction.trades]
    keyed = [((trade.trader, trade.mint), trade) for trade in trades]
    folds: list[float] = []
    sums: list[float] = []
    for _ in range(sizes.rounds):
        sums.append(len(keyed) * REPEATS / _seconds_to_add(keyed))
        folds.append(len(keyed) * REPEATS / _seconds_to_fold(keyed))
    figures = [
        Figure(BASELINE, "trades/s", sums),
        Figure("folded at average cost", "trades/s", folds, BASELINE),
    ]
    return Report("engine", figures, [_checked(keyed)])


def _seconds_to_fold(keyed: Keyed) -> float:
    began = time.perf_counter()
    for _ in range(REPEATS):
        _folded(keyed)
    return time.perf_counter() - began


def _seconds_to_add(keyed: Keyed) -> float:
    began = time.perf_counter()
    for _ in range(REPEATS):
        _added(keyed)
    return time.perf_counter() - began


def _folded(keyed: Keyed) -> dict[Key, Position]:
    positions: dict[Key, Position] = {}
    for key, trade in keyed:
        position = positions.get(key)
        if position is None:
            position = positions[key] = Position()
        book(position, trade)
    return positions


def _added(keyed: Keyed) -> dict[Key, int]:
    sums: dict[Key, int] = {}
    for key, trade in keyed:
        lamports = trade.quote_units if trade.side is Side.BUY else -trade.quote_units
        sums[key] = sums.get(key, 0) + lamports
    return sums


def _checked(keyed: Keyed) -> str:
    positions, sums = _folded(keyed), _added(keyed)
    for key, position in positions.items():
        assert position.bought_lamports - position.sold_lamports == sums[key]
    return f"both agree on what went in and out of {len(positions)} positions"
