"""Base58 for long byte strings: event bytes are 400 long, where the usual loop costs 180 µs.

Every other part of a transaction is cheaper than the text of its one event, so this decides how
fast the market can play. The number is cut in halves down to groups of four digits; the groups are
then laid into the lanes of one large integer and split into digits all at once.
"""

from array import array
from functools import cache
from typing import Final, NamedTuple

import based58

_ALPHABET: Final = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LETTERS: Final = _ALPHABET + bytes(256 - len(_ALPHABET))
_TOP: Final = 58**64
_CUTS: Final = tuple(58**digits for digits in (32, 16, 8, 4))
# Multiply and shift instead of dividing: exact for every group (below 58**4, below 58**2).
_BY_3364: Final = -(-(1 << 40) // 3364)
_BY_58: Final = -(-(1 << 16) // 58)


class _Masks(NamedTuple):
    """The bits of every lane that hold a quotient of two digits, and of one."""

    pairs: int
    digits: int


@cache
def _masks(groups: int) -> _Masks:
    pairs = sum(0xFFF << (64 * lane) for lane in range(groups))
    return _Masks(pairs, sum(0x3F << (32 * lane) for lane in range(2 * groups)))


def encode(raw: bytes) -> str:
    """Base58 of a short string: keys, signatures, instruction data."""
    return based58.b58encode(raw).decode()


def encode_long(raw: bytes) -> str:
    """Base58 of a string of any length that does not begin with a zero byte."""
    number = int.from_bytes(raw, "big")
    groups: list[int] = []
    while number:
        number, part = divmod(number, _TOP)
        groups.append(part)
    groups.reverse()
    for cut in _CUTS:
        groups = [half for group in groups for half in divmod(group, cut)]
    return _digits(groups).translate(_LETTERS).decode().lstrip("1")


def _digits(groups: list[int]) -> bytes:
    """The digits of groups of four, in order, a byte each."""
    masks = _masks(len(groups))
    lanes = int.from_bytes(array("Q", groups).tobytes(), "little")
    high = (lanes * _BY_3364 >> 40) & masks.pairs
    pairs = high | (lanes - high * 3364) << 32
    high = (pairs * _BY_58 >> 16) & masks.digits
    return (high | (pairs - high * 58) << 16).to_bytes(8 * len(groups), "little")[::2]


def decode(text: str) -> bytes:
    """The bytes a base58 text stands for."""
    return based58.b58decode(text.encode())
