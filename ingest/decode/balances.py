"""A swap read off balances, for an enhanced payload without the programs' own words.

Exact as far as balances can be: the market's own change is the swap's amount, and what the trader
parted with beyond it is the program's fee, up to what the program takes. What several swaps of one
trader moved together is one swap here. Whatever is ambiguous is not booked: a raw body will tell.
"""

from typing import NamedTuple

from ingest.decode.addresses import curve_of, has_a_key
from ingest.decode.costs import curve_fees, may_be_a_curves_rent
from ingest.decode.enhanced import Enhanced, called_in, programs_in
from ingest.decode.execution import address_bytes
from ingest.decode.ledger import Ledger
from ingest.decode.outcome import DropReason
from ingest.decode.programs import PUMP
from ingest.decode.swap import Swap
from pnl.engine.trades import Side, Venue


class Undecided(NamedTuple):
    """Why the balances tell no swap."""

    reason: DropReason
    detail: str


class Inferred(NamedTuple):
    """What the balances tell."""

    venue: Venue
    swap: Swap


class _Sides(NamedTuple):
    """Who may have traded with whom: `market` is None where no curve or pool is shown."""

    ledger: Ledger
    mint: str
    is_curve: bool
    block_time: int
    trader: str = ""
    market: str | None = None

    @property
    def side(self) -> Side:
        """The trader's."""
        return Side.BUY if self.ledger.units(self.trader, self.mint) > 0 else Side.SELL

    @property
    def told(self) -> int:
        """The lamports that the trader gave for a buy or got for a sell, less what is not it."""
        spent = self.ledger.spent(self.trader, self.market)
        return spent if self.side is Side.BUY else -spent

    @property
    def moved(self) -> int | None:
        """The lamports that the market gained by a buy or lost by a sell; None where not shown.

        The rent of a curve that is made on the way is known by the transfer that pays it.
        """
        if self.market is None:
            return None
        change = self.ledger.lamports_of_market(self.market)
        if self.side is Side.SELL:
            return None if change is None else -change
        payments = self.ledger.payments(self.trader, self.market)
        rents = [paid for paid in payments if self.is_curve and may_be_a_curves_rent(paid)]
        rent = sum(rents) if len(rents) < len(payments) else 0
        if change is None and payments:
            change = sum(payments)
        return None if change is None else change - rent

    @property
    def units(self) -> int:
        """The tokens that the market gave or took, where it shows a swap; else the trader's."""
        own = self.ledger.units(self.trader, self.mint)
        other = 0 if self.market is None else self.ledger.units(self.market, self.mint)
        return abs(other if other * own < 0 else own)


def inferred_from(payload: Enhanced, block_time: int) -> Inferred | Undecided:
    """The one swap that changed these balances, or why there is none or not one.

    Raises Broken when an address in the payload is none.
    """
    ledger = Ledger(payload)
    mints = ledger.mints()
    programs = programs_in(payload)
    if not mints or not programs:
        return _nothing(payload, mints, programs)
    if len(mints) > 1:
        return Undecided(DropReason.SEVERAL_TOKENS, f"{len(mints)} tokens changed hands")
    if len(programs) > 1:
        return Undecided(DropReason.SEVERAL_SWAPS, "both programs took part")
    (mint,) = mints
    address_bytes(mint)  # before it is named in a detail
    return _answer(_Sides(ledger, mint, PUMP in programs, block_time))


def _nothing(payload: Enhanced, mints: set[str], programs: set[str]) -> Undecided:
    """Nobody's tokens changed, or neither program was there: nearly always no trade at all."""
    if programs and (called_in(payload) or not payload.instructions):
        return Undecided(DropReason.UNTOLD, "no token balance changed, but a program was called")
    detail = "neither program took part" if mints else "no token balance changed"
    return Undecided(DropReason.NO_TRADE, detail)


def _answer(sides: _Sides) -> Inferred | Undecided:
    people = [owner for owner in sides.ledger.owners(sides.mint) if _has_a_key(owner)]
    if not people:
        return Undecided(DropReason.NO_TRADER, f"only programs hold more or less of {sides.mint}")
    pairs = [_facing(sides, owner) for owner in people]
    if len(pairs) > 1:
        pairs = [pair for pair in pairs if isinstance(pair, _Sides) and pair.told > 0]
    if len(pairs) != 1:
        detail = f"{len(people)} wallets hold more or less of {sides.mint}"
        return Undecided(DropReason.SEVERAL_TRADERS, detail)
    (pair,) = pairs
    return pair if isinstance(pair, Undecided) else _inferred(pair)


def _facing(sides: _Sides, trader: str) -> _Sides | Undecided:
    """The trader facing the token's curve, or the one program account on the other side."""
    sides = sides._replace(trader=trader)
    if sides.is_curve:
        return sides._replace(market=curve_of(address_bytes(sides.mint)))
    pools = [owner for owner in sides.ledger.owners(sides.mint) if _is_pool(sides, owner)]
    if len(pools) > 1:
        detail = f"{len(pools)} pools of {sides.mint} took part"
        return Undecided(DropReason.SEVERAL_SWAPS, detail)
    return sides._replace(market=pools[0]) if pools else sides


def _is_pool(sides: _Sides, owner: str) -> bool:
    """Whether tokens and SOL of a program's account went the ways opposite to the trader's."""
    ledger, sign = sides.ledger, 1 if sides.side is Side.BUY else -1
    units, lamports = ledger.units(owner, sides.mint), ledger.lamports_of_market(owner) or 0
    return units * sign < 0 < lamports * sign and not _has_a_key(owner)


def _inferred(sides: _Sides) -> Inferred | Undecided:
    amounts = _amounts(sides)
    if isinstance(amounts, Undecided):
        return amounts
    quote, fee = amounts
    swap = Swap(
        *(address_bytes(sides.trader), address_bytes(sides.mint), sides.side, sides.units),
        *(None, quote, fee),
        timestamp=sides.block_time,
        is_known=True,
    )
    return Inferred(Venue.PUMP if sides.is_curve else Venue.PUMP_SWAP, swap)


def _amounts(sides: _Sides) -> tuple[int, int] | Undecided:
    """Lamports with the program's fees inside, and those fees: 0 where the market is not shown."""
    told, moved = sides.told, sides.moved
    if (told if moved is None else moved) <= 0:
        return Undecided(DropReason.NO_SOL, "no SOL went the other way")
    if moved is None:
        return told, 0
    is_buy = sides.side is Side.BUY
    beyond = told - moved if is_buy else moved - told
    if beyond < 0:
        detail = f"{moved} lamports of the market and {told} of the trader do not fit"
        return Undecided(DropReason.UNBALANCED, detail)
    fee = min(beyond, _most(sides, moved, beyond))
    return (moved + fee if is_buy else moved - fee), fee


def _most(sides: _Sides, moved: int, beyond: int) -> int:
    """The most that the program can have taken; a pool's fees are shown where they went."""
    if sides.is_curve:
        return curve_fees(moved, sides.block_time)
    return sides.ledger.wrapped_by_programs(sides.trader, sides.market) or beyond


def _has_a_key(owner: str) -> bool:
    return has_a_key(address_bytes(owner))
