"""The webhooks are looked after: off, drifted, silent or gone, somebody hears of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest import backfills, harvest, operations, tasks, watchdog
from ingest.models import Backfill, BackfillPage, Delivery, Door, Hearing
from pnl import alarms
from pnl.models import Trader
from pnl.operations import book_trades
from pumploss import celery
from tests.flow.bodies import SOL, Chain, base58, body_of, wallet
from tests.flow.fake_helius import FakeHelius, Fault
from tests.flow.truth import Ask, check

ANN, BOB = base58(wallet("ann")), base58(wallet("bob"))


@pytest.fixture
def good(ask: Ask, fake_helius: FakeHelius) -> FakeHelius:
    """Two watched wallets, a webhook with both of them, and something delivered just now."""
    Trader.objects.filter(pk__in=watch("ann", "bob")).update(watched=True)
    register(fake_helius, [ANN, BOB])
    operations.accept(b"[]")
    return fake_helius


def watch(*names: str) -> list[int]:
    return backfills.trader_ids([wallet(name) for name in names])


def register(fake: FakeHelius, addresses: Sequence[str], **fields: object) -> str:
    made = fake.rest(
        "POST",
        "/v0/webhooks",
        {
            "webhookURL": "https://losers.example/webhooks/helius/",
            "accountAddresses": list(addresses),
            "webhookType": "raw",
            **fields,
        },
    )
    return str(made["webhookID"])


def standing() -> dict[str, str]:
    return {alarm.kind: alarm.detail for alarm in alarms.standing()}


def look() -> dict[str, str]:
    """One look of the watchdog; the alarms that stand after it."""
    tasks.watch_webhooks()
    return standing()


def test_a_good_webhook_is_left_alone(good: FakeHelius) -> None:
    assert look() == {}
    assert [seen.method for seen in good.seen] == ["GET"]
    assert not Backfill.objects.exists()


def test_trap_26_a_webhook_that_was_switched_off_is_switched_on_again(
    ask: Ask, good: FakeHelius
) -> None:
    missed = Chain("missed").loss("ann", SOL)
    good.chain.land(missed)
    (webhook,) = good.webhooks.values()
    webhook["active"] = False
    alarmed = look()
    assert webhook["webhookID"] in alarmed["webhook_disabled"]
    assert webhook["active"] is True
    run = Backfill.objects.get()
    assert (run.scope, run.traders) == ("a webhook was switched off", 2)
    soonest = timezone.now() + timedelta(seconds=backfills.SETTLING_SECONDS - 5)
    assert BackfillPage.objects.filter(not_before__gt=soonest).count() == 2
    BackfillPage.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    harvest.work(seconds=5)
    operations.process_until_empty(seconds=20)
    check(ask, missed)
    assert look() == {}


def test_a_webhook_that_will_not_be_switched_on_keeps_its_alarm(good: FakeHelius) -> None:
    (webhook,) = good.webhooks.values()
    webhook["active"] = False
    good.behaviour.refuses_to_switch = True
    assert set(look()) == {"webhook_disabled"}
    assert set(look()) == {"webhook_disabled"}
    assert not Backfill.objects.exists()
    good.behaviour.refuses_to_switch = False
    look()
    assert Backfill.objects.count() == 1
    assert look() == {}


def test_a_switch_that_fails_is_told(good: FakeHelius) -> None:
    (webhook,) = good.webhooks.values()
    webhook["active"] = False
    good.behaviour.refuses = frozenset({"PATCH"})
    assert "switch webhook: 503" in look()["helius_unreachable"]
    assert "webhook_disabled" in standing()
    assert not Backfill.objects.exists()
    good.behaviour.refuses = frozenset()
    look()
    assert Backfill.objects.count() == 1
    assert look() == {}


@pytest.mark.parametrize("place", [0, 1])
def test_one_webhook_that_cannot_be_switched_does_not_cost_the_walk_for_another(
    good: FakeHelius, place: int
) -> None:
    register(good, [])
    for webhook in good.webhooks.values():
        webhook["active"] = False
    bad = list(good.webhooks)[place]
    good.behaviour.refuses = frozenset({f"PATCH /v0/webhooks/{bad}"})
    assert "switch webhook: 503" in look()["helius_unreachable"]
    assert [each["active"] for each in good.webhooks.values()].count(True) == 1
    assert Backfill.objects.get().scope == "a webhook was switched off"


def test_a_webhook_that_was_switched_and_cannot_be_read_is_walked_for(good: FakeHelius) -> None:
    (webhook,) = good.webhooks.values()
    webhook["active"] = False
    good.behaviour.refuses = frozenset({f"GET /v0/webhooks/{webhook['webhookID']}"})
    assert "read webhook: 503" in look()["helius_unreachable"]
    assert webhook["active"] is True
    assert Backfill.objects.count() == 1
    good.behaviour.refuses = frozenset()
    assert look() == {}
    assert Backfill.objects.count() == 1


def test_only_the_webhooks_that_post_to_us_are_ours(good: FakeHelius) -> None:
    foreign = register(good, [BOB], webhookURL="https://other.example/webhooks/helius/")
    good.webhooks[foreign]["active"] = False
    assert look() == {}
    assert good.webhooks[foreign]["active"] is False


def test_addresses_that_drifted_are_told_until_they_are_right(good: FakeHelius) -> None:
    carl, dora = base58(wallet("carl")), base58(wallet("dora"))
    Trader.objects.filter(pk__in=watch("carl")).update(watched=True)
    (webhook,) = good.webhooks.values()
    webhook["accountAddresses"].append(dora)
    detail = look()["webhook_addresses"]
    assert f"1 watched wallets are not registered (such as {carl})" in detail
    assert f"1 registered ones are not watched (such as {dora})" in detail
    webhook["accountAddresses"] = [ANN, BOB, carl]
    assert look() == {}


def test_silence_is_told_once_and_asked_about_once(good: FakeHelius, settings: Settings) -> None:
    settings.HELIUS_SILENCE_MINUTES = 10
    Delivery.objects.update(received_at=timezone.now() - timedelta(minutes=11))
    operations.accept(b"[]", door=Door.BACKFILL)
    assert "No delivery for 10 minutes" in look()["webhook_silent"]
    look()
    assert Backfill.objects.get().scope == "the webhooks are silent"
    operations.accept(body_of(Chain("heard").loss("ann", SOL)))
    assert look() == {}


def test_a_webhook_that_never_brought_anything_is_silent_in_the_end(
    good: FakeHelius, settings: Settings
) -> None:
    Delivery.objects.all().delete()
    assert look() == {}
    Hearing.objects.update(since=timezone.now() - timedelta(minutes=31))
    assert "the last one came: never" in look()["webhook_silent"]


def test_what_the_inbox_has_moved_on_was_heard(good: FakeHelius) -> None:
    assert look() == {}
    Delivery.objects.all().delete()
    Hearing.objects.update(since=timezone.now() - timedelta(days=9))
    assert look() == {}


def test_silence_can_be_meant(good: FakeHelius, settings: Settings) -> None:
    settings.HELIUS_SILENCE_MINUTES = 0
    look()
    Hearing.objects.update(heard_at=timezone.now() - timedelta(days=1))
    Delivery.objects.all().delete()
    assert look() == {}


def test_no_webhook_at_all_is_told(ask: Ask, fake_helius: FakeHelius) -> None:
    assert (
        "No webhook posts to https://losers.example/webhooks/helius/" in look()["webhook_missing"]
    )


def test_without_our_own_address_nobody_knows_which_are_ours(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    settings.PUBLIC_URL = ""
    assert "PUBLIC_URL" in look()["webhook_missing"]
    assert fake_helius.seen == []


def test_helius_out_of_reach_is_told_until_it_answers(good: FakeHelius) -> None:
    good.behaviour.faults = [Fault(503)] * 2
    assert "list webhooks: 503" in look()["helius_unreachable"]
    assert look() == {}


def test_the_periods_are_there_only_with_a_key() -> None:
    """A key in the environment of the clock decides; the tasks exist in any case."""
    ours = (tasks.watch_webhooks, tasks.queue_due_backfills, tasks.work_backfills)
    names = {task.name for task in (*ours, tasks.fetch_enrichments)}
    assert {period["task"] for period in celery.HELIUS_PERIODS.values()} == names
    assert names <= set(celery.app.conf.task_routes)


def test_the_tasks_queue_and_fetch_what_is_due(ask: Ask, good: FakeHelius) -> None:
    missed = Chain("tasks").loss("ann", SOL)
    good.chain.land(missed)
    tasks.queue_due_backfills()
    tasks.work_backfills()
    tasks.process_inbox()
    check(ask, missed)
    with transaction.atomic():
        assert book_trades(missed).booked == 0


def test_the_kinds_of_alarms_differ() -> None:
    kinds = [watchdog.UNREACHABLE, watchdog.MISSING, watchdog.DISABLED, watchdog.SILENT]
    assert len(set(kinds)) == len(kinds)
