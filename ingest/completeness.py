"""What the backfill keeps: its runs, its queues, and how far each trader was walked."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from pnl.fields import SIGNATURE_BYTES, Base58Field
from pnl.models import Trader


class Backfill(models.Model):
    """One run of going after what was never delivered: what was asked for and what came of it.

    It is finished when nothing of it is queued any more. `gaps` counts transactions that the chain
    has and the ledger had not, `dropped` places of transactions that the chain has dropped,
    `conflicts` transactions whose place in the ledger is not the chain's, `failed_pages` fetches
    that failed and were queued again, `unknown` signatures that no node knows.
    """

    scope = models.CharField(max_length=200)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    traders = models.IntegerField(db_default=0)
    pages = models.IntegerField(db_default=0)
    transactions = models.BigIntegerField(db_default=0)
    gaps = models.BigIntegerField(db_default=0)
    dropped = models.IntegerField(db_default=0)
    conflicts = models.IntegerField(db_default=0)
    failed_pages = models.IntegerField(db_default=0)
    unknown = models.IntegerField(db_default=0)
    error = models.TextField(db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(finished_at__gte=F("started_at")),
                name="backfill_ends_after_it_began",
            )
        ]
        indexes = [
            # Read by whoever ends a run: those under way.
            models.Index(
                fields=["id"], name="backfill_under_way", condition=Q(finished_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"backfill {self.pk}: {self.scope}"


class Queued(models.Model):
    """Something to fetch: it stays until it was, and is tried again later each time it fails.

    Until `leased_until` somebody fetches it; null when nobody does (see ingest.leases).
    """

    backfill = models.ForeignKey(Backfill, models.PROTECT, db_index=True)
    attempts = models.IntegerField(db_default=0)
    not_before = models.DateTimeField(db_default=Now())
    error = models.TextField(db_default="")
    leased_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class BackfillPage(Queued):
    """The next page of one trader's walk over its finalized transactions.

    The walk goes from `from_slot` to `until_slot`, both in it and null until it has begun; if
    `begin_by_slot` is there and lower, it begins there. `token` is where the page begins. Below
    `reached_slot` everything has been compared; `tail` has the walk's signatures of that slot so
    far, which may go on in the page.
    """

    trader = models.OneToOneField(Trader, models.PROTECT, primary_key=True, db_constraint=False)
    from_slot = models.BigIntegerField(null=True)
    begin_by_slot = models.BigIntegerField(null=True)
    until_slot = models.BigIntegerField(null=True)
    token = models.CharField(max_length=64, db_default="")
    reached_slot = models.BigIntegerField(null=True)
    tail = models.JSONField(default=list)
    # When another walk shall follow this one; null if none was asked for meanwhile.
    again_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until_slot__isnull=True) | Q(from_slot__isnull=False),
                name="backfill_page_has_a_beginning",
            )
        ]
        indexes = [
            # Read by the claim: what has waited longest.
            models.Index(fields=["not_before"], name="backfill_page_due")
        ]

    def __str__(self) -> str:
        return f"page of trader {self.trader_id} at {self.token or 'the beginning'}"


class BackfillSignature(Queued):
    """A transaction to fetch by its signature, unless `is_unknown`: no node knows it."""

    signature = Base58Field(length=SIGNATURE_BYTES, primary_key=True)
    is_unknown = models.BooleanField(db_default=False)

    class Meta:
        indexes = [
            # Read by the claim: what has waited longest.
            models.Index(fields=["not_before"], name="signature_due", condition=Q(is_unknown=False))
        ]

    def __str__(self) -> str:
        return str(self.signature)


class Watermark(models.Model):
    """How far a trader's finalized transactions have been walked: all up to there is final."""

    trader = models.OneToOneField(Trader, models.PROTECT, primary_key=True, db_constraint=False)
    slot = models.BigIntegerField()
    block_index = models.IntegerField(null=True)  # null means the whole slot
    # When a walk last ended; null while the first is under way.
    walked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"trader {self.trader_id} is final up to {self.slot}"


class Latecomer(models.Model):
    """The lowest slot at which a trader's trades were booked long after they had happened.

    Behind its watermark, maybe: its next walk begins there at the latest, and takes the row.
    """

    trader = models.OneToOneField(Trader, models.PROTECT, primary_key=True, db_constraint=False)
    slot = models.BigIntegerField()

    def __str__(self) -> str:
        return f"trader {self.trader_id} was late at {self.slot}"
