"""Writing the inbox: deliveries are claimed, decoded and booked in one transaction a batch."""

import gc
import logging
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    transaction,
)
from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Now
from django.utils import timezone

import pnl.operations
from ingest import archive, latecomers, queries, suspects
from ingest.bodies import packed
from ingest.models import Delivery, Door, Enrichment
from ingest.readings import Reading, read, sentence, trace
from pnl import alarms, kicks, rows
from pnl.tokens import record_tokens

log = logging.getLogger(__name__)

INBOX_TASK = "ingest.tasks.process_inbox"
# The alarm: a program has grown, and its notes must be read.
UNKNOWN_LAYOUT = "unknown_event_layout"

# The database is away or busy: the deliveries are fine and stay pending.
TRANSIENT = (
    OperationalError,
    InterfaceError,
    InternalError,  # such as a server that has become read-only
    ProgrammingError,  # a schema older or newer than this code
)

# An attempt that was counted before it began (`ingest.suspects`) is not counted again.
MARK = """
UPDATE ingest_delivery d
   SET processed_at = CASE WHEN v.error = '' THEN now() END,
       set_aside_at = CASE WHEN v.error = '' THEN NULL ELSE now() END,
       attempts = d.attempts + CASE d.unfinished WHEN 0 THEN 1 ELSE 0 END, unfinished = 0,
       trades = v.trades, unknown_layouts = v.unknown_layouts, dropped = v.dropped::jsonb,
       error_kind = v.error_kind, error = v.error, traceback = v.traceback
  FROM unnest(%b::int8[], %b::int4[], %b::int4[], %b::text[], %b::text[], %b::text[], %b::text[])
    AS v(id, trades, unknown_layouts, dropped, error_kind, error, traceback)
 WHERE d.id = v.id
"""

# The same for what nearly all are: read whole, with nothing to tell of but trades.
MARK_BOOKED = """
UPDATE ingest_delivery d
   SET processed_at = now(),
       attempts = d.attempts + CASE d.unfinished WHEN 0 THEN 1 ELSE 0 END, unfinished = 0,
       trades = v.trades, unknown_layouts = 0, dropped = NULL,
       error_kind = '', error = '', traceback = ''
  FROM unnest(%b::int8[], %b::int4[]) AS v(id, trades) WHERE d.id = v.id
"""

