"""The scoreboard: standings and frames out."""

from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
