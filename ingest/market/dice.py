"""Where chance comes from: one generator for each purpose, all from one seed."""

from random import Random


def dice(seed: int, *purpose: str) -> Random:
    """A generator that always throws the same, and unlike those of other purposes."""
    return Random("/".join((str(seed), *purpose)))
