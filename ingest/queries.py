"""Reading the inbox: what waits, for how long, and what was set aside."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Min, Q, Sum

from ingest.models import Delivery
from pnl import rows

# At the default of 4 (spinning disks) and without statistics the planner sorts all that waits to
# find the oldest thousand; the index has them in order. It holds for the whole batch, whose other
# statements look up single rows, too.
LOOK_UPS_ARE_CHEAP = "SET LOCAL random_page_cost = 1.1"
BODIES = "SELECT id, body FROM ingest_delivery WHERE id = ANY(%b::int8[])"


class Waiting(NamedTuple):
    """A claimed delivery."""

    id: int
    size_bytes: int


class Backlog(NamedTuple):
    """The state of the inbox. `oldest_at` is None when nothing waits."""

    pending: int
    set_aside: int
    oldest_at: datetime | None


def claim(*, limit: int, ids: Collection[int] | None = None) -> list[Waiting]:
    """Lock pending deliveries, oldest first, leaving those that another worker holds.

    The lock lasts to the end of the caller's transaction: claim and effect commit together.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UPS_ARE_CHEAP)
    waiting = Delivery.objects.pending().select_for_update(skip_locked=True).order_by("pk")
    if ids is not None:
        waiting = waiting.filter(pk__in=ids)
    return [Waiting(*row) for row in waiting.values_list("pk", "size_bytes")[:limit]]


def bodies(ids: Collection[int]) -> dict[int, bytes]:
    """The bodies of deliveries as they came; read in binary, because as text they are hex."""
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


def unknown_layouts() -> int:
    """How many events of the deliveries kept have grown beyond what the decoder knows."""
    grown = Delivery.objects.filter(unknown_layouts__gt=0)
    return int(grown.aggregate(events=Sum("unknown_layouts", default=0))["events"])
