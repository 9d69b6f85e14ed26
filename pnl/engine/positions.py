"""A position: what one trader holds in one token, at what cost, and what it has brought so far."""

from dataclasses import dataclass


@dataclass(slots=True)
class Position:
    """The running state of the fold. Lamports and raw token units, all integers.

    `units` and `cost_lamports` are what is still held; `bought_*` and `sold_*` are lifetime sums.
    `unmatched_*` is the part of the sales that was never seen bought: it realizes nothing.
    A round trip runs from flat to flat; `trip_lamports` is what the open one has realized.
    Times are Unix seconds of the block, never a clock's.
    """

    units: int = 0
    cost_lamports: int = 0
    bought_units: int = 0
    bought_lamports: int = 0
    sold_units: int = 0
    sold_lamports: int = 0
    realized_lamports: int = 0
    unmatched_units: int = 0
    unmatched_lamports: int = 0
    buys: int = 0
    sells: int = 0
    closed: int = 0
    wins: int = 0
    losses: int = 0
    trip_lamports: int = 0
    opened_at: int | None = None
    first_at: int | None = None
    last_at: int | None = None
    unpriced: int = 0
