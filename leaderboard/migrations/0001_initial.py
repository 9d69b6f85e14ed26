"""Boards and standings."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("pnl", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Board",
            fields=[
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("24h", "24 hours"),
                            ("7d", "7 days"),
                            ("30d", "30 days"),
                            ("all", "All time"),
                        ],
                        max_length=3,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("version", models.BigIntegerField(db_default=0)),
                ("refreshed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("period__in", ["24h", "7d", "30d", "all"])),
                        name="board_period_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Standing",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "period",
                        "trader_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("24h", "24 hours"),
                            ("7d", "7 days"),
                            ("30d", "30 days"),
                            ("all", "All time"),
                        ],
                        max_length=3,
                    ),
                ),
                ("label", models.CharField(max_length=64)),
                ("kind", models.CharField(max_length=8)),
                ("ranked", models.BooleanField()),
                ("realized_lamports", models.BigIntegerField()),
                ("loss_lamports", models.BigIntegerField()),
                ("cost_lamports", models.BigIntegerField()),
                ("volume_lamports", models.BigIntegerField()),
                ("worst_lamports", models.BigIntegerField()),
                ("trades", models.IntegerField()),
                ("closed", models.IntegerField()),
                ("wins", models.IntegerField()),
                ("losing_streak", models.IntegerField()),
                ("unmatched_sells", models.IntegerField()),
                ("unpriced", models.IntegerField()),
                ("last_loss_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
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
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ranked", True)),
                        fields=["period", "realized_lamports", "trader"],
                        name="standing_ranked",
                    ),
                    models.Index(
                        fields=["period", "realized_lamports", "trader"], name="standing_everyone"
                    ),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)),
                        fields=["expires_at"],
                        name="standing_expiring",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("period__in", ["24h", "7d", "30d", "all"])),
                        name="standing_period_known",
                    )
                ],
            },
        ),
    ]
