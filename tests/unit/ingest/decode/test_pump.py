"""TradeEvent in every layout it ever had, and the second half of a buy that empties the curve."""

import pytest

from pnl.engine.trades import Side, Venue
from tests.unit.ingest.decode.building import (
    MINT,
    PUMP,
    USDC,
    USER,
    WSOL,
    Builder,
    curve_ends,
    curve_event,
    key,
    post_complete_event,
    raw,
)
from tests.unit.ingest.decode.reading import decoded, error_of, trade_of, trades_of

NAMES = [b"buy", b"sell", b"buy_exact_sol_in", b"buy_v2", b"buy_exact_quote_in_v2", b""]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shareholders", [0, 1, 10])
def test_every_layout_is_known(name: bytes, shareholders: int) -> None:
    event = curve_event(name=name, shareholders=shareholders)
    for end in curve_ends(len(name), shareholders):
        outcome = decoded(Builder().curve(event[:end]).element())
        assert outcome.unknown_layouts == 0, end
        assert outcome.trades[0].token_units == 35_000_000


# What each layout knows of a buy for 1,000,000: fees 9,500 and 3,000, cashback 700.
COSTS = [
    (113, 1_010_000),  # nothing told: one percent
    (129, 1_010_000),
    (225, 1_012_500),
    (258, 1_012_500),
    (262 + 3, 1_012_500),
    (263 + 3, 1_012_500),
    (279 + 3, 1_013_200),
    (355 + 3, 1_013_200),
    (371 + 3, 1_013_200),
    (379 + 3, 1_013_200),
]


@pytest.mark.parametrize(("end", "cost"), COSTS)
def test_a_buy_costs_what_its_layout_tells(end: int, cost: int) -> None:
    event = curve_event(sol=1_000_000, fee=9_500, creator_fee=3_000, cashback=700)
    trade = trade_of(Builder().curve(event[:end]))
    assert (trade.side, trade.quote_units, trade.fee_units) == (Side.BUY, cost, cost - 1_000_000)
    assert (trade.trader, trade.mint, trade.venue) == (USER, MINT, Venue.PUMP)


@pytest.mark.parametrize(("end", "cost"), COSTS)
def test_a_sell_brings_what_its_layout_tells(end: int, cost: int) -> None:
    event = curve_event(sol=1_000_000, fee=9_500, creator_fee=3_000, cashback=700, is_buy=False)
    trade = trade_of(Builder().curve(event[:end]))
    assert (trade.side, trade.quote_units) == (Side.SELL, 1_000_000 - (cost - 1_000_000))


@pytest.mark.parametrize(
    ("sol", "fee"), [(0, 0), (99, 0), (100, 1), (199, 1), (212_700_228, 2_127_002)]
)
def test_a_fee_that_is_not_told_is_rounded_down(sol: int, fee: int) -> None:
    assert trade_of(Builder().curve(curve_event(sol=sol)[:129])).fee_units == fee


@pytest.mark.parametrize("tail", [1, 7, 8, 32, 500])
def test_an_unknown_tail_is_tolerated_and_counted(tail: int) -> None:
    event = curve_event(fee=9_500, creator_fee=3_000) + b"\xff" * tail
    outcome = decoded(Builder().curve(event, curve_event()).element())
    assert outcome.unknown_layouts == 1
    assert outcome.trades[0].quote_units == 1_012_500


@pytest.mark.parametrize("end", [114, 128, 200, 226, 262, 270, 280, 298, 381])
def test_an_end_between_two_layouts_gives_the_earlier_one_and_is_counted(end: int) -> None:
    outcome = decoded(Builder().curve(curve_event()[:end]).element())
    assert outcome.unknown_layouts == 1


def test_a_name_that_is_longer_than_the_event_ends_the_reading() -> None:
    event = bytearray(curve_event(fee=9_500, creator_fee=3_000, cashback=700))
    event[258:262] = b"\xff\xff\xff\x7f"
    outcome = decoded(Builder().curve(bytes(event)).element())
    assert outcome.unknown_layouts == 1
    assert outcome.trades[0].quote_units == 1_012_500


