"""How many raw transactions a second one core decodes, against a bare parse of the same bytes."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ingest.decode.outcome import Malformed, Unreadable
from ingest.decode.pipeline import decode_body
from tests.bench.figures import Figure, Report, Sizes
from tests.bench.playing import bodies

BODIES: Final = 2000
DECODED: Final = "decoded into trades"
BASELINE: Final = "msgspec, untyped"
READERS: Final[dict[str, Callable[[bytes], Any]]] = {
    "json": json.loads,
    BASELINE: msgspec.json.decode,
    DECODED: decode_body,
}


def measure(sizes: Sizes) -> Report:
    """All readers in turn over the same bodies."""
    given = bodies(BODIES)
    speeds: dict[str, list[float]] = {name: [] for name in READERS}
    for _ in range(sizes.rounds):
        for name, read in READERS.items():
            speeds[name].append(len(given) / _seconds(read, given))
    figures = [
        Figure(name, "transactions/s", found, BASELINE if name == DECODED else None)
        for name, found in speeds.items()
    ]
    return Report("decode", figures, [_checked(given)])


def _seconds(read: Callable[[bytes], Any], given: list[bytes]) -> float:
    began = time.perf_counter()
    for body in given:
        read(body)
    return time.perf_counter() - began


def _checked(given: list[bytes]) -> str:
    outcomes = [outcome for body in given for outcome in decode_body(body)]
    assert len(outcomes) == len(given)
    assert not any(isinstance(outcome, Malformed | Unreadable) for outcome in outcomes)
    mean = sum(map(len, given)) // len(given)
    return f"all {len(given)} transactions of {mean} bytes were read"
