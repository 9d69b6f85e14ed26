"""Fetches missing prices of SOL from the source; the price watch does so by itself for new ones."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

import pnl.prices
import pnl.queries
from ingest import pricing
from pnl.engine.pricing import last_ended
from pnl.imports import RowError
from pnl.price_rows import seconds_of

DAY_SECONDS = 24 * 3600


class Command(BaseCommand):
    """Asks only for what is missing; a second run over the same time asks for the gaps again."""

    help = (
        "Fetch the minute prices of SOL that are missing between two moments, and price the trades "
        "that waited for them. Exit code: 0, or 1 when prices were refused or the source has gaps, "
        "or 2 when it cannot be asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        moment = "in Unix seconds or ISO 8601 UTC (2025-01-31T12:30:00Z); default: "
        parser.add_argument("--from", dest="first", help=f"{moment}a day before the other end")
        parser.add_argument("--to", dest="last", help=f"{moment}the last minute that has ended")

    def handle(self, *args: Any, first: str | None, last: str | None, **options: Any) -> None:
        if not settings.SOL_PRICE_URL:
            raise CommandError("SOL_PRICE_URL is not set: README.md says how", returncode=2)
        until = last_ended(int(time.time())) if last is None else moment_of("--to", last)
        since = until - DAY_SECONDS if first is None else moment_of("--from", first)
        if since > until:
            raise CommandError("--from is later than --to", returncode=2)
        self._fetch(since, until)

    def _fetch(self, since: int, until: int) -> None:
        total, refused = pnl.prices.NOTHING, 0
        for fetched in tqdm(pricing.fetch_range(since, until), unit=" questions", disable=None):
            total = total.plus(fetched.saved)
            refused += len(fetched.refusals)
            for refusal in fetched.refusals:
                self.stderr.write(refusal)
            if fetched.failure:
                raise CommandError(fetched.failure, returncode=2)
        until = min(until, last_ended(int(time.time())))
        missing = len(pnl.queries.missing_minutes(since, until))
        self.stdout.write(
            f"{total.new} new, {refused} refused, {missing} missing; "
            f"{total.repriced} trades priced."
        )
        if refused or missing:
            sys.exit(1)


def moment_of(option: str, text: str) -> int:
    """The Unix seconds of an option. Raises CommandError."""
    try:
        return seconds_of(text)
    except RowError as error:
        raise CommandError(str(error).replace("minute", option, 1), returncode=2) from None
