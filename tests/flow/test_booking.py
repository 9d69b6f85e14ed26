"""Whatever order, company and repetition trades are booked in, the ledger is that of one pass."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import pytest
from django.db import connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from ingest import operations as inbox
from ingest.models import Delivery
from leaderboard import operations as boards
from leaderboard import queries
from pnl.engine.agents import MAYHEM_AGENT, MAYHEM_AGENT_BYTES
from pnl.engine.trades import Trade
from pnl.models import Position, Trader
from pnl.models import Trade as TradeRow
from pnl.operations import Booking, book_trades
from tests.flow.bodies import SOL, Chain, base58, body_of, mint, wallet
from tests.flow.truth import Ask, check

HOUR = 3600
START = 1_790_000_000
TOO_MUCH = 2**63


def booked(trades: Sequence[Trade]) -> Booking:
    with transaction.atomic():
        return book_trades(trades)


def booked_elsewhere(trades: Sequence[Trade]) -> Booking:
    """In a connection of this thread's own, which is given back."""
    try:
        return booked(trades)
    finally:
        connections.close_all()


def some_trades(dice: Random, count: int = 120) -> list[Trade]:
    """Over several hours, two to a transaction here and there, some without their block index."""
    trades = Chain(f"chain {dice.random()}", START, step=HOUR // 9).at_random(dice, count)
    for at in range(0, count - 1, 7):
        twin = trades[at]
        trades[at + 1] = trades[at + 1]._replace(
            **{name: getattr(twin, name) for name in ("signature", "slot", "block_index")},
            event_index=1,
        )
    return [t if dice.random() < 0.8 else t._replace(block_index=None) for t in trades]


def in_batches(dice: Random, trades: Sequence[Trade]) -> list[list[Trade]]:
    """Every trade twice, shuffled, in batches of any size."""
    waiting = [*trades, *trades]
    dice.shuffle(waiting)
    batches = []
    while waiting:
        size = dice.choice((1, 2, 7, 40))
        batches.append(waiting[:size])
        waiting = waiting[size:]
    return batches


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_any_batches_gives_the_ledger_of_one_pass(ask: Ask, seed: int) -> None:
    dice = Random(seed)
    trades = some_trades(dice)
    for batch in in_batches(dice, trades):
        booked(batch)
    check(ask, trades)


@pytest.mark.parametrize("seed", range(3))
def test_concurrent_bookings_give_the_ledger_of_one_pass(ask: Ask, seed: int) -> None:
    dice = Random(seed)
    trades = some_trades(dice, 200)
    with ThreadPoolExecutor(4) as pool:
        bookings = list(pool.map(booked_elsewhere, in_batches(dice, trades)))
    assert sum(booking.booked for booking in bookings) == len(trades)
    assert sum(booking.duplicates for booking in bookings) == len(trades)
    check(ask, trades)


def test_a_batch_that_is_taken_back_leaves_nothing_behind(ask: Ask) -> None:
    trades = some_trades(Random(7), 30)
    with transaction.atomic():
        assert book_trades(trades).booked == len(trades)
        transaction.set_rollback(True)
    check(ask, [])
    booked(trades)
    check(ask, trades)


def test_a_booking_says_what_was_new_known_and_unseen(ask: Ask) -> None:
    chain = Chain("report")
    trades = [chain.buy("ann", "A", 10, SOL), chain.sell("ann", "A", 25, SOL)]
    assert booked([*trades, trades[0]]) == Booking(booked=2, duplicates=1, unmatched_units=15)
    assert booked(trades) == Booking(booked=0, duplicates=2, unmatched_units=0)


def test_a_trade_that_learns_its_block_index_moves_to_its_place(ask: Ask) -> None:
    chain = Chain("index")
    buy, sell = chain.buy("ann", "A", 10, 3 * SOL), chain.sell("ann", "A", 10, SOL)
    buy = buy._replace(block_index=5)
    sell = sell._replace(slot=buy.slot, block_index=None)
    booked([buy, sell])
    assert Position.objects.get().realized_lamports == -2 * SOL
    before_the_buy = sell._replace(block_index=2)
    assert booked([before_the_buy]).duplicates == 1
    assert Position.objects.get().realized_lamports == 0
    check(ask, [buy, before_the_buy])


def test_a_known_block_index_is_never_forgotten(ask: Ask) -> None:
    chain = Chain("kept")
    trade = chain.buy("ann", "A", 10, SOL)
    booked([trade])
    booked([trade._replace(block_index=None)])
    assert TradeRow.objects.get().block_index == trade.block_index


def test_a_trade_in_another_quote_is_kept_without_a_price(ask: Ask) -> None:
    chain = Chain("quote")
    bought = chain.buy("ann", "A", 10, 700)._replace(quote_mint=mint("dollar"))
    sold = chain.sell("ann", "A", 10, SOL)
    booked([bought, sold])
    check(ask, [bought, sold])
    row = TradeRow.objects.select_related("quote").get(side=0)
    assert (row.lamports, row.quote_units) == (None, 700)
    assert row.quote is not None
    assert row.quote.mint == base58(mint("dollar"))
    assert Position.objects.get().unpriced == 1


def test_units_never_seen_bought_make_neither_gain_nor_loss(ask: Ask) -> None:
    chain = Chain("unseen")
    booked([chain.sell("ann", "A", 10, SOL)])
    held = Position.objects.get()
    assert (held.realized_lamports, held.unmatched_units, held.unmatched_lamports) == (0, 10, SOL)
    boards.refresh(now=timezone.now())
    assert queries.top("all") == []


def test_the_agent_of_the_mayhem_program_is_known_and_not_ranked(ask: Ask) -> None:
    trades = [t._replace(trader=MAYHEM_AGENT_BYTES) for t in Chain("mayhem").loss("agent", SOL)]
    booked([*trades, *Chain("person").loss("ann", SOL)])
    boards.refresh(now=timezone.now())
    assert Trader.objects.get(address=MAYHEM_AGENT).kind == "agent"
    assert [line.address for line in queries.top("24h")] == [base58(wallet("ann"))]
    everyone = queries.page("24h", limit=9, include_bots=True).lines
    assert {line.address for line in everyone} == {base58(wallet("ann")), MAYHEM_AGENT}


def test_it_refuses_to_book_outside_a_transaction(ask: Ask) -> None:
    assert not connection.in_atomic_block
    with pytest.raises(TransactionManagementError):
        book_trades(Chain("alone").loss("ann", SOL))
    check(ask, [])


@dataclass
class Inbox:
    """Deliveries of which one cannot be booked."""

    good: list[Trade]
    ids: list[int]
    broken: int


@pytest.fixture
def poisoned(ask: Ask) -> Inbox:
    """Five bodies; what the third says was paid is more than the ledger's columns can hold."""
    chain = Chain("poison")
    rounds = [chain.loss(f"wallet {number}", SOL) for number in range(5)]
    rounds[2] = [trade._replace(quote_units=TOO_MUCH, fee_units=0) for trade in rounds[2]]
    ids = [inbox.accept(body_of(trades)) for trades in rounds]
    good = [trade for number in (0, 1, 3, 4) for trade in rounds[number]]
    return Inbox(good, ids, ids[2])


def test_a_delivery_that_cannot_be_booked_costs_its_neighbours_nothing(
    ask: Ask, poisoned: Inbox
) -> None:
    report = inbox.process_pending()
    assert report == inbox.Report(deliveries=5, booked=8, duplicates=0, set_aside=1)
    check(ask, poisoned.good)


def test_a_delivery_that_cannot_be_booked_is_kept_with_its_error(poisoned: Inbox) -> None:
    inbox.process_pending()
    kept = Delivery.objects.set_aside().get()
    assert (kept.pk, kept.attempts) == (poisoned.broken, 1)
    assert "out of range" in kept.error
    assert "Traceback" in kept.traceback
    assert Delivery.objects.processed().count() == 4


def test_a_delivery_that_was_set_aside_can_be_run_again(ask: Ask, poisoned: Inbox) -> None:
    inbox.process_pending()
    assert inbox.reprocess(poisoned.ids) == 5
    again = inbox.process_pending()
    assert again == inbox.Report(deliveries=5, booked=0, duplicates=8, set_aside=1)
    check(ask, poisoned.good)


def test_a_delivery_whose_fault_is_gone_is_booked_when_it_is_run_again(
    ask: Ask, poisoned: Inbox
) -> None:
    inbox.process_pending()
    mended = Chain("mended").loss("mended", SOL)
    Delivery.objects.filter(pk=poisoned.broken).update(body=body_of(mended))
    inbox.reprocess([poisoned.broken])
    inbox.process_pending()
    check(ask, [*poisoned.good, *mended])
    kept = Delivery.objects.get(pk=poisoned.broken)
    assert (kept.attempts, kept.error, kept.traceback, kept.trades) == (2, "", "", 2)
    assert not Delivery.objects.set_aside().exists()
