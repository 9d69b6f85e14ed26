"""A patience with Helius that is at its end within seconds."""

from ingest.helius.pace import Patience

HASTY = Patience(
    connect_seconds=1,
    read_seconds=0.3,
    answer_seconds=1,
    attempts=3,
    pause_seconds=0.01,
    pause_seconds_max=2,
)
