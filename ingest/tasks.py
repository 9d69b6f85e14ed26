"""Wake-ups of the inbox. The rows are the queue; a task only says: look."""

from typing import Any

from celery import shared_task

from ingest import operations
from pnl import kicks

# A wake-up ends well before the task's time limit; what is left is found by the next one.
WORK_SECONDS = 20


@shared_task
def process_inbox(**_: Any) -> None:
    """Book what waits in the inbox, and wake the boards."""
    kicks.awake(operations.INBOX_TASK)
    operations.process_until_empty(seconds=WORK_SECONDS)
