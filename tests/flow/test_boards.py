"""Boards are right at every second, for everybody, on every page, with and without Redis."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from pytest_django.fixtures import Settings

from leaderboard import operations, queries
from leaderboard.models import Board, Period, Standing
from leaderboard.ranking import Line, ranks
from leaderboard.windows import LENGTHS
from pnl.engine.trades import Trade
from pnl.models import Trader, TraderKind
from pnl.operations import book_trades, save_trader, set_traders_hidden
from tests.flow.bodies import SOL, Chain, base58, wallet
from tests.flow.truth import Ask, Books, standings_in

HOUR = 3600
# A full hour, so that edges of windows and edges of hours meet.
START = 1_790_002_800
NOW = datetime.fromtimestamp(START + 600, UTC)


def book(trades: Sequence[Trade]) -> None:
    with transaction.atomic():
        book_trades(trades)


def refresh(now: float) -> None:
    operations.refresh(now=datetime.fromtimestamp(now, UTC))


def check_boards(ask: Ask, trades: Sequence[Trade], now: float) -> None:
    """Every board holds what the trades in its window add up to."""
    books = Books(trades)
    for period, length in LENGTHS.items():
        since = now - length.total_seconds() if length else float("-inf")
        assert standings_in(ask, period) == books.standings(since), (period, now)


def moments(trades: Sequence[Trade], length: timedelta) -> Iterator[float]:
    """Around every second at which something leaves the window, and around full hours."""
    for trade in trades:
        edge = trade.block_time + length.total_seconds()
        hour = edge // HOUR * HOUR
        yield from (edge - 1, edge - 0.5, edge, edge + 0.5, hour, hour + HOUR)


@pytest.mark.parametrize("period", [Period.DAY, Period.WEEK, Period.MONTH])
def test_a_window_is_exact_to_the_second_while_nothing_happens(ask: Ask, period: Period) -> None:
    dice, length = Random(period), LENGTHS[period]
    trades = Chain("aging", START, step=501).at_random(dice, 60)
    assert length
    book(trades)
    for now in sorted({*moments(dice.sample(trades, 7), length), START + 60 * 501}):
        refresh(now)
        check_boards(ask, trades, now)


def test_a_result_on_the_full_hour_leaves_on_the_full_hour(ask: Ask) -> None:
    trades = Chain("edge", START).loss("ann", SOL)
    book(trades)
    for now in (START, START + 24 * HOUR - 1, START + 24 * HOUR, START + 24 * HOUR + 1):
        refresh(now)
        check_boards(ask, trades, now)
    assert not Standing.objects.filter(period=Period.DAY).exists()


@pytest.mark.parametrize("seed", range(3))
def test_a_board_is_right_after_late_trades_whatever_had_left_it(ask: Ask, seed: int) -> None:
    dice = Random(seed)
    waiting = Chain(f"late {seed}", START, step=HOUR // 2).at_random(dice, 150)
    dice.shuffle(waiting)
    arrived: list[Trade] = []
    now = float(START)
    while waiting:
        arrived, waiting = arrived + waiting[:15], waiting[15:]
        book(arrived[-15:])
        now += dice.choice((1, 599.5, HOUR, 20 * HOUR))
        refresh(now)
        check_boards(ask, arrived, now)


def test_a_standing_that_is_not_due_is_left_alone(ask: Ask) -> None:
    book(Chain("rest", START).loss("ann", SOL))
    refresh(START + 10)
    versions = list(Board.objects.order_by("period").values_list("version", flat=True))
    assert versions == [1, 1, 1, 1]
    assert operations.refresh(now=NOW) == operations.Refreshed(0, ())
    assert set(Board.objects.values_list("version", "refreshed_at")) == {(1, NOW)}


def lost(losses: Sequence[int]) -> list[str]:
    """Wallets that each lost so many lamports, on the boards; their addresses."""
    chain = Chain("lost", START)
    names = [f"wallet {number}" for number in range(len(losses))]
    book([t for name, loss in zip(names, losses, strict=True) for t in chain.loss(name, loss)])
    operations.refresh(now=NOW)
    return [base58(wallet(name)) for name in names]


def seen(period: str, **asked: Any) -> list[str]:
    return [line.address for line in queries.page(period, **{"limit": 999, **asked}).lines]


def test_a_hidden_wallet_leaves_every_board_and_comes_back(ask: Ask) -> None:
    addresses = lost([3 * SOL, 2 * SOL, SOL])
    hidden = list(Trader.objects.filter(address=addresses[1]))
    for hide, shown in ((True, [addresses[0], addresses[2]]), (False, addresses)):
        set_traders_hidden(hidden, hidden=hide)
        operations.refresh(now=NOW)
        for period in Period.values:
            assert seen(period) == seen(period, include_bots=True) == shown
            assert [line.address for line in queries.top(period)] == shown
        assert queries.headline("24h")["traders"] == len(shown)


def test_what_staff_say_of_a_wallet_reaches_the_frame(ask: Ask) -> None:
    addresses = lost([2 * SOL, SOL])
    trader = Trader.objects.get(address=addresses[0])
    trader.label = "Ann the unlucky"
    save_trader(trader)
    operations.refresh(now=NOW)
    frame = queries.rendered("24h")
    assert [row["label"] for row in frame["rows"]] == ["Ann the unlucky", None]
    assert frame["version"] == 2


def test_a_wallet_marked_as_a_bot_is_shown_only_when_asked_for(ask: Ask) -> None:
    addresses = lost([2 * SOL, SOL])
    trader = Trader.objects.get(address=addresses[0])
    trader.kind = TraderKind.BOT
    save_trader(trader)
    operations.refresh(now=NOW)
    assert [line.rank for line in queries.top("all")] == [1]
    assert seen("all") == addresses[1:]
    assert seen("all", include_bots=True) == addresses
    assert len(queries.rendered("all")["rows"]) == 1


def pages(period: str, limit: int) -> list[Line]:
    """A board read page by page."""
    lines: list[Line] = []
    after = None
    while True:
        page = queries.page(period, limit=limit, after=after)
        lines += page.lines
        if page.next_cursor is None:
            return lines
        after = queries.decode_cursor(page.next_cursor, period=period, include_bots=False)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 29, 30])
def test_pages_put_together_are_the_whole_board(ask: Ask, limit: int) -> None:
    dice = Random(limit)
    lost([dice.randrange(1, 6) * SOL for _ in range(30)])
    whole = queries.page("24h", limit=999).lines
    assert pages("24h", limit) == whole
    assert [line.rank for line in whole] == ranks([line.realized_lamports for line in whole])


def test_ties_share_a_rank_across_pages(ask: Ask) -> None:
    lost([5 * SOL, 4 * SOL, 4 * SOL, 4 * SOL, SOL])
    assert [line.rank for line in pages("24h", 2)] == [1, 2, 2, 2, 5]


def test_a_cursor_is_refused_for_another_question(ask: Ask) -> None:
    lost([2 * SOL, SOL])
    cursor = queries.page("24h", limit=1).next_cursor
    assert cursor
    for period, include_bots in (("7d", False), ("24h", True)):
        with pytest.raises(queries.CursorError, match="belongs to another"):
            queries.decode_cursor(cursor, period=period, include_bots=include_bots)


@pytest.mark.parametrize("text", ["", "x", "e30=", "WzEsMl0=", "\N{SNOWMAN}", "////"])
def test_a_cursor_of_somebody_elses_is_refused(text: str) -> None:
    with pytest.raises(queries.CursorError, match="not given out"):
        queries.decode_cursor(text, period="24h", include_bots=False)


def test_a_board_shows_its_top_and_no_more(ask: Ask, settings: Settings) -> None:
    settings.BOARD_ROWS = 3
    addresses = lost([5 * SOL, 4 * SOL, 3 * SOL, 2 * SOL])
    assert [row["address"] for row in queries.rendered("24h")["rows"]] == addresses[:3]
    book(Chain("newcomer", START).loss("new", 9 * SOL))
    operations.refresh(now=NOW)
    shown = [row["address"] for row in queries.rendered("24h")["rows"]]
    assert shown == [base58(wallet("new")), *addresses[:2]]


def test_a_board_is_rendered_without_what_redis_remembered(ask: Ask) -> None:
    lost([2 * SOL, SOL])
    for period in Period.values:
        remembered = queries.rendered(period)
        cache.clear()
        assert queries.rendered(period) == remembered == queries.snapshot(period).frame()


def test_a_rebuild_sums_everybody_again(ask: Ask) -> None:
    addresses = lost([2 * SOL, SOL])
    Standing.objects.all().delete()
    assert operations.rebuild(now=NOW) == 2
    operations.refresh(now=NOW)
    for period in Period.values:
        assert seen(period) == addresses
