"""The pool program's trade events, in every layout since 2025: bytes and two mints in, swap out."""

from struct import Struct
from typing import Any, Final

import msgspec

from ingest.decode.borsh import NOTHING, Sections
from ingest.decode.programs import WSOL_BYTES
from ingest.decode.swap import Swap, require
from pnl.engine.trades import Side

# Both events, from the discriminator on: timestamp, base, quote, lp fee, protocol fee, quote with
# or without the lp fee, the user's quote, pool, user. Sections end where a layout once ended.
_HEAD: Final = Struct("<8xqQ40xQ8xQ8xQQQ32s32s128x")  # 312
_CREATOR_FEE: Final = Struct("<40xQ")  # 360
_VOLUME: Final = Struct("<33x")  # BuyEvent only
_LIMIT_BYTES: Final = 8  # BuyEvent only: the limit, then the instruction's name
_CASHBACK: Final = Struct("<8xQ")
# Behind the cashback: buyback, boost, holder rewards, and what the creator has not claimed.
_TAIL_ENDS: Final = (16, 41, 57, 65)


class PoolSwap(msgspec.Struct, frozen=True):
    """A pool event read: what the user gave and got of base and quote, whatever the mints are.

    `quote` is all that the user paid, or all that the user received; `fee` is in quote units too.
    """

    pool: bytes
    user: bytes
    takes_base: bool
    base: int
    quote: int
    fee: int
    timestamp: int
    is_known: bool

    def of(self, base_mint: bytes, quote_mint: bytes) -> Swap:
        """The swap, once the pool's mints are known.

        The side is decided by which mint is wrapped SOL, never by the event's name: anybody may
        open a pool whose base is wrapped SOL, and who takes the base there sells the other token.
        """
        if base_mint == WSOL_BYTES:
            return self._reversed(quote_mint)
        quote = None if quote_mint == WSOL_BYTES else quote_mint
        side = Side.BUY if self.takes_base else Side.SELL
        return self._swap(base_mint, side, self.base, quote, self.quote, self.fee)

    def _reversed(self, token: bytes) -> Swap:
        """In a pool quoted in the token the program takes its fees in the token: none in SOL."""
        side = Side.SELL if self.takes_base else Side.BUY
        return self._swap(token, side, self.quote, None, self.base, fee=0)

    def _swap(
        self, mint: bytes, side: Side, units: int, quote_mint: bytes | None, quote: int, fee: int
    ) -> Swap:
        return Swap(
            *(self.user, mint, side, units, quote_mint, quote, fee),
            timestamp=self.timestamp,
            is_known=self.is_known,
        )


def read_buy(event: bytes) -> PoolSwap:
    """The pool swap of a BuyEvent, 312 bytes or more (discriminator first).

    What was paid is summed up from its parts, because `buy_exact_quote_in` exchanges the meaning
    of the two fields of which one has the total. If neither has it, a part is not known.
    """
    require(event, _HEAD.size, "BuyEvent")
    head = _HEAD.unpack_from(event)
    sections = Sections(event, _HEAD.size)
    creator_fee = sections.fixed(_CREATOR_FEE)
    sections.fixed(_VOLUME)
    sections.counted(NOTHING, width=1, lead=_LIMIT_BYTES)
    cashback = _read_tail(sections)

    timestamp, base, quote, lp_fee, protocol_fee, with_lp_fee, users_quote, pool, user = head
    fee = protocol_fee + sum(creator_fee or ()) + sum(cashback or ())
    paid = with_lp_fee + fee
    is_known = sections.unread == 0 and paid in (quote, users_quote)
    return PoolSwap(pool, user, True, base, paid, lp_fee + fee, timestamp, is_known)


def read_sell(event: bytes) -> PoolSwap:
    """The pool swap of a SellEvent, 312 bytes or more (discriminator first)."""
    require(event, _HEAD.size, "SellEvent")
    head = _HEAD.unpack_from(event)
    sections = Sections(event, _HEAD.size)
    creator_fee = sections.fixed(_CREATOR_FEE)
    cashback = _read_tail(sections)

    timestamp, base, _, lp_fee, protocol_fee, _, received, pool, user = head
    fee = lp_fee + protocol_fee + sum(creator_fee or ()) + sum(cashback or ())
    is_known = sections.unread == 0
    return PoolSwap(pool, user, False, base, received, fee, timestamp, is_known)


def _read_tail(sections: Sections) -> tuple[Any, ...] | None:
    """Reads what both events end with; the cashback, or None in layouts before it."""
    cashback = sections.fixed(_CASHBACK)
    sections.skip(_TAIL_ENDS)
    return cashback
