"""The ledger: traders, tokens, trades, positions, realizations, rollups."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import pnl.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Token",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("mint", pnl.fields.Base58Field(length=32, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="Touched",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("trader_id", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Trader",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address", pnl.fields.Base58Field(length=32, unique=True)),
                ("label", models.CharField(blank=True, db_default="", default="", max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("person", "person"), ("bot", "bot"), ("agent", "Mayhem agent")],
                        db_default="person",
                        default="person",
                        max_length=8,
                    ),
                ),
                ("hidden", models.BooleanField(db_default=False, default=False)),
                ("watched", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["person", "bot", "agent"])),
                        name="trader_kind_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Trade",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("signature", pnl.fields.Base58Field(length=64)),
                ("event_index", models.SmallIntegerField()),
                ("slot", models.BigIntegerField()),
                ("block_index", models.IntegerField(null=True)),
                ("block_time", models.DateTimeField()),
                ("side", models.SmallIntegerField(choices=[(0, "buy"), (1, "sell")])),
                ("venue", models.SmallIntegerField(choices=[(0, "pump"), (1, "pump_swap")])),
                ("token_units", pnl.fields.UnitsField(decimal_places=0, max_digits=30)),
                ("lamports", models.BigIntegerField(null=True)),
                ("fee_units", pnl.fields.UnitsField(decimal_places=0, max_digits=30)),
                ("quote_units", pnl.fields.UnitsField(decimal_places=0, max_digits=30, null=True)),
                (
                    "quote",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quoted_trades",
                        to="pnl.token",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pnl.token",
                    ),
                ),
                (
                    "trader",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pnl.trader",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Position",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("units", pnl.fields.UnitsField(db_default=0, decimal_places=0, max_digits=30)),
                ("cost_lamports", models.BigIntegerField(db_default=0)),
                (
                    "bought_units",
                    pnl.fields.UnitsField(db_default=0, decimal_places=0, max_digits=30),
                ),
                ("bought_lamports", models.BigIntegerField(db_default=0)),
                (
                    "sold_units",
                    pnl.fields.UnitsField(db_default=0, decimal_places=0, max_digits=30),
                ),
                ("sold_lamports", models.BigIntegerField(db_default=0)),
                ("realized_lamports", models.BigIntegerField(db_default=0)),
                (
                    "unmatched_units",
                    pnl.fields.UnitsField(db_default=0, decimal_places=0, max_digits=30),
                ),
                ("unmatched_lamports", models.BigIntegerField(db_default=0)),
                ("buys", models.IntegerField(db_default=0)),
                ("sells", models.IntegerField(db_default=0)),
                ("closed", models.IntegerField(db_default=0)),
                ("wins", models.IntegerField(db_default=0)),
                ("losses", models.IntegerField(db_default=0)),
                ("trip_lamports", models.BigIntegerField(db_default=0)),
                ("unpriced", models.IntegerField(db_default=0)),
                ("opened_at", models.DateTimeField(null=True)),
                ("first_at", models.DateTimeField(null=True)),
                ("last_at", models.DateTimeField(null=True)),
                ("last_slot", models.BigIntegerField(null=True)),
                ("last_block_index", models.IntegerField(null=True)),
                ("last_side", models.SmallIntegerField(null=True)),
                ("last_signature", pnl.fields.Base58Field(length=64, null=True)),
                ("last_event_index", models.SmallIntegerField(null=True)),
                (
                    "token",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pnl.token",
                    ),
                ),
                (
                    "trader",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pnl.trader",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HourlyRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "trader_id",
                        "hour",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("trades", models.IntegerField()),
                ("volume_lamports", models.BigIntegerField()),
                ("sells", models.IntegerField()),
                ("matched_sells", models.IntegerField()),
                ("unmatched_sells", models.IntegerField()),
                ("unpriced", models.IntegerField()),
                ("cost_lamports", models.BigIntegerField()),
                ("realized_lamports", models.BigIntegerField()),
                ("loss_lamports", models.BigIntegerField()),
                ("worst_lamports", models.BigIntegerField()),
                ("closed", models.IntegerField()),
                ("wins", models.IntegerField()),
                ("losses", models.IntegerField()),
                ("last_loss_at", models.DateTimeField(null=True)),
                (
                    "trader",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pnl.trader",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Realization",
            fields=[
                (
                    "trade",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="pnl.trade",
                    ),
                ),
                ("slot", models.BigIntegerField()),
                ("realized_at", models.DateTimeField()),
                ("matched_units", pnl.fields.UnitsField(decimal_places=0, max_digits=30)),
                ("unmatched_units", pnl.fields.UnitsField(decimal_places=0, max_digits=30)),
                ("cost_lamports", models.BigIntegerField()),
                ("proceeds_lamports", models.BigIntegerField()),
                ("unmatched_lamports", models.BigIntegerField()),
                ("realized_lamports", models.BigIntegerField()),
                ("closes", models.BooleanField()),
                ("trip_lamports", models.BigIntegerField()),
                ("hold_seconds", models.BigIntegerField()),
                (
                    "token",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pnl.token",
                    ),
                ),
                (
                    "trader",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pnl.trader",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(fields=["trader", "token", "slot"], name="trade_of_position"),
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(fields=["trader", "block_time"], name="trade_of_trader_by_time"),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.UniqueConstraint(
                fields=("signature", "event_index"), name="trade_identity"
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.CheckConstraint(
                condition=models.Q(("token_units__gte", 0), ("fee_units__gte", 0)),
                name="trade_units_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("side__in", [0, 1]),
                    (
                        "venue__in",
                        [0, 1],
                    ),
                ),
                name="trade_side_and_venue_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quote__isnull", False), ("quote_units__isnull", False)),
                    models.Q(
                        ("lamports__isnull", False),
                        ("quote__isnull", True),
                        ("quote_units__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="trade_has_a_quote",
            ),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=models.UniqueConstraint(
                fields=("trader", "token"), name="position_identity"
            ),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=models.CheckConstraint(
                condition=models.Q(("units__gte", 0), ("cost_lamports__gte", 0)),
                name="position_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="hourlyrollup",
            constraint=models.CheckConstraint(
                condition=models.Q(("loss_lamports__lte", 0), ("worst_lamports__lte", 0)),
                name="rollup_losses_negative",
            ),
        ),
        migrations.AddIndex(
            model_name="realization",
            index=models.Index(
                fields=["trader", "realized_at"], name="realization_of_trader_by_time"
            ),
        ),
        migrations.AddIndex(
            model_name="realization",
            index=models.Index(
                condition=models.Q(("closes", True)),
                fields=["trader", "slot"],
                name="realization_closing",
            ),
        ),
        migrations.AddConstraint(
            model_name="realization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "realized_lamports",
                        django.db.models.expressions.CombinedExpression(
                            models.F("proceeds_lamports"), "-", models.F("cost_lamports")
                        ),
                    )
                ),
                name="realization_adds_up",
            ),
        ),
    ]
