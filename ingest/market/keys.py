"""Addresses nobody holds the key of: derived from a seed, the same whenever they are asked for."""

import hashlib
from typing import NamedTuple

from ingest.market import base58


class Key(NamedTuple):
    """An address as bytes (32) and as people write it."""

    raw: bytes
    text: str


def derive(*parts: bytes) -> Key:
    """The address that these parts name, as a program would derive one."""
    raw = hashlib.blake2b(b"\x00".join(parts), digest_size=32).digest()
    return Key(raw, base58.encode(raw))


def known(text: str) -> Key:
    """A key of the real chain."""
    return Key(base58.decode(text), text)
