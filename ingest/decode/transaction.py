"""Opens one element of a body: a transaction that took effect, or the reason to pass it over."""

from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw

from ingest.decode import wire
from ingest.decode.outcome import Broken, DropReason
from ingest.decode.payload import Envelope, Message, Meta, Signed, envelope_of, is_null

DETAIL_CHARACTERS: Final = 300
_ENCODED_PARTS: Final = 2


class Transaction(msgspec.Struct, frozen=True):
    """A transaction that was executed without an error. `signature` is base58."""

    signature: str
    slot: int
    block_index: int | None
    block_time: int | None
    message: Message
    meta: Meta


class Drop(NamedTuple):
    """Why an element holds no transaction to look into."""

    signature: str | None
    reason: DropReason
    detail: str


def opened(element: Envelope | Raw) -> Transaction | Drop | None:
    """The transaction of an element, typed or not, out of its JSON-RPC envelope if it has one.

    None for an element that has a signature and no transaction: an enhanced payload.

    Raises Broken when the element is not what it seems to be, or when the node answered an error.
    """
    envelope = element if isinstance(element, Envelope) else _unwrapped(element)
    if envelope is None:
        return Drop(None, DropReason.NO_TRANSACTION, "the node knows no such transaction")
    if envelope.transaction is UNSET:
        if envelope.signature is None:
            raise Broken("transaction is missing")
        return None
    signed = _signed(envelope.transaction)
    if signed is None:
        return Drop(None, DropReason.UNSUPPORTED, "an encoding or a version that is not read")
    if envelope.meta is UNSET:
        raise Broken("meta is missing")
    return _executed(envelope, signed, envelope.meta)


def _unwrapped(element: Raw) -> Envelope | None:
    """The envelope that holds the transaction, one JSON-RPC answer deep, or None for null."""
    if is_null(element):
        return None
    envelope = envelope_of(element)
    if envelope.error is not UNSET and not is_null(envelope.error):
        raise Broken(f"the node answered {_text(envelope.error)}")
    if envelope.result is UNSET:
        return envelope
    return None if is_null(envelope.result) else envelope_of(envelope.result)


def _signed(transaction: Signed | list[str]) -> Signed | None:
    if isinstance(transaction, Signed):
        return transaction
    if len(transaction) != _ENCODED_PARTS:
        raise Broken(f"transaction has {len(transaction)} parts, bytes and encoding expected")
    return wire.signed_of(*transaction)


def _executed(envelope: Envelope, signed: Signed, meta: Meta | None) -> Transaction | Drop:
    signature = signed.signatures[0]
    if meta is None:
        return Drop(signature, DropReason.NO_META, "the node kept nothing of the execution")
    if meta.has_failed:
        return Drop(signature, DropReason.FAILED, _text(meta.err))
    if envelope.slot is None:
        raise Broken("slot is missing")
    message, slot, index = signed.message, envelope.slot, _block_index(envelope)
    return Transaction(signature, slot, index, envelope.block_time, message, meta)


def _block_index(envelope: Envelope) -> int | None:
    """The place in the block; getTransaction does not tell it."""
    if envelope.index_within_block is not None:
        return envelope.index_within_block
    return envelope.transaction_index


def _text(value: Raw) -> str:
    return bytes(value).decode(errors="replace")[:DETAIL_CHARACTERS]
