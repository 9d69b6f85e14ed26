"""What the programs tell about a token's life, and how tellings of it become one."""

from typing import Final, NamedTuple

_NEVER: Final = 2**63


class TokenEvent(NamedTuple):
    """What one event, or all of them together, tell about a mint. Times are Unix seconds.

    A creation has a `creator`, and brings the names with it. A curve is completed when its last
    unit is bought, and migrated when its liquidity has become the `pool`.
    """

    mint: bytes
    name: str = ""
    symbol: str = ""
    uri: str = ""
    creator: bytes | None = None
    created_at: int | None = None
    completed_at: int | None = None
    migrated_at: int | None = None
    pool: bytes | None = None


def together(one: TokenEvent, other: TokenEvent) -> TokenEvent:
    """Both tellings of the same mint as one: whatever the order, and however often each came.

    Of two creations or migrations the earlier one counts whole; a blank never takes a name away.
    """
    born = min(one, other, key=_birth)
    moved = min(one, other, key=_migration)
    return born._replace(
        completed_at=_earlier(one.completed_at, other.completed_at),
        migrated_at=moved.migrated_at,
        pool=moved.pool,
    )


def _birth(event: TokenEvent) -> tuple[bool, int, str, str, str, bytes]:
    names = event.name, event.symbol, event.uri
    return event.creator is None, _at(event.created_at), *names, event.creator or b""


def _migration(event: TokenEvent) -> tuple[bool, int, bytes]:
    return event.pool is None, _at(event.migrated_at), event.pool or b""


def _at(moment: int | None) -> int:
    return _NEVER if moment is None else moment


def _earlier(one: int | None, other: int | None) -> int | None:
    known = [moment for moment in (one, other) if moment is not None]
    return min(known, default=None)
