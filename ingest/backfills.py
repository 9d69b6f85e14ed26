"""Writing the backfill: runs are started, their pages and signatures worked off, and put back.

The rows are the queue, as in the inbox: a page is claimed, fetched, compared and kept in one
transaction, so that a process that dies leaves it where it was. A page that fails goes back with
its error and a time to try again; it is never given up.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

import pnl.operations
from ingest import fetches, operations, waiting, walks
from ingest.fetches import Fetched
from ingest.helius.client import Helius, helius
from ingest.helius.pace import Patience
from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import BATCH_MAX
from ingest.models import Backfill, BackfillPage, BackfillSignature, Door, Queued
from pnl import interning

log = logging.getLogger(__name__)

# Walked again below the watermark: a minute of slots, in case a node told us a little too little.
OVERLAP_SLOTS: Final = 150
# A webhook begins up to a minute after it was changed: a walk that is to close the gap waits.
SETTLING_SECONDS: Final = 60
DUE_TRADERS_MAX: Final = 1000
# A task must end: it asks less patiently than a person, and comes back.
BRIEF: Final = Patience(connect_seconds=3, read_seconds=10, attempts=2, pause_seconds_max=3)
_FIRST_PAUSE_SECONDS: Final = 15
_PAUSE_SECONDS_MAX: Final = 3600
_SIGNATURES_A_STATEMENT: Final = 5000

# Traders whose walk is queued already keep it: it goes on where it is.
QUEUE_PAGES = """
INSERT INTO ingest_backfillpage (trader_id, backfill_id, from_slot, not_before, tail)
SELECT t.id, %(backfill)s, coalesce(%(from_slot)s, greatest(0, w.slot - %(overlap)s)),
       now() + make_interval(secs => %(after)s), '[]'
  FROM pnl_trader t LEFT JOIN ingest_watermark w ON w.trader_id = t.id
 WHERE t.id = ANY(%(traders)s) ORDER BY t.id
    ON CONFLICT (trader_id) DO NOTHING
"""
# Asked to begin earlier, a walk begins anew.
BEGIN_EARLIER = """
UPDATE ingest_backfillpage
   SET from_slot = %(from_slot)s, until_slot = NULL, reached_slot = NULL, token = '', tail = '[]'
 WHERE trader_id = ANY(%(traders)s) AND from_slot > %(from_slot)s
"""
# Nobody waits for a page that somebody is fetching at the moment.
HURRY_PAGES = """
UPDATE ingest_backfillpage SET backfill_id = %(backfill)s, not_before = least(not_before, now())
 WHERE trader_id IN (SELECT trader_id FROM ingest_backfillpage
                      WHERE trader_id = ANY(%(traders)s) AND backfill_id <> %(backfill)s
                        FOR UPDATE SKIP LOCKED)
"""
# A watermark never goes back, and a walk that began above it has left something out.
MOVE_WATERMARK = """
INSERT INTO ingest_watermark AS w (trader_id, slot, block_index, walked_at)
VALUES (%(trader)s, %(slot)s, %(index)s, CASE WHEN %(ended)s THEN now() END)
    ON CONFLICT (trader_id) DO UPDATE
   SET slot = excluded.slot, block_index = excluded.block_index,
       walked_at = coalesce(excluded.walked_at, w.walked_at)
 WHERE %(from_slot)s <= w.slot + 1
   AND (excluded.slot, coalesce(excluded.block_index, 2147483647))
    >= (w.slot, coalesce(w.block_index, 2147483647))
