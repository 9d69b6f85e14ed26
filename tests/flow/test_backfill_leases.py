"""Helius is asked outside of any transaction, and what was taken over meanwhile is kept once."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from ingest import backfills, fetches, harvest, leases, operations, waiting, walks
from ingest.helius.client import helius
from ingest.models import Backfill, BackfillPage, BackfillSignature, Delivery, Watermark
from pnl.engine.trades import Trade
from tests.flow.bodies import base58, wallet
from tests.flow.fake_helius import FakeHelius, Rpc
from tests.flow.truth import Ask, check
from tests.flow.walking import a_month, asked_from, booked, in_pages, let_leases_end

HELD_OPEN = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""


def started(trades: list[Trade]) -> Backfill:
    """A walk of the wallet, and its first transaction by signature."""
    backfills.start_signatures("test", [base58(trades[0].signature)])
    return backfills.start("test", backfills.trader_ids([wallet("ann")]))


def step() -> bool:
    with helius() as asked:
        return harvest.step(asked)


def meanwhile(fake: FakeHelius, method: str, happens: Callable[[], Any]) -> list[Any]:
    """Let it happen, once, while the node is asked this; what it gave is in the list then."""
    given: list[Any] = []

    def happening(rpc: Rpc) -> bool:
        if rpc.method == method and not given:
            given.append(None)
            try:
                given[0] = happens()
            finally:
                connection.close()
        return False

    fake.behaviour.fails = happening
    return given


def held_open() -> int:
    with connection.cursor() as cursor:
        cursor.execute(HELD_OPEN)
        return int(cursor.fetchone()[0])


def claimed() -> BackfillPage | None:
    with transaction.atomic():
        return waiting.claim_page()


def outrun(patched: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
    """Who takes this first is so slow that another takes it over, and is done sooner."""
    take = getattr(module, name)
    takers: list[object] = []

    def slow(*arguments: object) -> object:
        takers.append(arguments)
        if len(takers) == 1:
            let_leases_end()
            assert step()
        return take(*arguments)

    patched.setattr(module, name, slow)


@pytest.mark.parametrize(
    "method", ["getSlot", "getTransactionsForAddress", "getSignatureStatuses", "getTransaction"]
)
def test_no_transaction_is_open_while_helius_is_asked(
    ask: Ask, fake_helius: FakeHelius, method: str
) -> None:
    trades = a_month()
    booked(trades)
    fake_helius.chain.land(trades[:4])
    started(trades)
    found = meanwhile(fake_helius, method, held_open)
    step()
    assert found == [0]


def test_a_page_that_is_being_fetched_is_nobody_else_s(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = a_month()
    fake_helius.chain.land(trades)
    started(trades)
    found = meanwhile(fake_helius, "getTransactionsForAddress", claimed)
    step()
    assert found == [None]


def test_a_page_that_was_taken_over_is_kept_once(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = in_pages(fake_helius, 5)
    run = backfills.start("test", backfills.trader_ids([wallet("ann")]))
    outrun(monkeypatch, walks, "take")
    step()
    counted = Backfill.objects.get(pk=run.pk)
    assert (counted.pages, counted.transactions, counted.failed_pages) == (1, 5, 0)
    assert Watermark.objects.get().slot == trades[4].slot
    assert Delivery.objects.count() == 1
    harvest.work(seconds=5)
    operations.process_until_empty(seconds=20)
    check(ask, trades)
    assert Backfill.objects.get(pk=run.pk).pages == 3


def test_signatures_that_were_taken_over_are_kept_once(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = a_month(1)
    fake_helius.chain.land(trades[:1])
    run = backfills.start_signatures("test", [base58(trade.signature) for trade in trades])
    outrun(monkeypatch, fetches, "fetch")
    step()
    counted = Backfill.objects.get(pk=run.pk)
    assert (counted.transactions, counted.unknown) == (1, 1)
    assert Delivery.objects.count() == 1


def test_a_failure_of_one_who_was_too_slow_puts_nothing_back(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pages(fake_helius, 5)
    run = backfills.start("test", backfills.trader_ids([wallet("ann")]))
    outrun(monkeypatch, walks, "take")
    calls = 0

    def second_fails(rpc: Rpc) -> bool:
        nonlocal calls
        calls += rpc.method == "getTransactionsForAddress"
        return calls == 2

    fake_helius.behaviour.fails = second_fails
    step()
    assert calls == 2
    assert Backfill.objects.get(pk=run.pk).failed_pages == 0
    page = BackfillPage.objects.get()
    assert (page.attempts, page.error, page.leased_until) == (0, "", None)


def test_who_is_not_heard_of_has_failed_and_the_next_one_has_more_time(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    backfills.start("test", backfills.trader_ids([wallet("ann")]))
    given = []
    for _ in range(3):
        let_leases_end()
        page = harvest._claim_page(None)
        assert page is not None
        assert page.leased_until is not None
        given.append(round((page.leased_until - timezone.now()) / leases.LEASE))
    assert given == [1, 2, 4]
    left = BackfillPage.objects.get()
    assert (left.attempts, left.error) == (2, leases.UNHEARD)
    assert not step()


def test_who_loses_the_database_lets_go(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = a_month(1)
    fake_helius.chain.land(trades)
    started(trades)

    def away(*_: object) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(harvest, "deliver", away)
        with pytest.raises(OperationalError):
            step()
    assert BackfillPage.objects.get().leased_until is None
    while step():
        pass
    operations.process_until_empty(seconds=20)
    check(ask, trades)
    assert not BackfillSignature.objects.exists()


def test_a_walk_asked_for_while_the_first_page_is_fetched_follows_it(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    """The page on its way was final before: what came since would be nobody's."""
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids)
    again = partial(backfills.start, "second", ids, after_seconds=0)
    asked = meanwhile(fake_helius, "getTransactionsForAddress", again)
    step()
    assert BackfillPage.objects.get().backfill_id == asked[0].pk
    assert step()
    assert len(asked_from(fake_helius)) == 2
    assert not BackfillPage.objects.exists()


def test_a_page_on_its_way_is_dropped_when_its_walk_is_to_begin_earlier(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = in_pages(fake_helius, 5)
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids, from_slot=trades[6].slot)
    earlier = partial(backfills.start, "second", ids, from_slot=0)
    meanwhile(fake_helius, "getTransactionsForAddress", earlier)
    step()
    assert not Delivery.objects.exists()
    harvest.work(seconds=5)
    operations.process_until_empty(seconds=20)
    check(ask, trades)


def test_what_is_hurried_while_it_is_fetched_counts_for_who_hurried_it(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = a_month(1)
    fake_helius.chain.land(trades)
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids)
    hurried = partial(backfills.start, "second", ids)
    asked = meanwhile(fake_helius, "getTransactionsForAddress", hurried)
    step()
    assert Backfill.objects.get(pk=asked[0].pk).pages == 1
