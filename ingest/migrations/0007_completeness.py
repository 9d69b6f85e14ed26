"""The backfill's runs and queues, how far traders were walked, and how a body came in."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import pnl.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0006_enrichment"),
        ("pnl", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Backfill",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scope", models.CharField(max_length=200)),
                (
                    "started_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                ("traders", models.IntegerField(db_default=0)),
                ("pages", models.IntegerField(db_default=0)),
                ("transactions", models.BigIntegerField(db_default=0)),
                ("gaps", models.BigIntegerField(db_default=0)),
                ("dropped", models.IntegerField(db_default=0)),
                ("conflicts", models.IntegerField(db_default=0)),
                ("failed_pages", models.IntegerField(db_default=0)),
                ("unknown", models.IntegerField(db_default=0)),
                ("error", models.TextField(db_default="")),
            ],
        ),
        migrations.CreateModel(
            name="BackfillPage",
            fields=[
                ("attempts", models.IntegerField(db_default=0)),
                (
                    "not_before",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("error", models.TextField(db_default="")),
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
                ("from_slot", models.BigIntegerField(null=True)),
                ("until_slot", models.BigIntegerField(null=True)),
                ("token", models.CharField(db_default="", max_length=64)),
                ("reached_slot", models.BigIntegerField(null=True)),
                ("tail", models.JSONField(default=list)),
                ("again_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="BackfillSignature",
            fields=[
                ("attempts", models.IntegerField(db_default=0)),
                (
                    "not_before",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("error", models.TextField(db_default="")),
                ("signature", pnl.fields.Base58Field(length=64, primary_key=True, serialize=False)),
                ("is_unknown", models.BooleanField(db_default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Hearing",
            fields=[
                ("url", models.CharField(max_length=300, primary_key=True, serialize=False)),
                (
                    "since",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("heard_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Watermark",
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
                ("block_index", models.IntegerField(null=True)),
                ("walked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="delivery",
            name="door",
            field=models.CharField(
                choices=[("webhook", "webhook"), ("backfill", "backfill")],
                db_default="webhook",
                default="webhook",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("door__in", ["webhook", "backfill"])),
                name="delivery_door_is_known",
            ),
        ),
        migrations.AddIndex(
            model_name="backfill",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)),
                fields=["id"],
                name="backfill_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="backfill",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("finished_at__isnull", True),
                    ("finished_at__gte", models.F("started_at")),
                    _connector="OR",
                ),
                name="backfill_ends_after_it_began",
            ),
        ),
        migrations.AddField(
            model_name="backfillpage",
            name="backfill",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="ingest.backfill"
            ),
        ),
        migrations.AddField(
            model_name="backfillsignature",
            name="backfill",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="ingest.backfill"
            ),
        ),
        migrations.AddIndex(
            model_name="backfillpage",
            index=models.Index(fields=["not_before"], name="backfill_page_due"),
        ),
        migrations.AddConstraint(
            model_name="backfillpage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("until_slot__isnull", True), ("from_slot__isnull", False), _connector="OR"
                ),
                name="backfill_page_has_a_beginning",
            ),
        ),
        migrations.AddIndex(
            model_name="backfillsignature",
            index=models.Index(
                condition=models.Q(("is_unknown", False)),
                fields=["not_before"],
                name="signature_due",
            ),
        ),
        migrations.AddField(
            model_name="archived",
            name="door",
            field=models.CharField(
                choices=[("webhook", "webhook"), ("backfill", "backfill")],
                db_default="webhook",
                default="webhook",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="archived",
            constraint=models.CheckConstraint(
                condition=models.Q(("door__in", ["webhook", "backfill"])),
                name="archived_door_is_known",
            ),
        ),
    ]
