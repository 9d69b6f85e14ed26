"""The four boards exist from the start, at version zero."""

from typing import Any

from django.db import migrations

PERIODS = ["24h", "7d", "30d", "all"]


def create_boards(apps: Any, schema_editor: Any) -> None:
    """One row a period."""
    board = apps.get_model("leaderboard", "Board")
    board.objects.bulk_create([board(period=period, version=0) for period in PERIODS])


class Migration(migrations.Migration):
    dependencies = [("leaderboard", "0001_initial")]

    operations = [migrations.RunPython(create_boards, migrations.RunPython.noop)]
