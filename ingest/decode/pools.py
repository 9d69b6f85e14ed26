"""Which two mints a pool trades: its events do not say, the transaction around them does."""

from functools import lru_cache
from itertools import chain
from typing import Final

from ingest.decode import base58
from ingest.decode.execution import Call, address_bytes
from ingest.decode.outcome import Broken
from ingest.decode.programs import (
    CREATE_POOL_EVENT,
    MULTI_HOP_SWAP,
    PUMP_SWAP,
    PUMP_SWAP_EVENT_AUTHORITY,
)

Mints = tuple[bytes, bytes]  # base, quote

# A market trades in few pools at a time.
_address = lru_cache(4096)(base58.encode)

# Where the instructions about one pool name it and its mints: swaps of both generations, deposits,
# withdrawals and the pool's creation all agree.
_POOL: Final = 0
_BASE_MINT: Final = 3
_QUOTE_MINT: Final = 4

# Where multi_hop_swap names them: 16 accounts, then 5 a hop: base, quote, pool, and two vaults.
_HOPS: Final = 16
_HOP_ACCOUNTS: Final = 5
_HOP_POOL: Final = 2

# Where CreatePoolEvent has them, discriminator included.
_EVENT_BASE_MINT: Final = slice(50, 82)
_EVENT_QUOTE_MINT: Final = slice(82, 114)
_EVENT_POOL: Final = slice(173, 205)


def mints_of(pool: bytes, calls: list[Call], at: int) -> Mints:
    """The mints of `pool`, as told by the call nearest before the event `calls[at]`, or by any.

    A pool's mints never change, so whichever call tells them tells the truth; the nearest before
    is nearly always the swap itself. Raises Broken when no call of the transaction tells.
    """
    address = _address(pool)
    for call in chain(reversed(calls[:at]), calls[at + 1 :]):
        if call.program == PUMP_SWAP and (mints := _told_by(call, pool, address)) is not None:
            return mints
    raise Broken(f"no instruction tells the mints of pool {address}", calls[at].where)


def _told_by(call: Call, pool: bytes, address: str) -> Mints | None:
    if call.event is not None:
        return _told_by_event(call.event, pool)
    named = _named_for(call, address) or _named_in_hops(call, address)
    if named is None:
        return None
    return address_bytes(named[0], call.where), address_bytes(named[1], call.where)


def _named_for(call: Call, pool: str) -> tuple[str, str] | None:
    """Base and quote mint in the accounts of an instruction about this one pool.

    The administrative ones have no mints: there the event authority stands in the same places.
    """
    if call.account(_POOL) != pool:
        return None
    base, quote = call.account(_BASE_MINT), call.account(_QUOTE_MINT)
    if base is None or quote is None or PUMP_SWAP_EVENT_AUTHORITY in (base, quote):
        return None
    return base, quote


def _named_in_hops(call: Call, pool: str) -> tuple[str, str] | None:
    accounts = call.accounts
    pools = accounts[_HOPS + _HOP_POOL :: _HOP_ACCOUNTS]
    if pool not in pools or not call.data.startswith(MULTI_HOP_SWAP):
        return None
    hop = _HOPS + _HOP_ACCOUNTS * pools.index(pool)
    return accounts[hop], accounts[hop + 1]


def _told_by_event(event: bytes, pool: bytes) -> Mints | None:
    if not event.startswith(CREATE_POOL_EVENT) or event[_EVENT_POOL] != pool:
        return None
    return event[_EVENT_BASE_MINT], event[_EVENT_QUOTE_MINT]
