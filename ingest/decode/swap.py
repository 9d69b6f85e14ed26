"""One swap as its event tells it, before it has a place in a transaction."""

from typing import NamedTuple

import msgspec

from ingest.decode.outcome import Broken
from pnl.engine.trades import Side


class Swap(msgspec.Struct, frozen=True):
    """A trade event read. Amounts are raw integers, program fees inside `quote_units`.

    `quote_mint` is None for SOL and wrapped SOL. `timestamp` is the event's own, in seconds.
    `is_known` tells whether the event had exactly the bytes of a layout we know.
    """

    trader: bytes
    mint: bytes
    side: Side
    token_units: int
    quote_mint: bytes | None
    quote_units: int
    fee_units: int
    timestamp: int
    is_known: bool

    @property
    def given(self) -> "Amount":
        """What the trader parted with."""
        if self.side is Side.BUY:
            return Amount(self.quote_mint, self.quote_units)
        return Amount(self.mint, self.token_units)

    @property
    def taken(self) -> "Amount":
        """What the trader got for it."""
        if self.side is Side.BUY:
            return Amount(self.mint, self.token_units)
        return Amount(self.quote_mint, self.quote_units)


class Amount(NamedTuple):
    """So many base units of a mint, or lamports where it is None."""

    mint: bytes | None
    units: int


def require(event: bytes, size: int, name: str) -> None:
    """Refuses an event shorter than the earliest layout of its kind."""
    if len(event) < size:
        raise Broken(f"{name} has {len(event)} bytes, at least {size} expected")
