"""Writing the inbox: deliveries are claimed, decoded and booked in one transaction a batch."""

import gc
import json
import logging
import time
import traceback
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    transaction,
)
from django.db.models import F
from django.utils import timezone

import pnl.operations
from ingest import queries
from ingest.decode.outcome import Decoded, Dropped, Malformed, Outcome, Unreadable
from ingest.decode.pipeline import decode_body
from ingest.models import Delivery
from pnl import alarms, kicks, rows
from pnl.engine.trades import Trade

log = logging.getLogger(__name__)

INBOX_TASK = "ingest.tasks.process_inbox"
# The alarm: a program has grown, and its notes must be read.
UNKNOWN_LAYOUT = "unknown_event_layout"

# Bodies of one batch in memory; a batch also ends at INBOX_BATCH_DELIVERIES.
BATCH_BYTES_MAX = 64 * 1024 * 1024

# The database is away or busy, or time is up: the deliveries are fine and stay pending.
TRANSIENT = (
    OperationalError,
    InterfaceError,
    InternalError,  # such as a server that has become read-only
    ProgrammingError,  # a schema older or newer than this code
    SoftTimeLimitExceeded,
)

MARK = """
UPDATE ingest_delivery d
   SET processed_at = CASE WHEN v.error = '' THEN now() END,
       set_aside_at = CASE WHEN v.error = '' THEN NULL ELSE now() END,
       attempts = d.attempts + 1, trades = v.trades, unknown_layouts = v.unknown_layouts,
       dropped = v.dropped::jsonb, error = v.error, traceback = ''
  FROM unnest(%b::int8[], %b::int4[], %b::int4[], %b::text[], %b::text[])
    AS v(id, trades, unknown_layouts, dropped, error)
 WHERE d.id = v.id
"""


class Report(NamedTuple):
    """What became of a batch: deliveries looked at, trades booked, deliveries set aside."""

    deliveries: int
    booked: int
    duplicates: int
    set_aside: int

    def plus(self, other: "Report") -> "Report":
        """Both together."""
        return Report(*(a + b for a, b in zip(self, other, strict=True)))


NOTHING = Report(0, 0, 0, 0)


class Reading(NamedTuple):
    """One delivery, read: its trades, what was dropped, and what could not be read.

    `unknown_layouts` has a count for each transaction with events that have grown.
    """

    delivery_id: int
    trades: list[Trade]
    unknown_layouts: list[int]
    dropped: list[Dropped]
    errors: list[str]


def accept(body: bytes) -> int:
    """Keep a body in the inbox; the id of its delivery. Doors other than HTTP come in here."""
    return Delivery.objects.create(body=body, size_bytes=len(body)).pk


def process_pending() -> Report:
    """Claim, decode and book one batch of what waits; a report of nothing when nothing waits.

    A batch that fails for a reason of its own is taken apart until the delivery at fault is alone;
    that one is set aside with its error, and its neighbours are booked.
    """
    return _process(limit=settings.INBOX_BATCH_DELIVERIES, ids=None)


def wake() -> None:
    """Ask a worker to look at the inbox."""
    kicks.wake(INBOX_TASK)


def process_until_empty(*, seconds: float) -> Report:
    """Process batches until nothing waits or the time is up, waking the boards after each."""
    until = time.monotonic() + seconds
    total = NOTHING
    while time.monotonic() < until:
        report = process_pending()
        if not report.deliveries:
            break
        total = total.plus(report)
        for task in settings.WAKE_AFTER_BOOKING:
            kicks.wake(task)
    return total


def reprocess(ids: Collection[int]) -> int:
    """Put deliveries back into the inbox; booking what is booked changes nothing."""
    return Delivery.objects.filter(pk__in=ids).update(
        processed_at=None, set_aside_at=None, error="", traceback=""
    )


def _process(*, limit: int, ids: Sequence[int] | None) -> Report:
    claimed: list[int] = []
    try:
        with _no_collection(), transaction.atomic():
            claimed = _claim(limit, ids)
            return _book(claimed)
    except TRANSIENT:
        raise
    except Exception as error:
        if not claimed:
            raise
        return _isolate(claimed, error)


