"""The calls of the two programs inside a transaction, in the order in which they were executed."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ingest.decode import base58
from ingest.decode.outcome import Broken, Where
from ingest.decode.payload import AccountKey, Instruction, Message, Meta
from ingest.decode.programs import EVENT_AUTHORITY, EVENT_TAG

_ADDRESS_BYTES: Final = 32


class Call(NamedTuple):
    """One executed instruction of one of the two programs; `accounts` by address or key index."""

    where: Where
    program: str
    instruction: Instruction
    keys: list[str]

    @property
    def accounts(self) -> list[str]:
        """The addresses of the instruction's accounts."""
        return [_address(self.keys, ref, self.where) for ref in self.instruction.accounts]

    @property
    def data(self) -> bytes:
        """The instruction's data. Raises Broken when it is not base58."""
        try:
            return base58.decode(self.instruction.data)
        except ValueError as error:
            raise Broken("its data is not base58", self.where) from error

    @property
    def event(self) -> bytes | None:
        """The event that this call carries, discriminator first, or None when it is no event.

        An event is what the program told itself: an inner call whose one account is the event
        authority. The same event stands in the log messages, which are never read here.
        """
        instruction = self.instruction
        if self.where.inner is None or len(instruction.accounts) != 1:
            return None
        if self.accounts[0] != EVENT_AUTHORITY[self.program]:
            return None
        data = self.data
        return data[len(EVENT_TAG) :] if data.startswith(EVENT_TAG) else None


def calls_of(message: Message, meta: Meta) -> list[Call]:
    """The calls of the two programs in execution order: each outer one, then what it called.

    Raises Broken when an instruction names a key that the transaction does not have, or when the
    transaction names one of the programs and the node did not record the inner instructions.
    """
    keys = keys_of(message, meta)
    if meta.inner_instructions is None:
        if not EVENT_AUTHORITY.keys().isdisjoint(keys):
            raise Broken("meta.innerInstructions is missing, and with it every event")
        return []
    outer = [(Where(at, None), step) for at, step in enumerate(message.instructions)]
    inner = [
        (Where(group.index, at), step)
        for group in meta.inner_instructions
        for at, step in enumerate(group.instructions)
    ]
    return sorted(_ours(keys, outer + inner), key=_execution_order)


def keys_of(message: Message, meta: Meta) -> list[str]:
    """The addresses that key indices point into; jsonParsed keys already hold the loaded ones."""
    keys = [key.pubkey if isinstance(key, AccountKey) else key for key in message.account_keys]
    loaded = meta.loaded_addresses
    is_parsed = any(isinstance(key, AccountKey) for key in message.account_keys)
    if loaded is None or is_parsed:
        return keys
    return keys + loaded.writable + loaded.readonly


def address_bytes(address: str, where: Where | None = None) -> bytes:
    """The 32 bytes of an address. Raises Broken when it is not one."""
    try:
        raw = base58.decode(address)
    except ValueError as error:
        raise Broken(f"the address {address!r} is not base58", where) from error
    if len(raw) != _ADDRESS_BYTES:
        raise Broken(f"the address {address!r} has {len(raw)} bytes, 32 expected", where)
    return raw


def _ours(keys: list[str], steps: list[tuple[Where, Instruction]]) -> Iterator[Call]:
    for where, step in steps:
        program = _program(keys, step, where)
        if program in EVENT_AUTHORITY:
            yield Call(where, program, step, keys)


def _program(keys: list[str], step: Instruction, where: Where) -> str:
    if step.program_id is not None:
        return step.program_id
    if step.program_id_index is None:
        raise Broken("it names no program", where)
    return _address(keys, step.program_id_index, where)


def _address(keys: list[str], ref: int | str, where: Where) -> str:
    if isinstance(ref, str):
        return ref
    if ref >= len(keys):
        raise Broken(f"it names key {ref}, the transaction has {len(keys)} keys", where)
    return keys[ref]


def _execution_order(call: Call) -> tuple[int, int]:
    outer, inner = call.where
    return outer, -1 if inner is None else inner
