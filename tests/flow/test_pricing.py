"""What was paid in dollars counts as soon as a SOL has a price, and the same in whatever order."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import permutations
from random import Random
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from ingest import operations as inbox
from ingest import pricing
from leaderboard import operations as boards
from leaderboard import queries as board_queries
from pnl import queries
from pnl.engine.pricing import USDC_BYTES, lamports_of, minute_of
from pnl.engine.trades import Trade
from pnl.models import Position, SolPrice
from pnl.prices import Contradicted, Saved, price_again, save_prices
from tests.flow.bodies import SOL, Chain, base58, body_of, mint, wallet
from tests.flow.shown import leave_files_out
from tests.flow.truth import Ask, check

MINUTE = 60
NOON = 1_763_899_200
DOLLAR = 10**6
PRICE = 150_000_007
ANN = base58(wallet("ann"))
Step = Callable[[], object]
TABLES = ("trade", "position", "realization", "hourlyrollup", "solprice")
VOLATILE = {"id", "trade_id", "trader_id", "token_id", "quote_id", "fetched_at"}


def deliver(*trades: Trade) -> None:
    """Through the inbox, in one body."""
    inbox.accept(body_of(trades))
    assert inbox.process_pending().set_aside == 0


def in_dollars(trade: Trade) -> Trade:
    return trade._replace(quote_mint=USDC_BYTES)


def round_trip(name: str = "dollars") -> list[Trade]:
    """Bought for 300 dollars at noon, sold for 100 a minute later."""
    chain = Chain(name, NOON)
    return [
        in_dollars(chain.buy("ann", "A", 1000, 300 * DOLLAR, NOON + 7)),
        in_dollars(chain.sell("ann", "A", 1000, 100 * DOLLAR, NOON + MINUTE)),
    ]


def priced(trades: Sequence[Trade], prices: dict[int, int]) -> list[Trade]:
    """As the ledger must have them once these prices are known."""
    return [
        trade
        if trade.quote_mint is None or (price := prices.get(minute_of(trade.block_time))) is None
        else trade._replace(priced_lamports=lamports_of(trade.quote_mint, trade.quote_units, price))
        for trade in trades
    ]


def saving(prices: dict[int, int]) -> Step:
    """To save them, when it is time."""
    return partial(save_prices, prices, source="a test")


def everything() -> dict[str, Any]:
    """Every row of the ledger, but for the numbers that a sequence gave it."""
    found = {}
    for table in TABLES:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM pnl_{table}")  # noqa: S608
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        told = [{name: row[name] for name in row if name not in VOLATILE} for row in rows]
        found[table] = sorted(told, key=repr)
    return found


def test_dollars_count_once_their_minutes_have_prices(ask: Ask) -> None:
    trades = round_trip()
    deliver(*trades)
    check(ask, trades)
    waiting = Position.objects.get()
    assert (waiting.unpriced, waiting.realized_lamports, waiting.units) == (2, 0, 0)
    assert queries.trades_waiting() == 2
    boards.refresh(now=timezone.now())
    assert board_queries.top("all") == []
    prices = {NOON: PRICE, NOON + MINUTE: PRICE + DOLLAR}
    saved = save_prices(prices, source="a test")
    assert saved == Saved(new=2, replaced=0, known=0, contradicted=(), repriced=2)
    check(ask, priced(trades, prices))
    cost, proceeds = 300 * DOLLAR * SOL // PRICE, 100 * DOLLAR * SOL // (PRICE + DOLLAR)
    position = Position.objects.get()
    assert (position.unpriced, position.realized_lamports) == (0, proceeds - cost)
    assert queries.trades_waiting() == 0
    boards.refresh(now=timezone.now())
    (line,) = board_queries.top("all")
    assert (line.address, line.realized_lamports, line.unpriced) == (ANN, proceeds - cost, 0)


def test_a_wallet_says_what_is_unpriced_and_then_what_it_realized(
    ask: Ask, client: Client, settings: Any
) -> None:
    leave_files_out(settings)
    path = f"/api/v1/wallets/{ANN}/"
    deliver(*round_trip())
    before = client.get(path).json()
    assert (before["flags"], before["totals"]["unpriced"]) == (["unpriced"], 2)
    assert before["realizations"] == []
    save_prices({NOON: 100 * DOLLAR, NOON + MINUTE: 50 * DOLLAR}, source="a test")
    after = client.get(path).json()
    assert (after["flags"], after["totals"]["unpriced"]) == ([], 0)
    assert [trade["sol"] for trade in after["trades"]] == ["2.000000000", "3.000000000"]
    assert [trade["value_usd"] for trade in after["trades"]] == ["100.000000", "300.000000"]
    (sell,) = after["realizations"]
    assert (sell["realized_sol"], sell["realized_usd"]) == ("-1.000000000", "-50.000000")


def test_prices_before_trades_and_trades_before_prices_make_the_same_rows(ask: Ask) -> None:
    buy, sell = round_trip()
    prices = {NOON: PRICE, NOON + MINUTE: PRICE - DOLLAR}
    steps: list[Step] = [saving({minute: price}) for minute, price in prices.items()]
    steps += [partial(deliver, buy), partial(deliver, sell)]
    found = []
    for order in permutations(steps):
        for step in order:
            step()
        check(ask, priced([buy, sell], prices))
        found.append(everything())
        with connection.cursor() as cursor:
            tables = ", ".join(f"pnl_{table}" for table in TABLES)
            cursor.execute(f"TRUNCATE {tables}")
    assert all(rows == found[0] for rows in found)


def test_a_minute_without_a_price_stays_unpriced(ask: Ask) -> None:
    trades = round_trip()
    deliver(*trades)
    around = {NOON - MINUTE: PRICE, NOON: PRICE, NOON + 2 * MINUTE: PRICE}
    assert save_prices(around, source="a test").repriced == 1
    check(ask, priced(trades, around))
    assert queries.waiting_minutes(limit=9) == [NOON + MINUTE]
    assert Position.objects.get().unpriced == 1


def test_what_was_paid_in_another_coin_stays_unpriced_and_says_so(
    ask: Ask, client: Client, settings: Any
) -> None:
    leave_files_out(settings)
    trades = [trade._replace(quote_mint=mint("another coin")) for trade in round_trip()]
    save_prices({NOON: PRICE}, source="a test")
    deliver(*trades)
    assert save_prices({NOON + MINUTE: PRICE}, source="a test").repriced == 0
    pricing.watch()
    check(ask, trades)
    assert queries.waiting_minutes(limit=9) == []
    answer = client.get(f"/api/v1/wallets/{ANN}/").json()
    assert (answer["flags"], answer["totals"]["unpriced"]) == (["unpriced"], 2)
    assert {trade["lamports"] for trade in answer["trades"]} == {None}


def test_a_known_price_stands_until_somebody_says_that_it_was_wrong(ask: Ask) -> None:
    trades = round_trip()
    deliver(*trades)
    prices = {NOON: PRICE, NOON + MINUTE: PRICE}
    save_prices(prices, source="a test")
    other = {NOON: PRICE, NOON + MINUTE: 2 * PRICE}
    kept = save_prices(other, source="another")
    assert kept == Saved(0, 0, 1, (Contradicted(NOON + MINUTE, PRICE),), 0)
    check(ask, priced(trades, prices))
    assert save_prices(other, source="another", replace=True) == Saved(0, 1, 1, (), 1)
    check(ask, priced(trades, other))
    sources = SolPrice.objects.order_by("minute").values_list("source", flat=True)
    assert list(sources) == ["a test", "another"]


def test_the_same_prices_again_change_nothing(ask: Ask) -> None:
    deliver(*round_trip())
    prices = {NOON: PRICE, NOON + MINUTE: PRICE}
    save_prices(prices, source="a test")
    before = everything()
    for replace in (False, True):
        assert save_prices(prices, source="another", replace=replace) == Saved(0, 0, 2, (), 0)
    assert everything() == before


def test_trades_that_were_booked_while_their_price_was_saved_are_priced_later(ask: Ask) -> None:
    trades = round_trip()
    deliver(*trades)
    # As if the booking and the saving had not seen each other.
    for minute in (NOON, NOON + MINUTE):
        SolPrice.objects.create(
            minute=datetime.fromtimestamp(minute, UTC), micro_usd=PRICE, source="a test"
        )
    check(ask, trades)
    assert price_again([NOON]) == 1
    pricing.watch()
    check(ask, priced(trades, {NOON: PRICE, NOON + MINUTE: PRICE}))


def test_what_no_column_could_hold_stays_unpriced_and_stops_nobody(ask: Ask) -> None:
    chain = Chain("whale", NOON)
    whale = in_dollars(chain.buy("whale", "A", 5, 2**63 - 1, NOON))._replace(fee_units=0)
    trades = [whale, in_dollars(chain.buy("ann", "A", 5, DOLLAR, NOON))]
    deliver(*trades)
    assert save_prices({NOON: 1000}, source="a test").repriced == 1
    check(ask, priced(trades, {NOON: 1000}))


def test_a_price_of_no_minute_is_refused() -> None:
    with pytest.raises(ValueError, match=f"{NOON + 1} is not the start of a minute"):
        save_prices({NOON: PRICE, NOON + 1: PRICE}, source="a test")


def some_of_both(dice: Random, count: int) -> list[Trade]:
    """Trades of a few wallets over several minutes, half of them in dollars."""
    trades = Chain(f"both {dice.random()}", NOON, step=7).at_random(dice, count)
    return [in_dollars(trade) if dice.random() < 0.5 else trade for trade in trades]


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_trades_and_prices_gives_the_ledger_of_one_pass(ask: Ask, seed: int) -> None:
    dice = Random(seed)
    trades = some_of_both(dice, 120)
    minutes = sorted({minute_of(trade.block_time) for trade in trades})
    prices = {minute: PRICE + dice.randrange(DOLLAR) for minute in minutes[:-2]}
    steps = [saving({minute: price}) for minute, price in prices.items()]
    for at in range(0, len(trades), 8):
        steps += [partial(deliver, *trades[at : at + 8])] * 2
    dice.shuffle(steps)
    for step in steps:
        step()
    check(ask, priced(trades, prices))


def test_prices_and_trades_that_arrive_at_once_end_up_together(ask: Ask) -> None:
    dice = Random(5)
    trades = some_of_both(dice, 160)
    minutes = {minute_of(trade.block_time) for trade in trades}
    prices = dict.fromkeys(minutes, PRICE)

    def elsewhere(step: Step) -> None:
        try:
            step()
        finally:
            connections.close_all()

    for at in range(0, len(trades), 8):
        inbox.accept(body_of(trades[at : at + 8]))
    steps = [saving({minute: PRICE}) for minute in minutes]
    steps = [partial(inbox.process_until_empty, seconds=20), *steps, inbox.process_pending]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(elsewhere, steps))
    price_again(minutes)
    check(ask, priced(trades, prices))
