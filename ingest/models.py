"""The durable inbox: every body that was acknowledged, as it came, and what became of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from pnl.fields import SIGNATURE_BYTES, Base58Field


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


class Delivery(models.Model):
    """One webhook body. Pending until processed, or set aside with the reason."""

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
            )
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
    """A processed delivery, moved out of the inbox; its body is compressed by zlib.

    The table is partitioned by the day of `received_at` (UTC) and forgets whole days.
    """

    id = models.BigIntegerField(primary_key=True)
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

    `reason` is `order_unknown`, or why it was dropped. Waiting until `done_at` is set.
    """

    signature = Base58Field(length=SIGNATURE_BYTES, unique=True)
    slot = models.BigIntegerField(null=True)
    reason = models.TextField()
    requested_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(db_default=0)
    not_before = models.DateTimeField(db_default=Now())
    error = models.TextField(db_default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Read by waiting_enrichments: what is due, the longest due first.
            models.Index(
                fields=["not_before", "id"],
                name="enrichment_waiting",
                condition=Q(done_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"enrichment {self.signature}"
