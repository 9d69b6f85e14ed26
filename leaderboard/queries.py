"""Reading the boards: tops, pages, headlines. Postgres has the truth, Redis a copy."""

import base64
import binascii
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import redis
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from leaderboard import messages
from leaderboard.models import Board, Period, Standing
from leaderboard.ranking import Line, in_board_order, ranks

log = logging.getLogger(__name__)

# A line as its row is read: its rank follows from the rows around it.
LINE_COLUMNS = [name for name in Line._fields if name != "rank"]


class Snapshot(NamedTuple):
    """A board at one version."""

    period: str
    version: int
    as_of: datetime
    lines: list[Line]

    def frame(self) -> dict[str, Any]:
        """The snapshot as it is sent and shown."""
        return messages.snapshot(self.period, self.version, iso(self.as_of), self.lines)


class Found(NamedTuple):
    """A standing as it is read for a board: where it stands, its board's version, its line."""

    period: str
    trader_id: int
    version: int
    line: Line


class Cursor(NamedTuple):
    """Where a page ended, and everything that must not change on the next one."""

    period: str
    include_bots: bool
    realized_lamports: int
    trader_id: int
    rank: int
    place: int


class CursorError(ValueError):
    """The cursor was not made by us, or not for this question."""


class Page(NamedTuple):
    """Lines of a board, and the cursor of the next page, None at the end."""

    version: int
    as_of: datetime
    lines: list[Line]
    next_cursor: str | None


def iso(moment: datetime) -> str:
    """UTC, to the second, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def top(period: Period | str) -> list[Line]:
    """The visible top of a board with the default gates, in board order."""
    return in_board_order(_lines(_found(_in_order(period, include_bots=False)[: _top_rows()])))


def snapshot(period: Period | str) -> Snapshot:
    """The top and its version, which one statement reads together: no lock, no torn look."""
    board = Board.objects.get(period=period)
    found = _found(_in_order(period, include_bots=False)[: _top_rows()])
    version = found[0].version if found else board.version
    lines = in_board_order(_lines(found))
    return Snapshot(str(period), version, board.refreshed_at or _now(), lines)


def rendered(period: Period | str) -> dict[str, Any]:
    """The snapshot frame, up to five seconds old; without Redis it is read from Postgres."""
    frame = remembered(cache_key(period), lambda: messages.encoded(snapshot(period).frame()))
    return dict(msgspec.json.decode(frame))


def keep_rendered(period: Period | str, frame: bytes) -> None:
    """Remember a rendered board for as long as it may be shown."""
    _keep(cache_key(period), frame)


def remembered(key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` answered up to five seconds ago; without Redis it is asked each time."""
    try:
        known = cache.get(key)
    except redis.RedisError as error:
        log.warning("Redis did not answer, asking Postgres: %s", error)
        return make()
    if known is not None:
        return bytes(known)
    made = make()
    _keep(key, made)
    return made


def _keep(key: str, made: bytes) -> None:
    try:
        cache.set(key, made, settings.BOARD_CACHE_SECONDS)
    except redis.RedisError as error:
        log.warning("Redis did not keep %s: %s", key, error)


def cache_key(period: Period | str) -> str:
    """Where a rendered board is kept."""
    return f"board:{period}"


def version_of(period: Period | str) -> int:
    """How often the visible top has changed."""
    return Board.objects.values_list("version", flat=True).get(period=period)


def page(
    period: Period | str, *, limit: int, include_bots: bool = False, after: Cursor | None = None
) -> Page:
    """One page of a board. Ties share a rank, and a rank goes on counting across pages."""
    found = _in_order(period, include_bots=include_bots)
    if after is not None:
        found = found.filter(
            Q(realized_lamports__gt=after.realized_lamports)
            | Q(realized_lamports=after.realized_lamports, trader_id__gt=after.trader_id)
        )
    board = Board.objects.get(period=period)
    standings = _found(found[: limit + 1])
    shown = standings[:limit]
    lines = _lines(shown, after)
    more = len(standings) > limit
    place = len(shown) + (after.place if after else 0)
    cursor = _cursor_after(shown[-1], lines[-1].rank, place, include_bots) if more else None
    return Page(board.version, board.refreshed_at or _now(), lines, cursor)