@contextmanager
def _no_collection() -> Iterator[None]:
    """A batch makes many objects and no cycles: looking for those takes a sixth of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _claim(limit: int, ids: Sequence[int] | None) -> list[int]:
    """The ids of as many deliveries as fit into a batch; the rest of the claim stays pending."""
    chosen: list[int] = []
    size = 0
    for waiting in queries.claim(limit=limit, ids=ids):
        size += waiting.size_bytes
        if chosen and size > BATCH_BYTES_MAX:
            break
        chosen.append(waiting.id)
    return chosen


def _book(ids: list[int]) -> Report:
    if not ids:
        return NOTHING
    readings = [_read(pk, body) for pk, body in sorted(queries.bodies(ids).items())]
    booking = pnl.operations.book_trades(trade for reading in readings for trade in reading.trades)
    _mark(readings)
    _warn_of_growth(readings)
    set_aside = sum(1 for reading in readings if reading.errors)
    return Report(len(ids), booking.booked, booking.duplicates, set_aside)


def _read(delivery_id: int, body: bytes) -> Reading:
    reading = Reading(delivery_id, [], [], [], [])
    for outcome in decode_body(body):
        _take(reading, outcome)
    return reading


def _take(reading: Reading, outcome: Outcome) -> None:
    match outcome:
        case Decoded():
            reading.trades.extend(outcome.trades)
            if outcome.unknown_layouts:
                reading.unknown_layouts.append(outcome.unknown_layouts)
        case Dropped():
            reading.dropped.append(outcome)
        case Malformed() | Unreadable():
            reading.errors.append(outcome.error)


def _mark(readings: Iterable[Reading]) -> None:
    marks = [
        (
            *(reading.delivery_id, len(reading.trades), sum(reading.unknown_layouts)),
            *(_dropped(reading), "\n".join(reading.errors)),
        )
        for reading in readings
    ]
    rows.write(MARK, marks)


def _warn_of_growth(readings: Iterable[Reading]) -> None:
    """Sounds the alarm once for a batch, after its commit: until then it would hold up others."""
    grown = [reading for reading in readings if reading.unknown_layouts]
    if not grown:
        return
    events = sum(sum(reading.unknown_layouts) for reading in grown)
    detail = (
        f"{events} events of {len(grown)} deliveries, such as {grown[0].delivery_id}, have bytes or "
        "a total that the decoder does not know. They are booked by the fields it knows."
    )
    transaction.on_commit(lambda: alarms.sound(UNKNOWN_LAYOUT, detail), robust=True)


def _dropped(reading: Reading) -> str | None:
    """What was dropped and why, as it is kept beside the delivery."""
    if not reading.dropped:
        return None
    return json.dumps(
        [
            {
                "transaction": dropped.index,
                "signature": dropped.signature,
                "reason": dropped.reason.value,
                "detail": dropped.detail,
            }
            for dropped in reading.dropped
        ]
    )


def _isolate(ids: list[int], error: Exception) -> Report:
    """Halve the batch until the delivery that cannot be booked stands alone."""
    if len(ids) == 1:
        _set_aside(ids[0], error)
        return Report(1, 0, 0, 1)
    log.warning("A batch of %d deliveries failed and is taken apart: %s", len(ids), error)
    middle = len(ids) // 2
    halves = (ids[:middle], ids[middle:])
    first, second = (_process(limit=len(half), ids=half) for half in halves)
    return first.plus(second)


def _set_aside(delivery_id: int, error: Exception) -> None:
    log.error("Delivery %d is set aside: %s", delivery_id, error)
    Delivery.objects.pending().filter(pk=delivery_id).update(
        set_aside_at=timezone.now(),
        attempts=F("attempts") + 1,
        error=f"{type(error).__name__}: {error}",
        traceback="".join(traceback.format_exception(error)),
    )
