"""The wiring: imports everybody, imported by nobody."""

from django.apps import AppConfig


class PumplossConfig(AppConfig):
    name = "pumploss"

    def ready(self) -> None:
        """Register the system checks."""
        from pumploss import checks  # noqa: F401
