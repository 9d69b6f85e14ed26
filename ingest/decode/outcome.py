"""What became of one transaction of a body: trades, a reason to leave it, or what is broken."""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from ingest.decode import base58
from pnl.engine.tokens import TokenEvent
from pnl.engine.trades import Trade

_ERROR_CHARACTERS: Final = 500
ORDER_UNKNOWN: Final = "order_unknown"


class DropReason(StrEnum):
    """Why a well-formed transaction has nothing for the ledger."""

    FAILED = "failed"
    NO_TRADE = "no_trade"
    # Of enhanced payloads: what they leave out, or what their balances do not decide.
    INCOMPLETE = "incomplete"
    UNTOLD = "untold"
    SEVERAL_TOKENS = "several_tokens"
    SEVERAL_SWAPS = "several_swaps"
    SEVERAL_TRADERS = "several_traders"
    NO_TRADER = "no_trader"
    NO_SOL = "no_sol"
    UNBALANCED = "unbalanced"
    NO_META = "no_meta"
    NO_TRANSACTION = "no_transaction"
    UNSUPPORTED = "unsupported"

    @property
    def raw_can_help(self) -> bool:
        """Whether the same transaction, raw, may hold the trade that was not told here."""
        return self in _WANTING_DETAIL


_WANTING_DETAIL: Final = frozenset(
    {
        DropReason.INCOMPLETE,
        DropReason.UNTOLD,
        DropReason.SEVERAL_TOKENS,
        DropReason.SEVERAL_SWAPS,
        DropReason.SEVERAL_TRADERS,
        DropReason.NO_TRADER,
        DropReason.NO_SOL,
        DropReason.UNBALANCED,
    }
)


class Decoded(msgspec.Struct, frozen=True):
    """A transaction's trades in execution order, and what it tells of tokens: one of both at least.

    `signature` has 64 bytes. `order_unknown` tells that it came without its place in the block, and
    that a raw body of it would know more. `unknown_layouts` counts trade events with bytes after
    the fields we know, or with a total that those do not add up to: they are booked by what we
    know, but the program has grown and somebody should read its notes.
    """

    index: int
    signature: bytes
    trades: tuple[Trade, ...]
    unknown_layouts: int
    tokens: tuple[TokenEvent, ...] = ()
    order_unknown: bool = False


class Dropped(msgspec.Struct, frozen=True):
    """A well-formed transaction that is not booked. `signature` is base58, as it came."""

    index: int
    signature: str | None
    reason: DropReason
    detail: str


class Malformed(msgspec.Struct, frozen=True):
    """A transaction that cannot be read whole; `error` says what is wrong and where."""

    index: int
    signature: str | None
    error: str


class Unreadable(msgspec.Struct, frozen=True):
    """A body that holds no list of transactions; `error` says why, and at which byte."""

    error: str


Outcome = Decoded | Dropped | Malformed | Unreadable


def wanting(outcome: Outcome) -> tuple[bytes, int | None, str] | None:
    """What a raw body should tell of it: signature (64 bytes), slot if known, and why.

    None for what has told all, or has nothing to tell.
    """
    if isinstance(outcome, Decoded) and outcome.order_unknown:
        slot = outcome.trades[0].slot if outcome.trades else None
        return outcome.signature, slot, ORDER_UNKNOWN
    if isinstance(outcome, Dropped) and outcome.reason.raw_can_help:
        return base58.decode(outcome.signature or ""), None, outcome.reason.value
    return None


class Where(NamedTuple):
    """The place of an instruction: outer index, and inner index when it was called from there.

    Places sort in the order of execution: an outer instruction (inner index -1), then its calls.
    """

    outer: int
    inner: int = -1

    @property
    def is_outer(self) -> bool:
        """Whether the transaction itself made the call."""
        return self.inner < 0

    def __str__(self) -> str:
        place = f"{self.outer}" if self.is_outer else f"{self.outer}.{self.inner}"
        return f"instruction {place}"


class Line(NamedTuple):
    """The place of a log message: its number, counted from zero."""

    number: int

    def __str__(self) -> str:
        return f"log message {self.number}"


class Broken(Exception):
    """What makes a transaction malformed. It never leaves this package: the pipeline catches it."""

    def __init__(self, what: str, where: Where | Line | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where

    def told_of(self, index: int) -> str:
        """The error in full, for the transaction at `index` of its body."""
        place = f"transaction {index}"
        if self.where is not None:
            place = f"{place}, {self.where}"
        return f"{place}: {self.what}"[:_ERROR_CHARACTERS]
