"""The durable inbox: every body that was acknowledged, as it came, and what became of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ingest.completeness import (
    Backfill,
    BackfillPage,
    BackfillSignature,
    Latecomer,
    Queued,
    Watermark,
)
from pnl.fields import SIGNATURE_BYTES, Base58Field

# What the backfill keeps has a module of its own and is imported from here, as models are.
__all__ = [
    "Backfill",
    "BackfillPage",
    "BackfillSignature",
    "Latecomer",
    "Queued",
    "Watermark",
]


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


class Hearing(models.Model):
    """When the webhooks that post to one URL were last heard: the inbox forgets sooner."""

    url = models.CharField(max_length=300, primary_key=True)
    since = models.DateTimeField(db_default=Now())
    heard_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.url} was heard {self.heard_at or 'never'}"
