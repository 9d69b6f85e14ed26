"""What is fetched outside of any transaction is leased to whoever fetches it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0009_latecomers"),
    ]

    operations = [
        migrations.AddField(
            model_name="backfillpage",
            name="leased_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="backfillsignature",
            name="leased_until",
            field=models.DateTimeField(null=True),
        ),
    ]
