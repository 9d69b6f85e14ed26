"""Who asks for a walk that is queued already gets what they asked for, when they asked for it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ingest import backfills, harvest
from ingest.models import BackfillPage
from tests.flow.bodies import wallet
from tests.flow.fake_helius import FakeHelius
from tests.flow.truth import Ask
from tests.flow.walking import hurry


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


@pytest.mark.parametrize("before", [None, 500])
def test_a_queued_walk_begins_where_it_is_asked_to(ask: Ask, before: int | None) -> None:
    """Also one that was to begin as far back as the settings say."""
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids, from_slot=before)
    backfills.start("second", ids, from_slot=100)
    assert BackfillPage.objects.get().from_slot == 100
