"""Wake-ups of the boards."""

from typing import Any

from celery import shared_task

from leaderboard import operations
from pnl import kicks

WORK_SECONDS = 10


@shared_task
def refresh_boards(**_: Any) -> None:
    """Sum again who is due, until nobody is."""
    kicks.awake(operations.REFRESH_TASK)
    operations.refresh_until_quiet(seconds=WORK_SECONDS)
