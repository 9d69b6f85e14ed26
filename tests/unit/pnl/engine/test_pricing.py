"""A price turns dollars into lamports and back by integers, and never in anybody's favour."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnl.engine import pricing
from pnl.engine.pricing import (
    LAMPORTS_MAX,
    MICRO_USD_MAX,
    USDC_BYTES,
    PriceError,
    last_ended,
    micro_usd_of,
    minute_of,
)

SOL = 10**9
PRICES = st.integers(1, MICRO_USD_MAX)
UNITS = st.integers(0, 2**64 - 1)
ANOTHER = bytes(32)


@given(UNITS, PRICES)
def test_dollars_become_the_most_lamports_that_they_can_buy(units: int, micro_usd: int) -> None:
    lamports = pricing.lamports_of(USDC_BYTES, units, micro_usd)
    exact = Fraction(units, 10**6) / Fraction(micro_usd, 10**6) * SOL
    if lamports is None:
        assert exact > LAMPORTS_MAX
    else:
        assert lamports <= exact < lamports + 1


@given(UNITS, UNITS, PRICES)
def test_more_dollars_are_never_worth_less_and_parts_never_more_than_the_whole(
    one: int, other: int, micro_usd: int
) -> None:
    parts = [pricing.lamports_of(USDC_BYTES, units, micro_usd) for units in (one, other)]
    whole = pricing.lamports_of(USDC_BYTES, one + other, micro_usd)
    if whole is not None:
        assert None not in parts
        assert 0 <= whole - sum(part or 0 for part in parts) <= 1


@given(st.integers(0, 10**18), PRICES)
def test_dollars_changed_into_lamports_and_back_are_never_more(units: int, micro_usd: int) -> None:
    lamports = pricing.lamports_of(USDC_BYTES, units, micro_usd)
    if lamports is not None:
        back = pricing.usd_of(lamports, micro_usd)
        assert 0 <= units - back <= 1 + micro_usd // SOL


@given(st.integers(-LAMPORTS_MAX, LAMPORTS_MAX), PRICES)
def test_a_loss_in_dollars_is_as_large_as_the_same_gain(lamports: int, micro_usd: int) -> None:
    value = pricing.usd_of(lamports, micro_usd)
    assert value == -pricing.usd_of(-lamports, micro_usd)
    assert abs(value) <= Fraction(abs(lamports) * micro_usd, SOL) < abs(value) + 1


@given(UNITS, PRICES)
def test_another_coin_has_no_price_whatever_a_sol_costs(units: int, micro_usd: int) -> None:
    assert pricing.lamports_of(ANOTHER, units, micro_usd) is None
    assert pricing.micro_usd_of_quote(ANOTHER, units) is None
    assert pricing.micro_usd_of_quote(USDC_BYTES, units) == units


@given(PRICES, st.integers(0, 10**12 - 1))
def test_a_decimal_price_is_read_to_the_millionth_and_cut_there(micro: int, beyond: int) -> None:
    text = f"{micro // 10**6}.{micro % 10**6:06d}{beyond:012d}"
    if micro < MICRO_USD_MAX:
        assert micro_usd_of(text) == micro


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no decimal number"),
        ("NaN", "is no decimal number"),
        ("Infinity", "is no decimal number"),
        ("1e3", "is no decimal number"),
        ("1_000", "is no decimal number"),
        (" 150", "is no decimal number"),
        ("150,25", "is no decimal number"),
        ("١٥٠", "is no decimal number"),
        ("150.", "is no decimal number"),
        ("9" * 100, "is no decimal number"),
        ("0", "is not above zero"),
        ("0.0000009", "is not above zero"),
        ("-150.25", "is not above zero"),
        ("1000000.000001", "is above 1000000 dollars"),
    ],
)
def test_what_is_no_price_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(PriceError, match=reason):
        micro_usd_of(text)


def test_the_largest_and_the_smallest_price_are_read() -> None:
    assert micro_usd_of("0.000001") == 1
    assert micro_usd_of("1000000") == MICRO_USD_MAX
    assert micro_usd_of("151.23000000") == 151_230_000


@pytest.mark.parametrize(
    ("now", "minute"), [(600, 480), (604, 480), (605, 540), (659, 540), (664, 540), (665, 600)]
)
def test_a_minute_has_ended_a_moment_after_its_end(now: int, minute: int) -> None:
    assert last_ended(now) == minute
    assert minute_of(minute + 59) == minute
