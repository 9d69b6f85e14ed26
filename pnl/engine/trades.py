"""What a trade is: the only fact the ledger knows, and its place in the order of the chain."""

from enum import IntEnum
from typing import NamedTuple

import based58

# Sorts after every block index a block can have: trades of unknown index close their slot.
UNKNOWN_BLOCK_INDEX = 2**31 - 1

# slot, block index, side, signature, event index
Place = tuple[int, int, int, str, int]


class Side(IntEnum):
    """The trader's side. Buys sort before sells where the chain's own order is unknown."""

    BUY = 0
    SELL = 1


class Venue(IntEnum):
    """The program that executed the swap."""

    PUMP = 0
    PUMP_SWAP = 1


class Trade(NamedTuple):
    """One swap event. Amounts are raw integers: token units of the mint, base units of the quote.

    `quote_units` is what a buy cost or a sell brought, program fees inside; `fee_units` is the part
    of the difference that went to the programs. `quote_mint` is None for SOL and wrapped SOL, and
    then the units are lamports. `event_index` is the ordinal among the transaction's trade events.
    `inferred` tells that the amounts were read off balances, which also move by other things than
    the swap. `priced_lamports` is the SOL value of a trade in another quote, once a price is known.
    """

    signature: bytes
    event_index: int
    slot: int
    block_index: int | None
    block_time: int
    trader: bytes
    mint: bytes
    side: Side
    token_units: int
    quote_mint: bytes | None
    quote_units: int
    fee_units: int
    venue: Venue
    inferred: bool = False
    priced_lamports: int | None = None

    @property
    def lamports(self) -> int | None:
        """The SOL value, or None while a trade in another quote has no price."""
        return self.quote_units if self.quote_mint is None else self.priced_lamports

    @property
    def place(self) -> Place:
        """Where the trade stands in the order of the chain."""
        return place_of(self.slot, self.block_index, self.side, self.signature, self.event_index)


def place_of(
    slot: int, block_index: int | None, side: int, signature: bytes, event_index: int
) -> Place:
    """The sort key of the chain's order.

    A known block index decides alone. Without it the trade closes its slot, buys before sells, then
    by signature as people write it (base58), so that everyone who recomputes gets the same order.
    """
    if block_index is not None:
        return (slot, block_index, 0, "", event_index)
    text = based58.b58encode(signature).decode()
    return (slot, UNKNOWN_BLOCK_INDEX, int(side), text, event_index)
