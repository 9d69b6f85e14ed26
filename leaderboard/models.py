"""The scoreboard's tables: four boards, and a trader's standing on each."""

from django.db import models
from django.db.models import Q

from pnl.models import Trader


class Period(models.TextChoices):
    """The windows of the boards: three that roll, exact to the second, and all time."""

    DAY = "24h", "24 hours"
    WEEK = "7d", "7 days"
    MONTH = "30d", "30 days"
    ALL = "all", "All time"


class Board(models.Model):
    """One board. Its version counts the frames that changed its visible top."""

    period = models.CharField(max_length=3, primary_key=True, choices=Period.choices)
    version = models.BigIntegerField(db_default=0)
    refreshed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(period__in=Period.values), name="board_period_known")
        ]

    def __str__(self) -> str:
        return f"board {self.period}"


class Standing(models.Model):
    """A trader's line on a board. Hidden traders have none; gates leave others ranked or not."""

    pk = models.CompositePrimaryKey("period", "trader_id")
    period = models.CharField(max_length=3, choices=Period.choices)
    trader = models.ForeignKey(Trader, models.PROTECT, db_constraint=False, db_index=False)
    label = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)
    ranked = models.BooleanField()
    realized_lamports = models.BigIntegerField()
    loss_lamports = models.BigIntegerField()
    cost_lamports = models.BigIntegerField()
    volume_lamports = models.BigIntegerField()
    worst_lamports = models.BigIntegerField()
    trades = models.IntegerField()
    closed = models.IntegerField()
    wins = models.IntegerField()
    losing_streak = models.IntegerField()
    unmatched_sells = models.IntegerField()
    unpriced = models.IntegerField()
    last_loss_at = models.DateTimeField(null=True)
    # When the oldest thing counted here leaves the window: the standing is summed again by then.
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__in=Period.values), name="standing_period_known"
            )
        ]
        indexes = [
            # Read by the boards and their pages. Whether a line is ranked is looked up beside it:
            # an index of the ranked alone would cost every refresh one more entry a line.
            models.Index(
                fields=["period", "realized_lamports", "trader"],
                include=["ranked"],
                name="standing_in_order",
            ),
            # Read by the refresh: whose window has moved on.
            models.Index(
                fields=["expires_at"],
                name="standing_expiring",
                condition=Q(expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} on {self.period}"
