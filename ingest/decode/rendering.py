"""An outcome as people and programs read it: addresses in base58, amounts as decimal strings."""

from typing import Any, Final

from ingest.decode import base58
from ingest.decode.outcome import Decoded, Dropped, Malformed, Outcome, Unreadable
from pnl.engine.tokens import TokenEvent
from pnl.engine.trades import Side, Trade

_OUTCOMES: Final = {
    Decoded: "decoded",
    Dropped: "dropped",
    Malformed: "malformed",
    Unreadable: "unreadable",
}


def is_error(outcome: Outcome) -> bool:
    """Whether something could not be read."""
    return isinstance(outcome, Malformed | Unreadable)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome as a JSON object: index, outcome, signature, reason or error, trades, tokens.

    A dropped one adds the `detail` of its reason. `index` is None for a body that is unreadable.
    """
    row: dict[str, Any] = {
        "index": None if isinstance(outcome, Unreadable) else outcome.index,
        "outcome": _OUTCOMES[type(outcome)],
        "signature": _signature(outcome),
    }
    if isinstance(outcome, Dropped):
        row |= {"reason": outcome.reason.value, "detail": outcome.detail}
    if isinstance(outcome, Malformed | Unreadable):
        row["error"] = outcome.error
    trades = outcome.trades if isinstance(outcome, Decoded) else ()
    tokens = outcome.tokens if isinstance(outcome, Decoded) else ()
    return row | {
        "trades": [_trade_as_json(trade) for trade in trades],
        "tokens": [_token_as_json(token) for token in tokens],
    }


def _token_as_json(token: TokenEvent) -> dict[str, Any]:
    """What the event tells; nulls and blanks are left out. Times are Unix seconds."""
    told = {name: value for name, value in token._asdict().items() if value not in (None, "")}
    keys = {name: base58.encode(value) for name, value in told.items() if isinstance(value, bytes)}
    return told | keys


def _trade_as_json(trade: Trade) -> dict[str, Any]:
    """Amounts are strings because most JSON readers round large numbers."""
    return {
        "signature": base58.encode(trade.signature),
        "event_index": trade.event_index,
        "slot": trade.slot,
        "block_index": trade.block_index,
        "block_time": trade.block_time,
        "trader": base58.encode(trade.trader),
        "mint": base58.encode(trade.mint),
        "side": trade.side.name.lower(),
        "token_units": str(trade.token_units),
        "quote_mint": None if trade.quote_mint is None else base58.encode(trade.quote_mint),
        "quote_units": str(trade.quote_units),
        "lamports": None if trade.lamports is None else str(trade.lamports),
        "fee_units": str(trade.fee_units),
        "venue": trade.venue.name.lower(),
        "inferred": trade.inferred,
    }


def as_text(outcome: Outcome) -> str:
    """The outcome in one line, and below it one line for each of its trades."""
    if isinstance(outcome, Unreadable):
        return f"unreadable: {outcome.error}"
    head = f"#{outcome.index} {_OUTCOMES[type(outcome)]} {_signature(outcome) or '-'}"
    if isinstance(outcome, Malformed):
        return f"{head} {outcome.error}"
    if isinstance(outcome, Dropped):
        return f"{head} {outcome.reason} {outcome.detail}".rstrip()
    lines = [*map(_token_as_text, outcome.tokens), *map(_trade_as_text, outcome.trades)]
    return "\n".join([f"{head}{_growth(outcome)}", *lines])


def _token_as_text(token: TokenEvent) -> str:
    told = ", ".join(f"{name} {value!r}" for name, value in _token_as_json(token).items())
    return f"    token: {told}"


def _trade_as_text(trade: Trade) -> str:
    quote = "lamports" if trade.quote_mint is None else f"of {base58.encode(trade.quote_mint)}"
    verb = "buys" if trade.side is Side.BUY else "sells"
    return (
        f"    {trade.event_index}: {base58.encode(trade.trader)} {verb} {trade.token_units} of "
        f"{base58.encode(trade.mint)} for {trade.quote_units} {quote} "
        f"({trade.fee_units} in fees, {trade.venue.name.lower()}"
        f"{', inferred' if trade.inferred else ''})"
    )


def _growth(outcome: Decoded) -> str:
    if not outcome.unknown_layouts:
        return ""
    return f" ({outcome.unknown_layouts} of its events have bytes we do not know)"


def _signature(outcome: Outcome) -> str | None:
    if isinstance(outcome, Unreadable):
        return None
    if isinstance(outcome, Decoded):
        return base58.encode(outcome.signature)
    return outcome.signature
