"""One index orders a board, and a line has room to be updated in place."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leaderboard", "0002_boards"),
        ("pnl", "0006_token_life"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="standing",
            name="standing_ranked",
        ),
        migrations.RemoveIndex(
            model_name="standing",
            name="standing_everyone",
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                fields=["period", "realized_lamports", "trader"],
                include=("ranked",),
                name="standing_in_order",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE leaderboard_standing SET (fillfactor = 70)",
            "ALTER TABLE leaderboard_standing RESET (fillfactor)",
        ),
    ]
