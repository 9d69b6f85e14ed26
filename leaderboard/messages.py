"""Every frame and every group name of the board sockets, in one place. Pure.

A viewer gets a snapshot, then deltas whose version is one more than the last. A gap means that a
frame was lost: the viewer asks for a resync and gets a snapshot. Money is a decimal string with
its unit in the key.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from leaderboard.ranking import Changes, Line

LAMPORTS_PER_SOL = 1_000_000_000
MICRO_PER_USD = 1_000_000
SHORT_ENDS = 4


# Carries nothing for viewers: it tells their processes that the boards are being looked at, and
# which versions they should have heard of.
BEAT_GROUP = "board.beat"


def group_of(period: str) -> str:
    """The channel group that carries a board's frames."""
    return f"board.{period}"


def sol(lamports: int) -> str:
    """Lamports as SOL with all nine decimals: exact, never through a float."""
    sign = "-" if lamports < 0 else ""
    whole, rest = divmod(abs(lamports), LAMPORTS_PER_SOL)
    return f"{sign}{whole}.{rest:09d}"


def usd(micro_usd: int) -> str:
    """Millionths of a US dollar as dollars with all six decimals."""
    sign = "-" if micro_usd < 0 else ""
    whole, rest = divmod(abs(micro_usd), MICRO_PER_USD)
    return f"{sign}{whole}.{rest:06d}"


def percent(part: int, whole: int) -> str | None:
    """A share in percent with two decimals, rounded towards zero; None of an empty whole."""
    if not whole:
        return None
    sign = "-" if part < 0 else ""
    hundredths = abs(part) * 10_000 // whole
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d}"


def short(address: str) -> str:
    """An address as it is shown: its two ends."""
    return f"{address[:SHORT_ENDS]}…{address[-SHORT_ENDS:]}"


def flags(line: Line) -> list[str]:
    """What a reader must know before trusting the line."""
    found = {
        "unmatched": line.unmatched_sells > 0,
        "unpriced": line.unpriced > 0,
        "bot": line.kind == "bot",
        "agent": line.kind == "agent",
    }
    return [name for name, raised in found.items() if raised]


def money(name: str, lamports: int) -> dict[str, str]:
    """An amount in both units, each named in its key."""
    return {f"{name}_lamports": str(lamports), f"{name}_sol": sol(lamports)}


def row(line: Line) -> dict[str, Any]:
    """A board line as it is sent and shown everywhere."""
    return {
        "rank": line.rank,
        "address": line.address,
        "short": short(line.address),
        "label": line.label or None,
        **money("realized", line.realized_lamports),
        **money("gross_loss", line.loss_lamports),
        **money("volume", line.volume_lamports),
        **money("worst", line.worst_lamports),
        "roi_percent": percent(line.realized_lamports, line.cost_lamports),
        "trades": line.trades,
        "closed_positions": line.closed,
        "wins": line.wins,
        "win_rate_percent": percent(line.wins, line.closed),
        "losing_streak": line.losing_streak,
        "last_loss_at": line.last_loss_at,
        "flags": flags(line),
    }


def encoded(frame: dict[str, Any]) -> bytes:
    """A frame as the bytes that go to every socket."""
    return msgspec.json.encode(frame)


def snapshot(period: str, version: int, as_of: str, lines: Sequence[Line]) -> dict[str, Any]:
    """The whole visible board."""
    return {
        "type": "snapshot",
        "period": period,
        "version": version,
        "as_of": as_of,
        "rows": [row(line) for line in lines],
    }


def delta(period: str, version: int, as_of: str, difference: Changes) -> dict[str, Any]:
    """What turns version - 1 into version."""
    return {
        "type": "delta",
        "period": period,
        "version": version,
        "as_of": as_of,
        "upserts": [row(line) for line in difference.upserts],
        "removed": list(difference.removed),
    }


def resync(period: str, version: int) -> dict[str, Any]:
    """Tells a viewer that deltas were lost and a snapshot follows."""
    return {"type": "resync", "period": period, "version": version}


def pong(period: str, version: int, as_of: str | None) -> dict[str, Any]:
    """The answer to a viewer's ping: when the boards were last looked at."""
    return {"type": "pong", "period": period, "version": version, "as_of": as_of}
