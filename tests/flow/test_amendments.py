"""Booked trades give way to better reports of them, and go when the chain has dropped them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction

from pnl.engine.trades import Side, Trade
from pnl.operations import book_trades, drop_trades, undrop
from tests.flow.bodies import SOL, Chain, mint, wallet
from tests.flow.truth import Ask, check

HOURS = "SELECT count(*) FROM pnl_hourlyrollup"
TOUCHED = (
    "SELECT DISTINCT encode(address, 'hex') FROM pnl_touched JOIN pnl_trader t ON t.id = trader_id"
)


def book(*trades: Trade) -> None:
    with transaction.atomic():
        book_trades(trades)


def life(chain: Chain) -> list[Trade]:
    """A buy, half of it sold at a loss, the rest at a gain."""
    return [
        chain.buy("ann", "dog", 1000, 4 * SOL),
        chain.sell("ann", "dog", 500, SOL),
        chain.sell("ann", "dog", 500, 3 * SOL),
    ]


def guessed(trade: Trade, **wrong: Any) -> Trade:
    """The same trade as somebody reads it off balances."""
    return trade._replace(inferred=True, block_index=None, **wrong)


@pytest.mark.parametrize("order", ["first second", "second first", "first second first"])
def test_the_later_slot_of_a_transaction_wins_in_whatever_order(ask: Ask, order: str) -> None:
    buy, half, rest = life(Chain("landed twice"))
    moved = half._replace(slot=rest.slot + 1, block_index=0, block_time=rest.block_time + 3600)
    book(buy, rest)
    for word in order.split():
        book({"first": half, "second": moved}[word])
    check(ask, [buy, rest, moved])


@pytest.mark.parametrize("order", ["event guess", "guess event", "guess event guess"])
def test_amounts_off_balances_give_way_to_the_event(ask: Ask, order: str) -> None:
    buy, half, rest = life(Chain("guess"))
    wrong = guessed(half, quote_units=half.quote_units - 5000, token_units=499)
    book(buy, rest)
    for word in order.split():
        book({"event": half, "guess": wrong}[word])
    check(ask, [buy, half, rest])


def test_a_guess_at_the_trader_the_side_and_the_count_is_put_right(ask: Ask) -> None:
    chain = Chain("who")
    buy, half, rest = life(chain)
    told = guessed(half, trader=wallet("bob"), side=Side.BUY)
    second = guessed(half, event_index=1, mint=mint("cat"))
    book(buy, rest, told, second)
    check(ask, [buy, rest, told, second])
    book(half)
    check(ask, [buy, half, rest])
    book(told, second)
    check(ask, [buy, half, rest])


def test_a_guess_in_the_batch_of_its_event_is_not_booked(ask: Ask) -> None:
    buy, half, rest = life(Chain("together"))
    book(buy, guessed(half, event_index=1), half, guessed(half), rest)
    check(ask, [buy, half, rest])


def test_a_dropped_transaction_takes_its_trades_back(ask: Ask) -> None:
    buy, half, rest = life(Chain("dropped"))
    book(buy, half, rest)
    assert drop_trades([(half.signature, half.slot), (half.signature, 1)]) == 1
    check(ask, [buy, rest])
    assert drop_trades([(half.signature, half.slot)]) == 0


def test_nothing_is_left_of_a_wallet_whose_trades_were_all_dropped(ask: Ask) -> None:
    trades = life(Chain("gone"))
    book(*trades)
    drop_trades([(trade.signature, trade.slot) for trade in trades])
    check(ask, [])
    assert ask(HOURS) == [(0,)]
    assert ask(TOUCHED) == [(wallet("ann").hex(),)]


def test_a_dropped_transaction_stays_out_at_its_slot_and_may_land_later(ask: Ask) -> None:
    buy, half, rest = life(Chain("relanded"))
    book(buy, half, rest)
    drop_trades([(half.signature, half.slot)])
    book(half, rest)
    check(ask, [buy, rest])
    later = half._replace(slot=rest.slot + 9, block_index=1)
    book(half, later)
    check(ask, [buy, rest, later])


def test_a_transaction_may_be_dropped_before_it_is_delivered(ask: Ask) -> None:
    buy, half, rest = life(Chain("early"))
    drop_trades([(half.signature, half.slot)])
    book(buy, half, rest)
    check(ask, [buy, rest])


def test_what_was_dropped_in_error_comes_back_once_it_is_let_in(ask: Ask) -> None:
    buy, half, rest = life(Chain("in error"))
    book(buy, half, rest)
    drop_trades([(half.signature, half.slot)])
    assert undrop([(half.signature, half.slot), (rest.signature, rest.slot)]) == 1
    book(half)
    check(ask, [buy, half, rest])


def test_a_guess_beside_an_event_of_another_index_goes(ask: Ask) -> None:
    buy, half, rest = life(Chain("beside"))
    event = half._replace(event_index=1)
    book(buy, guessed(half), rest)
    book(event)
    check(ask, [buy, event, rest])


def test_a_guess_at_a_transaction_without_trades_goes_and_stays_out(ask: Ask) -> None:
    buy, half, rest = life(Chain("nothing"))
    book(buy, guessed(half), rest)
    with transaction.atomic():
        book_trades([], tradeless=[half.signature, rest.signature])
    check(ask, [buy, rest])
    book(guessed(half))
    check(ask, [buy, rest])


@pytest.mark.parametrize("order", [(2, 7), (7, 2)])
def test_of_two_places_in_a_slot_the_later_stands(ask: Ask, order: tuple[int, int]) -> None:
    buy, half, rest = life(Chain("two places"))
    book(buy, rest)
    for block_index in order:
        book(half._replace(block_index=block_index))
    check(ask, [buy, half._replace(block_index=7), rest])


def test_nothing_is_dropped_while_somebody_books_and_nothing_comes_back(ask: Ask) -> None:
    buy, half, rest = life(Chain("at once"))
    book(buy, half, rest)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        book_trades([half])
        dropping = pool.submit(elsewhere, drop_trades, [(half.signature, half.slot)])
        with pytest.raises(TimeoutError):
            dropping.result(timeout=0.3)
    assert dropping.result() == 1
    check(ask, [buy, rest])


def elsewhere(work: Callable[..., Any], *arguments: object) -> Any:
    """The same over another connection, which is closed after it."""
    try:
        return work(*arguments)
    finally:
        connection.close()


def better(reports: Sequence[Trade]) -> list[Trade]:
    """What a ledger must hold of reports: by signature events before guesses, then later slots."""
    exact = {trade.signature for trade in reports if not trade.inferred}
    best: dict[tuple[bytes, int], Trade] = {}
    for trade in reports:
        if trade.inferred and trade.signature in exact:
            continue
        known = best.get((trade.signature, trade.event_index))
        if known is None or _rank(trade) > _rank(known):
            best[trade.signature, trade.event_index] = trade
    return list(best.values())


def _rank(trade: Trade) -> tuple[int, int]:
    return trade.slot, -1 if trade.block_index is None else trade.block_index


@pytest.mark.parametrize("seed", range(6))
def test_any_reports_in_any_order_and_batches_give_the_same_rows(ask: Ask, seed: int) -> None:
    dice = Random(seed)
    reports: list[Trade] = []
    for trade in Chain(f"any {seed}", step=700).at_random(dice, 40, wallets=3):
        reports.append(trade)
        if dice.random() < 0.3:
            reports.append(guessed(trade, quote_units=dice.randrange(1, SOL)))
        if dice.random() < 0.3:
            slot, block_index = trade.slot + dice.randrange(1, 9), len(reports) + 10
            reports.append(trade._replace(slot=slot, block_index=block_index))
        if dice.random() < 0.3:
            reports.append(trade._replace(block_index=None))
    told = reports * 2
    dice.shuffle(told)
    while told:
        size = dice.randrange(1, 12)
        book(*told[:size])
        told = told[size:]
    check(ask, better(reports))
