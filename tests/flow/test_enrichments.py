"""Transactions that came without their place are fetched whole, and booked at it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest import enrichments, operations, tasks
from ingest.helius.client import Helius, helius
from ingest.helius.rpc import BATCH_MAX
from ingest.models import Enrichment
from pnl.engine.trades import Trade
from pnl.models import Position
from pnl.operations import book_trades
from tests.flow.bodies import SOL, Chain, base58
from tests.flow.fake_helius import FakeHelius, Fault
from tests.flow.truth import Ask, check
from tests.unit.ingest.decode.building import body as enhanced_body
from tests.unit.ingest.decode.enhancing import curve_buy


@pytest.fixture
def asked(fake_helius: FakeHelius) -> Iterator[Helius]:
    with helius() as opened:
        yield opened


def want(trades: Sequence[Trade]) -> None:
    """As after a delivery that left the order of these trades open."""
    wanted = [Enrichment(signature=base58(t.signature), reason="order_unknown") for t in trades]
    Enrichment.objects.bulk_create(wanted)


def left() -> int:
    return Enrichment.objects.filter(done_at__isnull=True).count()


def hurry() -> None:
    """Let the time pass until everything is due again."""
    Enrichment.objects.update(not_before=timezone.now() - timedelta(seconds=1))


def enriched(asked: Helius) -> int:
    due = enrichments.enrich(asked.rpc)
    operations.process_until_empty(seconds=20)
    return due


def round_trip() -> list[Trade]:
    """A sell that stands before the buy in the block: without a place they look the other way."""
    chain = Chain("order")
    buy = chain.buy("ann", "A", 10, 3 * SOL)._replace(block_index=5)
    sell = chain.sell("ann", "A", 10, SOL)._replace(slot=buy.slot, block_index=2)
    return [buy, sell]


def test_a_trade_without_a_place_learns_it(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = round_trip()
    fake_helius.chain.land(trades)
    with transaction.atomic():
        book_trades([trade._replace(block_index=None) for trade in trades])
    assert Position.objects.get().realized_lamports == -2 * SOL
    want(trades)
    assert enriched(asked) == 2
    check(ask, trades)
    assert Position.objects.get().realized_lamports == 0
    assert left() == 0
    assert fake_helius.calls("getBlock") == 1


def test_one_that_is_not_final_yet_is_asked_for_again(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = round_trip()
    fake_helius.chain.land(trades)
    fake_helius.chain.finalized = trades[0].slot - 1
    want(trades)
    assert enriched(asked) == 2
    assert enriched(asked) == 0
    told = Enrichment.objects.values_list("error", "attempts").distinct().get()
    assert told == (enrichments.UNKNOWN, 1)
    fake_helius.chain.finalized = trades[0].slot
    hurry()
    enriched(asked)
    check(ask, trades)
    assert left() == 0


def test_each_failure_waits_twice_as_long(ask: Ask, fake_helius: FakeHelius, asked: Helius) -> None:
    want(round_trip()[:1])
    pauses = []
    for _ in range(3):
        hurry()
        enriched(asked)
        pauses.append(Enrichment.objects.get().not_before - timezone.now())
    assert [round(pause.total_seconds()) for pause in pauses] == [15, 30, 60]


def test_a_helius_that_refuses_loses_nothing(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    want(round_trip())
    fake_helius.behaviour.faults = [Fault(400, body="no")]
    assert enriched(asked) == 2
    assert left() == 2
    assert Enrichment.objects.filter(error="getTransaction batch: 400 no").count() == 2


def test_one_that_nobody_knows_is_given_up_in_the_end(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    want(round_trip()[:1])
    due = []
    for _ in range(enrichments.UNKNOWN_ATTEMPTS + 1):
        hurry()
        due.append(enriched(asked))
    assert due == [1] * enrichments.UNKNOWN_ATTEMPTS + [0]
    told = Enrichment.objects.get()
    assert (told.is_unknown, told.error, told.attempts) == (True, enrichments.UNKNOWN, due.count(1))
    assert left() == 0


def given_up(asked: Helius, ago: timedelta) -> bytes:
    """The body that brought what was asked for in vain, and given up so long ago."""
    body = enhanced_body(curve_buy(SOL, 12_500_000, 1_000).element())
    deliver(body)
    for _ in range(enrichments.UNKNOWN_ATTEMPTS):
        hurry()
        enriched(asked)
    assert Enrichment.objects.get().is_unknown
    Enrichment.objects.update(done_at=timezone.now() - ago)
    return body


def deliver(body: bytes) -> None:
    operations.accept(body)
    operations.process_until_empty(seconds=20)


def test_one_that_nobody_knew_is_asked_for_again_when_it_is_delivered_again(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    body = given_up(asked, timedelta(hours=2))
    deliver(body)
    again = Enrichment.objects.get()
    assert (again.is_unknown, again.done_at, again.attempts, again.error) == (False, None, 0, "")
    assert timedelta(seconds=50) < again.not_before - timezone.now() < timedelta(seconds=61)
    hurry()
    assert enriched(asked) == 1


def test_a_flood_of_what_nobody_knows_asks_no_more_often(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    body = given_up(asked, timedelta(minutes=10))
    deliver(body)
    first = Enrichment.objects.get()
    assert timedelta(minutes=49) < first.not_before - timezone.now() < timedelta(minutes=51)
    for _ in range(5):
        deliver(body)
    assert enriched(asked) == 0
    again = Enrichment.objects.get()
    assert (again.not_before, again.requested_at) == (first.not_before, first.requested_at)
    hurry()
    enriched(asked)
    deliver(body)
    failed = Enrichment.objects.get()
    assert (failed.attempts, failed.requested_at) == (1, first.requested_at)


def test_what_was_fetched_is_not_asked_for_again(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    body = given_up(asked, timedelta(hours=2))
    Enrichment.objects.update(is_unknown=False)
    deliver(body)
    assert left() == 0


def test_a_helius_that_fails_is_asked_for_ever(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = round_trip()
    fake_helius.chain.land(trades)
    want(trades)
    Enrichment.objects.update(attempts=enrichments.UNKNOWN_ATTEMPTS)
    fake_helius.behaviour.faults = [Fault(400, body="no")]
    assert enriched(asked) == 2
    assert left() == 2
    hurry()
    enriched(asked)
    check(ask, trades)


def test_what_ended_is_forgotten_when_its_body_is(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    settings.INBOX_KEEP_DAYS = 3
    old, young, waiting = Chain("ended").loss("ann", SOL) + round_trip()[:1]
    want([old, young, waiting])
    now = timezone.now()
    for trade, days in ((old, 4), (young, 2)):
        done = Enrichment.objects.filter(signature=base58(trade.signature))
        done.update(done_at=now - timedelta(days=days))
    Enrichment.objects.update(requested_at=now - timedelta(days=9))
    enrichments.work(seconds=0)
    kept = {str(each) for each in Enrichment.objects.values_list("signature", flat=True)}
    assert kept == {base58(young.signature), base58(waiting.signature)}


def test_nothing_is_asked_while_nothing_waits(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    assert enriched(asked) == 0
    assert fake_helius.seen == []


def test_a_long_queue_is_taken_batch_by_batch(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    chain = Chain("many", step=1)
    trades = [trade for _ in range(60) for trade in chain.loss("ann", SOL)]
    fake_helius.chain.land(trades)
    want(trades)
    assert [enriched(asked) for _ in range(3)] == [BATCH_MAX, 20, 0]
    check(ask, trades)


def test_the_task_works_until_nothing_is_due(ask: Ask, fake_helius: FakeHelius) -> None:
    chain = Chain("task", step=1)
    trades = [trade for _ in range(60) for trade in chain.loss("ann", SOL)]
    fake_helius.chain.land(trades)
    want(trades)
    tasks.fetch_enrichments()
    tasks.process_inbox()
    check(ask, trades)
    assert left() == 0