"""


def start(
    scope: str,
    trader_ids: Collection[int],
    *,
    from_slot: int | None = None,
    after_seconds: int = 0,
) -> Backfill:
    """Queue a walk of each trader, by default from its watermark on; `scope` says what was asked.

    A trader without a watermark is walked HELIUS_HISTORY_DAYS back.
    """
    with transaction.atomic():
        run = Backfill.objects.create(scope=scope[:200], traders=len(set(trader_ids)))
        asked: dict[str, Any] = {
            "backfill": run.pk,
            "traders": sorted(set(trader_ids)),
            "from_slot": from_slot,
            "overlap": OVERLAP_SLOTS,
            "after": after_seconds,
        }
        with connection.cursor() as cursor:
            cursor.execute(QUEUE_PAGES, asked)
            if from_slot is not None:
                cursor.execute(BEGIN_EARLIER, asked)
            cursor.execute(HURRY_PAGES, asked)
    return run


def start_watched(scope: str, *, after_seconds: int = 0) -> Backfill:
    """Queue a walk of every watched trader."""
    return start(scope, waiting.watched_ids(), after_seconds=after_seconds)


def start_queued(scope: str) -> Backfill:
    """A run of all that is queued already, those that failed at once."""
    with transaction.atomic():
        run = start(scope, waiting.queued_trader_ids())
        queued = BackfillSignature.objects.filter(is_unknown=False)
        queued.update(backfill=run, not_before=Now())
    return run


def trader_ids(addresses: Collection[bytes]) -> list[int]:
    """The ids of wallets, whether anything is known of them or not."""
    with transaction.atomic():
        return sorted(interning.trader_ids(addresses).values())


def start_due() -> int:
    """Queue the walks of watched traders that are due: new ones, active ones hourly, all daily."""
    due = waiting.due_traders(limit=DUE_TRADERS_MAX)
    if due:
        start("due by the clock", due)
    return len(due)


def start_signatures(scope: str, signatures: Collection[str]) -> Backfill:
    """Queue transactions by their signatures; those that are queued already are hurried."""
    with transaction.atomic():
        run = Backfill.objects.create(scope=scope[:200])
        unique = sorted(set(signatures))
        for at in range(0, len(unique), _SIGNATURES_A_STATEMENT):
            chosen = unique[at : at + _SIGNATURES_A_STATEMENT]
            rows = [BackfillSignature(backfill=run, signature=each) for each in chosen]
            BackfillSignature.objects.bulk_create(rows, ignore_conflicts=True)
            queued = BackfillSignature.objects.filter(pk__in=chosen)
            queued.update(backfill=run, is_unknown=False, not_before=Now())
    return run


def resume(backfill_ids: Collection[int]) -> int:
    """Try what failed in these runs again now; how much is queued of them."""
    pages = BackfillPage.objects.filter(backfill_id__in=backfill_ids)
    signatures = BackfillSignature.objects.filter(backfill_id__in=backfill_ids, is_unknown=False)
    return pages.update(not_before=Now()) + signatures.update(not_before=Now())


def work(*, seconds: float) -> None:
    """Work the queues off until nothing is due or the time is up; the next call goes on."""
    until = time.monotonic() + seconds
    with helius(BRIEF) as asked:
        while time.monotonic() < until and step(asked):
            pass
    finish()


def step(asked: Helius, trader_ids: Collection[int] | None = None) -> bool:
    """Take one page and one batch of signatures; whether there was anything to take."""
    walked = _guarded(lambda: _walk_next(asked, trader_ids))
    fetched = _guarded(lambda: _fetch_next(asked))
    if walked or fetched:
        operations.wake()
    return walked or fetched


def finish() -> int:
    """End the runs of which nothing is queued any more; how many those are."""
    pages = BackfillPage.objects.filter(backfill_id=OuterRef("pk"))
    signatures = BackfillSignature.objects.filter(backfill_id=OuterRef("pk"), is_unknown=False)
    under_way = Backfill.objects.filter(finished_at__isnull=True)
    return under_way.filter(~Exists(pages), ~Exists(signatures)).update(finished_at=Now())


class _Fault(Exception):
    """Claimed rows could not be kept, for a reason that is not Helius'."""

    def __init__(self, rows: Sequence[Queued], reason: str) -> None:
        self.rows = rows
        super().__init__(reason)


def _guarded(take: Callable[[], bool]) -> bool:
    """One claim with all its effects, or none; a row at fault goes back with its error."""
    try:
        with transaction.atomic():
            return take()
    except _Fault as fault:
        log.exception("A backfill goes on without %d of its rows", len(fault.rows))
        with transaction.atomic():
            for row in fault.rows:
                _put_back(row, str(fault))
        return True


