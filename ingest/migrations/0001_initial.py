"""The inbox."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("size_bytes", models.IntegerField()),
                ("body", models.BinaryField()),
                ("attempts", models.SmallIntegerField(db_default=0)),
                ("processed_at", models.DateTimeField(null=True)),
                ("set_aside_at", models.DateTimeField(null=True)),
                ("trades", models.IntegerField(null=True)),
                ("dropped", models.JSONField(null=True)),
                ("error", models.TextField(db_default="")),
                ("traceback", models.TextField(db_default="")),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("processed_at__isnull", True), ("set_aside_at__isnull", True)
                        ),
                        fields=["id"],
                        name="delivery_pending",
                    ),
                    models.Index(
                        condition=models.Q(("set_aside_at__isnull", False)),
                        fields=["set_aside_at"],
                        name="delivery_set_aside",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("processed_at__isnull", True),
                            ("set_aside_at__isnull", True),
                            _connector="OR",
                        ),
                        name="delivery_has_one_state",
                    )
                ],
            },
        ),
    ]
