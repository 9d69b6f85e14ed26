"""Trades may be inferred from balances, corrected, or dropped with their transaction."""

import django.db.models.functions.datetime
from django.db import migrations, models

import pnl.fields


class Migration(migrations.Migration):
    dependencies = [
        ("pnl", "0003_alarm"),
    ]

    operations = [
        migrations.CreateModel(
            name="DroppedTransaction",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "signature",
                        "slot",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("signature", pnl.fields.Base58Field(length=64)),
                ("slot", models.BigIntegerField()),
                (
                    "dropped_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.AddField(
            model_name="trade",
            name="inferred",
            field=models.BooleanField(db_default=False),
        ),
    ]