def _walk_next(asked: Helius, trader_ids: Collection[int] | None) -> bool:
    page = waiting.claim_page(trader_ids)
    if page is None:
        return False
    try:
        _keep_page(page, walks.take(asked.rpc, page, page.trader.address))
    except HeliusProblem as problem:
        _put_back(page, str(problem), problem.retry_after_seconds)
    except operations.TRANSIENT:
        raise
    except Exception as error:
        raise _Fault([page], f"{type(error).__name__}: {error}") from error
    return True


def _keep_page(page: BackfillPage, taken: walks.Step) -> None:
    """Keep what the page brought, and go on behind it."""
    _accept(taken.elements)
    if taken.dropped:
        pnl.operations.drop_trades(taken.dropped)
    Backfill.objects.filter(pk=page.backfill_id).update(
        pages=F("pages") + 1,
        transactions=F("transactions") + len(taken.elements),
        gaps=F("gaps") + taken.difference.gaps,
        conflicts=F("conflicts") + taken.difference.conflicts,
        dropped=F("dropped") + len(taken.dropped),
    )
    _move_watermark(page, taken)
    if taken.is_last:
        page.delete()
        return
    page.token, page.reached_slot, page.tail = taken.token, taken.reached_slot, taken.tail
    page.attempts, page.error = 0, ""
    page.save()


def _move_watermark(page: BackfillPage, taken: walks.Step) -> None:
    if taken.is_last:
        slot, index = page.until_slot, None
    elif taken.last is not None:
        slot, index = taken.last
    else:
        return
    moved = {"trader": page.trader_id, "slot": slot, "index": index}
    with connection.cursor() as cursor:
        cursor.execute(
            MOVE_WATERMARK, {**moved, "from_slot": page.from_slot, "ended": taken.is_last}
        )


def _fetch_next(asked: Helius) -> bool:
    rows = waiting.claim_signatures(limit=BATCH_MAX)
    if not rows:
        return False
    try:
        fetched = fetches.fetch(asked.rpc, [row.signature for row in rows])
        _keep_fetched(rows, fetched)
    except HeliusProblem as problem:
        for row in rows:
            _put_back(row, str(problem), problem.retry_after_seconds)
    except operations.TRANSIENT:
        raise
    except Exception as error:
        raise _Fault(rows, f"{type(error).__name__}: {error}") from error
    return True


def _keep_fetched(rows: Sequence[BackfillSignature], fetched: Sequence[Fetched]) -> None:
    elements = [each.element for each in fetched if each.element is not None]
    _accept(elements)
    unknown: Counter[int] = Counter()
    brought: Counter[int] = Counter()
    for row, each in zip(rows, fetched, strict=True):
        if each.error:
            _put_back(row, each.error)
        elif each.element is None:
            unknown[row.backfill_id] += 1
            BackfillSignature.objects.filter(pk=row.pk).update(is_unknown=True, error="")
        else:
            brought[row.backfill_id] += 1
            row.delete()
    for run in unknown | brought:
        Backfill.objects.filter(pk=run).update(
            unknown=F("unknown") + unknown[run], transactions=F("transactions") + brought[run]
        )


def _accept(elements: Sequence[bytes]) -> None:
    for body in walks.bodies_of(elements, bytes_max=settings.RECEIVER_MAX_BODY_BYTES):
        operations.accept(body, door=Door.BACKFILL)


def _put_back(row: Queued, error: str, asked_seconds: float | None = None) -> None:
    """Later, again: twice as late each time, or when Helius said."""
    grown = min(_PAUSE_SECONDS_MAX, _FIRST_PAUSE_SECONDS * 2 ** min(row.attempts, 10))
    pause = timedelta(seconds=grown if asked_seconds is None else asked_seconds)
    type(row)._default_manager.filter(pk=row.pk).update(
        attempts=F("attempts") + 1, not_before=Now() + pause, error=error
    )
    Backfill.objects.filter(pk=row.backfill_id).update(
        failed_pages=F("failed_pages") + 1, error=error
    )
