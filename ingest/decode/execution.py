"""The calls of the two programs inside a transaction, in the order in which they were executed."""

from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Final, cast

import msgspec

from ingest.decode import base58
from ingest.decode.logs import read_log
from ingest.decode.outcome import Broken, Line, Where
from ingest.decode.payload import AccountKey, Instruction, Message, Meta, lines_of
from ingest.decode.programs import (
    DISCRIMINATOR_BYTES,
    EVENT_AUTHORITY,
    EVENT_TAG,
    TRADE_INSTRUCTIONS,
)

_ADDRESS_BYTES: Final = 32
_ADDRESS_DIGITS: Final = 44
_PROGRAMS: Final = frozenset(EVENT_AUTHORITY)
# An event from the log is no instruction.
_NO_STEP: Final = Instruction()
_place_of: Final = attrgetter("where")


class Call(msgspec.Struct, frozen=True):
    """One executed instruction of one of the two programs, or an event of theirs from the log.

    `event` is what the program told, discriminator first; None when the call is no event.
    """

    where: Where | Line
    program: str
    instruction: Instruction
    keys: list[str]
    event: bytes | None

    @property
    def accounts(self) -> list[str]:
        """The addresses of the instruction's accounts; none of an event from the log."""
        return [_address(self.keys, ref, self.where) for ref in self.instruction.accounts]

    def account(self, place: int) -> str | None:
        """The address of one account, or None when the instruction has fewer."""
        accounts = self.instruction.accounts
        if place >= len(accounts):
            return None
        return _address(self.keys, accounts[place], self.where)

    @property
    def data(self) -> bytes:
        """The instruction's data. Raises Broken when it is not base58."""
        return _data(self.instruction, self.where)


def calls_of(message: Message, meta: Meta) -> list[Call]:
    """The calls of the two programs in execution order: each outer one, then what it called.

    An event is read from the inner call by which the program told it to itself. Only where no such
    call is recorded the log is asked; its events, the same ones in the same order, then come last.
    Raises Broken when an instruction names a key that the transaction does not have, or when there
    may have been events and neither the inner instructions nor the log has them whole.
    """
    keys = keys_of(message, meta)
    foreign = {at for at, key in enumerate(keys) if key not in EVENT_AUTHORITY}
    calls = list(_ours(keys, foreign, message.instructions, None))
    for group in meta.inner_instructions or ():
        calls.extend(_ours(keys, foreign, group.instructions, group.index))
    if any(call.event is not None for call in calls):
        return sorted(calls, key=_place_of)
    is_named = bool(calls) or len(foreign) < len(keys)
    return calls + _untold(meta, calls) if is_named else []


def keys_of(message: Message, meta: Meta) -> list[str]:
    """The addresses that key indices point into; jsonParsed keys already hold the loaded ones."""
    keys = message.account_keys
    if AccountKey in set(map(type, keys)):
        return [key.pubkey if isinstance(key, AccountKey) else key for key in keys]
    texts = cast("list[str]", keys)
    loaded = meta.loaded_addresses
    return texts if loaded is None else texts + loaded.writable + loaded.readonly


def address_bytes(address: str, where: Where | Line | None = None) -> bytes:
    """The 32 bytes of an address. Raises Broken when it is not one."""
    try:
        raw = _decoded(address) if len(address) <= _ADDRESS_DIGITS else base58.decode(address)
    except ValueError as error:
        raise Broken(f"the address {address!r} is not base58", where) from error
    if len(raw) != _ADDRESS_BYTES:
        raise Broken(f"the address {address!r} has {len(raw)} bytes, 32 expected", where)
    return raw


# Half of all addresses looked at are wrapped SOL, and a market trades few tokens at a time.
_decoded = lru_cache(4096)(base58.decode)


def _ours(
    keys: list[str], foreign: set[int], steps: list[Instruction], outer: int | None
) -> Iterator[Call]:
    """The calls of the two programs among the outer steps, or among those that one of them made.

    `foreign` are the indices of the keys that are neither of the two: nearly all calls are theirs,
    and are passed over as fast as can be.
    """
    for at, step in enumerate(steps):
        if step.program_id_index in foreign:
            continue
        where = Where(at) if outer is None else Where(outer, at)
        program = _program(keys, step, where)
        if program in EVENT_AUTHORITY:
            event = None if outer is None else _event(keys, step, program, where)
            yield Call(where, program, step, keys, event)


def _program(keys: list[str], step: Instruction, where: Where) -> str:
    if step.program_id is not None:
        return step.program_id
    if step.program_id_index is None:
        raise Broken("it names no program", where)
    return _address(keys, step.program_id_index, where)


def _event(keys: list[str], step: Instruction, program: str, where: Where) -> bytes | None:
    """The event that an inner call carries, or None when it is no event.

    An event is what the program told itself: its one account is the event authority. The same
    event stands in the log.
    """
    if len(step.accounts) != 1:
        return None
    if _address(keys, step.accounts[0], where) != EVENT_AUTHORITY[program]:
        return None
    data = _data(step, where)
    return data[len(EVENT_TAG) :] if data.startswith(EVENT_TAG) else None


def _data(step: Instruction, where: Where | Line) -> bytes:
    try:
        return base58.decode(step.data)
    except ValueError as error:
        raise Broken("its data is not base58", where) from error


def _untold(meta: Meta, calls: list[Call]) -> list[Call]:
    """The events of a transaction that names the programs and has no event in its record.

    Without any inner instruction the record is worth nothing, because nearly every call of the
    programs leaves some: the log must tell. With some it is asked, but must answer for trades only.
    """
    try:
        return _logged(meta, calls)
    except Broken as broken:
        if not meta.inner_instructions:
            what = f"meta.innerInstructions is missing or empty, and {broken.what}"
        elif any(map(_must_trade, calls)):
            what = f"meta.innerInstructions has no event, and {broken.what}"
        else:
            return []
        raise Broken(what, broken.where) from broken


def _logged(meta: Meta, calls: list[Call]) -> list[Call]:
    """The events that the log tells. Raises Broken where it cannot have all that happened."""
    lines = lines_of(meta.log_messages)
    if lines is None:
        raise Broken("meta.logMessages is missing, too")
    log = read_log(lines, _PROGRAMS)
    outer_calls = sum(isinstance(call.where, Where) and call.where.is_outer for call in calls)
    if log.outer_calls != outer_calls:
        raise Broken(f"the log shows {log.outer_calls} of {outer_calls} calls of the programs")
    if not log.events and any(map(_must_trade, calls)):
        raise Broken("the log has no event of a trade")
    return [Call(where, program, _NO_STEP, [], event) for where, program, event in log.events]


def _must_trade(call: Call) -> bool:
    return call.data[:DISCRIMINATOR_BYTES] in TRADE_INSTRUCTIONS


def _address(keys: list[str], ref: int | str, where: Where | Line) -> str:
    if isinstance(ref, str):
        return ref
    if ref >= len(keys):
        raise Broken(f"it names key {ref}, the transaction has {len(keys)} keys", where)
    return keys[ref]
