"""The archive: processed deliveries, a partition a day, forgotten day by day.

The day is that of the booking: what waited for long to be booked is kept as long as the others.
Bodies were compressed at the door and move as they are.
"""

import logging
import time
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
# Two workers must not make the same partition.
LOCK: Final = 0x5075_4C6F_0002
# Making or dropping a partition shuts the archive for a moment; it does not queue for that.
LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"

TAKE = """
SELECT id, size_bytes, (processed_at AT TIME ZONE 'UTC')::date FROM ingest_delivery
 WHERE processed_at IS NOT NULL AND processed_at < %s
 ORDER BY processed_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
COLUMNS = """
id, door, received_at, size_bytes, body, attempts, processed_at, trades, unknown_layouts, dropped
"""
MOVE = f"""
WITH moved AS (DELETE FROM ingest_delivery WHERE id = ANY(%b::int8[]) RETURNING {COLUMNS})
INSERT INTO ingest_archived ({COLUMNS}) SELECT {COLUMNS} FROM moved
"""  # noqa: S608
COLUMNS_BACK = "id, door, received_at, size_bytes, body, attempts"
MOVE_BACK = f"""
WITH moved AS (DELETE FROM ingest_archived WHERE id = ANY(%b::int8[]) RETURNING {COLUMNS_BACK})
INSERT INTO ingest_delivery ({COLUMNS_BACK}) SELECT {COLUMNS_BACK} FROM moved RETURNING id
"""  # noqa: S608
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
        taken = _take(before)
        _make_days(taken.values())
        rows.write(MOVE, [(pk,) for pk in taken])
    return len(taken)


def bring_back(ids: Collection[int]) -> int:
    """Return archived deliveries to the inbox; how many there were."""
    return len(rows.read(MOVE_BACK, [(pk,) for pk in ids]))


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


def _take(before: datetime) -> dict[int, date]:
    """The ids of a batch, locked, each with the day it was booked."""
    with connection.cursor() as cursor:
        cursor.execute(queries.LOOK_UPS_ARE_CHEAP)
        cursor.execute(TAKE, [before, BATCH_DELIVERIES])
        found = {pk: (size_bytes, day) for pk, size_bytes, day in cursor.fetchall()}
    sizes = ((pk, size_bytes) for pk, (size_bytes, _) in found.items())
    fitting = queries.within(sizes, queries.BATCH_BYTES_MAX)
    return {pk: found[pk][1] for pk in fitting}


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
