"""The stories tokens go through: how many people come, how fast, and who comes when."""

from enum import Enum
from random import Random
from typing import Final, NamedTuple

from ingest.market.cast import Kind


class Plot(NamedTuple):
    """A story. Buys are log-normal around `buys`, arrivals spread over about `span` seconds."""

    buys: float
    buys_spread: float
    span: float
    span_spread: float
    rush: float  # shape of the arrivals: 1 is a rush at once, more is a slow start
    conviction: float  # how much longer than usual people hold


class Story(Enum):
    """What becomes of a token, or of one more day in its life."""

    DUD = Plot(5, 0.7, 15, 0.5, 1.0, 1.0)
    PUMP = Plot(36, 0.5, 70, 0.5, 1.2, 1.0)
    RUNNER = Plot(400, 0.3, 200, 0.4, 1.3, 4.0)
    REVIVAL = Plot(18, 0.7, 60, 0.5, 1.0, 1.0)
    POOL = Plot(60, 0.9, 150, 0.6, 1.2, 1.0)


_EARLY_MS: Final = 4_000
_EARLY: Final = ((Kind.INSIDER, 0.35), (Kind.BOT, 0.25), (Kind.CASUAL, 0.35), (Kind.WHALE, 0.05))
_LATER: Final = ((Kind.CASUAL, 0.70), (Kind.CHASER, 0.17), (Kind.BOT, 0.08), (Kind.WHALE, 0.025))


def arrivals(story: Story, dice: Random) -> list[int]:
    """When the buyers come, in ms after the beginning, in order."""
    plot = story.value
    count = max(1, round(plot.buys * dice.lognormvariate(0, plot.buys_spread)))
    span = plot.span * dice.lognormvariate(0, plot.span_spread) / plot.rush
    return sorted(int(dice.gammavariate(plot.rush, span) * 1_000) for _ in range(count))


def visitor(age_ms: int, dice: Random) -> Kind:
    """What kind of trader comes at that age of the story."""
    mark = dice.random()
    for kind, share in _EARLY if age_ms < _EARLY_MS else _LATER:
        mark -= share
        if mark < 0:
            return kind
    return Kind.INSIDER
