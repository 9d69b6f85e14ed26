"""Opens an enhanced payload: its events as a transaction, or the swap that its balances tell."""

from ingest.decode.balances import Inferred, Undecided, inferred_from
from ingest.decode.enhanced import Enhanced, as_transaction, has_events, missing_in
from ingest.decode.outcome import DropReason
from ingest.decode.transaction import DETAIL_CHARACTERS, Drop, Transaction
from pnl.engine.trades import Trade


def opened_parsed(payload: Enhanced, signature: bytes) -> Transaction | Trade | Drop:
    """A transaction where the programs' own words are in the payload, else an inferred trade.

    Raises Broken when an address is none.
    """
    if payload.has_failed:
        error = bytes(payload.transaction_error).decode(errors="replace")
        return Drop(payload.signature, DropReason.FAILED, error[:DETAIL_CHARACTERS])
    if payload.slot is None or payload.timestamp is None:
        return _incomplete(payload)
    if has_events(payload):
        return as_transaction(payload, payload.slot, payload.timestamp)
    if payload.account_data is None or payload.fee is None or payload.fee_payer is None:
        return _incomplete(payload)
    found = inferred_from(payload, payload.timestamp)
    if isinstance(found, Undecided):
        return Drop(payload.signature, *found)
    return _trade(signature, payload.slot, payload.timestamp, found)


def _trade(signature: bytes, slot: int, block_time: int, found: Inferred) -> Trade:
    """The only one of its transaction, and so at the place of the first event."""
    swap = found.swap
    return Trade(
        *(signature, 0, slot, None, block_time, swap.trader, swap.mint, swap.side),
        *(swap.token_units, None, swap.quote_units, swap.fee_units, found.venue),
        inferred=True,
    )


def _incomplete(payload: Enhanced) -> Drop:
    return Drop(payload.signature, DropReason.INCOMPLETE, missing_in(payload))
