"""A place for processed bodies, a partition a day, and an inbox whose space is used again soon."""

from django.db import migrations, models

ARCHIVED = """
CREATE TABLE ingest_archived (
    id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    size_bytes integer NOT NULL,
    body bytea NOT NULL,
    attempts smallint NOT NULL,
    processed_at timestamptz NOT NULL,
    trades integer,
    dropped jsonb,
    PRIMARY KEY (id, processed_at)
) PARTITION BY RANGE (processed_at)
"""

# The inbox turns over completely every few minutes: it is vacuumed by count, not by share, and its
# TOAST table, in which a body has two rows, as well.
TURNOVER = """
ALTER TABLE ingest_delivery SET (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 20000,
    autovacuum_vacuum_cost_delay = 1,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 20000,
    toast.autovacuum_vacuum_cost_delay = 1
)
"""
AS_BEFORE = """
ALTER TABLE ingest_delivery RESET (
    autovacuum_vacuum_scale_factor,
    autovacuum_vacuum_threshold,
    autovacuum_vacuum_insert_scale_factor,
    autovacuum_vacuum_insert_threshold,
    autovacuum_analyze_scale_factor,
    autovacuum_analyze_threshold,
    autovacuum_vacuum_cost_delay,
    toast.autovacuum_vacuum_scale_factor,
    toast.autovacuum_vacuum_threshold,
    toast.autovacuum_vacuum_cost_delay
)
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0003_error_kind")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Archived",
                    fields=[
                        ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("received_at", models.DateTimeField()),
                        ("size_bytes", models.IntegerField()),
                        ("body", models.BinaryField()),
                        ("attempts", models.SmallIntegerField()),
                        ("processed_at", models.DateTimeField()),
                        ("trades", models.IntegerField(null=True)),
                        ("dropped", models.JSONField(null=True)),
                    ],
                    options={
                        "verbose_name": "archived delivery",
                        "verbose_name_plural": "archived deliveries",
                        "indexes": [
                            models.Index(fields=["received_at", "id"], name="archived_received")
                        ],
                    },
                ),
            ],
        ),
        migrations.RunSQL(ARCHIVED, "DROP TABLE ingest_archived"),
        migrations.RunSQL(
            "ALTER TABLE ingest_archived ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE ingest_archived ALTER COLUMN body SET STORAGE EXTENDED",
        ),
        migrations.RunSQL(
            "CREATE INDEX archived_received ON ingest_archived (received_at, id)",
            "DROP INDEX archived_received",
        ),
        migrations.RunSQL(TURNOVER, AS_BEFORE),
    ]
