"""What a SOL cost, minute by minute, and the indexes of the trades that wait for it."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pnl", "0004_withdrawn_trades"),
    ]

    operations = [
        migrations.CreateModel(
            name="SolPrice",
            fields=[
                ("minute", models.DateTimeField(primary_key=True, serialize=False)),
                ("micro_usd", models.BigIntegerField()),
                ("source", models.CharField(max_length=64)),
                (
                    "fetched_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "verbose_name": "SOL price",
            },
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                condition=models.Q(("lamports__isnull", True)),
                fields=["quote", "block_time"],
                name="trade_unpriced",
            ),
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                condition=models.Q(("quote__isnull", False)),
                fields=["block_time"],
                name="trade_quoted",
            ),
        ),
        migrations.AddConstraint(
            model_name="solprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("micro_usd__gt", 0)), name="sol_price_above_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="solprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "minute",
                        models.Func(
                            models.Value("minute"),
                            models.F("minute"),
                            models.Value("UTC"),
                            function="date_trunc",
                            output_field=models.DateTimeField(),
                        ),
                    )
                ),
                name="sol_price_of_a_whole_minute",
            ),
        ),
    ]
