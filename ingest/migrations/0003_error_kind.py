"""What went wrong gets a word to look for, a killed worker leaves a mark, and the booked an index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0002_body_external")]

    operations = [
        migrations.AddField("delivery", "error_kind", models.TextField(db_default="")),
        migrations.AddField("delivery", "unfinished", models.SmallIntegerField(db_default=0)),
        migrations.AddIndex(
            "delivery",
            models.Index(
                condition=models.Q(("set_aside_at__isnull", False)),
                fields=["error_kind", "id"],
                name="delivery_error_kind",
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                condition=models.Q(("processed_at__isnull", False)),
                fields=["processed_at"],
                name="delivery_processed",
            ),
        ),
    ]
