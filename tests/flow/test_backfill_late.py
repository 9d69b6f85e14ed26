"""What waited in the inbox for long is booked behind its wallet's walk, and judged all the same."""

import time
from collections.abc import Sequence

import pytest

from ingest import backfills, harvest, latecomers, operations
from ingest.helius.client import helius
from ingest.models import BackfillPage, Door, Latecomer
from ingest.walks import OVERLAP_SLOTS
from pnl.engine.trades import Trade
from pnl.models import Trader
from tests.flow.bodies import FIRST_SLOT, SOL, Chain, body_of
from tests.flow.fake_helius import FakeHelius
from tests.flow.truth import Ask, check
from tests.flow.walking import ANN, asked_from, booked, hurry, walk, walk_and_fail

HOUR = 3600


def hours_late(name: str = "late") -> list[Trade]:
    """Three losses of an hour ago, far below what is final now."""
    chain = Chain(name, at=int(time.time()) - HOUR, step=1)
    return [trade for _ in range(3) for trade in chain.loss("ann", SOL)]


def delivered(trades: Sequence[Trade], door: Door = Door.WEBHOOK) -> None:
    operations.accept(body_of(trades), door=door)
    operations.process_until_empty(seconds=20)


def last_begin(fake: FakeHelius) -> int:
    """How far below the finalized slot the last walk began."""
    return fake.chain.finalized - asked_from(fake)[-1]


def test_a_dropped_trade_that_is_booked_far_behind_the_walk_is_taken_back(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = hours_late()
    fake_helius.chain.land(trades[:2])
    walk()
    delivered(trades)
    check(ask, trades)
    walk()
    check(ask, trades[:2])
    assert asked_from(fake_helius)[-1] == trades[0].slot
    walk()
    assert last_begin(fake_helius) == OVERLAP_SLOTS


def test_a_watched_wallet_is_remembered_before_its_first_walk(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    Trader.objects.create(address=ANN, watched=True)
    trades = hours_late()
    delivered([trades[0]])
    assert Latecomer.objects.get().slot == trades[0].slot


def test_nobody_looks_after_a_wallet_that_is_neither_watched_nor_walked(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    delivered(hours_late())
    assert not Latecomer.objects.exists()


def test_what_is_in_time_is_within_the_overlap(ask: Ask, fake_helius: FakeHelius) -> None:
    walk()
    delivered(Chain("young").loss("ann", SOL))
    assert not Latecomer.objects.exists()


def test_what_the_backfill_brings_is_final_and_not_late(ask: Ask, fake_helius: FakeHelius) -> None:
    fake_helius.chain.land(hours_late())
    walk("--from-slot", "0")
    walk()
    assert last_begin(fake_helius) == OVERLAP_SLOTS


def test_what_is_known_already_makes_nobody_walk_again(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = hours_late()
    booked(trades)
    fake_helius.chain.land(trades)
    walk()
    delivered(trades)
    walk()
    assert last_begin(fake_helius) == OVERLAP_SLOTS


def test_the_lowest_of_what_was_late_counts(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = hours_late()
    walk()
    for part in (trades[2:4], trades[:2], trades[4:]):
        delivered(part)
    assert Latecomer.objects.get().slot == FIRST_SLOT
    walk()
    assert asked_from(fake_helius)[-1] == FIRST_SLOT


def test_a_walk_that_fails_keeps_where_it_was_to_begin(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = hours_late()
    walk()
    delivered(trades)
    fake_helius.behaviour.fails = lambda rpc: rpc.method == "getTransactionsForAddress"
    walk_and_fail()
    assert BackfillPage.objects.get().begin_by_slot == FIRST_SLOT
    fake_helius.behaviour.fails = lambda _rpc: False
    walk()
    check(ask, [])


def test_what_is_late_while_a_walk_is_under_way_is_for_the_next_one(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    kept, dropped = hours_late("kept"), hours_late("dropped")
    fake_helius.chain.land(kept)
    fake_helius.chain.page_size = 5
    backfills.start("first", backfills.trader_ids([kept[0].trader]), from_slot=0)
    with helius() as asked:
        harvest.step(asked)
        delivered(dropped)
        while harvest.step(asked):
            pass
    operations.process_until_empty(seconds=20)
    assert Latecomer.objects.get().slot == FIRST_SLOT
    walk()
    check(ask, kept)
    assert not Latecomer.objects.exists()


@pytest.mark.parametrize("late", [True, False])
def test_the_clock_tells_what_is_late(ask: Ask, fake_helius: FakeHelius, late: bool) -> None:
    walk()
    margin = 30 if late else -30
    at = int(time.time()) - latecomers.LATE_SECONDS - margin
    delivered(Chain("margin", at=at).loss("ann", SOL))
    assert Latecomer.objects.exists() is late


def test_a_page_that_is_due_later_takes_what_was_late_when_it_begins(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = hours_late()
    walk()
    backfills.start("settling", backfills.trader_ids([trades[0].trader]), after_seconds=60)
    delivered(trades)
    hurry()
    harvest.work(seconds=5)
    check(ask, [])
