"""The PumpSwap pool: constant product over real reserves, three fees by market cap."""

from typing import Final, NamedTuple

from ingest.market.chain import LAMPORTS_PER_SOL
from ingest.market.curve import BUYBACK_BPS, TOTAL_SUPPLY, net_of, share_up

_BPS: Final = 10_000


class Tier(NamedTuple):
    """Fees in basis points up to a market cap in SOL."""

    cap_sol: int
    creator: int
    protocol: int
    lp: int


# The first rows of the canonical pools' table; the simulated tokens never grow beyond the last.
TIERS: Final = (
    Tier(420, 30, 93, 2),
    Tier(1_470, 95, 5, 20),
    Tier(2_460, 90, 5, 20),
    Tier(3_440, 85, 5, 20),
    Tier(4_420, 80, 5, 20),
    Tier(9_820, 75, 5, 20),
    Tier(14_740, 70, 5, 20),
)


class PoolFill(NamedTuple):
    """One swap in a pool. Lamports and token units; reserves are those BEFORE the trade.

    `quote` is what the constant product asked or gave, before any fee; `exact_quote` marks a buy
    that named what it spends (the event then swaps two of its fields).
    """

    is_buy: bool
    units: int
    quote: int
    tier: Tier
    lp_fee: int
    protocol_fee: int
    creator_fee: int
    pool_units: int
    pool_quote: int
    exact_quote: bool = False

    @property
    def fees(self) -> int:
        """What the pool and the programs took."""
        return self.lp_fee + self.protocol_fee + self.creator_fee

    @property
    def with_lp(self) -> int:
        """The quote that enters the pool on a buy, or leaves it on a sell."""
        return self.quote + self.lp_fee if self.is_buy else self.quote - self.lp_fee

    @property
    def paid(self) -> int:
        """What the buy cost or the sell brought, fees inside."""
        return self.quote + self.fees if self.is_buy else self.quote - self.fees

    @property
    def buyback(self) -> int:
        """The part of the protocol fee that goes to the buyback recipient."""
        return self.protocol_fee * BUYBACK_BPS // _BPS


class Pool:
    """The reserves of one graduated token: token units and lamports."""

    __slots__ = ("quote", "units")

    def __init__(self, units: int, quote: int) -> None:
        self.units = units
        self.quote = quote

    @property
    def tier(self) -> Tier:
        """The fees at the present market cap."""
        cap_sol = self.quote * TOTAL_SUPPLY // (self.units * LAMPORTS_PER_SOL)
        return next((tier for tier in TIERS if cap_sol < tier.cap_sol), TIERS[-1])

    def buy_with(self, spend: int) -> PoolFill:
        """Buy for at most `spend` lamports, fees inside."""
        tier = self.tier
        quote = net_of(spend, tier.lp, tier.protocol, tier.creator)
        units = self.units * quote // (self.quote + quote)
        return self._book_buy(units, quote, tier, exact_quote=True)

    def buy_units(self, units: int) -> PoolFill:
        """Buy exactly so many token units."""
        quote = -(-units * self.quote // (self.units - units))
        return self._book_buy(units, quote, self.tier, exact_quote=False)

    def units_for(self, quote: int) -> int:
        """Token units that so many lamports would buy, before fees."""
        return self.units * quote // (self.quote + quote)

    def worth_of(self, units: int) -> int:
        """Lamports a sale of so many units would bring, before fees; rounds down."""
        return self.quote * units // (self.units + units)

    def sell(self, units: int) -> PoolFill:
        """Sell so many units into the pool."""
        fill = self._fill(False, units, self.worth_of(units), self.tier, False)
        self.units += units
        self.quote -= fill.with_lp
        return fill

    def _book_buy(self, units: int, quote: int, tier: Tier, *, exact_quote: bool) -> PoolFill:
        fill = self._fill(True, units, quote, tier, exact_quote)
        self.units -= units
        self.quote += fill.with_lp
        return fill

    def _fill(self, is_buy: bool, units: int, quote: int, tier: Tier, exact: bool) -> PoolFill:
        return PoolFill(
            is_buy,
            units,
            quote,
            tier,
            share_up(quote, tier.lp),
            share_up(quote, tier.protocol),
            share_up(quote, tier.creator),
            self.units,
            self.quote,
            exact,
        )
