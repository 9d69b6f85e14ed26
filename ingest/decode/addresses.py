"""Addresses that a program derives for itself, and how they differ from those of people."""

from functools import lru_cache
from hashlib import sha256
from typing import Final

from ingest.decode import base58
from ingest.decode.programs import PUMP_BYTES

# The curve of ed25519: keys lie on it, and a derived address is chosen so that it does not.
_PRIME: Final = 2**255 - 19
_D: Final = -121_665 * pow(121_666, -1, _PRIME) % _PRIME
_SIGN_BIT: Final = 1 << 255
_MARKER: Final = b"ProgramDerivedAddress"
_REMEMBERED: Final = 4096


@lru_cache(_REMEMBERED)
def has_a_key(address: bytes) -> bool:
    """Whether somebody can hold the key of this address (32 bytes).

    Only programs can sign for an address beside the curve: pools, curves and vaults have such.
    """
    y = int.from_bytes(address, "little") % _SIGN_BIT
    u, v = y * y - 1, _D * y * y + 1
    product = u * v % _PRIME
    return product == 0 or pow(product, (_PRIME - 1) // 2, _PRIME) == 1


def derived(seeds: tuple[bytes, ...], program: bytes) -> bytes:
    """The address that `program` derives from `seeds`: the first that nobody can hold a key of."""
    for bump in range(255, -1, -1):
        candidate = sha256(b"".join((*seeds, bytes([bump]), program, _MARKER))).digest()
        if not has_a_key(candidate):
            return candidate
    raise AssertionError("half of all addresses lie beside the curve")


@lru_cache(_REMEMBERED)
def curve_of(mint: bytes) -> str:
    """The address of the bonding curve of a mint."""
    return base58.encode(derived((b"bonding-curve", mint), PUMP_BYTES))
