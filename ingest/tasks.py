"""Wake-ups of the inbox and of the price watch. The rows are the queue; a task only says: look."""

from typing import Any

from celery import shared_task

from ingest import archive, backfills, enrichments, harvest, operations, pricing, watchdog
from pnl import kicks

# After these a wake-up begins no other step (nothing else would end it), so that the worker's other
# tasks have their turn; what is left is found by the next one.
WORK_SECONDS = 20
# The archive never keeps the worker from the inbox for long.
ARCHIVE_SECONDS = 2


@shared_task
def process_inbox(**_: Any) -> None:
    """Book what waits in the inbox, and wake the boards."""
    kicks.awake(operations.INBOX_TASK)
    operations.process_until_empty(seconds=WORK_SECONDS)


@shared_task
def archive_inbox(**_: Any) -> None:
    """Move what was booked some minutes ago out of the inbox."""
    archive.archive_until_done(seconds=ARCHIVE_SECONDS)


@shared_task
def watch_sol_price(**_: Any) -> None:
    """Fetch the newest prices of SOL and those that trades wait for."""
    pricing.watch()


@shared_task
def watch_webhooks(**_: Any) -> None:
    """Look after the webhooks at Helius."""
    watchdog.watch()


@shared_task
def queue_due_backfills(**_: Any) -> None:
    """Queue the walks that are due by the clock."""
    backfills.start_due()


@shared_task
def work_backfills(**_: Any) -> None:
    """Fetch what is queued; what is left is found by the next one."""
    harvest.work(seconds=WORK_SECONDS)


@shared_task
def fetch_enrichments(**_: Any) -> None:
    """Fetch raw what came enhanced."""
    enrichments.work(seconds=WORK_SECONDS)
