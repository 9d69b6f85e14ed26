"""Deliveries that were taken and never given back: whoever kills its worker is found, set aside.

Nothing is written before a batch in the good case. A claim that ended without an outcome is seen on
the rows (`queries.CLAIM`); from then on the attempts at them are counted before they begin, in
fewer and fewer deliveries at once, so that a culprit stands alone before its last attempt.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F
from django.utils import timezone

from ingest import queries
from ingest.models import Delivery
from ingest.queries import Waiting

log = logging.getLogger(__name__)

KILLER_KIND: Final = "killed-its-worker"
ATTEMPTS_MAX: Final = 3
# One worker at a time looks at suspects: of two, each would count the other's attempts.
LOCK: Final = 0x5075_4C6F_0001
# Attempts that ended without their worker's end, and could not be taken back at that moment.
_owed: set[int] = set()


class Trial(NamedTuple):
    """The deliveries to be tried now, and how many were set aside instead."""

    ids: list[int]
    set_aside: int


@contextmanager
def alone() -> Iterator[bool]:
    """Whether this worker is the one that may look at suspects; until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (locked,) = cursor.fetchone()
    try:
        yield locked
    finally:
        if locked:
            _unlock()


def begin(ids: Sequence[int], *, limit: int) -> Trial:
    """Count an attempt at the worst suspects among these, and commit it before it is made."""
    with transaction.atomic():
        _pay()
        waiting = queries.claim_among(ids)
        killers = [each.id for each in waiting if each.unfinished >= ATTEMPTS_MAX]
        _set_aside(killers)
        tried = _worst([each for each in waiting if each.id not in killers], limit)
        counted = {"attempts": F("attempts") + 1, "unfinished": F("unfinished") + 1}
        Delivery.objects.filter(pk__in=tried).update(**counted)
    return Trial(tried, len(killers))


def forgive(ids: Collection[int]) -> None:
    """The attempt at these ended without an outcome, and not with the worker: it does not count."""
    _owed.update(ids)
    try:
        with transaction.atomic():
            _pay()
    except (DatabaseError, InterfaceError) as error:
        log.warning("%d attempts are taken back later: %s", len(ids), error)


def _worst(waiting: Sequence[Waiting], limit: int) -> list[int]:
    """The first of those with the most attempts: all of a batch, its root, one.

    Only what fits into a batch is tried, so that no attempt is counted that is not made.
    """
    level = max((each.unfinished for each in waiting), default=0)
    size = round(limit ** (1 - level / (ATTEMPTS_MAX - 1)))
    worst = [(each.id, each.size_bytes) for each in waiting if each.unfinished == level]
    return queries.within(worst[: max(1, size)], queries.BATCH_BYTES_MAX)


def _pay() -> None:
    if _owed:
        less = {"attempts": F("attempts") - 1, "unfinished": F("unfinished") - 1}
        mine = Delivery.objects.pending().filter(pk__in=_owed, unfinished__gt=0)
        mine.update(**less)
        transaction.on_commit(_owed.clear)


def _set_aside(ids: Collection[int]) -> None:
    if ids:
        log.error("Deliveries %s are set aside: each has killed its worker", sorted(ids))
        error = f"{ATTEMPTS_MAX} attempts ended with the worker itself (killed, or out of memory)"
        Delivery.objects.filter(pk__in=ids).update(
            set_aside_at=timezone.now(), unfinished=0, error_kind=KILLER_KIND, error=error
        )


def _unlock() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    except (DatabaseError, InterfaceError) as error:
        # The lock ended with the session.
        log.warning("The connection broke while suspects were tried: %s", error)
