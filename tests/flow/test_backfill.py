"""Walks find what was never delivered, learn every place, and go on wherever they were broken."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest import backfills, harvest, operations, walks
from ingest.models import Backfill, BackfillPage, Delivery, Door, Watermark
from pnl.models import Position, Trader
from pnl.models import Trade as TradeRow
from tests.flow.bodies import FIRST_SLOT, SOL, Chain, base58, wallet
from tests.flow.fake_helius import FakeHelius
from tests.flow.truth import Ask, check
from tests.flow.walking import (
    ANN,
    a_month,
    asked_from,
    booked,
    in_pages,
    is_page_after,
    place,
    walk,
    walk_and_fail,
)


def test_a_walk_brings_what_no_webhook_delivered(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = a_month()
    fake_helius.chain.land(trades)
    booked(trades[:2])
    assert "12 transactions, 10 of them missing before" in walk()
    check(ask, trades)
    run = Backfill.objects.get()
    assert (run.pages, run.gaps, run.dropped, run.failed_pages) == (1, 10, 0, 0)
    assert run.finished_at is not None
    assert not BackfillPage.objects.exists()


def test_a_second_walk_finds_nothing_missing(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = a_month()
    fake_helius.chain.land(trades)
    walk("--from-slot", "0")
    assert "12 transactions, 0 of them missing before" in walk("--from-slot", "0")
    check(ask, trades)


def test_what_is_not_final_yet_is_left_for_the_next_walk(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = a_month()
    fake_helius.chain.land(trades)
    fake_helius.chain.finalized = trades[6].slot - 1
    walk()
    check(ask, trades[:6])
    fake_helius.chain.finalized = trades[-1].slot
    walk()
    check(ask, trades)


def test_pages_follow_each_other_whatever_their_size(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = in_pages(fake_helius, 5)
    walk()
    check(ask, trades)
    assert Backfill.objects.get().pages == 3
    doors = set(Delivery.objects.values_list("door", flat=True))
    assert doors == {Door.BACKFILL}


def test_a_large_page_is_several_deliveries(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    trades = a_month()
    fake_helius.chain.land(trades)
    settings.RECEIVER_MAX_BODY_BYTES = 4096
    walk()
    check(ask, trades)
    sizes = list(Delivery.objects.values_list("size_bytes", flat=True))
    assert len(sizes) > 1
    assert max(sizes) <= 4096


def test_pages_in_conflicting_order_book_the_same(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = a_month()
    fake_helius.chain.land(trades)
    booked(trades[3:9])
    fake_helius.chain.page_size, fake_helius.chain.backwards = 5, True
    walk()
    check(ask, trades)
    assert Backfill.objects.get().dropped == 0


def test_a_walk_tells_the_block_index_and_the_position_is_folded_again(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    chain = Chain("index")
    buy = chain.buy("ann", "A", 10, 3 * SOL)._replace(block_index=5)
    sell = chain.sell("ann", "A", 10, SOL)._replace(slot=buy.slot, block_index=2)
    booked([buy, sell._replace(block_index=None)])
    assert Position.objects.get().realized_lamports == -2 * SOL
    fake_helius.chain.land([buy, sell])
    walk()
    assert Position.objects.get().realized_lamports == 0
    check(ask, [buy, sell])


def test_another_block_index_than_the_chain_s_is_counted(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = a_month(1)
    booked([trade._replace(block_index=77) for trade in trades])
    fake_helius.chain.land(trades)
    assert "2 at another place than in the ledger" in walk()


def test_the_watermark_says_up_to_where_everything_is_final(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = in_pages(fake_helius, 5)
    fake_helius.behaviour.fails = is_page_after(place(trades[4]))
    walk_and_fail()
    half_way = Watermark.objects.get()
    assert (half_way.slot, half_way.block_index) == (trades[4].slot, trades[4].block_index)
    assert half_way.walked_at is None
    fake_helius.behaviour.fails = lambda _rpc: False
    walk()
    at_the_end = Watermark.objects.get()
    assert (at_the_end.slot, at_the_end.block_index) == (fake_helius.chain.finalized, None)
    assert at_the_end.walked_at is not None
    assert str(at_the_end.trader.address) == ANN


def test_a_walk_begins_a_little_below_the_watermark(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    settings.HELIUS_HISTORY_DAYS = 1
    walk()
    walk()
    finalized = fake_helius.chain.finalized
    history = 24 * 3600 * 4
    assert asked_from(fake_helius) == [
        finalized - history,
        finalized - walks.OVERLAP_SLOTS,
    ]


def test_a_walk_of_the_whole_history_begins_at_the_beginning(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    settings.HELIUS_HISTORY_DAYS = 0
    walk()
    assert asked_from(fake_helius) == [0]


def test_a_walk_above_the_watermark_does_not_move_it(ask: Ask, fake_helius: FakeHelius) -> None:
    fake_helius.chain.finalized = FIRST_SLOT
    walk()
    fake_helius.chain.finalized = FIRST_SLOT + 900_000
    walk("--from-slot", str(FIRST_SLOT + 500_000))
    assert Watermark.objects.get().slot == FIRST_SLOT
    walk()
    assert Watermark.objects.get().slot == FIRST_SLOT + 900_000


def test_a_walk_that_is_to_begin_earlier_begins_anew(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = in_pages(fake_helius, 5)
    fake_helius.behaviour.fails = is_page_after(place(trades[8]))
    walk_and_fail("--from-slot", str(trades[4].slot))
    fake_helius.behaviour.fails = lambda _rpc: False
    walk("--from-slot", "0")
    check(ask, trades)


def test_a_wrong_key_is_told_at_once(ask: Ask, fake_helius: FakeHelius) -> None:
    fake_helius.key = "another"
    with pytest.raises(CommandError, match="getSlot: 401"):
        walk()
    assert not Backfill.objects.exists()


@pytest.mark.parametrize("address", ["short", "0OIl", base58(b"\1" * 64)])
def test_an_address_that_is_none_is_refused(
    ask: Ask, fake_helius: FakeHelius, address: str
) -> None:
    with pytest.raises(CommandError, match=f"--trader: '{address}' is"):
        walk(trader=address)


def test_nothing_is_asked_without_a_key(ask: Ask, settings: Settings) -> None:
    settings.HELIUS_API_KEY = ""
    with pytest.raises(CommandError, match="HELIUS_API_KEY is not set"):
        walk()


def test_watched_wallets_are_walked_new_ones_at_once_active_ones_hourly(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = [*Chain("busy").loss("ann", SOL), *Chain("calm", at=1_700_000_000).loss("bob", SOL)]
    fake_helius.chain.land(trades)
    booked(trades)
    Trader.objects.update(watched=True)
    assert backfills.start_due() == 2
    assert backfills.start_due() == 0
    harvest.work(seconds=5)
    assert backfills.start_due() == 0
    Watermark.objects.update(walked_at=timezone.now() - timedelta(minutes=61))
    assert backfills.start_due() == 1
    assert str(BackfillPage.objects.get().trader.address) == ANN
    Watermark.objects.update(walked_at=timezone.now() - timedelta(hours=25))
    assert backfills.start_due() == 1
    assert BackfillPage.objects.count() == 2


def test_all_of_nobody_is_a_mistake(ask: Ask, fake_helius: FakeHelius) -> None:
    with pytest.raises(CommandError, match="No wallet is watched"):
        call_command("backfill", "--all")


def test_all_means_the_watched_wallets(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = [*Chain("busy").loss("ann", SOL), *Chain("calm").loss("bob", SOL)]
    fake_helius.chain.land(trades)
    backfills.trader_ids([wallet("ann"), wallet("bob")])
    Trader.objects.filter(address=ANN).update(watched=True)
    call_command("backfill", "--all", stdout=StringIO())
    operations.process_until_empty(seconds=20)
    assert TradeRow.objects.count() == 2
    assert fake_helius.calls("getTransactionsForAddress") == 1
