"""What Helius sends and takes, as far as we look at it; the rest of a transaction stays bytes."""

from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ingest.helius.problems import HeliusProblem, excerpt

T = TypeVar("T")

WEBHOOK_TYPE: Final = "raw"
ANY: Final = "ANY"
_NULL: Final = b"null"

Signature = Annotated[str, msgspec.Meta(pattern="^[1-9A-HJ-NP-Za-km-z]{64,88}$")]


class Webhook(msgspec.Struct, rename="camel", omit_defaults=True):
    """A webhook as Helius keeps it. Fields that an answer leaves out are empty here."""

    webhook_id: str = msgspec.field(name="webhookID")
    # Those of others stand in the list, too, and may be of any kind.
    webhook_url: str = msgspec.field(name="webhookURL", default="")
    webhook_type: str = ""
    account_addresses: list[str] = []
    transaction_types: list[str] = []
    auth_header: str | None = None
    active: bool = True
    txn_status: str | None = None
    encoding: str | None = None


class WebhookDraft(msgspec.Struct, rename="camel", frozen=True):
    """A whole webhook as it is created or put: what a PUT leaves out, Helius forgets."""

    webhook_url: str = msgspec.field(name="webhookURL")
    account_addresses: list[str]
    auth_header: str
    webhook_type: str = WEBHOOK_TYPE
    transaction_types: list[str] = msgspec.field(default_factory=lambda: [ANY])
    # A failed transaction is never a trade, costs a credit, and is up to 40 % of what there is.
    txn_status: str = "success"
    encoding: str | UnsetType = UNSET


class Active(msgspec.Struct):
    """The body that switches a webhook on or off."""

    active: bool


class RpcRequest(msgspec.Struct):
    """One JSON-RPC call."""

    id: int
    method: str
    params: list[Any]
    jsonrpc: str = "2.0"


class RpcError(msgspec.Struct):
    """What the node says instead of a result."""

    code: int
    message: str = ""


class RpcAnswer(msgspec.Struct):
    """One JSON-RPC answer; its result is looked at by whoever asked."""

    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    error: RpcError | None = None


class Signed(msgspec.Struct):
    """As much of a transaction as names it."""

    signatures: Annotated[list[Signature], msgspec.Meta(min_length=1)]


class Placed(msgspec.Struct):
    """As much of an element as tells its place."""

    slot: int
    transaction: Signed


class Executed(msgspec.Struct):
    """As much of a transaction's meta as tells whether it took effect."""

    err: Raw


class ChainTransaction(msgspec.Struct, rename="camel"):
    """A transaction of the chain. Only getTransactionsForAddress tells its index in the block."""

    slot: int
    transaction: Raw
    meta: Raw
    block_time: int | None = None
    version: Raw | UnsetType = UNSET
    transaction_index: int | None = None

    @property
    def signature(self) -> str:
        """Its first signature, base58. Raises HeliusProblem where there is none."""
        return read("a transaction", self.transaction, Signed).signatures[0]

    @property
    def has_failed(self) -> bool:
        """Whether it had no effect but its fee."""
        return bytes(read("a transaction", self.meta, Executed).err) != _NULL


class AddressPage(msgspec.Struct, rename="camel"):
    """A page of an address's transactions; no token means that it is the last."""

    data: list[ChainTransaction]
    pagination_token: str | None = None


class SignatureStatus(msgspec.Struct, rename="camel"):
    """Where a signature landed. `err` is null when it took effect."""

    slot: int
    err: Raw
    confirmation_status: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing can undo it."""
        return self.confirmation_status == "finalized"

    @property
    def has_failed(self) -> bool:
        """Whether it had no effect but its fee."""
        return bytes(self.err) != _NULL


class Context(msgspec.Struct):
    """Up to which slot the node that answered has seen the chain."""

    slot: int


class SignatureStatuses(msgspec.Struct):
    """The statuses in the order of the question; null where the node knows no such signature."""

    context: Context
    value: list[SignatureStatus | None]


class Block(msgspec.Struct):
    """A block as the signatures in it, in its order."""

    signatures: list[str]


class Asked(NamedTuple):
    """What became of one question of a batch: a transaction, none known, or an error."""

    transaction: ChainTransaction | None
    error: str = ""


class RawElement(msgspec.Struct, rename="camel"):
    """A transaction as a raw webhook brings it."""

    block_time: int | None
    slot: int
    meta: Raw
    transaction: Raw
    version: Raw | UnsetType = UNSET
    index_within_block: int | UnsetType = UNSET


def element_of(transaction: ChainTransaction, block_index: int | None = None) -> bytes:
    """The element of a raw body for a transaction, whichever way it was asked for."""
    index = transaction.transaction_index if block_index is None else block_index
    return msgspec.json.encode(
        RawElement(
            block_time=transaction.block_time,
            slot=transaction.slot,
            meta=transaction.meta,
            transaction=transaction.transaction,
            version=transaction.version,
            index_within_block=UNSET if index is None else index,
        )
    )


def read(call: str, content: bytes | Raw, shape: type[T], *, quotes: bool = True) -> T:
    """The answer, typed. Raises HeliusProblem naming the first thing that is not as documented.

    It quotes the beginning of the answer, unless `quotes` is false.
    """
    try:
        return msgspec.json.decode(content, type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        quoted = f": {excerpt(bytes(content))}" if quotes else ""
        reason = f"not the documented answer, {error}{quoted}"
        raise HeliusProblem(call, 200, reason) from None


def read_known(call: str, content: Raw, shape: type[T]) -> T | None:
    """The answer, typed, or None where it is null: the node knows no such thing."""
    return None if bytes(content) == _NULL else read(call, content, shape)
