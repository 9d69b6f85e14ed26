"""What fails stays queued and is tried again; what is killed goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from ingest import backfills, harvest, operations, waiting
from ingest.helius.client import helius
from ingest.models import Backfill, BackfillPage
from pnl import alarms
from pumploss.stack.places import CLONE
from tests.flow.bodies import SOL, Chain, wallet
from tests.flow.fake_helius import FakeHelius, Fault, Rpc
from tests.flow.truth import Ask, check
from tests.flow.walking import (
    ANN,
    a_month,
    hurry,
    in_pages,
    is_page_after,
    let_leases_end,
    place,
    walk,
    walk_and_fail,
)


def test_a_missing_page_stays_queued_and_comes_later(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = in_pages(fake_helius, 5)
    fake_helius.behaviour.fails = is_page_after(place(trades[4]))
    told = walk_and_fail()
    assert "1 wallets and 0 signatures are still queued (1 of them failed" in told
    assert "internal error" in told
    check(ask, trades[:5])
    page = BackfillPage.objects.get()
    assert (page.token, page.attempts) == (place(trades[4]), 1)
    assert page.not_before > timezone.now()
    fake_helius.behaviour.fails = lambda _rpc: False
    harvest.work(seconds=5)
    assert BackfillPage.objects.exists()
    BackfillPage.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    harvest.work(seconds=5)
    operations.process_until_empty(seconds=20)
    check(ask, trades)
    run = Backfill.objects.get()
    assert (run.failed_pages, run.pages) == (1, 3)
    assert run.finished_at is not None


def test_a_page_comes_back_when_helius_said(ask: Ask, fake_helius: FakeHelius) -> None:
    backfills.start("test", backfills.trader_ids([wallet("ann")]))
    fake_helius.behaviour.faults = [Fault(429, retry_after="1800")]
    harvest.work(seconds=5)
    pause = BackfillPage.objects.get().not_before - timezone.now()
    assert timedelta(minutes=29) < pause <= timedelta(minutes=30)


def test_pauses_grow_with_every_failure(ask: Ask, fake_helius: FakeHelius) -> None:
    backfills.start("test", backfills.trader_ids([wallet("ann")]))
    fake_helius.behaviour.fails = lambda _rpc: True
    pauses = []
    for _ in range(3):
        hurry()
        harvest.work(seconds=5)
        pauses.append((BackfillPage.objects.get().not_before - timezone.now()).total_seconds())
    assert [round(pause / 15) for pause in pauses] == [1, 2, 4]
    assert Backfill.objects.get().failed_pages == 3


def test_a_walk_that_is_asked_for_meanwhile_follows_the_one_under_way(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = in_pages(fake_helius, 5)
    fake_helius.chain.finalized = trades[9].slot - 1
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids)
    with helius() as asked:
        harvest.step(asked)
        fake_helius.chain.finalized = trades[-1].slot
        second = backfills.start("second", ids, after_seconds=60)
        while harvest.step(asked):
            pass
    page = BackfillPage.objects.get()
    assert page.not_before > timezone.now() + timedelta(seconds=50)
    assert (page.until_slot, page.token, page.again_at) == (None, "", None)
    hurry()
    harvest.work(seconds=5)
    operations.process_until_empty(seconds=20)
    check(ask, trades)
    assert not BackfillPage.objects.exists()
    assert Backfill.objects.get(pk=second.pk).finished_at is not None


def test_a_walk_that_ends_at_the_moment_it_is_asked_for_is_not_lost(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    ids = backfills.trader_ids([wallet("ann")])
    backfills.start("first", ids)
    with ThreadPoolExecutor(1) as elsewhere:
        with transaction.atomic():
            page = waiting.claim_page()
            assert page is not None
            asked = elsewhere.submit(started_elsewhere, ids)
            wait_for(is_waited_for)
            page.delete()
        asked.result()
    assert BackfillPage.objects.get().backfill.scope == "second"


def started_elsewhere(trader_ids: list[int]) -> None:
    try:
        backfills.start("second", trader_ids)
    finally:
        connection.close()


def is_waited_for() -> bool:
    """Whether another connection waits for a lock that somebody holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_what_fails_again_and_again_is_an_alarm_until_it_comes(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    backfills.start("test", backfills.trader_ids([wallet("ann")]))
    fake_helius.behaviour.fails = lambda _rpc: True
    heard = []
    for _ in range(harvest.STUCK_ATTEMPTS):
        hurry()
        harvest.work(seconds=5)
        heard.append([alarm.kind for alarm in alarms.standing()])
    assert heard == [[]] * (harvest.STUCK_ATTEMPTS - 1) + [[harvest.STUCK]]
    assert "getSlot: 200 error -32603" in alarms.standing()[0].detail
    fake_helius.behaviour.fails = lambda _rpc: False
    hurry()
    harvest.work(seconds=5)
    assert alarms.standing() == []


class Killed(BaseException):
    """The process is gone."""


def test_a_walk_that_was_killed_goes_on_where_it_was(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = in_pages(fake_helius, 4)
    kept = harvest._keep_page
    calls = []

    def killed_in_the_second(*arguments: object) -> None:
        kept(*arguments)  # type: ignore[arg-type]
        calls.append(arguments)
        if len(calls) == 2:
            raise Killed

    monkeypatch.setattr(harvest, "_keep_page", killed_in_the_second)
    with pytest.raises(Killed):
        walk()
    monkeypatch.setattr(harvest, "_keep_page", kept)
    assert BackfillPage.objects.get().token == place(trades[3])
    operations.process_until_empty(seconds=20)
    check(ask, trades[:4])
    walk()
    check(ask, trades)
    assert sum(Backfill.objects.values_list("pages", flat=True)) == 3
    assert not Backfill.objects.filter(finished_at__isnull=True).exists()


def test_two_workers_never_fetch_the_same_page(ask: Ask, fake_helius: FakeHelius) -> None:
    backfills.start("test", backfills.trader_ids([wallet("ann"), wallet("bob")]))
    with transaction.atomic():
        mine = waiting.claim_page()
        assert mine is not None
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(worked_elsewhere).result()
    left = BackfillPage.objects.get()
    assert left.trader_id == mine.trader_id


def worked_elsewhere() -> bool:
    """In a thread, and so on a connection, of its own."""
    try:
        with helius() as asked:
            harvest.step(asked)
            return not harvest.step(asked)
    finally:
        connection.close()


def test_a_page_that_breaks_the_code_costs_the_others_nothing(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = [*a_month(1), *Chain("other").loss("bob", SOL)]
    fake_helius.chain.land(trades)
    ann, bob = (backfills.trader_ids([wallet(name)])[0] for name in ("ann", "bob"))
    backfills.start("test", [ann, bob])
    kept = harvest._keep_page

    def broken(page: BackfillPage, taken: object) -> None:
        if page.trader_id == ann:
            raise KeyError("no such thing")
        kept(page, taken)  # type: ignore[arg-type]

    monkeypatch.setattr(harvest, "_keep_page", broken)
    harvest.work(seconds=5)
    operations.process_until_empty(seconds=20)
    check(ask, trades[2:])
    left = BackfillPage.objects.get()
    assert (left.trader_id, left.attempts, left.error) == (ann, 1, "KeyError: 'no such thing'")


def test_a_process_that_is_killed_while_it_waits_is_followed_by_another(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = in_pages(fake_helius, 5)
    fake_helius.behaviour.fails = hanging_behind(place(trades[4]))
    process = subprocess.Popen(
        [sys.executable, "manage.py", "backfill", "--trader", ANN],
        cwd=CLONE,
        env=elsewhere(fake_helius),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(BackfillPage.objects.exclude(token="").exclude(leased_until=None).exists)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    fake_helius.behaviour.fails = lambda _rpc: False
    assert "being fetched elsewhere" in walk_and_fail()
    let_leases_end()
    walk()
    check(ask, trades)
    assert sum(Backfill.objects.values_list("pages", flat=True)) == 3


def hanging_behind(token: str) -> Callable[[Rpc], bool]:
    """The page behind a place takes its time."""

    def hangs(rpc: Rpc) -> bool:
        if is_page_after(token)(rpc):
            time.sleep(2)
        return False

    return hangs


def elsewhere(fake: FakeHelius) -> dict[str, str]:
    """The environment of another process on the tables of this test."""
    database = urlsplit(settings.DATABASE_URL)
    return {
        **os.environ,
        "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "HELIUS_API_KEY": fake.key,
        "HELIUS_API_URL": fake.url,
        "HELIUS_RPC_URL": fake.url,
    }


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
