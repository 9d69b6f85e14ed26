"""Swaps through several coins: what passes through drops out, what stays is kept, to the unit."""

import pytest

from pnl.engine.booking import book
from pnl.engine.positions import Position
from pnl.engine.trades import Side, Trade, Venue
from tests.unit.ingest.decode.building import (
    MINT,
    OTHER_MINT,
    OTHER_POOL,
    USDC,
    WSOL,
    Builder,
    curve_event,
    key,
    pool_buy_event,
    pool_sell_event,
    raw,
)
from tests.unit.ingest.decode.reading import trades_of

SOL, DOLLAR = raw(WSOL), raw(USDC)
SOMEBODY = key(60)


def buys(builder: Builder, coin: bytes, units: int, quote: bytes, paid: int, fee: int = 0) -> None:
    """A pool swap that takes the coin; `paid` has the fee inside."""
    event = pool_buy_event(base=units, quote=paid - fee, lp=fee, protocol=0, creator=0)
    builder.pool(event, coin, quote)


def sells(builder: Builder, coin: bytes, units: int, quote: bytes, got: int, fee: int = 0) -> None:
    """A pool swap that gives the coin; `got` is what the fee left."""
    event = pool_sell_event(base=units, quote=got + fee, lp=fee, protocol=0, creator=0)
    builder.pool(event, coin, quote)


def units_left(trades: tuple[Trade, ...], mint: bytes) -> int:
    """What the trades of a mint add up to, on either side of a swap."""
    sides = [(t.mint, t.token_units, t.side) for t in trades]
    sides += [(t.quote_mint or b"", t.quote_units, Side(1 - t.side)) for t in trades]
    return sum(units if side is Side.BUY else -units for of, units, side in sides if of == mint)


def test_sol_through_a_coin_buys_the_last_coin_with_sol() -> None:
    builder = Builder()
    buys(builder, OTHER_MINT, 500, SOL, 1_000, fee=12)
    buys(builder, MINT, 70, OTHER_MINT, 500, fee=6)
    (trade,) = trades_of(builder)
    assert (trade.side, trade.mint, trade.token_units) == (Side.BUY, MINT, 70)
    assert (trade.lamports, trade.fee_units, trade.event_index) == (1_000, 12, 1)


def test_a_coin_through_a_coin_is_sold_for_the_last_sol() -> None:
    builder = Builder()
    sells(builder, MINT, 70, OTHER_MINT, 500, fee=6)
    sells(builder, OTHER_MINT, 500, SOL, 900, fee=11)
    (trade,) = trades_of(builder)
    assert (trade.side, trade.mint, trade.token_units) == (Side.SELL, MINT, 70)
    assert (trade.lamports, trade.fee_units, trade.event_index) == (900, 11, 1)


def test_it_does_not_matter_which_coin_is_a_pools_base() -> None:
    way_in, way_out = Builder(), Builder()
    buys(way_in, OTHER_MINT, 500, SOL, 1_000)
    sells(way_in, OTHER_MINT, 500, MINT, 70)
    buys(way_out, OTHER_MINT, 450, MINT, 70)
    sells(way_out, OTHER_MINT, 450, SOL, 800)
    (bought,), (sold,) = trades_of(way_in), trades_of(way_out)
    assert (bought.side, bought.mint, bought.token_units) == (Side.BUY, MINT, 70)
    assert (sold.side, sold.mint, sold.token_units) == (Side.SELL, MINT, 70)
    assert (bought.lamports, sold.lamports) == (1_000, 800)


@pytest.mark.parametrize("hops", [2, 3, 4])
def test_a_route_of_any_length_is_one_trade(hops: int) -> None:
    coins = [SOL, *(key(30 + at) for at in range(hops))]
    builder = Builder()
    for at in range(hops):
        buys(builder, coins[at + 1], 100 + at, coins[at], 99 + at)
    (trade,) = trades_of(builder)
    assert (trade.mint, trade.token_units, trade.lamports) == (coins[-1], 99 + hops, 99)
    assert trade.event_index == hops - 1


def test_a_route_on_the_curve_is_one_trade() -> None:
    """A curve that is quoted in a coin tells no SOL at all."""
    first = curve_event(mint=OTHER_MINT, sol=1_000, tokens=500, fee=10)
    second = curve_event(
        sol=0, tokens=70, quote_mint=OTHER_MINT, quote_amount=495, fee=4, creator_fee=1
    )
    (trade,) = trades_of(Builder().curve(first, second))
    assert (trade.mint, trade.token_units, trade.venue) == (MINT, 70, Venue.PUMP)
    assert (trade.lamports, trade.fee_units) == (1_010, 10)


def test_a_route_from_the_curve_into_a_pool_is_one_trade() -> None:
    builder = Builder().curve(curve_event(mint=OTHER_MINT, sol=1_000, tokens=500, fee=10))
    buys(builder, MINT, 70, OTHER_MINT, 500)
    (trade,) = trades_of(builder)
    assert (trade.lamports, trade.token_units, trade.venue) == (1_010, 70, Venue.PUMP_SWAP)


