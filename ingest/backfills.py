"""Starting the backfill: what is to be walked or fetched is queued, and waits for workers.

A run only counts what became of what it queued; a trader or a signature is queued once, whoever
asked for it.
"""

import logging
from collections.abc import Collection
from typing import Any, Final

from django.db import connection, transaction
from django.db.models.functions import Now

from ingest import waiting, walks
from ingest.models import Backfill, BackfillPage, BackfillSignature
from pnl import interning

log = logging.getLogger(__name__)

# A webhook begins up to a minute after it was changed: a walk that is to close the gap waits.
SETTLING_SECONDS: Final = 60
DUE_TRADERS_MAX: Final = 1000
_SIGNATURES_A_STATEMENT: Final = 5000

# Whoever is keeping one of these pages ends first: it may be the last of its walk.
HOLD_PAGES = """
SELECT trader_id FROM ingest_backfillpage WHERE trader_id = ANY(%(traders)s)
 ORDER BY trader_id FOR UPDATE
"""
# Traders whose walk is queued already keep it: it goes on where it is.
QUEUE_PAGES = """
INSERT INTO ingest_backfillpage (trader_id, backfill_id, from_slot, not_before, tail)
SELECT t.id, %(backfill)s, coalesce(%(from_slot)s, w.slot - least(w.slot, %(overlap)s)),
       now() + make_interval(secs => %(after)s), '[]'
  FROM pnl_trader t LEFT JOIN ingest_watermark w ON w.trader_id = t.id
 WHERE t.id = ANY(%(traders)s) ORDER BY t.id
    ON CONFLICT (trader_id) DO NOTHING
"""
# Asked to begin earlier, a walk begins anew. Where one without a beginning would begin is only
# known when it does: then the lower of both counts. Whoever is fetching a page of it has lost it.
BEGIN_EARLIER = """
UPDATE ingest_backfillpage
   SET begin_by_slot = least(begin_by_slot, %(from_slot)s),
       until_slot = NULL, reached_slot = NULL, token = '', tail = '[]', leased_until = NULL
 WHERE trader_id = ANY(%(traders)s) AND (from_slot IS NULL OR from_slot > %(from_slot)s)
"""
# What waits without having failed waits for a webhook to begin: hurried, it is walked then, too.
HURRY_PAGES = """
UPDATE ingest_backfillpage SET backfill_id = %(backfill)s, not_before = least(not_before, now()),
       again_at = CASE WHEN attempts = 0 AND not_before > now()
                       THEN greatest(again_at, not_before) ELSE again_at END
 WHERE trader_id = ANY(%(traders)s) AND backfill_id <> %(backfill)s
"""
# A walk that has begun (its first page may still be under way) ends at what was final then, and one
# that is due sooner will: what comes later needs another one.
WALK_AGAIN = """
UPDATE ingest_backfillpage
   SET again_at = greatest(again_at, now() + make_interval(secs => %(after)s))
 WHERE trader_id = ANY(%(traders)s)
   AND (until_slot IS NOT NULL OR leased_until IS NOT NULL
        OR %(after)s > 0 AND not_before < now() + make_interval(secs => %(after)s))
"""


def start(
    scope: str,
    trader_ids: Collection[int],
    *,
    from_slot: int | None = None,
    after_seconds: int | None = None,
) -> Backfill:
    """Queue a walk of each trader, by default from its watermark on; `scope` says what was asked.

    A trader without a watermark is walked HELIUS_HISTORY_DAYS back. With `after_seconds` the walk
    begins that much later, and one that is under way or due before is followed by another.
    """
    with transaction.atomic():
        run = Backfill.objects.create(scope=scope[:200], traders=len(set(trader_ids)))
        asked: dict[str, Any] = {
            "backfill": run.pk,
            "traders": sorted(set(trader_ids)),
            "from_slot": from_slot,
            "overlap": walks.OVERLAP_SLOTS,
            "after": after_seconds or 0,
        }
        with connection.cursor() as cursor:
            cursor.execute(HOLD_PAGES, asked)
            cursor.execute(QUEUE_PAGES, asked)
            if from_slot is not None:
                cursor.execute(BEGIN_EARLIER, asked)
            cursor.execute(HURRY_PAGES, asked)
            if after_seconds is not None:
                cursor.execute(WALK_AGAIN, asked)
    return run


def start_watched(scope: str, *, after_seconds: int = 0) -> Backfill:
    """Queue a walk of every watched trader over all that is final when it begins."""
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
    """Try what failed in these runs again now; how much is queued of them.

    A walk that has not failed keeps its time: it may wait for a webhook to begin.
    """
    pages = BackfillPage.objects.filter(backfill_id__in=backfill_ids)
    signatures = BackfillSignature.objects.filter(backfill_id__in=backfill_ids, is_unknown=False)
    pages.filter(attempts__gt=0).update(not_before=Now())
    return pages.count() + signatures.update(not_before=Now())
