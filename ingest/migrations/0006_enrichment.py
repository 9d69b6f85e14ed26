"""What came enhanced is asked for raw."""

import django.db.models.functions.datetime
from django.db import migrations, models

import pnl.fields


class Migration(migrations.Migration):
    dependencies = [("ingest", "0005_unknown_layouts")]

    operations = [
        migrations.CreateModel(
            name="Enrichment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("signature", pnl.fields.Base58Field(length=64, unique=True)),
                ("slot", models.BigIntegerField(null=True)),
                ("reason", models.TextField()),
                (
                    "requested_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("attempts", models.IntegerField(db_default=0)),
                (
                    "not_before",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("error", models.TextField(db_default="")),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=["not_before", "id"],
                        name="enrichment_waiting",
                    )
                ],
            },
        ),
    ]