def test_dollars_between_sol_and_a_coin_drop_out() -> None:
    builder = Builder()
    buys(builder, DOLLAR, 150, SOL, 1_000)
    buys(builder, MINT, 70, DOLLAR, 150)
    (trade,) = trades_of(builder)
    assert (trade.mint, trade.lamports) == (MINT, 1_000)


def test_two_coins_with_dollars_in_between_both_keep_a_price() -> None:
    builder = Builder()
    sells(builder, OTHER_MINT, 500, DOLLAR, 150)
    buys(builder, MINT, 70, DOLLAR, 150)
    assert [trade.quote_mint for trade in trades_of(builder)] == [DOLLAR, DOLLAR]


def test_there_and_back_again_is_two_trades() -> None:
    builder = Builder()
    buys(builder, MINT, 70, SOL, 1_000)
    sells(builder, MINT, 70, SOL, 900)
    assert [trade.lamports for trade in trades_of(builder)] == [1_000, 900]


def test_a_circle_through_two_coins_is_a_buy_and_a_sell() -> None:
    builder = Builder()
    buys(builder, OTHER_MINT, 500, SOL, 1_000)
    buys(builder, MINT, 70, OTHER_MINT, 500)
    sells(builder, MINT, 70, SOL, 900)
    bought, sold = trades_of(builder)
    assert (bought.mint, bought.lamports, sold.mint, sold.lamports) == (MINT, 1_000, MINT, 900)
    assert (bought.event_index, sold.event_index) == (1, 2)


def test_what_a_route_leaves_on_its_way_is_kept_at_its_share_of_the_cost() -> None:
    builder = Builder()
    buys(builder, OTHER_MINT, 500, SOL, 1_001, fee=11)
    buys(builder, MINT, 70, OTHER_MINT, 400)
    kept, bought = trades_of(builder)
    assert (kept.mint, kept.token_units, kept.lamports, kept.fee_units) == (OTHER_MINT, 100, 200, 2)
    assert (bought.mint, bought.token_units, bought.lamports) == (MINT, 70, 801)
    assert (kept.event_index, bought.event_index) == (0, 1)


def test_what_was_held_before_and_is_sold_with_a_route_is_its_own_sale() -> None:
    builder = Builder()
    sells(builder, MINT, 70, OTHER_MINT, 400)
    sells(builder, OTHER_MINT, 500, SOL, 1_001)
    through, own = trades_of(builder)
    assert (through.mint, through.token_units, through.lamports) == (MINT, 70, 801)
    assert (own.mint, own.token_units, own.lamports) == (OTHER_MINT, 100, 200)
    assert (through.event_index, own.event_index) == (0, 1)


def test_hops_of_two_traders_are_no_route() -> None:
    builder = Builder()
    buys(builder, OTHER_MINT, 500, SOL, 1_000)
    event = pool_buy_event(base=70, quote=470, user=SOMEBODY, pool=OTHER_POOL)
    builder.pool(event, MINT, OTHER_MINT, OTHER_POOL)
    assert [trade.quote_mint for trade in trades_of(builder)] == [None, OTHER_MINT]


def test_a_swap_of_two_coins_alone_is_kept_in_its_quote() -> None:
    builder = Builder()
    buys(builder, MINT, 70, OTHER_MINT, 500)
    (trade,) = trades_of(builder)
    assert (trade.mint, trade.quote_mint, trade.quote_units) == (MINT, OTHER_MINT, 500)
    assert trade.lamports is None


def test_a_hop_of_nothing_is_no_part_of_a_route() -> None:
    builder = Builder()
    buys(builder, OTHER_MINT, 0, SOL, 1_000)
    buys(builder, MINT, 70, OTHER_MINT, 0)
    assert len(trades_of(builder)) == 2


def test_nothing_that_passed_through_is_ever_sold_unseen() -> None:
    """In and out by way of another coin: no position has units that were never seen bought."""
    way_in, way_out = Builder(), Builder()
    buys(way_in, OTHER_MINT, 500, SOL, 1_000)
    buys(way_in, MINT, 70, OTHER_MINT, 500)
    sells(way_out, MINT, 70, OTHER_MINT, 450)
    sells(way_out, OTHER_MINT, 450, SOL, 800)
    trades = (*trades_of(way_in), *trades_of(way_out))
    positions = {OTHER_MINT: Position(), MINT: Position()}
    for trade in trades:
        book(positions[trade.mint], trade)
    assert units_left(trades, OTHER_MINT) == units_left(trades, MINT) == 0
    assert [position.unmatched_units for position in positions.values()] == [0, 0]
    assert (positions[MINT].realized_lamports, positions[OTHER_MINT].sells) == (-200, 0)
