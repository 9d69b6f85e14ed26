"""Ranks, and the difference between two looks at a board. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """A trader's line on a board, as it is ranked and shown. Money in lamports, losses negative."""

    address: str
    rank: int
    label: str
    kind: str
    realized_lamports: int
    loss_lamports: int
    cost_lamports: int
    volume_lamports: int
    worst_lamports: int
    trades: int
    closed: int
    wins: int
    losing_streak: int
    unmatched_sells: int
    unpriced: int
    last_loss_at: str | None


class Changes(NamedTuple):
    """What turns one look at a board into a later one."""

    upserts: tuple[Line, ...]
    removed: tuple[str, ...]


def ranks(scores: Sequence[int], first: int = 1) -> list[int]:
    """Competition ranks of scores in board order: ties share a rank, and the next one skips.

    `first` is the rank of the first score, for a page that does not start at the top.
    """
    result: list[int] = []
    for place, score in enumerate(scores):
        tied = place > 0 and score == scores[place - 1]
        result.append(result[-1] if tied else first + place)
    return result


def in_board_order(lines: Iterable[Line]) -> list[Line]:
    """By rank, and by address among those who share one."""
    return sorted(lines, key=lambda line: (line.rank, line.address))


def changes(before: Sequence[Line], after: Sequence[Line]) -> Changes:
    """The lines that are new or different, and the addresses that are gone."""
    known = {line.address: line for line in before}
    upserts = tuple(line for line in after if known.get(line.address) != line)
    present = {line.address for line in after}
    return Changes(upserts, tuple(line.address for line in before if line.address not in present))


def applied(lines: Mapping[str, Line], difference: Changes) -> list[Line]:
    """The law of the sockets: a snapshot with the changes applied is the fresh snapshot."""
    merged = dict(lines)
    for address in difference.removed:
        merged.pop(address, None)
    merged.update({line.address: line for line in difference.upserts})
    return in_board_order(merged.values())
