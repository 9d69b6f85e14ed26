"""The mouth: deliveries in, trades out."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "ingest"
