"""Saving prices of SOL: set-based, once, and with them the trades that waited for them."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from django.db import transaction

import pnl.operations
from pnl import queries, rows
from pnl.engine.pricing import MICRO, minute_of
from pnl.imports import Reject
from pnl.price_rows import PriceRow

# What is saved in one transaction, together with the trades of these minutes: there may be many.
CHUNK_MINUTES = 10
SOURCE_CHARACTERS = 64

KEEP = """
INSERT INTO pnl_solprice (minute, micro_usd, source)
SELECT to_timestamp(minute), micro_usd, source
  FROM unnest(%b::int8[], %b::int8[], %b::text[]) AS k(minute, micro_usd, source)
 ORDER BY minute
    ON CONFLICT (minute) DO NOTHING
RETURNING extract(epoch FROM minute)::int8
"""
REPLACE = """
WITH locked AS (
    SELECT p.minute, k.micro_usd, k.source
      FROM unnest(%b::int8[], %b::int8[], %b::text[]) AS k(minute, micro_usd, source)
      JOIN pnl_solprice p ON p.minute = to_timestamp(k.minute)
     WHERE p.micro_usd <> k.micro_usd
     ORDER BY p.minute FOR UPDATE OF p)
UPDATE pnl_solprice p SET micro_usd = l.micro_usd, source = l.source, fetched_at = now()
  FROM locked l WHERE p.minute = l.minute
RETURNING extract(epoch FROM p.minute)::int8
"""

# minute (Unix seconds), micro-USD, source
Row = tuple[int, int, str]


class Contradicted(NamedTuple):
    """A minute (Unix seconds of its start) whose price on record differs and was left alone."""

    minute: int
    micro_usd: int


class Saved(NamedTuple):
    """What became of prices: new, replaced, known already, and those that the record contradicts.

    `repriced` counts the trades whose value in SOL became known, or another.
    """

    new: int
    replaced: int
    known: int
    contradicted: tuple[Contradicted, ...]
    repriced: int

    def plus(self, other: "Saved") -> "Saved":
        """Both together."""
        return Saved(
            self.new + other.new,
            self.replaced + other.replaced,
            self.known + other.known,
            self.contradicted + other.contradicted,
            self.repriced + other.repriced,
        )


NOTHING = Saved(0, 0, 0, (), 0)


def save_prices(prices: Mapping[int, int], *, source: str, replace: bool = False) -> Saved:
    """Save micro-USD by minute (Unix seconds of its start) and price the trades of these minutes.

    A known price stays as it is, unless `replace` says otherwise. Raises ValueError for what is no
    start of a minute.
    """
    if crooked := [minute for minute in prices if minute != minute_of(minute)]:
        raise ValueError(f"{crooked[0]} is not the start of a minute")
    source = source[:SOURCE_CHARACTERS]
    prices_of_source = [(minute, prices[minute], source) for minute in sorted(prices)]
    total = NOTHING
    for at in range(0, len(prices_of_source), CHUNK_MINUTES):
        with transaction.atomic():
            chunk = prices_of_source[at : at + CHUNK_MINUTES]
            total = total.plus(_save(chunk, replace=replace))
    return total


def save_rows(
    listed: Collection[PriceRow | Reject], *, source: str, replace: bool = False
) -> tuple[Saved, list[Reject]]:
    """Save the prices of a list as if line by line, and what was rejected, by line."""
    offered = [row for row in listed if isinstance(row, PriceRow)]
    rejects = [row for row in listed if isinstance(row, Reject)]
    standing = queries.sol_prices({row.minute for row in offered})
    chosen: dict[int, PriceRow] = {}
    replaced = known = 0
    for row in offered:
        before = standing.setdefault(row.minute, row.micro_usd)
        if before != row.micro_usd and not replace:
            rejects.append(_rejected(row, before))
            continue
        replaced += before != row.micro_usd
        known += before == row.micro_usd
        chosen[row.minute], standing[row.minute] = row, row.micro_usd
    prices = {row.minute: row.micro_usd for row in chosen.values()}
    saved = save_prices(prices, source=source, replace=replace)
    # Somebody else may have saved another price just now.
    rejects += [_rejected(chosen[minute], there) for minute, there in saved.contradicted]
    return saved._replace(replaced=replaced, known=known - saved.new), sorted(rejects)


def price_again(minutes: Collection[int]) -> int:
    """Price the trades that still wait in minutes that have a price; how many there were."""
    known = sorted(queries.sol_prices(minutes))
    priced = 0
    for at in range(0, len(known), CHUNK_MINUTES):
        with transaction.atomic():
            priced += pnl.operations.reprice(known[at : at + CHUNK_MINUTES])
    return priced


def _save(chunk: Sequence[Row], *, replace: bool) -> Saved:
    new = {minute for (minute,) in rows.read(KEEP, chunk)}
    rest = [row for row in chunk if row[0] not in new]
    replaced = {minute for (minute,) in rows.read(REPLACE, rest)} if replace else set()
    on_record = queries.sol_prices([minute for minute, _, _ in rest])
    contradicted = [
        Contradicted(minute, on_record[minute])
        for minute, micro_usd, _ in rest
        if on_record[minute] != micro_usd
    ]
    changed = sorted(new | replaced)
    return Saved(
        len(new),
        len(replaced),
        len(rest) - len(replaced) - len(contradicted),
        tuple(contradicted),
        pnl.operations.reprice(changed) if changed else 0,
    )


def _rejected(row: PriceRow, known: int) -> Reject:
    """Another price of the minute stands, and nobody said that it was wrong."""
    usd = f"{known // MICRO}.{known % MICRO:06d}"
    return Reject(
        row.line, f"minute {row.minute} has the price {usd} already, --replace changes it"
    )
