"""How many raw transactions a second one core decodes, against bare parses of the same bytes."""

import gc
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
TARGET: Final = 12_000
DECODED: Final = "decoded into trades"
# The library's parser, and the fastest there is.
PLAIN: Final = "json"
FASTEST: Final = "msgspec, untyped"
READERS: Final[dict[str, Callable[[bytes], Any]]] = {
    PLAIN: json.loads,
    FASTEST: msgspec.json.decode,
    DECODED: decode_body,
}


def measure(sizes: Sizes) -> Report:
    """All readers in turn over the same bodies."""
    given = bodies(BODIES)
    speeds: dict[str, list[float]] = {name: [] for name in READERS}
    for _ in range(sizes.rounds):
        for name, read in READERS.items():
            speeds[name].append(len(given) / _seconds(read, given))
    unit, decoded = "transactions/s", speeds[DECODED]
    figures = [
        *(Figure(name, unit, speeds[name]) for name in (PLAIN, FASTEST)),
        Figure(DECODED, unit, decoded, FASTEST, at_least=TARGET),
        Figure(f"{DECODED} (the same)", unit, decoded, PLAIN),
    ]
    return Report("decode", figures, [_checked(given)])


def _seconds(read: Callable[[bytes], Any], given: list[bytes]) -> float:
    """Of the processor, whatever else runs; cycles are not looked for, as in the inbox."""
    gc.disable()
    began = time.process_time()
    for body in given:
        read(body)
    passed = time.process_time() - began
    gc.enable()
    return passed


def _checked(given: list[bytes]) -> str:
    outcomes = [outcome for body in given for outcome in decode_body(body)]
    assert len(outcomes) == len(given)
    assert not any(isinstance(outcome, Malformed | Unreadable) for outcome in outcomes)
    mean = sum(map(len, given)) // len(given)
    return f"all {len(given)} transactions of {mean} bytes were read"
