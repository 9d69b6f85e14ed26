"""Saves prices of SOL from a CSV file; `pnl.price_rows` knows its columns."""

import sys
import time
import zlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

import pnl.prices
from pnl.engine.pricing import last_ended
from pnl.management.commands.import_trades import batches, opened
from pnl.price_rows import COLUMNS, is_header, read_rows
from pnl.prices import Saved


class Command(BaseCommand):
    """Batches commit one by one; a second run over the same file changes nothing."""

    help = (
        "Save the prices of FILE.csv or FILE.csv.gz with the columns minute,usd: the start of a "
        "minute in Unix seconds or ISO 8601 UTC, and what one SOL cost in US dollars. Rows that "
        "are no prices, or contradict a known price, are listed on stderr with their line and the "
        "reason, and the others are saved. Exit code: 0, or 1 when rows were rejected, or 2 when "
        "the file cannot be used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv[.gz]")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="prices of the file replace known ones that differ; their trades are priced anew",
        )

    def handle(self, *args: Any, file: Path, replace: bool, **options: Any) -> None:
        try:
            saved, rejected = self._import(file, replace=replace)
        # A file that is cut off or damaged fails where the damage is, batches later.
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{file} cannot be read: {error}", returncode=2) from error
        self.stdout.write(
            f"{saved.new} new, {saved.replaced} replaced, {saved.known} already known, "
            f"{rejected} rejected; {saved.repriced} trades priced."
        )
        if rejected:
            sys.exit(1)

    def _import(self, file: Path, *, replace: bool) -> tuple[Saved, int]:
        total, rejected = pnl.prices.NOTHING, 0
        with opened(file) as (lines, raw), self._bar(file) as bar:
            if not is_header(next(lines, "")):
                message = f"{file} does not begin with the columns {','.join(COLUMNS)}"
                raise CommandError(message, returncode=2)
            rows = read_rows(lines, latest=last_ended(int(time.time())))
            for batch in batches(rows):
                saved, rejects = pnl.prices.save_rows(batch, source=file.name, replace=replace)
                total = total.plus(saved)
                rejected += len(rejects)
                bar.clear()
                for reject in rejects:
                    self.stderr.write(f"line {reject.line}: {reject.reason}")
                bar.update(raw.tell() - bar.n)
        return total, rejected

    def _bar(self, file: Path) -> "tqdm[Any]":
        """How far into the file we are, in its own bytes; drawn on a terminal only."""
        size = file.stat().st_size
        return tqdm(total=size, unit="B", unit_scale=True, disable=None, desc=file.name)
