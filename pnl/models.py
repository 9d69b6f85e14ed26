"""The ledger's tables: trades are the only facts; all the others derive from them.

The foreign keys of the hot tables carry no database constraint: every row is written by one
operation that has just interned what it points at, and a check would cost a lookup a column a row.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from pnl.engine.trades import Side, Venue
from pnl.fields import SIGNATURE_BYTES, Base58Field, UnitsField, utc_minute
from pnl.interned import Token, Trader, TraderKind

# What is interned has a module of its own and is imported from here, as models are.
__all__ = ["Token", "Trader", "TraderKind"]


class Trade(models.Model):
    """One swap event: the only fact. Its identity is (signature, event_index) through every door.

    `lamports` is what a buy cost or a sell brought, program fees inside; null while a trade in
    another quote has no SOL price. `fee_units` are in the quote. A null `block_index` is unknown.
    """

    signature = Base58Field(length=SIGNATURE_BYTES)
    event_index = models.SmallIntegerField()
    slot = models.BigIntegerField()
    block_index = models.IntegerField(null=True)
    block_time = models.DateTimeField()
    trader = models.ForeignKey(Trader, models.PROTECT, db_constraint=False, db_index=False)
    token = models.ForeignKey(Token, models.PROTECT, db_constraint=False, db_index=False)
    side = models.SmallIntegerField(choices=[(side.value, side.name.lower()) for side in Side])
    venue = models.SmallIntegerField(choices=[(venue.value, venue.name.lower()) for venue in Venue])
    token_units = UnitsField()
    lamports = models.BigIntegerField(null=True)
    fee_units = UnitsField()
    quote = models.ForeignKey(
        Token,
        models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="quoted_trades",
    )
    quote_units = UnitsField(null=True)
    # The amounts were read off balances; the program's event, once it is seen, replaces them.
    inferred = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["signature", "event_index"], name="trade_identity"),
            models.CheckConstraint(
                condition=Q(token_units__gte=0) & Q(fee_units__gte=0), name="trade_units_positive"
            ),
            models.CheckConstraint(
                condition=Q(side__in=[side.value for side in Side])
                & Q(venue__in=[venue.value for venue in Venue]),
                name="trade_side_and_venue_known",
            ),
            # A trade is in SOL, or it says in what it is.
            models.CheckConstraint(
                condition=Q(quote__isnull=False, quote_units__isnull=False)
                | Q(quote__isnull=True, quote_units__isnull=True, lamports__isnull=False),
                name="trade_has_a_quote",
            ),
        ]
        indexes = [
            # Read by a replay: the trades of one position.
            models.Index(fields=["trader", "token", "slot"], name="trade_of_position"),
            # Read by the refresh: a trader's trades in the hour that a window's edge cuts.
            models.Index(fields=["trader", "block_time"], name="trade_of_trader_by_time"),
            # Read by the booking: guesses at a transaction that has now been read whole.
            models.Index(fields=["signature"], name="trade_inferred", condition=Q(inferred=True)),
            # Read by the price watch, the status and the repricing: trades that wait for a price.
            models.Index(
                fields=["quote", "block_time"],
                name="trade_unpriced",
                condition=Q(lamports__isnull=True),
            ),
            # Read by the repricing: what was paid in another quote in the minutes of a price.
            models.Index(
                fields=["block_time"],
                name="trade_quoted",
                condition=Q(quote__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signature}/{self.event_index}"


class SolPrice(models.Model):
    """What one SOL cost in one UTC minute, in millionths of a US dollar. Minutes may be missing."""

    minute = models.DateTimeField(primary_key=True)
    micro_usd = models.BigIntegerField()
    source = models.CharField(max_length=64)
    fetched_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "SOL price"
        constraints = [
            models.CheckConstraint(condition=Q(micro_usd__gt=0), name="sol_price_above_zero"),
            models.CheckConstraint(
                condition=Q(minute=utc_minute("minute")), name="sol_price_of_a_whole_minute"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} UTC"


class Position(models.Model):
    """The fold of one trader's trades in one token, up to the place of the last one."""

    trader = models.ForeignKey(Trader, models.PROTECT, db_constraint=False, db_index=False)
    token = models.ForeignKey(Token, models.PROTECT, db_constraint=False, db_index=False)
    units = UnitsField(db_default=0)
    cost_lamports = models.BigIntegerField(db_default=0)
    bought_units = UnitsField(db_default=0)
    bought_lamports = models.BigIntegerField(db_default=0)
    sold_units = UnitsField(db_default=0)
    sold_lamports = models.BigIntegerField(db_default=0)
    realized_lamports = models.BigIntegerField(db_default=0)
    unmatched_units = UnitsField(db_default=0)
    unmatched_lamports = models.BigIntegerField(db_default=0)
    buys = models.IntegerField(db_default=0)
    sells = models.IntegerField(db_default=0)
    closed = models.IntegerField(db_default=0)
    wins = models.IntegerField(db_default=0)
    losses = models.IntegerField(db_default=0)
    trip_lamports = models.BigIntegerField(db_default=0)
    unpriced = models.IntegerField(db_default=0)
    opened_at = models.DateTimeField(null=True)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    # The place of the last folded trade: what comes after it is booked, what comes before replays.
    last_slot = models.BigIntegerField(null=True)
    last_block_index = models.IntegerField(null=True)
    last_side = models.SmallIntegerField(null=True)
    last_signature = Base58Field(length=SIGNATURE_BYTES, null=True)
    last_event_index = models.SmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trader", "token"], name="position_identity"),
            models.CheckConstraint(
                condition=Q(units__gte=0) & Q(cost_lamports__gte=0), name="position_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"position {self.pk}"


class Realization(models.Model):
    """What one sell realized; its key is its trade's."""

    trade = models.OneToOneField(Trade, models.PROTECT, primary_key=True, db_constraint=False)
    trader = models.ForeignKey(Trader, models.PROTECT, db_constraint=False, db_index=False)
    token = models.ForeignKey(Token, models.PROTECT, db_constraint=False, db_index=False)
    slot = models.BigIntegerField()
    realized_at = models.DateTimeField()
    matched_units = UnitsField()
    unmatched_units = UnitsField()
    cost_lamports = models.BigIntegerField()
    proceeds_lamports = models.BigIntegerField()
    unmatched_lamports = models.BigIntegerField()
    realized_lamports = models.BigIntegerField()
    closes = models.BooleanField()
    trip_lamports = models.BigIntegerField()
    hold_seconds = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    realized_lamports=models.F("proceeds_lamports") - models.F("cost_lamports")
                ),
                name="realization_adds_up",
            )
        ]
        indexes = [
            # Read by the refresh and the wallet page: a trader's results, latest first.
            models.Index(fields=["trader", "realized_at"], name="realization_of_trader_by_time"),
            # Read by the refresh: the round trips a streak is counted on.
            models.Index(
                fields=["trader", "slot"], name="realization_closing", condition=Q(closes=True)
            ),
        ]

    def __str__(self) -> str:
        return f"realization {self.pk}"


