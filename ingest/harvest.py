"""Working off the queues of the backfill: pages and signatures are taken, compared, kept, put back.

The rows are the queue, as in the inbox. But a page is leased while it is fetched and compared
(`ingest.leases`); what came of it is kept in one transaction, so that a process that dies leaves it
where it was. A page that fails goes back with its error and a time to try again; it is never given
up.
"""

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

import pnl.operations
from ingest import fetches, latecomers, leases, operations, waiting, walks
from ingest.fetches import Fetched
from ingest.helius.client import Helius, helius
from ingest.helius.pace import BRIEF
from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import BATCH_MAX
from ingest.models import Backfill, BackfillPage, BackfillSignature, Door, Queued
from pnl import alarms

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 15
_PAUSE_SECONDS_MAX: Final = 3600
STUCK: Final = "backfill_stuck"
STUCK_ATTEMPTS: Final = 5  # after about four minutes

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


def work(*, seconds: float) -> None:
    """Work the queues off until nothing is due or the time is up; the next call goes on."""
    until = time.monotonic() + seconds
    with helius(BRIEF) as asked:
        while time.monotonic() < until and step(asked):
            pass
    finish()
    _tell_of_what_is_stuck()


def step(asked: Helius, trader_ids: Collection[int] | None = None) -> bool:
    """Take one page and one batch of signatures; whether there was anything to take."""
    walked = _walk_next(asked, trader_ids)
    fetched = _fetch_next(asked)
    if walked or fetched:
        operations.wake()
    return walked or fetched


def finish() -> int:
    """End the runs of which nothing is queued any more; how many those are."""
    pages = BackfillPage.objects.filter(backfill_id=OuterRef("pk"))
    signatures = BackfillSignature.objects.filter(backfill_id=OuterRef("pk"), is_unknown=False)
    under_way = Backfill.objects.filter(finished_at__isnull=True)
    return under_way.filter(~Exists(pages), ~Exists(signatures)).update(finished_at=Now())


def pause_seconds(attempts: int) -> int:
    """How long to wait after so many failures before this one: twice as long each time."""
    return min(_PAUSE_SECONDS_MAX, _FIRST_PAUSE_SECONDS << min(attempts, 10))


def _tell_of_what_is_stuck() -> None:
    """What fails again and again is a gap that lasts: somebody must look."""
    stuck = waiting.stuck(attempts=STUCK_ATTEMPTS)
    if stuck is None:
        alarms.clear(STUCK)
    else:
        alarms.sound(STUCK, f"{stuck} has failed {stuck.attempts} times: {stuck.error}")


@contextmanager
def _working_on(rows: Sequence[Queued]) -> Iterator[None]:
    """What fails inside sends the leased rows back with its error, and costs others nothing.

    Whoever is stopped, or has lost the database, lets go of them as they are.
    """
    try:
        yield
    except HeliusProblem as problem:
        _give_back(rows, str(problem), problem.retry_after_seconds)
    except operations.TRANSIENT:
        leases.let_go(rows)
        raise
    except Exception as error:
        log.exception("A backfill goes on without %d of its rows", len(rows))
        _give_back(rows, f"{type(error).__name__}: {error}")
    except BaseException:
        leases.let_go(rows)
        raise


def _walk_next(asked: Helius, trader_ids: Collection[int] | None) -> bool:
    page = _claim_page(trader_ids)
    if page is None:
        return False
    with _working_on([page]):
        taken = walks.take(asked.rpc, page, page.trader.address)
        with transaction.atomic():
            for now in leases.still_ours([page]):
                # The row as others left it, with both ends of the walk: it may just have begun.
                now.from_slot, now.until_slot = page.from_slot, page.until_slot
                now.begin_by_slot = page.begin_by_slot
                _keep_page(now, taken)
    return True


