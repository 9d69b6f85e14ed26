"""What was guessed at a transaction is found by its signature, however many trades there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pnl", "0006_token_life"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                condition=models.Q(("inferred", True)), fields=["signature"], name="trade_inferred"
            ),
        ),
    ]
