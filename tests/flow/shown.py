"""Trades that were booked and are on the boards, for the tests that look at them from outside."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from django.core.cache import cache
from django.db import transaction
from pytest_django.fixtures import Settings

from leaderboard import operations
from leaderboard.models import Board, Period
from pnl import interning
from pnl.engine.trades import Trade
from pnl.models import Trader
from pnl.operations import book_trades
from tests.flow.bodies import SOL, Chain, base58, wallet

DAY = 24 * 3600


def begin() -> None:
    """As after a migration: four boards, and nobody remembers anything."""
    interning.forget()
    cache.clear()
    Board.objects.bulk_create([Board(period=period) for period in Period], ignore_conflicts=True)


def leave_files_out(settings: Settings) -> None:
    """Pages name static files as they are written, and nobody serves them: none were collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "ServeStatic" not in name]


def show(trades: Iterable[Trade]) -> None:
    """Book, and refresh the boards."""
    with transaction.atomic():
        book_trades(trades)
    refresh()


def refresh() -> None:
    """The boards as they are now; what Redis has kept of them is gone."""
    operations.refresh(now=datetime.now(UTC))
    cache.clear()


def losers(count: int, least: int = SOL) -> list[str]:
    """So many wallets, the biggest loser first, each a lamport worse than the next."""
    names = [f"loser {number}" for number in range(count)]
    chain = Chain("losers")
    show(trade for place, name in enumerate(names) for trade in chain.loss(name, least - place))
    return [base58(wallet(name)) for name in names]


def trader(name: str) -> Trader:
    """The trader of that name."""
    return Trader.objects.get(address=base58(wallet(name)))


def a_life(name: str) -> list[Trade]:
    """A wallet with a closed loss long ago, a gain today, a position still held, unseen units."""
    now = int(time.time())
    chain = Chain(name, now - 40 * DAY)
    return [
        *chain.loss(name, 2 * SOL),
        chain.buy(name, "winner", 10, SOL, now - 100),
        chain.sell(name, "winner", 10, 3 * SOL, now - 90),
        chain.buy(name, "held", 100, 5 * SOL, now - 80),
        chain.sell(name, "held", 40, SOL, now - 70),
        chain.sell(name, "gift", 7, SOL, now - 60),
    ]
