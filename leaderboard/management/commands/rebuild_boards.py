"""Sums every trader again and writes every standing anew."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

import pnl.queries
from leaderboard import operations


class Command(BaseCommand):
    """Harmless at any time: what a refresh writes depends on the ledger alone."""

    help = "Sum every trader again on all boards; needs no running worker, and minds none."

    def handle(self, *args: Any, **options: Any) -> None:
        traders = operations.rebuild(now=datetime.now(UTC))
        # On a busy site somebody is always waiting: what came after the last one is not ours.
        last = pnl.queries.last_touched()
        waiting = pnl.queries.touched_until(last)
        with tqdm(total=waiting, unit=" notes", disable=None) as bar:
            while waiting:
                operations.refresh(now=datetime.now(UTC))
                still = pnl.queries.touched_until(last)
                bar.update(waiting - still)
                waiting = still
        self.stdout.write(f"{traders} traders summed again on every board.")
