"""What the curve's events tell of a token: names, creator, completion, pool."""

import django.db.models.functions.text
from django.db import migrations, models

import pnl.fields


class Migration(migrations.Migration):
    dependencies = [("pnl", "0005_sol_price")]

    operations = [
        migrations.AddField("token", "name", models.TextField(db_default="")),
        migrations.AddField("token", "symbol", models.TextField(db_default="")),
        migrations.AddField("token", "uri", models.TextField(db_default="")),
        migrations.AddField("token", "creator", pnl.fields.Base58Field(length=32, null=True)),
        migrations.AddField("token", "created_at", models.DateTimeField(null=True)),
        migrations.AddField("token", "completed_at", models.DateTimeField(null=True)),
        migrations.AddField("token", "migrated_at", models.DateTimeField(null=True)),
        migrations.AddField("token", "pool", pnl.fields.Base58Field(length=32, null=True)),
        migrations.AddIndex(
            "token",
            models.Index(
                django.db.models.functions.text.Upper("symbol"),
                condition=models.Q(("symbol", ""), _negated=True),
                name="token_symbol",
            ),
        ),
    ]
