"""The durable inbox: every body that was acknowledged, as it came, and what became of it."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from pnl.fields import SIGNATURE_BYTES, Base58Field
from pnl.models import Trader


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The three states of a delivery."""

    def pending(self) -> "DeliveryQuerySet":
        """Acknowledged and not yet looked at."""
        return self.filter(processed_at__isnull=True, set_aside_at__isnull=True)

    def processed(self) -> "DeliveryQuerySet":
        """Decoded and booked."""
        return self.filter(processed_at__isnull=False)

    def set_aside(self) -> "DeliveryQuerySet":
        """Kept with its error until somebody runs it again."""
        return self.filter(set_aside_at__isnull=False)


class Door(models.TextChoices):
    """How a body came in."""

    WEBHOOK = "webhook", "webhook"
    BACKFILL = "backfill", "backfill"


class Delivery(models.Model):
    """One webhook body. Pending until processed, or set aside with the reason."""

    door = models.CharField(max_length=8, choices=Door, default=Door.WEBHOOK, db_default="webhook")
    received_at = models.DateTimeField(db_default=Now())
    size_bytes = models.IntegerField()
    body = models.BinaryField()
    attempts = models.SmallIntegerField(db_default=0)
    # Attempts that began and were never heard of again (see ingest.suspects).
    unfinished = models.SmallIntegerField(db_default=0)
    processed_at = models.DateTimeField(null=True)
    set_aside_at = models.DateTimeField(null=True)
    trades = models.IntegerField(null=True)
    # Events that have grown beyond the fields the decoder knows: booked, but somebody should look.
    unknown_layouts = models.IntegerField(null=True)
    # What was well formed but not ours to book: [{"transaction", "signature", "reason", "detail"}].
    dropped = models.JSONField(null=True)
    # A short, stable word for what went wrong (see ingest.operations), and what it says.
    error_kind = models.TextField(db_default="")
    error = models.TextField(db_default="")
    traceback = models.TextField(db_default="")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(processed_at__isnull=True) | Q(set_aside_at__isnull=True),
                name="delivery_has_one_state",
            ),
            models.CheckConstraint(
                condition=Q(door__in=Door.values), name="delivery_door_is_known"
            ),
        ]
        indexes = [
            # Read by the claim: what nobody has looked at yet, oldest first.
            models.Index(
                fields=["id"],
                name="delivery_pending",
                condition=Q(processed_at__isnull=True, set_aside_at__isnull=True),
            ),
            # Read by the admin and the alarms: what waits for a person.
            models.Index(
                fields=["set_aside_at"],
                name="delivery_set_aside",
                condition=Q(set_aside_at__isnull=False),
            ),
            # Read by the metrics: what tells that the programs have grown.
            models.Index(
                fields=["unknown_layouts"],
                name="delivery_unknown_layouts",
                condition=Q(unknown_layouts__gt=0),
            ),
            # Read by the admin and by reprocess: what failed for the same reason.
            models.Index(
                fields=["error_kind", "id"],
                name="delivery_error_kind",
                condition=Q(set_aside_at__isnull=False),
            ),
            # Read by the archive: what was booked long enough ago, oldest first.
            models.Index(
                fields=["processed_at"],
                name="delivery_processed",
                condition=Q(processed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class Archived(models.Model):
    """A processed delivery, moved out of the inbox.

    The table is partitioned by the day of `processed_at` (UTC) and forgets whole days.
    """

    id = models.BigIntegerField(primary_key=True)
    door = models.CharField(max_length=8, choices=Door, default=Door.WEBHOOK, db_default="webhook")
    received_at = models.DateTimeField()
    size_bytes = models.IntegerField()
    body = models.BinaryField()
    attempts = models.SmallIntegerField()
    processed_at = models.DateTimeField()
    trades = models.IntegerField(null=True)
    unknown_layouts = models.IntegerField(null=True)
    dropped = models.JSONField(null=True)

    class Meta:
        verbose_name = "archived delivery"
        verbose_name_plural = "archived deliveries"
        constraints = [
            models.CheckConstraint(condition=Q(door__in=Door.values), name="archived_door_is_known")
        ]
        indexes = [
            # Read by the admin: the newest first, within a time.
            models.Index(fields=["received_at", "id"], name="archived_received"),
            # Read by the metrics, as with the inbox.
            models.Index(
                fields=["unknown_layouts"],
                name="archived_unknown_layouts",
                condition=Q(unknown_layouts__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"archived delivery {self.pk}"


class Enrichment(models.Model):
    """A transaction that came enhanced and shall be fetched raw: for its order, or its amounts.

    `reason` is `order_unknown`, or why it was dropped. Waiting until `done_at` is set: it was
    fetched, or `is_unknown`, asked for often enough and known to no node.
    """

    signature = Base58Field(length=SIGNATURE_BYTES, unique=True)
    slot = models.BigIntegerField(null=True)
    reason = models.TextField()
    requested_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(db_default=0)
    not_before = models.DateTimeField(db_default=Now())
    error = models.TextField(db_default="")
    done_at = models.DateTimeField(null=True)
    is_unknown = models.BooleanField(db_default=False)

    class Meta:
        indexes = [
            # Read by waiting_enrichments: what is due, the longest due first.
            models.Index(
                fields=["not_before", "id"],
                name="enrichment_waiting",
                condition=Q(done_at__isnull=True),
            ),
            # Read by forget_enrichments: what ended long ago.
            models.Index(fields=["done_at"], name="enrichment_ended"),
        ]

    def __str__(self) -> str:
        return f"enrichment {self.signature}"


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
    """Something to fetch: it stays until it was, and is tried again later each time it fails."""

    backfill = models.ForeignKey(Backfill, models.PROTECT, db_index=True)
    attempts = models.IntegerField(db_default=0)
    not_before = models.DateTimeField(db_default=Now())
    error = models.TextField(db_default="")

    class Meta:
        abstract = True


class BackfillPage(Queued):
    """The next page of one trader's walk over its finalized transactions.

    The walk goes from `from_slot` to `until_slot`, both in it and null until it has begun. `token`
    is where the page begins. Below `reached_slot` everything has been compared; `tail` has the
    walk's signatures of that slot so far, which may go on in the page.
    """

    trader = models.OneToOneField(Trader, models.PROTECT, primary_key=True, db_constraint=False)
    from_slot = models.BigIntegerField(null=True)
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


class Hearing(models.Model):
    """When the webhooks that post to one URL were last heard: the inbox forgets sooner."""

    url = models.CharField(max_length=300, primary_key=True)
    since = models.DateTimeField(db_default=Now())
    heard_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.url} was heard {self.heard_at or 'never'}"


class Watermark(models.Model):
    """How far a trader's finalized transactions have been walked: all up to there is final."""

    trader = models.OneToOneField(Trader, models.PROTECT, primary_key=True, db_constraint=False)
    slot = models.BigIntegerField()
    block_index = models.IntegerField(null=True)  # null means the whole slot
    # When a walk last ended; null while the first is under way.
    walked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"trader {self.trader_id} is final up to {self.slot}"
