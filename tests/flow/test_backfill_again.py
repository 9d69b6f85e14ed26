"""Who asks for a walk that is queued already gets what they asked for, when they asked for it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest import backfills, harvest
from ingest.helius.client import helius
from ingest.models import BackfillPage
from tests.flow.bodies import wallet
from tests.flow.fake_helius import FakeHelius
from tests.flow.truth import Ask
from tests.flow.walking import asked_from, hurry, in_pages, place


def test_a_walk_that_is_due_sooner_is_followed_by_the_one_that_was_to_wait(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids)
    backfills.start("settling", ids, after_seconds=60)
    harvest.work(seconds=5)
    assert fake_helius.calls("getTransactionsForAddress") == 1
    assert BackfillPage.objects.get().not_before > timezone.now() + timedelta(seconds=50)
    hurry()
    harvest.work(seconds=5)
    assert not BackfillPage.objects.exists()


def test_a_walk_that_waits_and_is_hurried_comes_again_when_it_was_to_begin(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("settling", ids, after_seconds=60)
    backfills.start("hurried", ids)
    harvest.work(seconds=5)
    assert fake_helius.calls("getTransactionsForAddress") == 1
    assert BackfillPage.objects.get().not_before > timezone.now() + timedelta(seconds=50)


def test_a_walk_that_is_due_is_not_walked_twice_for_what_does_not_wait(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids)
    backfills.start("second", ids, after_seconds=0)
    harvest.work(seconds=5)
    assert not BackfillPage.objects.exists()


@pytest.mark.parametrize("asked", [[None, 100], [500, 100], [100, 500], [900, 500, 100], [None, 0]])
def test_a_queued_walk_begins_at_the_lowest_slot_it_was_asked_for(
    ask: Ask, fake_helius: FakeHelius, asked: list[int | None]
) -> None:
    """Also one that was to begin as far back as the settings say."""
    ids = backfills.trader_ids([wallet("ann")])
    for slot in asked:
        backfills.start("test", ids, from_slot=slot)
    harvest.work(seconds=5)
    assert asked_from(fake_helius) == [min(slot for slot in asked if slot is not None)]


@pytest.mark.parametrize("days", [1, 0])
def test_a_first_walk_goes_as_far_back_as_the_settings_say_whoever_asks_for_less(
    ask: Ask, fake_helius: FakeHelius, settings: Settings, days: int
) -> None:
    settings.HELIUS_HISTORY_DAYS = days
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids)
    backfills.start("second", ids, from_slot=fake_helius.chain.finalized - 10)
    harvest.work(seconds=5)
    history = fake_helius.chain.finalized - days * 24 * 3600 * 4
    assert asked_from(fake_helius) == [history if days else 0]


def test_a_walk_under_way_begins_anew_where_it_is_asked_to(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = in_pages(fake_helius, 5)
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids, from_slot=500)
    with helius() as opened:
        harvest.step(opened)
        backfills.start("second", ids, from_slot=100)
        harvest.step(opened)
    assert asked_from(fake_helius) == [500, 100]
    page = BackfillPage.objects.get()
    assert (page.from_slot, page.begin_by_slot, page.token) == (100, None, place(trades[4]))


def test_what_is_tried_again_now_is_what_has_failed(ask: Ask, fake_helius: FakeHelius) -> None:
    ann, bob = (backfills.trader_ids([wallet(name)]) for name in ("ann", "bob"))
    run = backfills.start("settling", [*ann, *bob], after_seconds=60)
    BackfillPage.objects.filter(pk__in=ann).update(attempts=1)
    assert backfills.resume([run.pk]) == 2
    due = BackfillPage.objects.filter(not_before__lte=timezone.now())
    assert list(due.values_list("pk", flat=True)) == ann
