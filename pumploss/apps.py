"""The wiring: imports everybody, imported by nobody."""

from django.apps import AppConfig


class PumplossConfig(AppConfig):
    name = "pumploss"

    def ready(self) -> None:
        """Register the system checks, and the Celery app that `current_app` then means."""
        from pumploss import celery, checks  # noqa: F401