@pytest.mark.parametrize("size", [8, 57, 112])
def test_an_event_shorter_than_the_first_layout_is_malformed(size: int) -> None:
    error = error_of(Builder().curve(curve_event()[:size]).element())
    place = "transaction 0, instruction 0.0"
    assert error == f"{place}: TradeEvent has {size} bytes, at least 113 expected"


def test_a_side_that_is_neither_is_malformed() -> None:
    event = bytearray(curve_event())
    event[56] = 7
    assert "7 where a bool was expected" in error_of(Builder().curve(bytes(event)).element())


def test_a_sell_that_would_cost_money_is_malformed() -> None:
    event = curve_event(sol=1, fee=1, creator_fee=1, is_buy=False)
    assert "sells for 1 and charges 2" in error_of(Builder().curve(event).element())


def test_a_trade_in_another_quote_is_counted_in_that_quote() -> None:
    event = curve_event(
        sol=0, fee=33_414, creator_fee=10_552, quote_mint=raw(USDC), quote_amount=3_517_192
    )
    trade = trade_of(Builder().curve(event))
    assert trade.quote_mint == raw(USDC)
    assert trade.quote_units == 3_517_192 + 33_414 + 10_552
    assert trade.lamports is None


@pytest.mark.parametrize("quote_mint", [bytes(32), raw(WSOL)])
def test_the_zero_key_and_wrapped_sol_are_sol(quote_mint: bytes) -> None:
    event = curve_event(sol=500, quote_mint=quote_mint, quote_amount=999)
    trade = trade_of(Builder().curve(event))
    assert (trade.quote_mint, trade.lamports) == (None, 500)


def test_numbers_of_64_bits_survive() -> None:
    most = 2**64 - 1
    trade = trade_of(Builder().curve(curve_event(sol=most, tokens=most, fee=most)))
    assert trade.token_units == most
    assert trade.quote_units == 2 * most


def test_a_buy_that_empties_the_curve_is_two_trades() -> None:
    curve_part = curve_event(sol=3_413_938_451, tokens=8_563_036_102_411, fee=32_432_416)
    pool_part = post_complete_event(
        tokens=1_946_641_254_301, quote=807_236_058, fee=7_668_743, creator_fee=2_421_709
    )
    first, second = trades_of(Builder().curve(curve_part, pool_part))
    assert (first.event_index, second.event_index) == (0, 1)
    assert first.quote_units == 3_413_938_451 + 32_432_416
    assert second.side is Side.BUY
    assert (second.trader, second.mint, second.venue) == (USER, MINT, Venue.PUMP)
    assert second.token_units == 1_946_641_254_301
    assert second.lamports == 807_236_058 + 7_668_743 + 2_421_709
    assert second.fee_units == 7_668_743 + 2_421_709


def test_the_second_half_of_such_a_buy_may_be_in_another_quote() -> None:
    event = post_complete_event(tokens=5, quote=100, fee=3, creator_fee=2, quote_mint=key(50))
    trade = trade_of(Builder().curve(event))
    assert (trade.quote_mint, trade.quote_units) == (key(50), 105)


def test_the_second_half_of_such_a_buy_may_grow_but_not_shrink() -> None:
    event = post_complete_event(tokens=5, quote=100, fee=3, creator_fee=2)
    assert decoded(Builder().curve(event).element()).unknown_layouts == 0
    assert decoded(Builder().curve(event + b"\0").element()).unknown_layouts == 1
    error = error_of(Builder().curve(event[:-1]).element())
    assert "PostCompleteBuyEvent has 231 bytes, at least 232 expected" in error


def test_another_event_of_the_curve_is_no_trade() -> None:
    complete = bytes.fromhex("5f72619cd42e9808") + bytes(136)
    trade = trade_of(Builder().call(PUMP, []).emit(complete).emit(curve_event()))
    assert trade.event_index == 0
