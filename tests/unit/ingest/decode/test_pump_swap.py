"""BuyEvent and SellEvent in every layout they ever had, and pools with SOL on either side."""

import pytest

from pnl.engine.trades import Side, Venue
from tests.unit.ingest.decode.building import (
    MINT,
    POOL_SELL_ENDS,
    USDC,
    USER,
    WSOL,
    Builder,
    pool_buy_ends,
    pool_buy_event,
    pool_sell_event,
    raw,
)
from tests.unit.ingest.decode.reading import decoded, error_of, trade_of

SOL = raw(WSOL)


@pytest.mark.parametrize("name", [b"buy", b"buy_exact_quote_in", b"multi_hop_swap", b""])
def test_every_layout_of_a_buy_is_known(name: bytes) -> None:
    event = pool_buy_event(name=name, creator=0)
    for end in pool_buy_ends(len(name)):
        outcome = decoded(Builder().pool(event[:end], MINT, SOL).element())
        assert outcome.unknown_layouts == 0, end
        assert outcome.trades[0].token_units == 1_000


@pytest.mark.parametrize("end", POOL_SELL_ENDS)
def test_every_layout_of_a_sell_is_known(end: int) -> None:
    outcome = decoded(Builder().pool(pool_sell_event()[:end], MINT, SOL).element())
    assert outcome.unknown_layouts == 0


@pytest.mark.parametrize(
    ("end", "cost"),
    [
        (312, 10_025),  # quote 10,000, lp 20, protocol 5
        (360, 10_032),  # creator 7
        (393, 10_032),
        (405 + 3, 10_032),
        (421 + 3, 10_132),  # cashback 100
        (486 + 3, 10_132),
    ],
)
def test_a_buy_costs_quote_and_all_fees(end: int, cost: int) -> None:
    event = pool_buy_event(base=77, quote=10_000, lp=20, protocol=5, creator=7, cashback=100)
    trade = trade_of(Builder().pool(event[:end], MINT, SOL))
    assert (trade.side, trade.token_units) == (Side.BUY, 77)
    assert (trade.lamports, trade.fee_units) == (cost, cost - 10_000)
    assert (trade.trader, trade.mint, trade.venue) == (USER, MINT, Venue.PUMP_SWAP)


def test_a_sell_brings_what_the_user_got() -> None:
    event = pool_sell_event(base=77, quote=10_000, lp=20, protocol=5, creator=7, cashback=100)
    trade = trade_of(Builder().pool(event, MINT, SOL))
    assert (trade.side, trade.token_units) == (Side.SELL, 77)
    assert (trade.lamports, trade.fee_units) == (10_000 - 132, 132)


def test_a_buy_that_names_what_it_spends_exchanges_two_fields() -> None:
    """11,905,008 and fees of 5,938 were paid; `user_quote_amount_in` shows less than that."""
    plain = pool_buy_event(quote=11_905_008, lp=5_938, protocol=0, creator=0)
    exchanged = pool_buy_event(
        quote=11_905_008,
        lp=5_938,
        protocol=0,
        creator=0,
        exact_quote=True,
        name=b"buy_exact_quote_in",
    )
    for event in (plain, exchanged):
        assert trade_of(Builder().pool(event, MINT, SOL)).lamports == 11_910_946


@pytest.mark.parametrize("total_at", [64, 112])
def test_a_buy_is_known_while_one_of_the_two_fields_has_its_total(total_at: int) -> None:
    event = bytearray(pool_buy_event(quote=10_000, lp=20, protocol=5, creator=5))
    event[64:72] = event[112:120] = (1).to_bytes(8, "little")
    outcome = decoded(Builder().pool(bytes(event), MINT, SOL).element())
    assert (outcome.unknown_layouts, outcome.trades[0].lamports) == (1, 10_030)
    event[total_at : total_at + 8] = (10_030).to_bytes(8, "little")
    assert decoded(Builder().pool(bytes(event), MINT, SOL).element()).unknown_layouts == 0


def test_taking_the_base_of_a_pool_whose_base_is_sol_sells_the_other_token() -> None:
    event = pool_buy_event(base=2_000_000, quote=90_000, lp=200, protocol=50, creator=45)
    trade = trade_of(Builder().pool(event, SOL, MINT))
    assert (trade.side, trade.mint) == (Side.SELL, MINT)
    assert trade.token_units == 90_000 + 200 + 50 + 45
    assert (trade.lamports, trade.fee_units) == (2_000_000, 0)


def test_giving_the_base_of_a_pool_whose_base_is_sol_buys_the_other_token() -> None:
    event = pool_sell_event(base=2_000_000, quote=90_000, lp=200, protocol=50, creator=45)
    trade = trade_of(Builder().pool(event, SOL, MINT))
    assert (trade.side, trade.mint) == (Side.BUY, MINT)
    assert trade.token_units == 90_000 - 200 - 50 - 45
    assert (trade.lamports, trade.fee_units) == (2_000_000, 0)


def test_a_pool_without_sol_is_counted_in_its_quote() -> None:
    trade = trade_of(Builder().pool(pool_buy_event(), MINT, raw(USDC)))
    assert (trade.side, trade.mint, trade.quote_mint) == (Side.BUY, MINT, raw(USDC))
    assert (trade.quote_units, trade.lamports) == (10_030, None)


@pytest.mark.parametrize("event", [pool_buy_event(), pool_sell_event()])
def test_an_unknown_tail_is_tolerated_and_counted(event: bytes) -> None:
    outcome = decoded(Builder().pool(event + b"\xff" * 9, MINT, SOL).element())
    assert outcome.unknown_layouts == 1
    assert outcome.trades[0].fee_units == 30


@pytest.mark.parametrize(
    ("event", "name"), [(pool_buy_event(), "Buy"), (pool_sell_event(), "Sell")]
)
def test_an_event_shorter_than_the_first_layout_is_malformed(event: bytes, name: str) -> None:
    error = error_of(Builder().pool(event[:311], MINT, SOL).element())
    place = "transaction 0, instruction 0.0"
    assert error == f"{place}: {name}Event has 311 bytes, at least 312 expected"
