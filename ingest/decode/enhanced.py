"""Payloads that Helius has parsed ("enhanced"), typed, and the programs' own words inside them.

Of such a payload the accounts, the instructions and the changes of balances are facts; its `type`,
its `source` and its `events` are guesses, wrong for most swaps of our two programs. It never tells
the place in the block.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Raw

from ingest.decode.outcome import Broken
from ingest.decode.payload import (
    MAX_TIME,
    InnerInstructions,
    Instruction,
    Message,
    Meta,
    is_null,
)
from ingest.decode.programs import EVENT_AUTHORITY, PUMP, PUMP_SWAP
from ingest.decode.transaction import Transaction

_MAX_I64: Final = 2**63 - 1
_NULL: Final = Raw(b"null")
# Where neither an instruction nor an account names the program, the guess must do.
_SOURCES: Final = {"PUMP_FUN": PUMP, "PUMP_AMM": PUMP_SWAP}

# What a trade needs, and how the payload calls it.
_NEEDED: Final = {
    "slot": "slot",
    "timestamp": "timestamp",
    "fee": "fee",
    "fee_payer": "feePayer",
    "account_data": "accountData",
}

_Lamports = Annotated[int, msgspec.Meta(ge=-_MAX_I64, le=_MAX_I64)]
_Signed = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,20}$")]
_Slot = Annotated[int, msgspec.Meta(ge=0, le=_MAX_I64)]
_Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_TIME)]


class RawTokenAmount(msgspec.Struct, gc=False, rename="camel"):
    """A signed change in raw units, as text."""

    token_amount: _Signed


class TokenChange(msgspec.Struct, gc=False, rename="camel"):
    """By how much the balance of one token account changed; wrapped SOL included."""

    user_account: str
    token_account: str
    mint: str
    raw_token_amount: RawTokenAmount

    @property
    def units(self) -> int:
        """The change in raw units."""
        return int(self.raw_token_amount.token_amount)


class AccountChange(msgspec.Struct, gc=False, rename="camel"):
    """What the transaction changed in one account."""

    account: str
    native_balance_change: _Lamports = 0
    token_balance_changes: list[TokenChange] | None = None


class NativeTransfer(msgspec.Struct, gc=False, rename="camel"):
    """Lamports that an instruction moved; a program that pays out of its own account makes none."""

    amount: _Lamports
    from_user_account: str | None = None
    to_user_account: str | None = None


class TokenTransfer(msgspec.Struct, gc=False, rename="camel"):
    """Which accounts tokens moved between. Its amount is a float and is never read."""

    from_user_account: str | None = None
    from_token_account: str | None = None
    to_user_account: str | None = None
    to_token_account: str | None = None


class ParsedInstruction(msgspec.Struct, gc=False, rename="camel"):
    """An instruction by addresses, and what it called."""

    program_id: str
    accounts: list[str] = []
    data: str = ""
    inner_instructions: list["ParsedInstruction"] | None = None


class Enhanced(msgspec.Struct, gc=False, rename="camel"):
    """One enhanced payload; None where it does not say."""

    signature: str
    slot: _Slot | None = None
    timestamp: _Time | None = None
    fee: _Lamports | None = None
    fee_payer: str | None = None
    source: str | None = None
    transaction_error: Raw = _NULL
    account_data: list[AccountChange] | None = None
    native_transfers: list[NativeTransfer] | None = None
    token_transfers: list[TokenTransfer] | None = None
    instructions: list[ParsedInstruction] | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the transaction had no effect but its fee."""
        return not is_null(self.transaction_error)


_ENHANCED: Final = msgspec.json.Decoder(Enhanced)


def enhanced_of(element: Raw) -> Enhanced:
    """The payload typed. Raises Broken with the JSON path of the first thing that is wrong."""
    try:
        return _ENHANCED.decode(element)
    except (ValueError, RecursionError) as error:
        raise Broken(str(error)) from error


def missing_in(payload: Enhanced) -> str:
    """Which fields that a trade needs the payload leaves out, in words."""
    absent = [name for field, name in _NEEDED.items() if getattr(payload, field) is None]
    return f"it does not tell: {', '.join(absent)}"


def has_events(payload: Enhanced) -> bool:
    """Whether the programs told something in it: then the balances need not be asked."""
    return any(
        len(step.accounts) == 1 and step.accounts[0] == EVENT_AUTHORITY.get(step.program_id)
        for outer in payload.instructions or ()
        for step in outer.inner_instructions or ()
    )


def as_transaction(payload: Enhanced, slot: int, block_time: int) -> Transaction:
    """The payload as if it had come raw: the same events at the same places, order unknown."""
    outer = payload.instructions or []
    message = Message(account_keys=[], instructions=[_by_address(step) for step in outer])
    inner = [
        InnerInstructions(
            index=at, instructions=[_by_address(inside) for inside in step.inner_instructions or ()]
        )
        for at, step in enumerate(outer)
    ]
    meta = Meta(err=_NULL, inner_instructions=inner)
    return Transaction(payload.signature, slot, None, block_time, message, meta)


def programs_in(payload: Enhanced) -> set[str]:
    """Which of the two programs took part, by the best witness that the payload has."""
    called = called_in(payload)
    if called:
        return called
    named = {change.account for change in payload.account_data or ()} & EVENT_AUTHORITY.keys()
    guess = _SOURCES.get(payload.source or "")
    if guess is not None and (not named or guess in named):
        return {guess}
    return named


def called_in(payload: Enhanced) -> set[str]:
    """Which of the two programs an instruction called."""
    outer = payload.instructions or []
    inner = [step for outside in outer for step in outside.inner_instructions or ()]
    return {step.program_id for step in (*outer, *inner)} & EVENT_AUTHORITY.keys()


def _by_address(step: ParsedInstruction) -> Instruction:
    return Instruction(program_id=step.program_id, accounts=[*step.accounts], data=step.data)