def headline(period: Period | str) -> dict[str, Any]:
    """The period in one line: what was lost, by how many, and the biggest loss."""
    ranked = Standing.objects.filter(period=period, ranked=True)
    sums = ranked.aggregate(
        lost=Sum("realized_lamports", filter=Q(realized_lamports__lt=0)),
        losers=Count("trader_id", filter=Q(realized_lamports__lt=0)),
        winners=Count("trader_id", filter=Q(realized_lamports__gt=0)),
        traders=Count("trader_id"),
    )
    worst = (
        ranked.select_related("trader")
        .filter(worst_lamports__lt=0)
        .order_by("worst_lamports")
        .first()
    )
    return {
        "total_lost_sol": messages.sol(sums["lost"] or 0),
        "losers": sums["losers"],
        "winners": sums["winners"],
        "traders": sums["traders"],
        "biggest_loss": None if worst is None else _biggest(worst),
    }


def standings_of(trader_id: int) -> dict[str, Standing]:
    """A trader's standing on each board, by period."""
    return {found.period: found for found in Standing.objects.filter(trader_id=trader_id)}


def rank_of(standing: Standing) -> int:
    """The rank among those who pass the default gates."""
    worse = Standing.objects.filter(
        period=standing.period, ranked=True, realized_lamports__lt=standing.realized_lamports
    )
    return worse.count() + 1


def decode_cursor(text: str, *, period: str, include_bots: bool) -> Cursor:
    """The cursor of an earlier page. Raises CursorError when it belongs to another question."""
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(text.encode()), type=Cursor)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise CursorError("this cursor was not given out by this endpoint") from None
    if (values.period, values.include_bots) != (period, include_bots):
        raise CursorError("this cursor belongs to another period or another include")
    return values


def encode_cursor(cursor: Cursor) -> str:
    """A cursor as an opaque string."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


def _top_rows() -> int:
    return int(settings.BOARD_ROWS)


def _now() -> datetime:
    return datetime.now(UTC)


def _in_order(period: Period | str, *, include_bots: bool) -> "QuerySet[Standing]":
    standings = Standing.objects.filter(period=period)
    if not include_bots:
        standings = standings.filter(ranked=True)
    return standings.order_by("realized_lamports", "trader_id")


def _found(standings: "QuerySet[Standing]") -> list[Found]:
    """The rows of standings, each with its board's version: one statement reads both."""
    version = Subquery(Board.objects.filter(period=OuterRef("period")).values("version"))
    rows = standings.annotate(version=version, address=F("trader__address"))
    found = rows.values_list("period", "trader_id", "version", *LINE_COLUMNS)
    return [
        Found(period, trader_id, version, _line(columns))
        for period, trader_id, version, *columns in found
    ]


def _line(columns: Sequence[Any]) -> Line:
    """A line that waits for its rank."""
    address, *figures, lost_at = columns
    return Line._make([address, 0, *figures, iso(lost_at) if lost_at else None])


def _lines(found: Sequence[Found], after: Cursor | None = None) -> list[Line]:
    scores = [row.line.realized_lamports for row in found]
    first = 1 if after is None else after.place + 1
    places = ranks(scores, first)
    if after is not None and scores:
        tied = scores.count(after.realized_lamports) if scores[0] == after.realized_lamports else 0
        places[:tied] = [after.rank] * tied
    return [row.line._replace(rank=rank) for row, rank in zip(found, places, strict=True)]


def _cursor_after(last: Found, rank: int, place: int, include_bots: bool) -> str:
    score = last.line.realized_lamports
    return encode_cursor(Cursor(last.period, include_bots, score, last.trader_id, rank, place))


def _biggest(standing: Standing) -> dict[str, str]:
    address = standing.trader.address
    return {
        "address": address,
        "short": messages.short(address),
        "sol": messages.sol(standing.worst_lamports),
    }