class HourlyRollup(models.Model):
    """One trader's activity and results in one clock hour: windows need not read history."""

    pk = models.CompositePrimaryKey("trader_id", "hour")
    trader = models.ForeignKey(Trader, models.PROTECT, db_constraint=False, db_index=False)
    hour = models.DateTimeField()
    trades = models.IntegerField()
    volume_lamports = models.BigIntegerField()
    sells = models.IntegerField()
    matched_sells = models.IntegerField()
    unmatched_sells = models.IntegerField()
    unpriced = models.IntegerField()
    cost_lamports = models.BigIntegerField()
    realized_lamports = models.BigIntegerField()
    loss_lamports = models.BigIntegerField()
    worst_lamports = models.BigIntegerField()
    closed = models.IntegerField()
    wins = models.IntegerField()
    losses = models.IntegerField()
    last_loss_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(loss_lamports__lte=0) & Q(worst_lamports__lte=0),
                name="rollup_losses_negative",
            )
        ]

    def __str__(self) -> str:
        return f"trader {self.trader_id}, {self.hour:%Y-%m-%d %H}h"


class DroppedTransaction(models.Model):
    """A transaction that was confirmed at a slot and never finalized there: it brings no trades."""

    pk = models.CompositePrimaryKey("signature", "slot")
    signature = Base58Field(length=SIGNATURE_BYTES)
    slot = models.BigIntegerField()
    dropped_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.signature} at slot {self.slot}"


class Touched(models.Model):
    """A trader whose standings must be looked at again; the boards take the rows away."""

    trader_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"trader {self.trader_id}"


class Alarm(models.Model):
    """Something is wrong and somebody must look; the row goes when it is over."""

    kind = models.CharField(max_length=64, primary_key=True)
    detail = models.TextField()
    times = models.IntegerField(db_default=1)
    since = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"
