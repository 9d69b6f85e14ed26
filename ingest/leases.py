"""Rows of the backfill's queues that a process works on: leased for a time, and not locked.

Helius may take minutes for an answer. A transaction that is open for so long keeps the database
from cleaning up behind everybody else. So a row is claimed in one transaction, and what came of it
is kept in another, if the row is still ours then. Who dies leaves it due when the lease ends.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from ingest.models import Queued

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Queued)

# Calls end within seconds, and a step makes a few.
LEASE: Final = timedelta(minutes=5)
# Nearly an hour: whoever is too slow for its lease has more time at the next attempt.
_DOUBLINGS_MAX: Final = 3
UNHEARD: Final = "whoever fetched it was not heard of in time"


def lease(rows: Sequence[Row]) -> None:
    """Note on rows, locked by the caller's transaction, until when they are ours.

    Taking over a lease that has run out counts as a failed attempt: the row may be what kills.
    """
    for row in rows:
        if row.leased_until is not None:
            row.attempts, row.error = row.attempts + 1, UNHEARD
        row.leased_until = timezone.now() + LEASE * 2 ** min(row.attempts, _DOUBLINGS_MAX)
        row.save(update_fields=["attempts", "error", "leased_until"])


def still_ours(rows: Sequence[Row]) -> list[Row]:
    """Lock those of the rows that nobody has taken over, to the end of the caller's transaction.

    They are as they are now: others may have asked more of them meanwhile.
    """
    if not rows:
        return []
    # No two leases of a row end at the same time: the later one began when the earlier had ended.
    leased = {row.pk: row.leased_until for row in rows}
    locked = type(rows[0])._default_manager.select_for_update(of=("self",)).order_by("pk")
    ours = [row for row in locked.filter(pk__in=leased) if row.leased_until == leased[row.pk]]
    if len(ours) < len(rows):
        log.warning("%d of %d leases were taken over meanwhile", len(rows) - len(ours), len(rows))
    return ours


def let_go(rows: Sequence[Row]) -> None:
    """Leave the rows to others at once, as they are; if the database is away, in a while."""
    with suppress(DatabaseError, InterfaceError), transaction.atomic():
        for row in still_ours(rows):
            row.leased_until = None
            row.save(update_fields=["leased_until"])
