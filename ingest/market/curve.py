"""The bonding curve: constant product over virtual reserves, rounded as the program rounds."""

from typing import Final, NamedTuple

PROTOCOL_FEE_BPS: Final = 95
CREATOR_FEE_BPS: Final = 30
BUYBACK_BPS: Final = 5_000  # of the protocol fee, a split of it and nothing extra
TOTAL_SUPPLY: Final = 1_000_000_000_000_000
POOL_RESERVE: Final = 206_900_000_000_000  # token units kept back for the pool
_BPS: Final = 10_000


class CurveFill(NamedTuple):
    """One swap on a curve. Lamports and token units; reserves are those AFTER the trade."""

    is_buy: bool
    sol: int
    units: int
    fee: int
    creator_fee: int
    virtual_sol: int
    virtual_units: int
    real_sol: int
    real_units: int

    @property
    def fees(self) -> int:
        """What the programs took."""
        return self.fee + self.creator_fee

    @property
    def paid(self) -> int:
        """What the buy cost or the sell brought, fees inside."""
        return self.sol + self.fees if self.is_buy else self.sol - self.fees

    @property
    def buyback(self) -> int:
        """The part of the protocol fee that goes to the buyback recipient."""
        return self.fee * BUYBACK_BPS // _BPS


class Curve:
    """The reserves of one token before it graduates."""

    __slots__ = ("real_sol", "real_units", "virtual_sol", "virtual_units")

    def __init__(self) -> None:
        self.virtual_sol = 30_000_000_000
        self.virtual_units = 1_073_000_000_000_000
        self.real_sol = 0
        self.real_units = 793_100_000_000_000

    @property
    def complete(self) -> bool:
        """Everything is sold: the token waits for its migration."""
        return self.real_units == 0

    @property
    def vault_units(self) -> int:
        """What the curve's own token account holds."""
        return self.real_units + POOL_RESERVE

    def buy_with(self, spend: int) -> CurveFill:
        """Buy for at most `spend` lamports, fees inside; the last buy takes what is left."""
        sol = net_of(spend, PROTOCOL_FEE_BPS, CREATOR_FEE_BPS)
        units = (sol - 1) * self.virtual_units // (self.virtual_sol + sol - 1)
        if units >= self.real_units:
            return self.buy_units(self.real_units)
        return self._book_buy(sol, units)

    def buy_units(self, units: int) -> CurveFill:
        """Buy exactly so many token units, or what is left."""
        units = min(units, self.real_units)
        return self._book_buy(self.cost_of(units), units)

    def cost_of(self, units: int) -> int:
        """Lamports the curve asks for so many units, before fees; rounds up."""
        return units * self.virtual_sol // (self.virtual_units - units) + 1

    def units_for(self, sol: int) -> int:
        """Token units that so many lamports would buy, before fees."""
        return min(sol * self.virtual_units // (self.virtual_sol + sol), self.real_units)

    def worth_of(self, units: int) -> int:
        """Lamports a sale of so many units would bring, before fees; rounds down."""
        return min(units * self.virtual_sol // (self.virtual_units + units), self.real_sol)

    def sell(self, units: int) -> CurveFill:
        """Sell so many units into the curve."""
        sol = self.worth_of(units)
        self._move(-sol, -units)
        return self._fill(False, sol, units)

    def _book_buy(self, sol: int, units: int) -> CurveFill:
        self._move(sol, units)
        return self._fill(True, sol, units)

    def _move(self, sol: int, units: int) -> None:
        self.virtual_sol += sol
        self.real_sol += sol
        self.virtual_units -= units
        self.real_units -= units

    def _fill(self, is_buy: bool, sol: int, units: int) -> CurveFill:
        return CurveFill(
            is_buy,
            sol,
            units,
            share_up(sol, PROTOCOL_FEE_BPS),
            share_up(sol, CREATOR_FEE_BPS),
            self.virtual_sol,
            self.virtual_units,
            self.real_sol,
            self.real_units,
        )


def net_of(spend: int, *fees_bps: int) -> int:
    """What of a total spend is left to swap when every fee is rounded up and all of it fits."""
    net = spend * _BPS // (_BPS + sum(fees_bps))
    excess = net + sum(share_up(net, bps) for bps in fees_bps) - spend
    return max(2, net - max(0, excess))


def share_up(amount: int, bps: int) -> int:
    """So many basis points of an amount, rounded up as the programs do since 2025."""
    return -(-amount * bps // _BPS)
