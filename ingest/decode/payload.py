"""The JSON that brings transactions, typed: only the fields that a decoder needs."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ingest.decode.outcome import Broken, Unreadable

# Bounds that a database and a calendar can hold; what lies outside was never a slot or a second.
_MAX_I64: Final = 2**63 - 1
_MAX_INDEX: Final = 2**16 - 1
_MAX_BLOCK_INDEX: Final = 2**31 - 2
# Room for a window after it; later times are in a wrong unit.
MAX_TIME: Final = 3_471_292_800  # the year 2080

_Index = Annotated[int, msgspec.Meta(ge=0, le=_MAX_INDEX)]
_Slot = Annotated[int, msgspec.Meta(ge=0, le=_MAX_I64)]
_BlockIndex = Annotated[int, msgspec.Meta(ge=0, le=_MAX_BLOCK_INDEX)]
_Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_TIME)]


# These hold each other only downwards, so the garbage collector need not know them.
class Instruction(msgspec.Struct, gc=False, rename="camel"):
    """An instruction by key indices (json, base64) or by addresses (jsonParsed).

    One that the node parsed itself has neither accounts nor data: never one of our programs'.
    """

    program_id_index: _Index | None = None
    program_id: str | None = None
    accounts: list[_Index | str] = []
    data: str = ""


class InnerInstructions(msgspec.Struct, gc=False):
    """What the outer instruction at `index` called, in the order of execution."""

    index: _Index
    instructions: list[Instruction]


class LoadedAddresses(msgspec.Struct, gc=False):
    """The keys that came from address lookup tables."""

    writable: list[str] = []
    readonly: list[str] = []


class Meta(msgspec.Struct, gc=False, rename="camel"):
    """What the execution left behind."""

    err: Raw
    inner_instructions: list[InnerInstructions] | None = None
    loaded_addresses: LoadedAddresses | None = None
    # A third of the body, and nearly never read.
    log_messages: Raw | UnsetType = UNSET

    @property
    def has_failed(self) -> bool:
        """Whether the transaction had no effect but its fee."""
        return not is_null(self.err)


class AccountKey(msgspec.Struct, gc=False):
    """A key as jsonParsed writes it."""

    pubkey: str


class Message(msgspec.Struct, gc=False, rename="camel"):
    """Keys and outer instructions. Keys are all text (json) or all objects (jsonParsed)."""

    account_keys: list[str | AccountKey]
    instructions: list[Instruction]


class Signed(msgspec.Struct, gc=False):
    """A transaction as it was sent."""

    signatures: Annotated[list[str], msgspec.Meta(min_length=1)]
    message: Message


class Envelope(msgspec.Struct, gc=False, rename="camel"):
    """One element of a body: a transaction, a node's answer around one, or an enhanced payload."""

    slot: _Slot | None = None
    block_time: _Time | None = None
    index_within_block: _BlockIndex | None = None
    transaction_index: _BlockIndex | None = None
    transaction: Signed | list[str] | UnsetType = UNSET
    meta: Meta | UnsetType | None = UNSET
    signature: str | None = None
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


class _Named(msgspec.Struct, gc=False):
    """As little as it takes to learn the signature of a transaction that is broken elsewhere."""

    signatures: list[str] = []
    signature: str | None = None
    transaction: "_Named | None" = None
    result: "_Named | None" = None


_ENVELOPES: Final = msgspec.json.Decoder(list[Envelope])
_ELEMENTS: Final = msgspec.json.Decoder(list[Raw])
_ANY: Final = msgspec.json.Decoder(Raw)
_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_NAMED: Final = msgspec.json.Decoder(_Named)
_NULL: Final = Raw(b"null")
_LINES: Final = msgspec.json.Decoder(list[str] | None)


def elements_of(body: bytes) -> Sequence[Envelope | Raw] | Unreadable:
    """The body's elements: typed when all are bare transactions, and undecoded otherwise.

    Typed at once they are read at twice the speed. Undecoded, a broken one costs only itself.
    """
    try:
        envelopes = _ENVELOPES.decode(body)
    except (ValueError, RecursionError):
        return _undecoded(body)
    is_bare = all(envelope.transaction is not UNSET for envelope in envelopes)
    return envelopes if is_bare else _undecoded(body)


def _undecoded(body: bytes) -> list[Raw] | Unreadable:
    try:
        whole = _ANY.decode(body)
        text = bytes(whole)
        if text.startswith(b"["):
            return _ELEMENTS.decode(whole)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"not JSON: {error}")
    if text.startswith(b"{"):
        return [whole]
    return Unreadable("an array or an object of transactions was expected (byte 0)")


def envelope_of(element: Raw) -> Envelope:
    """The element typed. Raises Broken with the JSON path of the first thing that is wrong."""
    try:
        return _ENVELOPE.decode(element)
    except (ValueError, RecursionError) as error:
        raise Broken(str(error)) from error


def signature_in(element: Envelope | Raw) -> str | None:
    """The signature of an element that is broken somewhere, if that much can be read."""
    if isinstance(element, Envelope):
        sent = element.transaction
        return sent.signatures[0] if isinstance(sent, Signed) else None
    try:
        named = _NAMED.decode(element)
    except (ValueError, RecursionError):
        return None
    named = named.result or named
    inside = named.transaction or named
    return inside.signatures[0] if inside.signatures else named.signature


def lines_of(log_messages: Raw | UnsetType) -> list[str] | None:
    """The log, a message a string, or None without one. Raises Broken when it is no such list."""
    if not isinstance(log_messages, Raw):
        return None
    try:
        lines: list[str] | None = _LINES.decode(log_messages)
    except (ValueError, RecursionError) as error:
        raise Broken(f"meta.logMessages: {error}") from error
    return lines


def is_null(value: Raw) -> bool:
    """Whether an undecoded value is null."""
    return value == _NULL
