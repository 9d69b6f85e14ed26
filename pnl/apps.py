"""The heart: trades in, positions and realizations out."""

from django.apps import AppConfig


class PnlConfig(AppConfig):
    name = "pnl"
    verbose_name = "PnL"
