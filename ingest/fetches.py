"""Fetches transactions by their signatures, and their places in their blocks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import Rpc
from ingest.helius.shapes import Asked, ChainTransaction, element_of


class Fetched(NamedTuple):
    """What became of one signature: an element of a raw body, nobody knows it, or an error."""

    signature: str
    element: bytes | None
    error: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether the node knows no such finalized transaction."""
        return self.element is None and not self.error


class Positions(NamedTuple):
    """Of one block: each signature's place, and the error if nobody told them."""

    places: Mapping[str, int]
    error: str


def fetch(rpc: Rpc, signatures: Sequence[str]) -> list[Fetched]:
    """Up to rpc.BATCH_MAX transactions with their block indexes, one answer each.

    Costs a getTransaction a signature and a getBlock a slot. Raises HeliusProblem when the whole
    batch failed.
    """
    asked = rpc.transactions(signatures)
    slots = {each.transaction.slot for each in asked.values() if each.transaction is not None}
    blocks = {slot: _positions(rpc, slot) for slot in sorted(slots)}
    return [_fetched(signature, asked[signature], blocks) for signature in signatures]


def place_of(rpc: Rpc, transaction: ChainTransaction) -> int | None:
    """A transaction's index in its block; None where nobody keeps the block."""
    signatures = rpc.block_signatures(transaction.slot)
    found = transaction.signature in signatures
    return signatures.index(transaction.signature) if found else None


def _positions(rpc: Rpc, slot: int) -> Positions:
    try:
        signatures = rpc.block_signatures(slot)
    except HeliusProblem as problem:
        return Positions({}, str(problem))
    return Positions({signature: place for place, signature in enumerate(signatures)}, "")


def _fetched(signature: str, asked: Asked, blocks: Mapping[int, Positions]) -> Fetched:
    transaction = asked.transaction
    if transaction is None:
        return Fetched(signature, None, asked.error)
    positions = blocks[transaction.slot]
    if positions.error:
        # Its order would stay unknown, and nobody would ask for it again.
        return Fetched(signature, None, positions.error)
    return Fetched(signature, element_of(transaction, positions.places.get(signature)))
