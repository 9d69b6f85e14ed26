"""The ledger is corrected while it is written and its writers are killed, and ends up right."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from pnl.engine.pricing import minute_of
from pnl.engine.trades import Trade
from tests.flow.faults.correcting import Corrector, priced
from tests.flow.faults.load import SECONDS, SEED, Sent, check, explained, posts, settle, under_load
from tests.flow.running import RunningStack
from tests.flow.truth import BOOKED

pytestmark = pytest.mark.faults

STEPS = 8
MICRO = 10**6


@pytest.fixture
def stack() -> Iterator[RunningStack]:
    """A site with two workers and small batches."""
    with RunningStack(INBOX_BATCH_DELIVERIES="25") as running:
        running.start_process("worker-2")
        yield running


def prices_of(dice: Random, trades: Sequence[Trade]) -> dict[int, int]:
    """A price for every minute of the trades."""
    minutes = sorted({minute_of(trade.block_time) for trade in trades})
    return {minute: dice.randint(100 * MICRO, 300 * MICRO) for minute in minutes}


def correct(
    corrector: Corrector, dropped: Sequence[list[Trade]], prices: Sequence[dict[int, int]]
) -> int:
    """Corrections as long as the load lasts; how many booked trades they changed."""
    changed = 0
    for some, known in zip(dropped, prices, strict=True):
        changed += corrector.drop(some) + corrector.price(known)
        time.sleep(SECONDS / STEPS)
    return changed


def corrected(sent: Sent, dropped: Sequence[Trade], prices: dict[int, int]) -> Sent:
    """What was sent, as it must be found."""
    gone = {trade.signature for trade in dropped}
    posted, acknowledged = (
        [priced(trade, prices) for trade in trades if trade.signature not in gone]
        for trades in (sent.posted, sent.acknowledged)
    )
    return Sent(posted, acknowledged, sent.statuses)


def test_corrections_under_load_and_a_killed_worker_leave_a_right_ledger(
    stack: RunningStack,
) -> None:
    dice = Random(f"corrections {SEED}")
    load = posts("corrections", dollars=0.3)
    trades = sorted({trade for post in load for trade in post.trades})
    dropped = dice.sample(trades, len(trades) // 5)
    parts = [dropped[step :: STEPS + 1] for step in range(STEPS + 1)]
    prices = [prices_of(dice, trades) for _ in range(STEPS + 1)]
    with explained(stack), Corrector(stack) as corrector, ThreadPoolExecutor(1) as aside:
        with under_load(stack, load) as sent:
            correcting = aside.submit(correct, corrector, parts[:STEPS], prices[:STEPS])
            for worker in dice.sample(("worker", "worker-2"), 2):
                time.sleep(dice.uniform(0.1, SECONDS / 2))
                stack.kill(worker)
                stack.start_process(worker)
        assert correcting.result() > 0
        settle(stack)
        assert corrector.drop(parts[STEPS]) == len(parts[STEPS])
        assert corrector.price(prices[STEPS]) > 0
        check(stack, corrected(sent, dropped, prices[STEPS]))
        booked = {signature for signature, _ in stack.sql(BOOKED)}
        assert not booked & {trade.signature.hex() for trade in dropped}
