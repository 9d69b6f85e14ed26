"""Positions and rollups are updated in place: room in the page keeps their indexes untouched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("pnl", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE pnl_position SET (fillfactor = 75)",
            "ALTER TABLE pnl_position RESET (fillfactor)",
        ),
        migrations.RunSQL(
            "ALTER TABLE pnl_hourlyrollup SET (fillfactor = 75)",
            "ALTER TABLE pnl_hourlyrollup RESET (fillfactor)",
        ),
    ]
