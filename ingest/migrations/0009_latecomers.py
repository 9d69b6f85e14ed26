"""Where walks shall begin at the latest: at what was booked late, or where somebody asked."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0008_enrichment_ends"),
        ("pnl", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Latecomer",
            fields=[
                (
                    "trader",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to="pnl.trader",
                    ),
                ),
                ("slot", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="backfillpage",
            name="begin_by_slot",
            field=models.BigIntegerField(null=True),
        ),
    ]
