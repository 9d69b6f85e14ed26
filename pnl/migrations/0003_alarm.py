"""Alarms: what somebody must look at."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pnl", "0002_room_for_updates"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("kind", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("detail", models.TextField()),
                ("times", models.IntegerField(db_default=1)),
                (
                    "since",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "last_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
    ]
