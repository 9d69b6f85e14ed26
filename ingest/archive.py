"""The archive: processed deliveries, compressed, a partition a day, forgotten day by day.

zlib and not PostgreSQL's own compression: of a raw body it leaves a third instead of half, in two
thirds of the time. (zstd would leave the same third in a quarter of the time; that is 5 % of a core
at a thousand deliveries a second, and not worth a dependency.)
"""

import logging
import time
import zlib
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg import sql

from ingest import queries
from pnl import rows

log = logging.getLogger(__name__)

# Until then a processed delivery stays where people look first.
AFTER: Final = timedelta(minutes=5)
BATCH_DELIVERIES: Final = 1000
BATCH_BYTES_MAX: Final = 64 * 1024 * 1024
COMPRESSION: Final = 1
# Two workers must not make the same partition.
LOCK: Final = 0x5075_4C6F_0002
# Making or dropping a partition shuts the archive for a moment; it does not queue for that.
LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"

TAKE = """
SELECT id, size_bytes FROM ingest_delivery
 WHERE processed_at IS NOT NULL AND processed_at < %s
 ORDER BY processed_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
REMOVE = """
DELETE FROM ingest_delivery WHERE id = ANY(%b::int8[])
RETURNING id, received_at::text, size_bytes, body, attempts, processed_at::text, trades,
          unknown_layouts, dropped::text
"""
ADD = """
INSERT INTO ingest_archived (id, received_at, size_bytes, body, attempts, processed_at, trades,
                             unknown_layouts, dropped)
SELECT id, received_at::timestamptz, size_bytes, body, attempts, processed_at::timestamptz, trades,
       unknown_layouts, dropped::jsonb
  FROM unnest(%b::int8[], %b::text[], %b::int4[], %b::bytea[], %b::int2[], %b::text[], %b::int4[],
              %b::int4[], %b::text[])
    AS d(id, received_at, size_bytes, body, attempts, processed_at, trades, unknown_layouts,
         dropped)
"""
SIZES = "SELECT id, size_bytes FROM ingest_archived WHERE id = ANY(%b::int8[]) ORDER BY id"
TAKE_BACK = """
DELETE FROM ingest_archived WHERE id = ANY(%b::int8[])
RETURNING id, received_at::text, size_bytes, body, attempts
"""
GIVE_BACK = """
INSERT INTO ingest_delivery (id, received_at, size_bytes, body, attempts)
SELECT id, received_at::timestamptz, size_bytes, body, attempts
  FROM unnest(%b::int8[], %b::text[], %b::int4[], %b::bytea[], %b::int2[])
    AS d(id, received_at, size_bytes, body, attempts)
"""
MAKE = sql.SQL(
    "CREATE TABLE IF NOT EXISTS {} PARTITION OF ingest_archived FOR VALUES FROM ({}) TO ({})"
)


def archive_until_done(*, seconds: float) -> int:
    """Move what was processed some minutes ago, and forget old days; how many were moved.

    Whatever is left when the time is up is found by the next call.
    """
    until, now = time.monotonic() + seconds, datetime.now(UTC)
    moved = 0
    try:
        prepare(now.date())
        while time.monotonic() < until and (count := archive(before=now - AFTER)):
            moved += count
    except OperationalError as error:
        log.warning("The archive is busy, or the database away; it goes on later: %s", error)
    return moved


def archive(*, before: datetime) -> int:
    """Move one batch of what was processed before a moment; how many there were."""
    with transaction.atomic():
        removed = rows.read(REMOVE, [(pk,) for pk in _take(before)])
        # Times come as text in UTC, as Django's connections all are: the date is their beginning.
        _make_days(date.fromisoformat(row[1][:10]) for row in removed)
        rows.write(ADD, [(*row[:3], _packed(row[3]), *row[4:]) for row in removed])
    return len(removed)


def bring_back(ids: Collection[int]) -> int:
    """Return archived deliveries to the inbox, their bodies as they came; how many there were."""
    left = rows.read(SIZES, [(pk,) for pk in ids])
    back = 0
    with transaction.atomic():
        while left:
            batch = queries.within(left, BATCH_BYTES_MAX)
            left = left[len(batch) :]
            taken = rows.read(TAKE_BACK, [(pk,) for pk in batch])
            rows.write(GIVE_BACK, [(*row[:3], unpacked(row[3]), row[4]) for row in taken])
            back += len(taken)
    return back


def prepare(today: date) -> None:
    """Make the partitions of today and tomorrow, and drop those of days that are kept no longer."""
    known = queries.archived_days()
    ahead = {today, today + timedelta(days=1)} - known.keys()
    oldest = today - timedelta(days=settings.INBOX_KEEP_DAYS)
    expired = [day for day in known if day < oldest]
    if not ahead and not expired:
        return
    with transaction.atomic():
        _make_days(ahead)
        for day in expired:
            log.info("The archive forgets %s", day)
            _execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_partition(day)))


def unpacked(body: bytes) -> bytes:
    """A body as it came."""
    return zlib.decompress(body)


def _packed(body: bytes) -> bytes:
    return zlib.compress(body, COMPRESSION)


def _take(before: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(queries.LOOK_UPS_ARE_CHEAP)
        cursor.execute(TAKE, [before, BATCH_DELIVERIES])
        return queries.within(cursor.fetchall(), BATCH_BYTES_MAX)


def _make_days(days: Iterable[date]) -> None:
    missing = set(days) - queries.archived_days().keys()
    if missing:
        _execute(sql.SQL(LOCK_TIMEOUT))
        _execute(sql.SQL("SELECT pg_advisory_xact_lock({})").format(LOCK))
    for day in sorted(missing):
        bounds = (f"{each} 00:00:00+00" for each in (day, day + timedelta(days=1)))
        _execute(MAKE.format(_partition(day), *map(sql.Literal, bounds)))


def _partition(day: date) -> sql.Identifier:
    """Named after its day; `queries.PARTITIONS` reads the name."""
    return sql.Identifier(f"ingest_archived_{day:%Y%m%d}")


def _execute(statement: Any) -> None:
    with rows.cursor() as raw:
        raw.execute(statement)
