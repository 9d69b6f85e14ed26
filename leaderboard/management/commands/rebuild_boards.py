"""Sums every trader again and writes every standing anew."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from leaderboard import operations


class Command(BaseCommand):
    """Harmless at any time: what a refresh writes depends on the ledger alone."""

    help = "Sum every trader again on all boards; needs no running worker, and minds none."

    def handle(self, *args: Any, **options: Any) -> None:
        touched = operations.rebuild(now=datetime.now(UTC))
        summed = 0
        with tqdm(total=touched, unit=" traders", disable=None) as bar:
            # Running workers may take some of them, and on a busy site there is always one more.
            while summed < touched and (done := operations.refresh(now=datetime.now(UTC)).traders):
                summed += done
                bar.update(done)
        self.stdout.write(f"{touched} traders touched, {summed} summed here.")
