"""The curve's events about a token's life: its creation, its completion, its way into a pool.

Names are written by whoever makes a token. They are cut and cleaned, and never a reason to refuse
the transaction around them: an event that cannot be read tells nothing.
"""

import unicodedata
from collections.abc import Callable
from struct import Struct
from typing import Final

from ingest.decode.payload import MAX_TIME
from ingest.decode.programs import COMPLETE_EVENT, CREATE_EVENT, MIGRATION_EVENT
from pnl.engine.tokens import TokenEvent

NAME_CHARACTERS_MAX: Final = 64
SYMBOL_CHARACTERS_MAX: Final = 32
URI_CHARACTERS_MAX: Final = 256

_TAG_BYTES: Final = 8
_COUNT: Final = Struct("<I")
# CreateEvent behind its three texts: mint, curve, user; since 2025 creator and timestamp, too.
_PARTIES: Final = Struct("<32s32x32s")
_CREATOR: Final = Struct("<32sq")
# CompleteEvent: user, mint, curve, timestamp.
_COMPLETE: Final = Struct("<8x32x32s32xq")
# CompletePumpAmmMigrationEvent: user, mint, three amounts, curve, timestamp, pool.
_MIGRATION: Final = Struct("<8x32x32s24x32xq32s")


def read_token(event: bytes, block_time: int | None) -> TokenEvent | None:
    """What an event of the curve's program (discriminator first) tells of a token, if it does.

    An old layout without a time of its own takes the block's. None for every other event, and for
    one that is cut off.
    """
    read = _READERS.get(event[:_TAG_BYTES])
    return None if read is None else read(event, block_time)


def _read_create(event: bytes, block_time: int | None) -> TokenEvent | None:
    name, at = _text(event, _TAG_BYTES, NAME_CHARACTERS_MAX)
    symbol, at = _text(event, at, SYMBOL_CHARACTERS_MAX)
    uri, at = _text(event, at, URI_CHARACTERS_MAX)
    if at + _PARTIES.size > len(event):
        return None
    mint, creator = _PARTIES.unpack_from(event, at)
    created_at = block_time
    if at + _PARTIES.size + _CREATOR.size <= len(event):
        creator, timestamp = _CREATOR.unpack_from(event, at + _PARTIES.size)
        created_at = _moment(timestamp, block_time)
    return TokenEvent(mint, name, symbol, uri, creator, created_at)


def _read_complete(event: bytes, block_time: int | None) -> TokenEvent | None:
    if len(event) < _COMPLETE.size:
        return None
    mint, timestamp = _COMPLETE.unpack_from(event)
    return TokenEvent(mint, completed_at=_moment(timestamp, block_time))


def _read_migration(event: bytes, block_time: int | None) -> TokenEvent | None:
    if len(event) < _MIGRATION.size:
        return None
    mint, timestamp, pool = _MIGRATION.unpack_from(event)
    return TokenEvent(mint, migrated_at=_moment(timestamp, block_time), pool=pool)


def _moment(timestamp: int, block_time: int | None) -> int | None:
    return timestamp if 0 <= timestamp <= MAX_TIME else block_time


def _text(event: bytes, at: int, characters_max: int) -> tuple[str, int]:
    """The text at `at`, fit to be kept and shown, and the place behind it."""
    if at + _COUNT.size > len(event):
        return "", len(event)
    start = at + _COUNT.size
    end = start + _COUNT.unpack_from(event, at)[0]
    # Whatever somebody wrote, only so much of it is looked at.
    raw = event[start : min(end, start + 16 * characters_max)]
    return _cleaned(raw.decode(errors="replace"))[:characters_max].rstrip(), end


def _cleaned(text: str) -> str:
    """Without controls, marks of direction and other signs that cannot be seen; blanks are one."""
    seen = (" " if c.isspace() else c for c in text)
    return " ".join("".join(c for c in seen if unicodedata.category(c)[0] != "C").split())


_READERS: Final[dict[bytes, Callable[[bytes, int | None], TokenEvent | None]]] = {
    CREATE_EVENT: _read_create,
    COMPLETE_EVENT: _read_complete,
    MIGRATION_EVENT: _read_migration,
}
