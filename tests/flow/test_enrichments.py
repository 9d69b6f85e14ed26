"""Transactions that came without their place are fetched whole, and booked at it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import pytest
from django.db import transaction
from django.utils import timezone

from ingest import enrichments, operations
from ingest.helius.client import Helius, helius
from ingest.helius.rpc import BATCH_MAX
from pnl.engine.trades import Trade
from pnl.models import Position
from pnl.operations import book_trades
from tests.flow.bodies import SOL, Chain, base58
from tests.flow.fake_helius import FakeHelius, Fault
from tests.flow.truth import Ask, check


class Wanted(NamedTuple):
    """One transaction that is waited for."""

    signature: str
    attempts: int = 0


@dataclass
class Waiting:
    """A queue in memory."""

    left: list[str]
    errors: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    @property
    def queue(self) -> enrichments.Queue:
        return enrichments.Queue(self.waiting, self.enriched, self.failed)

    def waiting(self, limit: int) -> Sequence[Wanted]:
        return [Wanted(signature, 2) for signature in self.left[:limit]]

    def enriched(self, signatures: Collection[str]) -> None:
        self.left = [each for each in self.left if each not in signatures]

    def failed(self, signature: str, error: str, not_before: datetime) -> None:
        self.errors[signature] = (error, not_before)


@pytest.fixture
def asked(fake_helius: FakeHelius) -> Iterator[Helius]:
    with helius() as opened:
        yield opened


def enriched(asked: Helius, queue: Waiting) -> int:
    due = enrichments.enrich(asked.rpc, queue.queue)
    operations.process_until_empty(seconds=20)
    return due


def round_trip() -> list[Trade]:
    """A sell that stands before the buy in the block: without a place they look the other way."""
    chain = Chain("order")
    buy = chain.buy("ann", "A", 10, 3 * SOL)._replace(block_index=5)
    sell = chain.sell("ann", "A", 10, SOL)._replace(slot=buy.slot, block_index=2)
    return [buy, sell]


def test_a_trade_without_a_place_learns_it(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = round_trip()
    fake_helius.chain.land(trades)
    with transaction.atomic():
        book_trades([trade._replace(block_index=None) for trade in trades])
    assert Position.objects.get().realized_lamports == -2 * SOL
    queue = Waiting([base58(trade.signature) for trade in trades])
    assert enriched(asked, queue) == 2
    check(ask, trades)
    assert Position.objects.get().realized_lamports == 0
    assert queue.left == []
    assert fake_helius.calls("getBlock") == 1


def test_one_that_is_not_final_yet_is_asked_for_again(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = round_trip()
    fake_helius.chain.land(trades)
    fake_helius.chain.finalized = trades[0].slot - 1
    queue = Waiting([base58(trade.signature) for trade in trades])
    assert enriched(asked, queue) == 2
    assert {error for error, _ in queue.errors.values()} == {enrichments.UNKNOWN}
    pauses = {round((later - timezone.now()).total_seconds()) for _, later in queue.errors.values()}
    assert pauses == {60}
    fake_helius.chain.finalized = trades[0].slot
    enriched(asked, queue)
    check(ask, trades)


def test_a_helius_that_refuses_loses_nothing(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = round_trip()
    queue = Waiting([base58(trade.signature) for trade in trades])
    fake_helius.behaviour.faults = [Fault(400, body="no")]
    assert enriched(asked, queue) == 2
    assert len(queue.left) == 2
    assert {error for error, _ in queue.errors.values()} == {"getTransaction batch: 400 no"}


def test_nothing_is_asked_while_nothing_waits(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    assert enriched(asked, Waiting([])) == 0
    assert fake_helius.seen == []


def test_a_long_queue_is_taken_batch_by_batch(
    ask: Ask, fake_helius: FakeHelius, asked: Helius
) -> None:
    chain = Chain("many", step=1)
    trades = [trade for _ in range(60) for trade in chain.loss("ann", SOL)]
    fake_helius.chain.land(trades)
    queue = Waiting([base58(trade.signature) for trade in trades])
    assert [enriched(asked, queue) for _ in range(3)] == [BATCH_MAX, 20, 0]
    check(ask, trades)


def test_work_ends_when_nothing_is_due(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = round_trip()
    fake_helius.chain.land(trades)
    waiting = Waiting([base58(trade.signature) for trade in trades])
    enrichments.work(waiting.queue, seconds=20)
    operations.process_until_empty(seconds=20)
    check(ask, trades)
    assert waiting.left == []
