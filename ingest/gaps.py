"""Compares what the chain says with the ledger: what is missing in one, and what in the other."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ingest.decode.outcome import Decoded
from ingest.decode.pipeline import decode_body
from pnl import rows
from pnl.arrays import packed
from pnl.engine.trades import Trade

# The ledger's trades of these signatures, whoever made them.
KNOWN = """
SELECT t.signature, t.event_index, t.slot, t.block_index
  FROM unnest(%b::bytea[]) AS k(signature) JOIN pnl_trade t ON t.signature = k.signature
"""
# The ledger's transactions of a trader in a stretch, both ends in it, but for these signatures.
UNSEEN = """
SELECT DISTINCT signature, slot FROM pnl_trade
 WHERE trader_id = %b AND slot BETWEEN %b AND %b AND NOT signature = ANY(%b::bytea[])
 ORDER BY slot, signature
"""

Identity = tuple[bytes, int]


class Place(NamedTuple):
    """A transaction at its slot: what the chain drops, and what may come back elsewhere."""

    signature: bytes
    slot: int


class Recorded(NamedTuple):
    """Where the ledger has a trade."""

    slot: int
    block_index: int | None


class Difference(NamedTuple):
    """Between a page of the chain and the ledger.

    `gaps` transactions have trades that the ledger lacks; `moved` are in the ledger at a slot that
    is not the chain's; `conflicts` transactions have another block index there.
    """

    gaps: int
    conflicts: int
    moved: list[Place]


NO_DIFFERENCE = Difference(0, 0, [])


def difference(body: bytes) -> Difference:
    """What the ledger lacks of a raw body of finalized transactions, or has at another place."""
    decoded = [outcome for outcome in decode_body(body) if isinstance(outcome, Decoded)]
    known = _recorded([outcome.signature for outcome in decoded])
    gaps = sum(any(_identity(t) not in known for t in outcome.trades) for outcome in decoded)
    trades = [trade for outcome in decoded for trade in outcome.trades]
    return Difference(gaps, len(_conflicts(trades, known)), sorted(_moved(trades, known)))


def unseen(trader_id: int, slots: tuple[int, int], signatures: Collection[bytes]) -> list[Place]:
    """The trader's transactions in the ledger, between two slots, that are not among these."""
    with rows.cursor() as raw:
        found = raw.execute(
            UNSEEN, [trader_id, *slots, packed("bytea", sorted(signatures))]
        ).fetchall()
    return [Place(bytes(signature), slot) for signature, slot in found]


def _recorded(signatures: Sequence[bytes]) -> dict[Identity, Recorded]:
    found = rows.read(KNOWN, [(signature,) for signature in signatures])
    return {(bytes(signature), index): Recorded(*place) for signature, index, *place in found}


def _identity(trade: Trade) -> Identity:
    return trade.signature, trade.event_index


def _moved(trades: Sequence[Trade], known: Mapping[Identity, Recorded]) -> set[Place]:
    """Places that the chain has given up for others: the same signature landed at another slot."""
    pairs = [(trade, known[_identity(trade)]) for trade in trades if _identity(trade) in known]
    return {Place(trade.signature, has.slot) for trade, has in pairs if has.slot != trade.slot}


def _conflicts(trades: Sequence[Trade], known: Mapping[Identity, Recorded]) -> set[bytes]:
    pairs = [(trade, known[_identity(trade)]) for trade in trades if _identity(trade) in known]
    return {
        trade.signature
        for trade, has in pairs
        if has.slot == trade.slot
        and has.block_index is not None
        and trade.block_index is not None
        and has.block_index != trade.block_index
    }
