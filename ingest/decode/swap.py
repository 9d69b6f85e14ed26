"""One swap as its event tells it, before it has a place in a transaction."""

from typing import NamedTuple

from ingest.decode.outcome import Broken
from pnl.engine.trades import Side


class Swap(NamedTuple):
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


def require(event: bytes, size: int, name: str) -> None:
    """Refuses an event shorter than the earliest layout of its kind."""
    if len(event) < size:
        raise Broken(f"{name} has {len(event)} bytes, at least {size} expected")
