"""Bodies are stored as they come: compressing them costs a third of the receiver's throughput."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ingest", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE ingest_delivery ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE ingest_delivery ALTER COLUMN body SET STORAGE EXTENDED",
        ),
    ]
