"""Reading the inbox: what waits, for how long, what was set aside, and what the archive holds."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Now

from ingest.models import Archived, Delivery, Door, Enrichment
from pnl import rows

# At the default of 4 (spinning disks) and without statistics the planner sorts all that waits to
# find the oldest thousand; the index has them in order. It holds for the whole batch, whose other
# statements look up single rows, too.
LOOK_UPS_ARE_CHEAP = "SET LOCAL random_page_cost = 1.1"
BODIES = "SELECT id, body FROM ingest_delivery WHERE id = ANY(%b::int8[])"

# Bodies of one batch in memory, as large as they are when unpacked.
BATCH_BYTES_MAX = 64 * 1024 * 1024

# Where a batch ends that begins behind a delivery, seen before anything is locked.
AHEAD = """
SELECT max(id), count(*) FROM (
    SELECT id, row_number() OVER w = 1 AS is_first, sum(size_bytes) OVER w AS bytes
      FROM (SELECT id, size_bytes FROM ingest_delivery
             WHERE processed_at IS NULL AND set_aside_at IS NULL AND id > %(last)s
             ORDER BY id LIMIT %(limit)s) waiting
    WINDOW w AS (ORDER BY id ROWS UNBOUNDED PRECEDING)) sized
 WHERE bytes <= %(room)s OR (is_first AND %(must)s)
"""
# A row that was locked before and was not updated since has kept the number of the transaction that
# locked it: whoever claimed it was rolled back, or died. So nothing may be locked and left.
CLAIM = """
SELECT id, size_bytes, unfinished, xmax <> 0 AS was_claimed FROM ingest_delivery
 WHERE processed_at IS NULL AND set_aside_at IS NULL AND id > %s AND id <= %s
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


def claim(*, limit: int) -> list[Waiting]:
    """Lock a batch of pending deliveries, oldest first, leaving those that another worker holds.

    Only what fits into `BATCH_BYTES_MAX` is locked, but one at least. The lock lasts to the end of
    the caller's transaction: claim and effect commit together.
    """
    claimed: list[Waiting] = []
    last: int | None = 0
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UPS_ARE_CHEAP)
        while last is not None and len(claimed) < limit:
            # What others hold takes no room: there is another look behind it.
            got, last = _claim_behind(cursor, last, claimed, limit)
            claimed += got
    return claimed


def claim_among(ids: Collection[int]) -> list[Waiting]:
    """Lock those of these that are pending and that no other worker holds, however large."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UPS_ARE_CHEAP)
        cursor.execute(CLAIM_AMONG, [list(ids)])
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


def _claim_behind(
    cursor: CursorWrapper, last: int, claimed: Sequence[Waiting], limit: int
) -> tuple[list[Waiting], int | None]:
    """More of a batch, from behind a delivery; and the last one seen, None at the end of it."""
    room = BATCH_BYTES_MAX - sum(each.size_bytes for each in claimed)
    wanted = {"last": last, "limit": limit - len(claimed), "room": room, "must": not claimed}
    cursor.execute(AHEAD, wanted)
    end, count = cursor.fetchone()
    if end is None:
        return [], None
    # One that was committed meanwhile may stand between these: then it is booked with them.
    cursor.execute(CLAIM, [last, end, count])
    return [Waiting(*row) for row in cursor.fetchall()], end


def _narrowed(found: QuerySet[Any], selection: Selection) -> QuerySet[Any]:
    conditions: dict[str, Any] = {
        "pk__in": list(selection.ids) or None,
        "received_at__gte": selection.since,
        "received_at__lt": selection.until,
    }
    return found.filter(**{name: value for name, value in conditions.items() if value is not None})
