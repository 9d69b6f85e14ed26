"""The bonding curve's trade events, in every layout since 2024: bytes in, swap out."""

from struct import Struct
from typing import Any, Final

from ingest.decode.borsh import NOTHING, Sections
from ingest.decode.outcome import Broken
from ingest.decode.programs import SOL_QUOTES
from ingest.decode.swap import Swap, require
from pnl.engine.trades import Side

# TradeEvent, from the discriminator on; every section ends where a layout once ended.
_HEAD: Final = Struct("<8x32sQQB32sq16x")  # 113: mint, sol, tokens, is_buy, user, timestamp
_RESERVES: Final = Struct("<16x")  # 129
_FEES: Final = Struct("<40xQ40xQ")  # 225: protocol fee, creator fee
_VOLUME: Final = Struct("<33x")  # 258, then the instruction's name
_MAYHEM_MODE: Final = Struct("<?")
_CASHBACK: Final = Struct("<8xQ")
_BUYBACK_BYTES: Final = 16
_SHAREHOLDER_BYTES: Final = 34
_QUOTE: Final = Struct("<32sQ16x")  # quote mint, quote amount
# Behind the quote: holder rewards, and what the creator has not claimed.
_TAIL_ENDS: Final = (16, 24)

# PostCompleteBuyEvent: user, mint, quote mint, timestamp, tokens, quote, fee, creator fee.
_POST_COMPLETE: Final = Struct("<8x32s32s32x32sqQQ8xQ8xQ40x")

_SIDES: Final = {0: Side.SELL, 1: Side.BUY}
# What the program took before its events said so: one percent, rounded down.
_UNTOLD_FEE_PERCENT: Final = 1


def read_trade(event: bytes) -> Swap:
    """The swap of a TradeEvent, 113 bytes or more (discriminator first).

    The event's amount excludes all fees: a buy costs them on top, a sell brings what they leave.
    Buyback fee and holder rewards are parts of the fees already counted; cashback is not.
    """
    require(event, _HEAD.size, "TradeEvent")
    mint, sol, tokens, is_buy, user, timestamp = _HEAD.unpack_from(event)
    sections = Sections(event, _HEAD.size)
    sections.fixed(_RESERVES)
    fees = sections.fixed(_FEES)
    sections.fixed(_VOLUME)
    sections.counted(NOTHING, width=1)
    sections.fixed(_MAYHEM_MODE)
    cashback = sections.fixed(_CASHBACK)
    quote = sections.counted(_QUOTE, width=_SHAREHOLDER_BYTES, lead=_BUYBACK_BYTES)
    sections.skip(_TAIL_ENDS)

    side = _side(is_buy)
    quote_mint, amount = _quoted(quote, sol)
    fee = sum(fees or (sol * _UNTOLD_FEE_PERCENT // 100,)) + sum(cashback or ())
    units = _with_fees(side, amount, fee)
    is_known = sections.unread == 0
    return Swap(user, mint, side, tokens, quote_mint, units, fee, timestamp, is_known)


def read_post_complete_buy(event: bytes) -> Swap:
    """The swap of a PostCompleteBuyEvent, 232 bytes (discriminator first).

    A buy that empties the curve goes on in the tokens set aside for the pool, before the pool is.
    TradeEvent tells the first part of what the buyer paid and got; this event tells the rest.
    """
    require(event, _POST_COMPLETE.size, "PostCompleteBuyEvent")
    user, mint, quote_mint, timestamp, tokens, quote, *fees = _POST_COMPLETE.unpack_from(event)
    quote_mint = None if quote_mint in SOL_QUOTES else quote_mint
    fee = sum(fees)
    is_known = len(event) == _POST_COMPLETE.size
    return Swap(user, mint, Side.BUY, tokens, quote_mint, quote + fee, fee, timestamp, is_known)


def _side(is_buy: int) -> Side:
    if is_buy not in _SIDES:
        raise Broken(f"TradeEvent has {is_buy} where a bool was expected")
    return _SIDES[is_buy]


def _quoted(quote: tuple[Any, ...] | None, sol: int) -> tuple[bytes | None, int]:
    """The quote mint (None for SOL) and the amount in it, fees excluded."""
    if quote is None or quote[0] in SOL_QUOTES:
        return None, sol
    return quote


def _with_fees(side: Side, amount: int, fee: int) -> int:
    if side is Side.BUY:
        return amount + fee
    if fee > amount:
        raise Broken(f"TradeEvent sells for {amount} and charges {fee}")
    return amount - fee
