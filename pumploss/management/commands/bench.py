"""Measures how fast the system is here and now, each figure against a baseline of the same run."""

import signal
import sys
from importlib import import_module
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

NAMES: Final = ("receiver", "pipeline", "firehose", "latency", "decode", "engine")


class Command(BaseCommand):
    """`bench NAME [--json]`; whoever measures must have the machine to himself."""

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What is measured, and how much of it."""
        add = parser.add_argument
        add("name", choices=[*NAMES, "all"])
        add("--json", action="store_true", help="every round of every figure, for programs")
        add("--rounds", type=int, default=3, help="a figure is the median of so many (>= 3)")
        add("--seconds", type=float, default=5.0, help="length of a round under load")
        add("--connections", type=int, default=64, help="keep-alive connections to the receiver")
        add("--deliveries", type=int, default=30_000, help="what the pipeline finds in its inbox")
        add("--trades", type=int, default=2_000_000, help="what the firehose finds in its inbox")
        add("--rate", type=float, default=200.0, help="trades a second while latency is measured")

    def handle(self, *, name: str, json: bool, **options: Any) -> None:
        """Measure one thing after the other, never two at once."""
        # The end of the process must pass through every block that takes down what was set up.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        figures = import_module("tests.bench.figures")
        sizes = figures.Sizes(**{key: options[key] for key in figures.Sizes._fields})
        if sizes.rounds < 3:
            raise CommandError("--rounds: a median needs three rounds at least")
        machine = figures.machine_now()
        reports = [self._measure(each, sizes) for each in (NAMES if name == "all" else [name])]
        self.stdout.write((figures.as_json if json else figures.as_text)(machine, reports))

    def _measure(self, name: str, sizes: Any) -> Any:
        self.stderr.write(f"Measuring: {name} …")
        try:
            return import_module(f"tests.bench.{name}").measure(sizes)
        except AssertionError as wrong:
            raise CommandError(f"{name} came to a wrong result: {wrong}") from wrong
