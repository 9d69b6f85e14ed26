"""Rows of a list of SOL prices become prices, or a line number and the reason why not. Pure.

Columns: `minute,usd`. The minute is its start, as Unix seconds or in ISO 8601 with its offset from
UTC, which is none (`2025-01-31T12:30:00Z`); `usd` is the decimal price of one SOL in US dollars, of
which what is finer than a millionth is cut.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from pnl.engine.pricing import PriceError, micro_usd_of, minute_of
from pnl.imports import GENESIS, Reject, RowError, integer, shown, values_of

COLUMNS = ("minute", "usd")
# The last second that has a date.
SECONDS_MAX = 253_402_300_799


class PriceRow(NamedTuple):
    """The price of one SOL in a minute (Unix seconds of its start), and the line it stands on."""

    line: int
    minute: int
    micro_usd: int


def is_header(line: str) -> bool:
    """Whether the first line names the columns, both of them and in order."""
    return tuple(values_of(line)) == COLUMNS


def read_rows(lines: Iterable[str], *, latest: int) -> Iterator[PriceRow | Reject]:
    """The rows after the header, each as a price or a reject; blank lines are passed over.

    `latest` is the last minute that has ended, in Unix seconds.
    """
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            yield _price_of(number, values_of(line), latest)
        except RowError as error:
            yield Reject(number, str(error))


def seconds_of(text: str) -> int:
    """A moment as people and machines write it, in Unix seconds. Raises RowError."""
    if text.isascii() and text.isdecimal():
        return integer("minute", text, 0, SECONDS_MAX)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RowError(f"minute is {shown(text)}, Unix seconds or ISO 8601 expected") from None
    if moment.utcoffset() != timedelta():
        raise RowError(f"minute is {shown(text)}, UTC expected: end it with Z")
    if moment.microsecond:
        raise RowError(f"minute is {shown(text)}, whole seconds expected")
    return int(moment.timestamp())


def _price_of(line: int, values: list[str], latest: int) -> PriceRow:
    if len(values) != len(COLUMNS):
        raise RowError(f"{len(values)} columns, {len(COLUMNS)} expected")
    text, usd = values
    if not text:
        raise RowError("minute is missing")
    minute = seconds_of(text)
    if minute != minute_of(minute):
        raise RowError(f"minute is {shown(text)}, which is not the start of a minute")
    if not GENESIS <= minute <= latest:
        raise RowError(f"minute is {shown(text)}, {GENESIS} to {latest} expected")
    try:
        return PriceRow(line, minute, micro_usd_of(usd))
    except PriceError as error:
        raise RowError(f"usd {error}" if usd else "usd is missing") from None
