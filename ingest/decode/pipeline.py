"""From a delivery's body to what became of each transaction in it."""

from collections.abc import Iterator
from typing import Final, cast

from msgspec import Raw
from msgspec.structs import replace

from ingest.decode import base58, pump, pump_swap
from ingest.decode.enhanced import Enhanced, enhanced_of
from ingest.decode.execution import Call, calls_of
from ingest.decode.outcome import (
    Broken,
    Decoded,
    Dropped,
    DropReason,
    Malformed,
    Outcome,
    Unreadable,
)
from ingest.decode.parsed import opened_parsed
from ingest.decode.payload import MAX_TIME, Envelope, elements_of, signature_in
from ingest.decode.pools import mints_of
from ingest.decode.programs import (
    BUY_EVENT,
    DISCRIMINATOR_BYTES,
    POST_COMPLETE_BUY_EVENT,
    PUMP,
    SELL_EVENT,
    TRADE_EVENT,
)
from ingest.decode.routes import Placed, joined
from ingest.decode.swap import Swap
from ingest.decode.token_life import read_token
from ingest.decode.transaction import Drop, Transaction, opened
from pnl.engine.tokens import TokenEvent
from pnl.engine.trades import Trade, Venue

_SIGNATURE_BYTES: Final = 64

_CURVE_READERS: Final = {
    TRADE_EVENT: pump.read_trade,
    POST_COMPLETE_BUY_EVENT: pump.read_post_complete_buy,
}
_POOL_READERS: Final = {
    BUY_EVENT: pump_swap.read_buy,
    SELL_EVENT: pump_swap.read_sell,
}


def decode_body(body: bytes) -> tuple[Outcome, ...]:
    """What became of each transaction of a body, in the body's order. Never raises.

    Takes what Helius posts (an array of raw transactions) and what nodes answer: getTransaction in
    json, jsonParsed or base64, bare or in its JSON-RPC envelope, one or an array of them. Amounts
    are integers in base units. An enhanced payload is read by the same events where it has them,
    and by its balances otherwise; it never tells the place in the block.
    """
    elements = elements_of(body)
    if isinstance(elements, Unreadable):
        return (elements,)
    return tuple(_decode_element(index, element) for index, element in enumerate(elements))


def _decode_element(index: int, element: Envelope | Raw) -> Outcome:
    try:
        transaction = opened(element)
        if transaction is None:
            # What was typed at once has a transaction, so this is not.
            return _decode_parsed(index, enhanced_of(cast("Raw", element)))
    except Broken as broken:
        return Malformed(index, signature_in(element), broken.told_of(index))
    if isinstance(transaction, Drop):
        return Dropped(index, *transaction)
    try:
        return _decode_transaction(index, transaction)
    except Broken as broken:
        return Malformed(index, transaction.signature, broken.told_of(index))


def _decode_parsed(index: int, payload: Enhanced) -> Decoded | Dropped:
    """An enhanced payload: the same trades as from a raw body, where it has the events."""
    signature = _signature_bytes(payload.signature)
    opening = opened_parsed(payload, signature)
    if isinstance(opening, Drop):
        return Dropped(index, *opening)
    if isinstance(opening, Trade):
        return Decoded(index, signature, (opening,), 0, order_unknown=True)
    outcome = _decode_transaction(index, opening)
    return replace(outcome, order_unknown=True) if isinstance(outcome, Decoded) else outcome


def _decode_transaction(index: int, transaction: Transaction) -> Decoded | Dropped:
    calls = calls_of(transaction.message, transaction.meta)
    swaps = list(_swaps(calls))
    tokens = tuple(_tokens(calls, transaction.block_time))
    if not swaps and not tokens:
        return Dropped(index, transaction.signature, DropReason.NO_TRADE, "")
    signature = _signature_bytes(transaction.signature)
    unknown_layouts = sum(not placed.swap.is_known for placed in swaps)
    trades = tuple(_trade(transaction, signature, placed) for placed in joined(swaps))
    return Decoded(index, signature, trades, unknown_layouts, tokens)


def _tokens(calls: list[Call], block_time: int | None) -> Iterator[TokenEvent]:
    """What the curve's program tells of the life of tokens."""
    for call in calls:
        if call.program == PUMP and call.event is not None:
            told = read_token(call.event, block_time)
            if told is not None:
                yield told


def _swaps(calls: list[Call]) -> Iterator[Placed]:
    """The swaps of a transaction, in execution order."""
    event_index = 0
    for at, call in enumerate(calls):
        if call.event is None:
            continue
        is_curve = call.program == PUMP
        try:
            swap = _curve_swap(call.event) if is_curve else _pool_swap(call.event, calls, at)
        except Broken as broken:
            raise Broken(broken.what, broken.where or call.where) from broken
        if swap is not None:
            yield Placed(event_index, Venue.PUMP if is_curve else Venue.PUMP_SWAP, swap)
            event_index += 1


def _curve_swap(event: bytes) -> Swap | None:
    read = _CURVE_READERS.get(event[:DISCRIMINATOR_BYTES])
    return None if read is None else read(event)


def _pool_swap(event: bytes, calls: list[Call], at: int) -> Swap | None:
    read = _POOL_READERS.get(event[:DISCRIMINATOR_BYTES])
    if read is None:
        return None
    swap = read(event)
    return swap.of(*mints_of(swap.pool, calls, at))


def _trade(transaction: Transaction, signature: bytes, placed: Placed) -> Trade:
    """The swap in its place. A node that does not tell the block's time leaves the event's own."""
    swap = placed.swap
    block_time = swap.timestamp if transaction.block_time is None else transaction.block_time
    if not 0 <= block_time <= MAX_TIME:
        raise Broken(f"the event's timestamp {block_time} is no time")
    return Trade(
        signature,
        placed.event_index,
        transaction.slot,
        transaction.block_index,
        block_time,
        swap.trader,
        swap.mint,
        swap.side,
        swap.token_units,
        swap.quote_mint,
        swap.quote_units,
        swap.fee_units,
        placed.venue,
    )


def _signature_bytes(signature: str) -> bytes:
    try:
        raw = base58.decode(signature)
    except ValueError as error:
        raise Broken("the signature is not base58") from error
    if len(raw) != _SIGNATURE_BYTES:
        raise Broken(f"the signature has {len(raw)} bytes, {_SIGNATURE_BYTES} expected")
    return raw
