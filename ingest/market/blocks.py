"""The chain's own clock: slots of 400 ms, a place in the block for everything that lands in one."""

from random import Random
from typing import Final, NamedTuple

from ingest.market import base58

# A slot of the real chain and the time its block carried, in ms: what ties time to slots.
_SLOT: Final = 452_024_288
_SLOT_AT: Final = 1_790_726_400_000
_SLOT_MS: Final = 400
# Places between two of our transactions; a block has room for a few thousand.
_GAP_MAX: Final = 5


class Landing(NamedTuple):
    """Where a transaction landed. `time` is the block's, in seconds."""

    slot: int
    block_index: int
    time: int
    blockhash: str
    at_ms: int


class Blocks:
    """Hands out landings in the order of the chain."""

    __slots__ = ("_dice", "_hash", "_index", "_slot")

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._slot = 0
        self._index = 0
        self._hash = ""

    def land(self, time_ms: int) -> Landing:
        """The next free place of the block at this time, or of the last one handed out."""
        slot = _SLOT + (time_ms - _SLOT_AT) // _SLOT_MS
        if slot > self._slot:
            self._slot = slot
            self._index = self._dice.randrange(200)
            self._hash = base58.encode(self._dice.randbytes(32))
        self._index += self._dice.randint(1, _GAP_MAX)
        # Everything in a slot carries the slot's time, whatever part of a second it spans.
        time = (_SLOT_AT + (self._slot - _SLOT) * _SLOT_MS) // 1_000
        return Landing(self._slot, self._index, time, self._hash, time_ms)
