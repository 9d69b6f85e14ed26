"""What was asked for raw is forgotten in time, and given up where nobody knows it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0007_completeness")]

    operations = [
        migrations.AddField(
            model_name="enrichment",
            name="is_unknown",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddIndex(
            model_name="enrichment",
            index=models.Index(fields=["done_at"], name="enrichment_ended"),
        ),
    ]
