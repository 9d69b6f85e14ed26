"""A seeded load on a running site, as Helius makes it, and what must be true after it."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from random import Random
from typing import NamedTuple

from ingest.courier import Courier, Persistence, Verdict
from pnl.engine.pricing import USDC_BYTES
from pnl.engine.trades import Trade
from tests.flow.bodies import Chain, body_of
from tests.flow.running import RunningStack
from tests.flow.truth import BOOKED, check_wallets

ROUNDS = int(os.environ.get("PUMPLOSS_FAULT_ROUNDS", "6"))
SEED = os.environ.get("PUMPLOSS_FAULT_SEED", "1")
SENDERS = 8
TRADES = 320
PER_BODY_MAX = 4
# Every so many bodies one was delayed by this: longer than all of a load took on the chain.
DELAYED_EVERY = 9
DELAY_SECONDS = 480
SLOT_MS = 400
# A load lasts about so long: what is broken, is broken in its midst.
SECONDS = 2.0
AS_HELIUS = Persistence(retries=3, wait_s=1.0)
SETTLE_SECONDS = 60.0

WAITING = """
SELECT (SELECT count(*) FROM ingest_delivery WHERE processed_at IS NULL AND set_aside_at IS NULL)
     + (SELECT count(*) FROM pnl_touched)
"""
SET_ASIDE = "SELECT id, error_kind, error FROM ingest_delivery WHERE set_aside_at IS NOT NULL"


class Post(NamedTuple):
    """One body, the trades in it, and when it is posted, in seconds from the start."""

    at: float
    trades: list[Trade]


class Sent(NamedTuple):
    """What was posted, and which of it was answered 200."""

    posted: list[Trade]
    acknowledged: list[Trade]
    statuses: list[int]


def posts(
    name: str, *, repeated: int = 1, seconds: float = SECONDS, dollars: float = 0.0
) -> list[Post]:
    """Trades of a few wallets in small bodies: some of them twice or more, in a wrong order.

    Some bodies arrive last and are minutes older than the others; of the trades the share `dollars`
    is paid in dollars.
    """
    dice = Random(f"{SEED} {name}")
    trades = Chain(f"{SEED} {name}", step=1).at_random(dice, TRADES)
    trades = [_in_dollars(each) if dice.random() < dollars else each for each in trades]
    bodies = list(_bodies(dice, trades))
    delayed = [[_minutes_ago(trade) for trade in body] for body in bodies[::DELAYED_EVERY]]
    del bodies[::DELAYED_EVERY]
    bodies = bodies * repeated + dice.sample(bodies, len(bodies) // 8)
    due = sorted(dice.uniform(0, seconds) for _ in bodies)
    # Early ones come late now and then; a retry alone does that.
    lateness = [dice.choice((0, 0, 0, 0.1, seconds / 2)) for _ in bodies]
    if repeated > 1:
        dice.shuffle(bodies)
    timely = [Post(at + late, each) for at, late, each in zip(due, lateness, bodies, strict=True)]
    end = max(post.at for post in timely)
    return sorted([*timely, *(Post(end, each) for each in delayed * repeated)])


def _bodies(dice: Random, trades: Sequence[Trade]) -> Iterator[list[Trade]]:
    begin = 0
    while begin < len(trades):
        size = dice.randint(1, PER_BODY_MAX)
        yield list(trades[begin : begin + size])
        begin += size


def _in_dollars(trade: Trade) -> Trade:
    return trade._replace(quote_mint=USDC_BYTES)


def _minutes_ago(trade: Trade) -> Trade:
    """As if it had happened before all the others, and had been on its way since."""
    slots = DELAY_SECONDS * 1000 // SLOT_MS
    return trade._replace(slot=trade.slot - slots, block_time=trade.block_time - DELAY_SECONDS)


@contextmanager
def under_load(stack: RunningStack, load: Sequence[Post]) -> Iterator[Sent]:
    """Posts while the block lasts, and to the end after it; then `Sent` is filled."""
    sent = Sent([], [], [])
    door = f"{stack.url}/webhooks/helius/"
    with (
        closing(Courier(door, stack.secret, persistence=AS_HELIUS)) as courier,
        ThreadPoolExecutor(SENDERS) as pool,
    ):
        start = time.monotonic()
        verdicts = [pool.submit(_post, courier, start, each) for each in load]
        yield sent
        for post, verdict in zip(load, verdicts, strict=True):
            _note(sent, post, verdict)


def _post(courier: Courier, start: float, post: Post) -> Verdict:
    time.sleep(max(0.0, start + post.at - time.monotonic()))
    return courier.post(body_of(post.trades))


def _note(sent: Sent, post: Post, verdict: Future[Verdict]) -> None:
    sent.posted.extend(post.trades)
    sent.statuses.append(verdict.result().status)
    if verdict.result().accepted:
        sent.acknowledged.extend(post.trades)


@contextmanager
def explained(stack: RunningStack) -> Iterator[None]:
    """A failure inside tells its seed, and what the processes said last."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(f"PUMPLOSS_FAULT_SEED={SEED}\n{stack.last_words()}")
        raise


def settle(stack: RunningStack) -> None:
    """Wait until nothing waits, neither in the inbox nor for the boards."""
    stack.wait_until(lambda: stack.sql(WAITING)[0][0] == 0, SETTLE_SECONDS)


def check(stack: RunningStack, sent: Sent) -> None:
    """Acknowledged ⊆ booked ⊆ posted, each once; positions and boards are a fold of the booked.

    A delivery without a 200 may have been kept: the commit was made, and its answer was lost.
    """
    settle(stack)
    booked = set(stack.sql(BOOKED))
    lost = [trade for trade in sent.acknowledged if _identity(trade) not in booked]
    assert not lost, f"{len(lost)} acknowledged trades were lost"
    assert stack.sql(SET_ASIDE) == []
    check_wallets(stack, [trade for trade in sent.posted if _identity(trade) in booked])


def _identity(trade: Trade) -> tuple[str, int]:
    return trade.signature.hex(), trade.event_index
