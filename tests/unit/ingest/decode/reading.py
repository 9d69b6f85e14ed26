"""Short ways to ask the decoder, with the expectation that it decodes built in."""

from typing import Any

from ingest.decode.outcome import Decoded, Dropped, Malformed, Outcome
from ingest.decode.pipeline import decode_body
from pnl.engine.trades import Trade
from tests.unit.ingest.decode.building import Builder, body


def outcome_of(element: Any) -> Outcome:
    """What became of a body's only transaction."""
    (outcome,) = decode_body(body(element))
    return outcome


def decoded(element: Any) -> Decoded:
    outcome = outcome_of(element)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def dropped(element: Any) -> Dropped:
    outcome = outcome_of(element)
    assert isinstance(outcome, Dropped), outcome
    return outcome


def error_of(element: Any) -> str:
    outcome = outcome_of(element)
    assert isinstance(outcome, Malformed), outcome
    return outcome.error


def trades_of(builder: Builder) -> tuple[Trade, ...]:
    return decoded(builder.element()).trades


def trade_of(builder: Builder) -> Trade:
    (trade,) = trades_of(builder)
    return trade
