"""What was booked moves to the archive, can be found and run again there, and leaves no hole."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest import archive, queries
from ingest import operations as inbox
from ingest.bodies import packed, unpacked
from ingest.models import Archived, Delivery
from pumploss.stack.places import CLONE
from tests.bench.aside import Aside
from tests.flow.bodies import SOL, Chain, body_of
from tests.flow.running import RunningStack
from tests.flow.truth import Ask, check, check_wallets, settle

ROUNDS = 5
PER_ROUND = 400
PARTITION_OF_ROW = "SELECT tableoid::regclass::text FROM ingest_archived WHERE id = %s"


@pytest.fixture(autouse=True)
def _without_old_days(ask: Ask) -> Iterator[None]:
    """Every test makes the partitions it needs."""
    yield
    with connection.cursor() as cursor:
        for day in queries.archived_days():
            cursor.execute(f"DROP TABLE ingest_archived_{day:%Y%m%d}")


def processed(name: str, *, at: datetime | None = None) -> int:
    """A booked delivery."""
    pk = inbox.accept(body_of(Chain(name).loss(name, SOL)))
    inbox.process_pending()
    if at is not None:
        Delivery.objects.filter(pk=pk).update(processed_at=at)
    return pk


def soon() -> datetime:
    """A moment before which everything was processed."""
    return timezone.now() + timedelta(seconds=1)


def test_a_processed_delivery_is_kept_compressed_with_all_that_is_known_of_it(ask: Ask) -> None:
    pk = processed("ann")
    before = Delivery.objects.get(pk=pk)
    assert archive.archive(before=soon()) == 1
    assert not Delivery.objects.exists()
    kept = Archived.objects.get(pk=pk)
    same = ("received_at", "size_bytes", "attempts", "processed_at", "trades", "dropped")
    assert [getattr(kept, name) for name in same] == [getattr(before, name) for name in same]
    assert bytes(kept.body) == bytes(before.body)
    assert len(kept.body) < kept.size_bytes == len(unpacked(bytes(kept.body)))


def test_only_what_was_booked_some_minutes_ago_is_archived(ask: Ask) -> None:
    processed("ann")
    inbox.accept(b"[broken")
    inbox.process_pending()
    inbox.accept(body_of(Chain("bob").loss("bob", SOL)))
    assert archive.archive_until_done(seconds=5) == 0
    Delivery.objects.processed().update(processed_at=timezone.now() - 2 * archive.AFTER)
    Delivery.objects.set_aside().update(set_aside_at=timezone.now() - timedelta(days=99))
    assert archive.archive_until_done(seconds=5) == 1
    assert Delivery.objects.pending().count() == 1
    assert Delivery.objects.set_aside().count() == 1


def test_a_delivery_that_somebody_holds_is_archived_later(ask: Ask) -> None:
    held = processed("ann")
    free = processed("bob")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT 1 FROM ingest_delivery WHERE id = %s FOR UPDATE", [held])
        assert archive.archive(before=soon()) == 1
    assert Archived.objects.get().pk == free
    assert archive.archive(before=soon()) == 1


def test_an_archived_delivery_is_run_again_and_changes_nothing(ask: Ask) -> None:
    trades = Chain("again").loss("ann", SOL)
    body = body_of(trades)
    pk = inbox.accept(body)
    received = Delivery.objects.get(pk=pk).received_at
    inbox.process_pending()
    archive.archive(before=soon())
    assert inbox.reprocess([pk, 987_654_321]) == 1
    back = Delivery.objects.pending().get(pk=pk)
    assert (unpacked(bytes(back.body)), back.received_at, back.attempts) == (body, received, 1)
    assert not Archived.objects.exists()
    assert inbox.process_pending() == inbox.Report(1, 0, 2, 0)
    assert Delivery.objects.get(pk=pk).attempts == 2
    assert archive.archive(before=soon()) == 1
    check(ask, trades)


def test_every_day_has_a_partition_and_the_next_one_is_ready(ask: Ask) -> None:
    archive.prepare(date(2026, 11, 24))
    assert list(queries.archived_days()) == [date(2026, 11, 24), date(2026, 11, 25)]
    late = processed("late", at=datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC))
    archive.archive(before=soon())
    with connection.cursor() as cursor:
        cursor.execute(PARTITION_OF_ROW, [late])
        assert cursor.fetchall() == [("ingest_archived_20261120",)]


def test_whole_days_are_forgotten_once_they_were_kept_long_enough(
    ask: Ask, settings: Settings
) -> None:
    settings.INBOX_KEEP_DAYS = 3
    today = timezone.now().date()
    for age in range(6):
        processed(f"aged {age}", at=timezone.now() - timedelta(days=age))
    inbox.accept(b"[broken")
    Delivery.objects.pending().update(received_at=timezone.now() - timedelta(days=99))
    inbox.process_pending()
    archive.archive(before=soon())
    archive.prepare(today)
    kept = sorted(each.processed_at.date() for each in Archived.objects.all())
    assert kept == [today - timedelta(days=age) for age in (3, 2, 1, 0)]
    assert queries.storage().oldest_day == today - timedelta(days=3)
    assert Delivery.objects.set_aside().count() == 1


def test_what_was_set_aside_for_long_is_kept_as_long_as_others_once_it_is_booked(
    ask: Ask, settings: Settings
) -> None:
    settings.INBOX_KEEP_DAYS = 3
    pk = inbox.accept(body_of(Chain("long").loss("ann", SOL)))
    now = timezone.now()
    old = {"received_at": now - timedelta(days=15), "set_aside_at": now - timedelta(days=15)}
    Delivery.objects.filter(pk=pk).update(**old)
    assert inbox.reprocess([pk]) == 1
    inbox.process_pending()
    assert archive.archive(before=soon()) == 1
    for days, is_kept in ((0, True), (3, True), (4, False)):
        archive.prepare(now.date() + timedelta(days=days))
        assert Archived.objects.filter(pk=pk).exists() is is_kept


def test_an_archive_that_is_in_use_is_left_alone_for_now(ask: Ask, settings: Settings) -> None:
    processed("ann")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT count(*) FROM ingest_archived")
        assert archive.archive_until_done(seconds=1) == 0
    assert queries.archived_days() == {}
    assert Delivery.objects.processed().count() == 1


def test_the_space_of_the_inbox_is_used_again(ask: Ask) -> None:
    sizes = []
    body = body_of(Chain("full").at_random(Random(1), 9))
    for _ in range(ROUNDS):
        for _ in range(PER_ROUND):
            inbox.accept(body)
        while inbox.process_pending().deliveries:
            continue
        while archive.archive(before=soon()):
            continue
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ingest_delivery")
        sizes.append(queries.storage().inbox_bytes)
    assert Archived.objects.count() == ROUNDS * PER_ROUND
    assert max(sizes[2:]) <= 1.05 * sizes[1], sizes


def plan_of(cursor: CursorWrapper, statement: str, params: Any) -> str:
    """How the statement was executed."""
    cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}", params)
    return "\n".join(line for (line,) in cursor.fetchall())


def test_the_claim_looks_only_at_what_waits_whatever_else_lies_there(ask: Ask) -> None:
    for _ in range(60):
        inbox.accept(b"[]")
    inbox.process_pending()
    waiting = inbox.accept(b"[]")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ingest_delivery")
        cursor.execute(queries.LOOK_UPS_ARE_CHEAP.replace("LOCAL ", ""))
        plans = [
            plan_of(cursor, queries.AHEAD, {"last": 0, "limit": 1000, "room": 10**9, "must": True}),
            plan_of(cursor, queries.CLAIM, [0, waiting, 1000]),
        ]
        cursor.execute("RESET random_page_cost")
    for plan in plans:
        assert "Index Scan using delivery_pending" in plan, plan
    assert [each.id for each in _claimed()] == [waiting]


def _claimed() -> list[queries.Waiting]:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            return queries.claim(limit=10)
        finally:
            cursor.execute("ROLLBACK")


def test_what_is_kept_is_told_where_alarms_look(ask: Ask, client: Client) -> None:
    archive.prepare(date(2026, 11, 24))
    lines = client.get("/metrics").content.decode().splitlines()
    assert "pumploss_archived_estimate 0" in lines
    midnight = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
    assert f"pumploss_archived_since_timestamp_seconds {midnight}" in lines
    assert any(line.startswith("pumploss_inbox_size_bytes ") for line in lines)
    inbox_status = client.get("/api/v1/status/").json()["inbox"]
    assert inbox_status["oldest_archived_day"] == "2026-11-24"


def _die(_: object) -> None:
    os._exit(137)


def test_a_worker_that_dies_while_it_archives_leaves_everything_where_it_was(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = processed("ann")
    archive.prepare(timezone.now().date())
    with monkeypatch.context() as patch:
        patch.setattr(archive, "_make_days", _die)
        with Aside(archive_now) as worker, pytest.raises(RuntimeError):
            worker.result()
    assert Delivery.objects.processed().filter(pk=pk).exists()
    assert not Archived.objects.exists()
    assert archive_now() == 1


def archive_now() -> int:
    """One batch of whatever was processed."""
    return archive.archive(before=soon())


AGE = "UPDATE ingest_delivery SET processed_at = processed_at - interval '1 hour' WHERE body = %s"
IN_ARCHIVE = "SELECT id FROM ingest_archived WHERE received_at > now() - interval '1 hour'"
STATE = "SELECT processed_at IS NOT NULL, attempts, body FROM ingest_delivery WHERE id = %s"


def test_a_running_site_archives_by_itself_and_runs_again_what_it_is_told(
    running_stack: RunningStack,
) -> None:
    trades = Chain("by itself").loss("by itself", SOL)
    body = body_of(trades)
    assert running_stack.post(body) == 200
    settle(running_stack)
    running_stack.sql(AGE, [packed(body)])
    ((pk,),) = running_stack.wait_until(lambda: running_stack.sql(IN_ARCHIVE), 30)
    again = ["manage.py", "reprocess", f"--id={pk}"]
    done = subprocess.run(
        [sys.executable, *again],
        cwd=CLONE,
        env=running_stack.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Deliveries put back into the inbox: 1.\n"
    settle(running_stack)
    assert running_stack.sql(STATE, [pk]) == [(True, 2, packed(body))]
    check_wallets(running_stack, trades)
