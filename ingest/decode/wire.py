"""Reads a transaction as it travels the network: what a node sends in base64 instead of JSON."""

import binascii
from base64 import b64decode
from typing import Final

from ingest.decode import base58
from ingest.decode.outcome import Broken
from ingest.decode.payload import Instruction, Message, Signed

# What one packet of the network holds, and so the longest transaction there is.
_MOST_BYTES: Final = 1232
_SIGNATURE_BYTES: Final = 64
_KEY_BYTES: Final = 32
_HEADER_BYTES: Final = 3
_VERSIONED: Final = 0x80
_MORE: Final = 0x80
_KNOWN_VERSION: Final = 0


class _Wire:
    """A cursor that refuses to read behind the end."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) > _MOST_BYTES:
            raise Broken(f"the wire transaction has {len(raw)} bytes, {_MOST_BYTES} at most")
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._raw):
            raise Broken(f"the wire transaction has {len(self._raw)} bytes and ends too early")
        piece = self._raw[self._at : end]
        self._at = end
        return piece

    def byte(self) -> int:
        return self.take(1)[0]

    def peek(self) -> int:
        byte = self.byte()
        self._at -= 1
        return byte

    def length(self) -> int:
        """A compact-u16: seven bits a byte, lowest first."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & ~_MORE) << shift
            if byte < _MORE:
                return value
            shift += 7

    def keys(self) -> list[str]:
        return [base58.encode(self.take(_KEY_BYTES)) for _ in range(self.length())]

    def instruction(self) -> Instruction:
        program = self.byte()
        accounts = self.take(self.length())
        data = base58.encode(self.take(self.length()))
        return Instruction(program_id_index=program, accounts=[*accounts], data=data)


def signed_of(blob: str, encoding: str) -> Signed | None:
    """The transaction in a node's `[blob, encoding]`, legacy or version 0.

    None for an encoding or a version that is not read here. Lookup tables are passed over: the
    node resolves them in `meta.loadedAddresses`. Raises Broken when the bytes do not add up.
    """
    if encoding not in _DECODERS:
        return None
    try:
        wire = _Wire(_DECODERS[encoding](blob))
    except ValueError as error:
        raise Broken(f"the transaction is not {encoding}") from error
    signatures = [base58.encode(wire.take(_SIGNATURE_BYTES)) for _ in range(wire.length())]
    if not signatures:
        raise Broken("the wire transaction has no signature")
    if wire.peek() >= _VERSIONED and wire.byte() != _VERSIONED + _KNOWN_VERSION:
        return None
    return Signed(signatures=signatures, message=_message(wire))


def _message(wire: _Wire) -> Message:
    wire.take(_HEADER_BYTES)
    keys = wire.keys()
    wire.take(_KEY_BYTES)  # the recent block hash
    instructions = [wire.instruction() for _ in range(wire.length())]
    return Message(account_keys=[*keys], instructions=instructions)


def _base64(blob: str) -> bytes:
    try:
        return b64decode(blob, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


_DECODERS: Final = {"base64": _base64, "base58": base58.decode}
