"""Walks over a fake chain by the command, and what it brought booked."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from ingest import operations
from ingest.models import BackfillPage, BackfillSignature
from pnl.engine.trades import Trade
from pnl.operations import book_trades
from tests.flow.bodies import SOL, Chain, base58, wallet
from tests.flow.fake_helius import FakeHelius, Rpc

ANN = base58(wallet("ann"))


def booked(trades: Sequence[Trade]) -> None:
    """Trades that the ledger has before anybody walks."""
    with transaction.atomic():
        book_trades(trades)


def walk(*arguments: str, trader: str = ANN) -> str:
    """Run the command and book what it brought; what it said."""
    out = StringIO()
    call_command("backfill", "--trader", trader, *arguments, stdout=out, stderr=out)
    operations.process_until_empty(seconds=20)
    return out.getvalue()


def walk_and_fail(*arguments: str) -> str:
    """Run the command; it ends with exit code 1, and what it brought is booked."""
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("backfill", "--trader", ANN, *arguments, stdout=out, stderr=out)
    operations.process_until_empty(seconds=20)
    return out.getvalue()


def hurry() -> None:
    """Let the time pass until the page is due."""
    BackfillPage.objects.update(not_before=timezone.now() - timedelta(seconds=1))


def let_leases_end() -> None:
    """Let the time pass until nobody has anything of the queues to himself."""
    long_ago = timezone.now() - timedelta(seconds=1)
    for queue in (BackfillPage, BackfillSignature):
        queue._default_manager.exclude(leased_until=None).update(leased_until=long_ago)


def is_page_after(token: str) -> Callable[[Rpc], bool]:
    """Fails the page that begins behind a place."""
    return lambda rpc: (
        rpc.method == "getTransactionsForAddress"
        and rpc.params[1].get("paginationToken", "") == token
    )


def a_month(count: int = 6) -> list[Trade]:
    """Trades of one wallet at places of their own, two transactions in some slots."""
    chain = Chain("walked", step=1)
    return [trade for _ in range(count) for trade in chain.loss("ann", SOL)]


def in_pages(fake: FakeHelius, size: int) -> list[Trade]:
    """A month of a wallet that the node has, and tells so many transactions at a time."""
    trades = a_month()
    fake.chain.land(trades)
    fake.chain.page_size = size
    return trades


def asked_from(fake: FakeHelius) -> list[int]:
    """The first slots of the walks that were asked for."""
    bodies = [seen.body for seen in fake.seen if isinstance(seen.body, dict)]
    walks = [each for each in bodies if each["method"] == "getTransactionsForAddress"]
    return [each["params"][1]["filters"]["slot"]["gte"] for each in walks]


def place(trade: Trade) -> str:
    """A trade's place as tokens write it."""
    return f"{trade.slot}:{trade.block_index}"
