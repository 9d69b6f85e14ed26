"""The bonding curve of the simulated market does what the program does, to the lamport."""

from copy import copy
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.decode.outcome import Decoded
from ingest.decode.pipeline import decode_body
from ingest.market.curve import Curve, share_up

SOL = 1_000_000_000
SPENDS = st.lists(st.integers(10_000, 30 * SOL), min_size=1, max_size=30)


def test_fees_are_rounded_up_as_on_chain() -> None:
    assert (share_up(630_254_544, 95), share_up(630_254_544, 30)) == (5_987_419, 1_890_764)
    assert (share_up(700_000_128, 95), share_up(700_000_128, 30)) == (6_650_002, 2_100_001)


def test_a_first_buy_gets_what_a_real_one_got(shared_folder: Path) -> None:
    name = "chainstack_2026__raw_create_and_devbuy_getTransaction_jsonParsed.json"
    (outcome,) = decode_body((shared_folder / "data" / "raw_tx" / name).read_bytes())
    assert isinstance(outcome, Decoded)
    (trade,) = outcome.trades
    fill = Curve().buy_with(trade.quote_units)
    assert (fill.units, fill.paid) == (trade.token_units, trade.quote_units)
    assert fill.fees == trade.fee_units


def test_the_curve_is_complete_at_85_sol() -> None:
    curve = Curve()
    fill = curve.buy_with(1_000 * SOL)
    assert curve.complete
    assert fill.units == 793_100_000_000_000
    assert 85_005_000_000 < curve.real_sol < 85_006_000_000


@given(spends=SPENDS)
def test_a_buy_never_costs_more_than_was_offered(spends: list[int]) -> None:
    curve = Curve()
    for spend in spends:
        assert curve.complete or curve.buy_with(spend).paid <= spend


@given(spends=SPENDS)
def test_selling_everything_back_never_brings_more_than_it_cost(spends: list[int]) -> None:
    curve = Curve()
    fills = [curve.buy_with(spend) for spend in spends if not curve.complete]
    back = [curve.sell(fill.units) for fill in reversed(fills)]
    assert sum(fill.sol for fill in back) <= sum(fill.sol for fill in fills)
    assert curve.real_sol >= 0
    assert curve.real_units == 793_100_000_000_000


@given(spend=st.integers(10_000, 30 * SOL))
def test_a_fill_tells_the_reserves_after_the_trade(spend: int) -> None:
    curve = Curve()
    before = copy(curve)
    fill = curve.buy_with(spend)
    assert (fill.virtual_sol, fill.real_sol) == (before.virtual_sol + fill.sol, fill.sol)
    assert fill.virtual_units == before.virtual_units - fill.units
    assert fill.real_units == before.real_units - fill.units
