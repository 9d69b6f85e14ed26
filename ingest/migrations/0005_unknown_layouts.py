"""A delivery tells how many of its events have grown beyond what the decoder knows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingest", "0004_archive")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="unknown_layouts",
            field=models.IntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("unknown_layouts__gt", 0)),
                fields=["unknown_layouts"],
                name="delivery_unknown_layouts",
            ),
        ),
        migrations.AddField(
            model_name="archived",
            name="unknown_layouts",
            field=models.IntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="archived",
            index=models.Index(
                condition=models.Q(("unknown_layouts__gt", 0)),
                fields=["unknown_layouts"],
                name="archived_unknown_layouts",
            ),
        ),
    ]
