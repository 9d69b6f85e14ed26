"""Base58 to bytes and back at the speed of C: the text of one event is 500 digits long.

GMP reads and writes numbers of base 58 in an alphabet of its own, so that only the letters have to
be exchanged. The usual loop is quadratic, and takes thirty times as long for an event.
"""

from typing import Final

from gmpy2 import mpz

_BASE: Final = 58
_ALPHABET: Final = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_GMP_ALPHABET: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
_FROM_GMP: Final = bytes.maketrans(_GMP_ALPHABET, _ALPHABET)
# GMP passes over blanks, underscores and signs, but refuses whatever is not ASCII.
_TO_GMP: Final = bytes(
    _GMP_ALPHABET[_ALPHABET.index(byte)] if byte in _ALPHABET else 0xFF for byte in range(256)
)
_ZERO: Final = b"1"

# The runtime lets an instruction carry 10 KiB: 13,985 digits.
_LONGEST: Final = 1 << 14


def decode(text: str) -> bytes:
    """The bytes of a base58 text.

    Raises ValueError when a character is not of the alphabet, or when the text is longer than any
    instruction could be: a hostile megabyte must not hold up a worker.
    """
    digits = text.encode()
    if len(digits) > _LONGEST:
        raise ValueError("longer than any instruction")
    zeros = len(digits) - len(digits.lstrip(_ZERO))
    if zeros == len(digits):
        return bytes(zeros)
    number = mpz(digits.translate(_TO_GMP), _BASE)
    raw: bytes = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes(zeros) + raw


def encode(raw: bytes) -> str:
    """The base58 text of the bytes."""
    number = mpz.from_bytes(raw, "big")
    zeros: int = len(raw) - (number.bit_length() + 7) // 8
    digits: str = number.digits(_BASE) if number else ""
    return (_ZERO * zeros + digits.encode().translate(_FROM_GMP)).decode()
