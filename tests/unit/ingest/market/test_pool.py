"""The pool of the simulated market is a constant product that keeps its own fee."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.market.pool import TIERS, Pool, Tier

SOL = 1_000_000_000
UNITS = 206_900_000_000_000
ORDERS = st.lists(st.tuples(st.booleans(), st.integers(1_000_000, 20 * SOL)), max_size=20)


def pool(quote_sol: int = 85) -> Pool:
    return Pool(UNITS * 85 // quote_sol, quote_sol * SOL)


@given(orders=ORDERS)
def test_the_product_of_the_reserves_never_falls(orders: list[tuple[bool, int]]) -> None:
    here = pool()
    for is_buy, amount in orders:
        before = here.units * here.quote
        fill = here.buy_with(amount) if is_buy else here.sell(amount * 1_000)
        assert here.units * here.quote >= before
        assert here.quote == fill.pool_quote + (fill.with_lp if is_buy else -fill.with_lp)


@given(spend=st.integers(1_000_000, 50 * SOL))
def test_a_buy_never_costs_more_than_was_offered(spend: int) -> None:
    assert pool().buy_with(spend).paid <= spend


@given(units=st.integers(1_000_000, UNITS // 10))
def test_what_is_bought_and_sold_at_once_loses_the_fees(units: int) -> None:
    here = pool()
    assert here.sell(here.buy_units(units).units).paid < here.quote


def test_fees_fall_as_the_market_cap_grows() -> None:
    caps = [pool(quote).tier for quote in (80, 120, 240, 300, 900)]
    assert caps[0] == TIERS[0]
    assert rates(caps) == sorted(rates(caps), reverse=True)


def rates(tiers: list[Tier]) -> list[int]:
    return [tier.creator + tier.protocol + tier.lp for tier in tiers]