def _claim_page(trader_ids: Collection[int] | None) -> BackfillPage | None:
    """Lease the page that has been due longest."""
    with transaction.atomic():
        page = waiting.claim_page(trader_ids)
        if page is not None:
            leases.lease([page])
            if page.until_slot is None:
                _begin_by(page, latecomers.take(page.trader_id))
    return page


def _begin_by(page: BackfillPage, late_slot: int | None) -> None:
    """Let a walk begin at what was late: the row keeps that until the walk has ended."""
    if late_slot is not None:
        before = page.begin_by_slot
        page.begin_by_slot = late_slot if before is None else min(before, late_slot)
        page.save(update_fields=["begin_by_slot"])


def _keep_page(page: BackfillPage, taken: walks.Step) -> None:
    """Keep what the page brought, and go on behind it."""
    deliver(taken.elements)
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
    page.token, page.reached_slot, page.tail = taken.token, taken.reached_slot, taken.tail
    page.attempts, page.error, page.leased_until = 0, "", None
    if not taken.is_last:
        page.save()
    elif page.again_at is None:
        page.delete()
    else:
        _walk_again(page, page.again_at)


def _walk_again(page: BackfillPage, at: datetime) -> None:
    """Somebody asked while the walk was under way: from where it ended, to what is final then."""
    page.from_slot = max(0, (page.until_slot or 0) - walks.OVERLAP_SLOTS)
    page.until_slot = page.reached_slot = page.again_at = None
    page.token, page.tail, page.not_before = "", [], at
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
    with transaction.atomic():
        rows = waiting.claim_signatures(limit=BATCH_MAX)
        leases.lease(rows)
    if not rows:
        return False
    with _working_on(rows):
        fetched = fetches.fetch(asked.rpc, [row.signature for row in rows])
        with transaction.atomic():
            _keep_fetched(leases.still_ours(rows), {each.signature: each for each in fetched})
    return True


def _keep_fetched(rows: Sequence[BackfillSignature], fetched: Mapping[str, Fetched]) -> None:
    pairs = [(row, fetched[row.signature]) for row in rows]
    deliver([each.element for _, each in pairs if each.element is not None])
    unknown: Counter[int] = Counter()
    brought: Counter[int] = Counter()
    for row, each in pairs:
        if each.error:
            _put_back(row, each.error)
        elif each.element is None:
            unknown[row.backfill_id] += 1
            row.is_unknown, row.error, row.leased_until = True, "", None
            row.save(update_fields=["is_unknown", "error", "leased_until"])
        else:
            brought[row.backfill_id] += 1
            row.delete()
    for run in unknown | brought:
        Backfill.objects.filter(pk=run).update(
            unknown=F("unknown") + unknown[run], transactions=F("transactions") + brought[run]
        )


def deliver(elements: Sequence[bytes]) -> None:
    """Raw elements of finalized transactions into the inbox, as few bodies of a bearable size.

    What had been taken for dropped, and is final at that very place, is let in again.
    """
    pnl.operations.undrop(walks.places_of(elements))
    for body in walks.bodies_of(elements, bytes_max=settings.RECEIVER_MAX_BODY_BYTES):
        operations.accept(body, door=Door.BACKFILL)


def _give_back(rows: Sequence[Queued], error: str, asked_seconds: float | None = None) -> None:
    """Put back those of the leased rows that are still ours."""
    with transaction.atomic():
        for row in leases.still_ours(rows):
            _put_back(row, error, asked_seconds)


def _put_back(row: Queued, error: str, asked_seconds: float | None = None) -> None:
    """Later, again: twice as late each time, or when Helius said."""
    grown = pause_seconds(row.attempts)
    pause = timedelta(seconds=grown if asked_seconds is None else asked_seconds)
    type(row)._default_manager.filter(pk=row.pk).update(
        attempts=F("attempts") + 1, not_before=Now() + pause, error=error, leased_until=None
    )
    Backfill.objects.filter(pk=row.backfill_id).update(
        failed_pages=F("failed_pages") + 1, error=error
    )
