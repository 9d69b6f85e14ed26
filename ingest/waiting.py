"""Reading the queues of the backfill: what is due, what is left, who should be walked again."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from ingest.models import BackfillPage, BackfillSignature, Queued, Watermark
from pnl.models import Trade, Trader

# A walk costs 100 credits at least: who has traded of late is walked often, the others daily.
RECENT: Final = timedelta(days=1)
OFTEN: Final = timedelta(hours=1)
SELDOM: Final = timedelta(days=1)


class Left(NamedTuple):
    """What is queued: pages and signatures, and how many of them failed and wait for later."""

    pages: int
    signatures: int
    failed: int


def claim_page(trader_ids: Collection[int] | None = None) -> BackfillPage | None:
    """Lock the page that has been due longest; the lock lasts to the end of the transaction."""
    due = BackfillPage.objects.filter(_is_free(), not_before__lte=Now())
    if trader_ids is not None:
        due = due.filter(pk__in=trader_ids)
    locked = due.select_for_update(skip_locked=True, of=("self",))
    return locked.order_by("not_before", "pk").first()


def claim_signatures(*, limit: int) -> list[BackfillSignature]:
    """Lock signatures that are due, those that have waited longest first."""
    due = BackfillSignature.objects.filter(_is_free(), is_unknown=False, not_before__lte=Now())
    locked = due.select_for_update(skip_locked=True, of=("self",))
    return list(locked.order_by("not_before", "pk")[:limit])


def queued() -> int:
    """How many pages and signatures are to be fetched, now or later."""
    signatures = BackfillSignature.objects.filter(is_unknown=False)
    return BackfillPage.objects.count() + signatures.count()


def stuck(*, attempts: int) -> Queued | None:
    """Of what has failed at least so often, that which did most; None if nothing has."""
    pages = BackfillPage.objects.filter(attempts__gte=attempts).order_by("-attempts")
    signatures = BackfillSignature.objects.filter(is_unknown=False, attempts__gte=attempts)
    return pages.first() or signatures.order_by("-attempts").first()


def left_of(backfill_id: int, trader_ids: Collection[int] = ()) -> Left:
    """What is still queued of a run, or of traders whose walk belongs to another one."""
    pages = BackfillPage.objects.filter(Q(backfill_id=backfill_id) | Q(pk__in=trader_ids))
    signatures = BackfillSignature.objects.filter(backfill_id=backfill_id, is_unknown=False)
    failed = pages.filter(attempts__gt=0).count() + signatures.filter(attempts__gt=0).count()
    return Left(pages.count(), signatures.count(), failed)


def watched() -> "QuerySet[Trader]":
    """The traders whose wallets staff follow."""
    return Trader.objects.filter(watched=True)


def watched_ids() -> list[int]:
    """Their ids."""
    return list(watched().order_by("pk").values_list("pk", flat=True))


def queued_trader_ids() -> list[int]:
    """The traders whose walk is not at its end."""
    return list(BackfillPage.objects.order_by("pk").values_list("pk", flat=True))


def watched_addresses() -> list[str]:
    """Their addresses, in a lasting order."""
    return [str(key) for key in watched().order_by("pk").values_list("address", flat=True)]


def due_traders(*, limit: int) -> list[int]:
    """Watched traders whose last walk is too long ago for how they trade, the longest first."""
    trades = Trade.objects.filter(trader_id=OuterRef("pk"), block_time__gt=Now() - RECENT)
    walked = Watermark.objects.filter(pk=OuterRef("pk"))
    is_fresh = walked.filter(walked_at__gt=Now() - OFTEN)
    is_known = walked.filter(walked_at__gt=Now() - SELDOM)
    queued = BackfillPage.objects.filter(pk=OuterRef("pk"))
    due = (
        watched()
        .filter(~Exists(queued), ~Exists(is_fresh))
        .filter(~Exists(is_known) | Exists(trades))
    )
    return list(due.order_by("watermark__walked_at", "pk").values_list("pk", flat=True)[:limit])


def _is_free() -> Q:
    """Whether nobody is fetching it, or has not been heard of for too long."""
    return Q(leased_until__isnull=True) | Q(leased_until__lte=Now())