# What enhanced payloads leave open is asked for once, whoever brings it again. Only what no node
# knew is asked for anew: it may have landed by now. That is an hour after it was given up and a
# minute after it came (it will be final then): a few calls an hour, however often it comes.
ASK_FOR_RAW = """
WITH v AS (
    SELECT signature, slot, reason
      FROM unnest(%b::bytea[], %b::int8[], %b::text[]) AS v(signature, slot, reason)
), unknown AS (
    SELECT e.id FROM ingest_enrichment e JOIN v ON v.signature = e.signature
     WHERE e.is_unknown ORDER BY e.signature FOR UPDATE OF e
), again AS (
    UPDATE ingest_enrichment e
       SET done_at = NULL, is_unknown = false, attempts = 0, error = '', requested_at = now(),
           not_before = greatest(now() + interval '1 minute', e.done_at + interval '1 hour')
     WHERE e.id IN (SELECT id FROM unknown) AND e.is_unknown
)
INSERT INTO ingest_enrichment (signature, slot, reason)
SELECT signature, slot, reason FROM v ORDER BY signature
    ON CONFLICT (signature) DO NOTHING
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


def accept(body: bytes, *, door: Door = Door.WEBHOOK) -> int:
    """Keep a body in the inbox; the id of its delivery. Doors other than HTTP come in here."""
    return Delivery.objects.create(body=packed(body), size_bytes=len(body), door=door).pk


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
    """Put decided deliveries back into the inbox, archived ones too; how many there were.

    Booking what is booked changes nothing. Attempts are kept.
    """
    undecided = {"processed_at": None, "set_aside_at": None, "unfinished": 0}
    decided = Delivery.objects.filter(pk__in=ids).exclude(processed_at=None, set_aside_at=None)
    with transaction.atomic():
        back = decided.update(**undecided, error_kind="", error="", traceback="")
        return back + archive.bring_back(ids)


def reprocess_all(found: Iterable[QuerySet[Any]], *, limit: int | None = None) -> Iterator[int]:
    """Put all that was found back, portion after portion; yields how many each had."""
    left = limit
    for each in found:
        for ids in queries.portions_of_ids(each, limit=left):
            left = None if left is None else left - len(ids)
            yield reprocess(ids)
    wake()


def enriched(signatures: Collection[str]) -> int:
    """Note that these transactions (base58) have been fetched raw; how many were waited for."""
    waiting = Enrichment.objects.filter(signature__in=signatures, done_at__isnull=True)
    return waiting.update(done_at=Now(), attempts=F("attempts") + 1, error="")


def enrichment_failed(signature: str, error: str, not_before: datetime) -> int:
    """Note why a transaction could not be fetched raw, and when to try again."""
    waiting = Enrichment.objects.filter(signature=signature, done_at__isnull=True)
    return waiting.update(attempts=F("attempts") + 1, error=error, not_before=not_before)


def enrichment_unknown(signature: str, error: str) -> int:
    """Note that nobody knows a transaction, and ask no more; how many were waited for."""
    waiting = Enrichment.objects.filter(signature=signature, done_at__isnull=True)
    return waiting.update(done_at=Now(), is_unknown=True, attempts=F("attempts") + 1, error=error)


def forget_enrichments(*, limit: int) -> int:
    """Forget what ended longer ago than its body is kept, the oldest first; how much."""
    oldest = timezone.now() - timedelta(days=settings.INBOX_KEEP_DAYS)
    ended = Enrichment.objects.filter(done_at__lt=oldest).order_by("done_at")
    forgotten, _ = Enrichment.objects.filter(
        pk__in=list(ended.values_list("pk", flat=True)[:limit])
    ).delete()
    return forgotten


def _process(*, limit: int, ids: Sequence[int] | None) -> Report:
    """Book a batch and look at its suspects, or book these very deliveries whoever they are."""
    claimed: list[int] = []
    suspected: list[int] = []
    try:
        with _no_collection(), transaction.atomic():
            found = queries.claim(limit=limit) if ids is None else queries.claim_among(ids)
            for waiting in found:
                is_apart = ids is None and waiting.is_suspect
                (suspected if is_apart else claimed).append(waiting.id)
            report = _book(claimed)
    except Exception as error:
        if _will_pass(error) or not claimed:
            raise
        report = _isolate(claimed, error)
    return report.plus(_try(suspected, limit)) if suspected else report


def _will_pass(error: Exception) -> bool:
    """Whether the deliveries have no part in it: then they stay pending, however often it is."""
    # A limit of the server that somebody's contents exceed is called operational, too.
    beyond_limits = getattr(error.__cause__, "sqlstate", None) or ""
    return isinstance(error, TRANSIENT) and not beyond_limits.startswith("54")


def _try(suspected: list[int], limit: int) -> Report:
    """Book some suspects, their attempt counted; nothing while another worker does that."""
    with suspects.alone() as mine:
        if not mine:
            return NOTHING
        trial = suspects.begin(suspected, limit=limit)
        try:
            report = _process(limit=limit, ids=trial.ids)
        except TRANSIENT:
            suspects.forgive(trial.ids)
            raise
    return report.plus(Report(trial.set_aside, 0, 0, trial.set_aside))


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


def _book(ids: list[int]) -> Report:
    if not ids:
        return NOTHING
    readings = [read(pk, body) for pk, body in sorted(queries.bodies(ids).items())]
    trades = [trade for reading in readings for trade in reading.trades]
    tradeless = [signature for reading in readings for signature in reading.tradeless]
    pnl.operations.enter_booking()
    record_tokens([event for reading in readings for event in reading.tokens], beside=trades)
    booking = pnl.operations.book_trades(trades, tradeless=tradeless)
    if booking.booked:
        latecomers.note(readings)
    rows.write(ASK_FOR_RAW, [wanted for reading in readings for wanted in reading.wanting])
    rows.write(MARK_BOOKED, [(r.delivery_id, len(r.trades)) for r in readings if r.is_plain])
    rows.write(MARK, [reading.mark() for reading in readings if not reading.is_plain])
    _warn_of_growth(readings)
    set_aside = sum(1 for reading in readings if reading.faults)
    return Report(len(ids), booking.booked, booking.duplicates, set_aside)


def _warn_of_growth(readings: Iterable[Reading]) -> None:
    """Sounds the alarm once for a batch, after its commit: until then it would hold up others."""
    grown = [reading for reading in readings if reading.unknown_layouts]
    if not grown:
        return
    events = sum(sum(reading.unknown_layouts) for reading in grown)
    detail = (
        f"{events} events of {len(grown)} deliveries, such as {grown[0].delivery_id}, have grown "
        "beyond what the decoder knows. They are booked by the fields it knows."
    )
    transaction.on_commit(lambda: alarms.sound(UNKNOWN_LAYOUT, detail), robust=True)


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
        attempts=F("attempts") + Case(When(unfinished=0, then=1), default=0),
        unfinished=0,
        error_kind=type(error).__name__,
        error=sentence(error),
        traceback=trace(error),
    )
