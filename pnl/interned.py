"""The tables of what trades and is traded: wallets and mints, each interned once."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from pnl.fields import Base58Field


class TraderKind(models.TextChoices):
    """Who is behind a wallet, as far as staff or the program's own constants tell."""

    PERSON = "person", "person"
    BOT = "bot", "bot"
    AGENT = "agent", "Mayhem agent"


class Trader(models.Model):
    """A wallet address that traded, interned once; staff may label, hide or watch it."""

    address = Base58Field(unique=True, editable=False)
    label = models.CharField(max_length=64, blank=True, default="", db_default="")
    kind = models.CharField(
        max_length=8,
        choices=TraderKind.choices,
        default=TraderKind.PERSON,
        db_default=TraderKind.PERSON,
    )
    hidden = models.BooleanField(default=False, db_default=False)
    watched = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=TraderKind.values), name="trader_kind_is_known"
            )
        ]

    def __str__(self) -> str:
        return str(self.label or self.address)


class Token(models.Model):
    """A mint, interned once, and what the curve's events tell of it: nothing yet, or all.

    The names are whatever the creator wrote, cleaned of what cannot be shown.
    """

    mint = Base58Field(unique=True, editable=False)
    name = models.TextField(db_default="")
    symbol = models.TextField(db_default="")
    uri = models.TextField(db_default="")
    creator = Base58Field(null=True)
    created_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    migrated_at = models.DateTimeField(null=True)
    pool = Base58Field(null=True)

    class Meta:
        indexes = [
            # Read by the admin's search.
            models.Index(
                Upper("symbol"),
                name="token_symbol",
                condition=~Q(symbol=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.mint})" if self.symbol else str(self.mint)
