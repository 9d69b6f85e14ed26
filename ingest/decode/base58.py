"""Base58 to bytes, fast for long texts: an event is 500 digits, where the usual loop is quadratic.

The digits are laid one to a byte of a single large integer, and neighbouring lanes are then folded
into lanes of twice the width, all lanes at once: ten folds for 500 digits. Exact for every text; on
event texts four times as fast as the library, which stays the better one for short texts.
"""

from typing import Final

import based58

_ALPHABET: Final = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_NOT_A_DIGIT: Final = 0xFF
_DIGITS: Final = bytes(
    _ALPHABET.index(byte) if byte in _ALPHABET else _NOT_A_DIGIT for byte in range(256)
)

# Below this the library's loop is faster; 64-byte signatures (88 digits) are short.
_SHORT: Final = 96
# The folds are prepared for 2^14 digits: the runtime lets an instruction carry 10 KiB (13,985).
_LEVELS: Final = 14
_LONGEST: Final = 1 << _LEVELS


def _low_lanes(bits: int) -> int:
    """Ones in every second lane of so many bits, over the whole width of the longest text."""
    every_second = ((1 << 8 * _LONGEST) - 1) // ((1 << 2 * bits) - 1)
    return every_second * ((1 << bits) - 1)


# Fold of lanes 2^k digits wide: (lane bits, mask of the low lanes, lane weight - digit weight).
_FOLDS: Final = tuple(
    (8 << level, _low_lanes(8 << level), (1 << (8 << level)) - 58 ** (1 << level))
    for level in range(_LEVELS)
)


def decode(text: str) -> bytes:
    """The bytes of a base58 text.

    Raises ValueError when a character is not of the alphabet, or when the text is longer than any
    instruction could be: a hostile megabyte must not hold up a worker.
    """
    digits = text.encode()
    if len(digits) <= _SHORT:
        return based58.b58decode(digits)
    if len(digits) > _LONGEST:
        raise ValueError("longer than any instruction")
    values = digits.translate(_DIGITS)
    if not values.isascii():
        raise ValueError("not base58")
    number = _folded(values)
    zeros = len(values) - len(values.lstrip(b"\0"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode(raw: bytes) -> str:
    """The base58 text of the bytes."""
    return based58.b58encode(raw).decode()


def _folded(values: bytes) -> int:
    """The number whose base-58 digits are `values`.

    A pair of lanes holds high * 2^bits + low and shall hold high * 58^digits + low, so each fold
    subtracts high * (2^bits - 58^digits). A lane never overflows because 58 < 256.
    """
    number = int.from_bytes(values, "big")
    for bits, low_lanes, surplus in _FOLDS[: (len(values) - 1).bit_length()]:
        number -= ((number >> bits) & low_lanes) * surplus
    return number
