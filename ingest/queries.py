"""Reading the inbox: what waits, for how long, what was set aside, and what the archive holds."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Now

from ingest.models import Archived, Delivery, Door, Enrichment
from pnl import rows

# At the default of 4 (spinning disks) and without statistics the planner sorts all that waits to
# find the oldest thousand; the index has them in order. It holds for the whole batch, whose other
# statements look up single rows, too.
LOOK_UPS_ARE_CHEAP = "SET LOCAL random_page_cost = 1.1"
BODIES = "SELECT id, body FROM ingest_delivery WHERE id = ANY(%b::int8[])"

# A row that was locked before and was not updated since has kept the number of the transaction that
# locked it: whoever claimed it was rolled back, or died.
CLAIM = """
SELECT id, size_bytes, unfinished, xmax <> 0 AS was_claimed FROM ingest_delivery
 WHERE processed_at IS NULL AND set_aside_at IS NULL
 ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
CLAIM_AMONG = """
SELECT id, size_bytes, unfinished, xmax <> 0 AS was_claimed FROM ingest_delivery
 WHERE processed_at IS NULL AND set_aside_at IS NULL AND id = ANY(%s)
 ORDER BY id FOR UPDATE SKIP LOCKED
"""
# The archive may be partitioned by days only: its partitions' names say which.
PARTITIONS = """
SELECT to_date(right(c.relname, 8), 'YYYYMMDD'), greatest(c.reltuples, 0)::int8
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'ingest_archived'::regclass ORDER BY c.relname
"""
SIZE = "SELECT pg_total_relation_size('ingest_delivery')"
# Ids are fetched in portions, for whoever goes through many deliveries.
PORTION: Final = 1000


class Waiting(NamedTuple):
    """A claimed delivery; `unfinished` and `was_claimed` tell of attempts without an outcome."""

    id: int
    size_bytes: int
    unfinished: int
    was_claimed: bool

    @property
    def is_suspect(self) -> bool:
        """Whether somebody took it before and never said what became of it."""
        return self.was_claimed or self.unfinished > 0


class Backlog(NamedTuple):
    """The state of the inbox. `oldest_at` is None when nothing waits."""

    pending: int
    set_aside: int
    oldest_at: datetime | None


class Wanted(NamedTuple):
    """A transaction to be fetched raw: its signature in base58, and how often that has failed."""

    signature: str
    slot: int | None
    attempts: int


class Storage(NamedTuple):
    """What is kept: rows of the archive as the planner estimates, its oldest day, inbox bytes."""

    archived_estimate: int
    oldest_day: date | None
    inbox_bytes: int


class Selection(NamedTuple):
    """Which deliveries: those that fulfil every condition given. `since` is inside, `until` not."""

    ids: Collection[int] = ()
    since: datetime | None = None
    until: datetime | None = None
    error_kind: str = ""
    state: str = ""


def claim(*, limit: int, ids: Collection[int] | None = None) -> list[Waiting]:
    """Lock pending deliveries, oldest first, leaving those that another worker holds.

    The lock lasts to the end of the caller's transaction: claim and effect commit together.
    """
    statement, argument = (CLAIM, limit) if ids is None else (CLAIM_AMONG, list(ids))
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UPS_ARE_CHEAP)
        cursor.execute(statement, [argument])
        return [Waiting(*row) for row in cursor.fetchall()]


def bodies(ids: Collection[int]) -> dict[int, bytes]:
    """The bodies of deliveries as they are kept; read in binary, because as text they are hex."""
    return dict(rows.read(BODIES, [(pk,) for pk in ids]))


def backlog() -> Backlog:
    """How much waits, and since when."""
    pending = Q(processed_at__isnull=True, set_aside_at__isnull=True)
    counts = Delivery.objects.filter(pending | Q(set_aside_at__isnull=False)).aggregate(
        pending=Count("pk", filter=pending),
        set_aside=Count("pk", filter=~pending),
        oldest_at=Min("received_at", filter=pending),
    )
    return Backlog(counts["pending"], counts["set_aside"], counts["oldest_at"])


def last_webhook_delivery_at() -> datetime | None:
    """When Helius last brought something by itself; None if it never did, or long ago."""
    delivered = Delivery.objects.filter(door=Door.WEBHOOK).order_by("-pk")
    return delivered.values_list("received_at", flat=True).first()


def waiting_enrichments(limit: int) -> list[Wanted]:
    """The transactions that are due to be fetched raw, the longest due first. Nothing is locked."""
    due = Enrichment.objects.filter(done_at__isnull=True, not_before__lte=Now())
    longest = due.order_by("not_before", "pk").values_list("signature", "slot", "attempts")[:limit]
    return [Wanted(str(signature), slot, attempts) for signature, slot, attempts in longest]


def unknown_layouts() -> int:
    """How many events of all that is kept have grown beyond what the decoder knows."""
    return sum(
        int(kept.filter(unknown_layouts__gt=0).aggregate(n=Sum("unknown_layouts", default=0))["n"])
        for kept in (Delivery.objects.all(), Archived.objects.all())
    )


def archived_days() -> dict[date, int]:
    """The days that the archive has a partition for, the oldest first, with estimated rows."""
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS)
        return dict(cursor.fetchall())


def storage() -> Storage:
    """How much is kept, and how far back it goes."""
    days = archived_days()
    with connection.cursor() as cursor:
        cursor.execute(SIZE)
        (inbox_bytes,) = cursor.fetchone()
    return Storage(sum(days.values()), min(days, default=None), inbox_bytes)


def error_kinds() -> list[str]:
    """The words for what went wrong with the deliveries that are set aside."""
    kinds = Delivery.objects.set_aside().values_list("error_kind", flat=True)
    return list(kinds.order_by("error_kind").distinct())


def chosen(selection: Selection) -> list[QuerySet[Any]]:
    """Decided deliveries: those in the inbox, then those in the archive, without their order."""
    inbox = Delivery.objects.exclude(processed_at=None, set_aside_at=None)
    if selection.state == "set_aside" or selection.error_kind:
        inbox = Delivery.objects.set_aside()
    elif selection.state == "processed":
        inbox = Delivery.objects.processed()
    found: list[QuerySet[Any]] = [_narrowed(inbox, selection)]
    if selection.error_kind:
        return [found[0].filter(error_kind=selection.error_kind)]
    if selection.state != "set_aside":
        found.append(_narrowed(Archived.objects.all(), selection))
    return found


def portions_of_ids(found: QuerySet[Any], *, limit: int | None = None) -> Iterator[list[int]]:
    """The ids of rows in ascending portions; rows that change meanwhile are met once."""
    last, left = 0, limit
    while left is None or left > 0:
        size = PORTION if left is None else min(left, PORTION)
        ids = list(found.order_by("pk").filter(pk__gt=last).values_list("pk", flat=True)[:size])
        if not ids:
            return
        yield ids
        last, left = ids[-1], None if left is None else left - len(ids)


def within(sizes: Iterable[tuple[int, int]], bytes_max: int) -> list[int]:
    """The first ids of (id, size in bytes) that fit together, but one at least."""
    fitting: list[int] = []
    total = 0
    for pk, size in sizes:
        total += size
        if fitting and total > bytes_max:
            break
        fitting.append(pk)
    return fitting


def _narrowed(found: QuerySet[Any], selection: Selection) -> QuerySet[Any]:
    conditions: dict[str, Any] = {
        "pk__in": list(selection.ids) or None,
        "received_at__gte": selection.since,
        "received_at__lt": selection.until,
    }
    return found.filter(**{name: value for name, value in conditions.items() if value is not None})
