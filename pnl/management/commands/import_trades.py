"""Books a list of trades from a CSV file; `pnl.imports` knows its columns."""

import gzip
import sys
import time
import zlib
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

import pnl.operations
from pnl.engine.trades import Trade
from pnl.imports import COLUMNS, Reject, is_header, read_rows
from pnl.operations import Booking

BATCH_ROWS = 5000
# A block time may be ahead of a clock that is a little slow.
AHEAD_SECONDS = 3600
NOTHING = Booking(0, 0, 0)

Row = Trade | Reject
T = TypeVar("T")


class Command(BaseCommand):
    """Batches commit one by one; a second run over the same file changes nothing."""

    help = (
        "Book the trades of FILE.csv or FILE.csv.gz with the columns "
        f"{','.join(COLUMNS)}. Rows that are no trades are listed on stderr with their line and "
        "the reason, and the others are booked. Exit code: 0, or 1 when rows were rejected, or 2 "
        "when the file cannot be used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv[.gz]")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            booking, rejected = self._import(file)
        # A file that is cut off or damaged fails where the damage is, batches later.
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{file} cannot be read: {error}", returncode=2) from error
        self.stdout.write(
            f"{booking.booked} booked, {booking.duplicates} already known, {rejected} rejected."
        )
        self.stdout.write("Running workers refresh the boards; else: manage.py rebuild_boards")
        if rejected:
            sys.exit(1)

    def _import(self, file: Path) -> tuple[Booking, int]:
        booking, rejected = NOTHING, 0
        with opened(file) as (lines, raw), self._bar(file) as bar:
            if not is_header(next(lines, "")):
                message = f"{file} does not begin with the columns {','.join(COLUMNS)}"
                raise CommandError(message, returncode=2)
            rows = read_rows(lines, latest=int(time.time()) + AHEAD_SECONDS)
            for batch in batches(rows):
                booked = book(batch)
                booking = Booking(*(a + b for a, b in zip(booking, booked, strict=True)))
                rejected += self._list_rejects(batch, bar)
                bar.update(raw.tell() - bar.n)
        return booking, rejected

    def _bar(self, file: Path) -> "tqdm[Any]":
        """How far into the file we are, in its own bytes; drawn on a terminal only."""
        size = file.stat().st_size
        return tqdm(total=size, unit="B", unit_scale=True, disable=None, desc=file.name)

    def _list_rejects(self, batch: Iterable[Row], bar: "tqdm[Any]") -> int:
        rejects = [row for row in batch if isinstance(row, Reject)]
        if rejects:
            bar.clear()
        for reject in rejects:
            self.stderr.write(f"line {reject.line}: {reject.reason}")
        return len(rejects)


@contextmanager
def opened(file: Path) -> Iterator[tuple[TextIO, BinaryIO]]:
    """The file as lines of text, and its own bytes beneath. What is no UTF-8 fails in its row."""
    with file.open("rb") as raw:
        plain = gzip.GzipFile(fileobj=raw) if file.suffix == ".gz" else raw
        with TextIOWrapper(plain, encoding="utf-8-sig", errors="replace") as lines:
            yield lines, raw


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows in lists that are committed together."""
    source = iter(rows)
    while batch := list(islice(source, BATCH_ROWS)):
        yield batch


def book(batch: Iterable[Row]) -> Booking:
    """One batch, whole or not at all."""
    with transaction.atomic():
        return pnl.operations.book_trades(row for row in batch if isinstance(row, Trade))
