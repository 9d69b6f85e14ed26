"""The programs' events in Borsh, newest layouts: what a decoder will find in the transaction.

Every function returns the log payload: 8 bytes discriminator and the body. Field order and sizes
are those of the programs' interface descriptions of October 2026.
"""

import math
import struct
from typing import Final, NamedTuple

from ingest.decode import programs
from ingest.market.curve import (
    BUYBACK_BPS,
    CREATOR_FEE_BPS,
    PROTOCOL_FEE_BPS,
    TOTAL_SUPPLY,
    CurveFill,
)
from ingest.market.pool import PoolFill

_NO_KEY: Final = bytes(32)
_NO_I128: Final = bytes(16)
_TRADE_HEAD: Final = struct.Struct("<8s32sQQ?32sqQQQQ32sQQ32sQQ?QQQq")
_TRADE_TAIL: Final = struct.Struct("<?QQQQI32sQQQQQQ")
_SWAP_HEAD: Final = struct.Struct("<8sq13Q32s32s32s32s32s32s32sQQ")
_BUY_MIDDLE: Final = struct.Struct("<?QQQqQ")
_SWAP_TAIL: Final = struct.Struct("<QQQQ16s?QQQQ")
_CREATE_TAIL: Final = struct.Struct("<32s32s32s32sqQQQQ32s??32sQQ?B")
_COMPLETE: Final = struct.Struct("<8s32s32s32sq32s")
_MIGRATION: Final = struct.Struct("<8s32s32sQQQ32sq32s32s")
_CREATE_POOL: Final = struct.Struct("<8sqH32s32s32sBB7QB32s32s32s32s32s?Q??")


class Parties(NamedTuple):
    """The keys around one swap, 32 bytes each."""

    user: bytes
    mint: bytes
    creator: bytes
    fee_recipient: bytes
    pool: bytes = _NO_KEY
    user_units: bytes = _NO_KEY  # the user's token account
    user_quote: bytes = _NO_KEY  # the user's wrapped SOL account
    fee_account: bytes = _NO_KEY  # the fee recipient's wrapped SOL account


class Held(NamedTuple):
    """What the user's two accounts held BEFORE a pool swap, and the limit the user set."""

    units: int
    quote: int
    limit: int


def text(value: str) -> bytes:
    """A Borsh string: u32 length and UTF-8."""
    raw = value.encode()
    return struct.pack("<I", len(raw)) + raw


def trade(fill: CurveFill, who: Parties, time: int, name: str, volume: int) -> bytes:
    """TradeEvent (379 + name): `volume` is the user's SOL volume so far, in lamports."""
    head = _TRADE_HEAD.pack(
        *(programs.TRADE_EVENT, who.mint, fill.sol, fill.units, fill.is_buy, who.user, time),
        *(fill.virtual_sol, fill.virtual_units, fill.real_sol, fill.real_units),
        *(who.fee_recipient, PROTOCOL_FEE_BPS, fill.fee),
        *(who.creator, CREATOR_FEE_BPS, fill.creator_fee),
        *(fill.is_buy, 0, 0, volume, time if fill.is_buy else 0),
    )
    tail = _TRADE_TAIL.pack(
        *(False, 0, 0, BUYBACK_BPS, fill.buyback, 0),
        *(_NO_KEY, fill.sol, fill.virtual_sol, fill.real_sol, 0, 0, 0),
    )
    return head + text(name) + tail


def pool_buy(fill: PoolFill, who: Parties, held: Held, time: int, volume: int) -> bytes:
    """BuyEvent (486 + name). A buy that names what it spends has two fields exchanged."""
    quotes = (fill.paid, fill.quote) if fill.exact_quote else (fill.quote, fill.paid)
    name = "buy_exact_quote_in" if fill.exact_quote else "buy"
    floor = fill.units - fill.units // 10 if fill.exact_quote else fill.units
    head = _swap_head(programs.BUY_EVENT, fill, who, held, time, quotes)
    middle = _BUY_MIDDLE.pack(True, 0, 0, volume, time, floor)
    return head + middle + text(name) + _swap_tail(fill)


def pool_sell(fill: PoolFill, who: Parties, held: Held, time: int) -> bytes:
    """SellEvent (441)."""
    quotes = (fill.quote, fill.paid)
    return _swap_head(programs.SELL_EVENT, fill, who, held, time, quotes) + _swap_tail(fill)


def _swap_head(
    tag: bytes, fill: PoolFill, who: Parties, held: Held, time: int, quotes: tuple[int, int]
) -> bytes:
    tier = fill.tier
    return _SWAP_HEAD.pack(
        *(tag, time, fill.units, held.limit, held.units, held.quote),
        *(fill.pool_units, fill.pool_quote, quotes[0]),
        *(tier.lp, fill.lp_fee, tier.protocol, fill.protocol_fee, fill.with_lp, quotes[1]),
        *(who.pool, who.user, who.user_units, who.user_quote),
        *(who.fee_recipient, who.fee_account, who.creator),
        *(tier.creator, fill.creator_fee),
    )


def _swap_tail(fill: PoolFill) -> bytes:
    return _SWAP_TAIL.pack(0, 0, BUYBACK_BPS, fill.buyback, _NO_I128, False, TOTAL_SUPPLY, 0, 0, 0)


def create(
    names: tuple[str, str, str], mint: bytes, curve: bytes, creator: bytes, time: int, token: bytes
) -> bytes:
    """CreateEvent of (name, symbol, uri); `token` is the token program's key."""
    tail = _CREATE_TAIL.pack(
        *(mint, curve, creator, creator, time),
        *(1_073_000_000_000_000, 30_000_000_000, 793_100_000_000_000, TOTAL_SUPPLY),
        *(token, False, False, _NO_KEY, 30_000_000_000, CREATOR_FEE_BPS, False, 0),
    )
    return programs.CREATE_EVENT + b"".join(text(name) for name in names) + tail


def complete(user: bytes, mint: bytes, curve: bytes, time: int) -> bytes:
    """CompleteEvent: the last unit of the curve was bought."""
    return _COMPLETE.pack(programs.COMPLETE_EVENT, user, mint, curve, time, _NO_KEY)


class Graduation(NamedTuple):
    """A curve becoming a pool: keys of 32 bytes, token units, lamports, seconds."""

    user: bytes
    mint: bytes
    curve: bytes
    creator: bytes
    authority: bytes  # the curve program's, which founds the pool
    pool: bytes
    lp_mint: bytes
    pool_units: bytes  # the pool's two token accounts
    pool_quote: bytes
    wsol: bytes
    units: int
    quote: int
    fee: int
    time: int


def migration(born: Graduation) -> bytes:
    """CompletePumpAmmMigrationEvent: what moved from the curve into the pool."""
    return _MIGRATION.pack(
        *(programs.MIGRATION_EVENT, born.user, born.mint, born.units, born.quote, born.fee),
        *(born.curve, born.time, born.pool, _NO_KEY),
    )


def create_pool(born: Graduation) -> bytes:
    """CreatePoolEvent of a canonical pool: base is the token, quote is wrapped SOL."""
    liquidity = math.isqrt(born.units * born.quote)
    return _CREATE_POOL.pack(
        *(programs.CREATE_POOL_EVENT, born.time, 0, born.authority, born.mint, born.wsol, 6, 9),
        *(born.units, born.quote, born.units, born.quote, 100, liquidity, liquidity - 100),
        *(254, born.pool, born.lp_mint, born.pool_units, born.pool_quote, born.creator),
        *(False, CREATOR_FEE_BPS, False, False),
    )
