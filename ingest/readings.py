"""What a delivery turned out to hold, and how that is written beside it."""

import json
import logging
import traceback
from typing import Final, NamedTuple

from ingest.bodies import unpacked
from ingest.decode.outcome import (
    Decoded,
    Dropped,
    DropReason,
    Malformed,
    Outcome,
    Unreadable,
    wanting,
)
from ingest.decode.pipeline import decode_body
from pnl.engine.tokens import TokenEvent
from pnl.engine.trades import Trade
from pnl.fields import SIGNATURE_BYTES, base58_bytes
from pnl.rows import Row

log = logging.getLogger(__name__)

# Base58 takes quadratic time: nothing longer is looked at.
KEY_CHARACTERS_MAX: Final = 100

# What can be wrong with a delivery itself. Else its `error_kind` is the name of the exception, or
# suspects.KILLER_KIND.
UNREADABLE: Final = "unreadable"
MALFORMED: Final = "malformed"
MALFORMED_ONLY_IN_PART: Final = "malformed-with-neighbours-booked"


# Reasons that are no want of detail: there was no trade.
READ_WHOLE: Final = frozenset({DropReason.NO_TRADE, DropReason.FAILED})


class Fault(NamedTuple):
    """What is wrong: a word, a sentence, and where in our code, if it was found there."""

    kind: str
    error: str
    traceback: str = ""


class Reading(NamedTuple):
    """One delivery, read: its trades, what was dropped, and what could not be read.

    `unknown_layouts` has a count for each transaction with events that have grown. `tokens` is what
    it tells of tokens, `wanting` what should be asked for raw.
    """

    delivery_id: int
    trades: list[Trade]
    unknown_layouts: list[int]
    dropped: list[Dropped]
    faults: list[Fault]
    tokens: list[TokenEvent]
    wanting: list[tuple[bytes, int | None, str]]

    @property
    def tradeless(self) -> list[bytes]:
        """The signatures of transactions that were read whole and hold no trade."""
        found = [each.signature for each in self.dropped if each.reason in READ_WHOLE]
        return [signature for text in found if (signature := _signature(text)) is not None]

    @property
    def error_kind(self) -> str:
        """A word for what is wrong with it; none for a delivery that could be read whole."""
        kind = self.faults[0].kind if self.faults else ""
        return MALFORMED_ONLY_IN_PART if kind == MALFORMED and self.trades else kind

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to tell of it but its trades."""
        return not (self.dropped or self.faults or self.unknown_layouts)

    def mark(self) -> Row:
        """Id, trades, unknown layouts, what was dropped, kind, error, traceback: for MARK."""
        error = storable("\n".join(fault.error for fault in self.faults))
        traces = "".join(fault.traceback for fault in self.faults)
        dropped = _as_json(self.dropped) if self.dropped else None
        counts = (len(self.trades), sum(self.unknown_layouts))
        return (self.delivery_id, *counts, dropped, self.error_kind, error, traces)


def read(delivery_id: int, kept: bytes) -> Reading:
    """All that a body says, as it is kept. Whatever it is, it never raises."""
    reading = Reading(delivery_id, [], [], [], [], [], [])
    try:
        for outcome in decode_body(unpacked(kept)):
            _take(reading, outcome)
    except Exception as error:
        # A fault of ours, and its place is known: nobody else's deliveries are taken apart for it.
        log.exception("Delivery %d cannot be decoded", delivery_id)
        reading.faults.append(Fault(type(error).__name__, sentence(error), trace(error)))
    return reading


def sentence(error: Exception) -> str:
    """An exception as it is kept."""
    return storable(f"{type(error).__name__}: {error}")


def trace(error: Exception) -> str:
    """Where it was raised."""
    return storable("".join(traceback.format_exception(error)))


def storable(text: str) -> str:
    """Text of anybody's making, without what PostgreSQL cannot hold: NUL and half characters."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _take(reading: Reading, outcome: Outcome) -> None:
    match outcome:
        case Decoded():
            reading.trades.extend(outcome.trades)
            reading.tokens.extend(outcome.tokens)
            if outcome.unknown_layouts:
                reading.unknown_layouts.append(outcome.unknown_layouts)
        case Dropped():
            reading.dropped.append(outcome)
        case Malformed():
            reading.faults.append(Fault(MALFORMED, outcome.error))
        case Unreadable():
            reading.faults.append(Fault(UNREADABLE, outcome.error))
    if (wanted := wanting(outcome)) is not None:
        reading.wanting.append(wanted)


def _signature(text: str | None) -> bytes | None:
    """A signature, if it is one."""
    try:
        return None if text is None else base58_bytes(text[:KEY_CHARACTERS_MAX], SIGNATURE_BYTES)
    except ValueError:
        return None


def _as_json(dropped: list[Dropped]) -> str:
    """What was dropped and why, as it is kept beside the delivery."""
    return json.dumps(
        [
            {
                "transaction": each.index,
                "signature": None if each.signature is None else storable(each.signature),
                "reason": each.reason.value,
                "detail": storable(each.detail),
            }
            for each in dropped
        ]
    )
