"""Whatever is killed under load, and whenever: nothing acknowledged is lost or counted twice."""

import time
from collections.abc import Iterator
from random import Random

import pytest

from tests.flow.faults.doubling import DoublingBroker
from tests.flow.faults.load import (
    ROUNDS,
    SECONDS,
    SEED,
    check,
    explained,
    posts,
    settle,
    under_load,
)
from tests.flow.running import RunningStack

pytestmark = pytest.mark.faults

VICTIMS = ("web", "worker", "worker-2", "board", "beat", "errands")


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """A site with two workers and small batches, so that there are many to break."""
    with RunningStack(INBOX_BATCH_DELIVERIES="25") as running:
        running.start_process("worker-2")
        yield running


def victims() -> Iterator[str]:
    """Every process once, in an order of the seed; then again in another."""
    dice = Random(f"victims {SEED}")
    while True:
        yield from dice.sample(VICTIMS, len(VICTIMS))


@pytest.mark.parametrize(
    ("number", "victim"), list(zip(range(ROUNDS), victims(), strict=False)), ids=str
)
def test_a_process_killed_at_any_moment_loses_nothing(
    stack: RunningStack, number: int, victim: str
) -> None:
    dice = Random(f"moment {SEED} {number}")
    with explained(stack), under_load(stack, posts(f"kill {number}")) as sent:
        time.sleep(dice.uniform(0, SECONDS))
        stack.kill(victim)
        time.sleep(dice.uniform(0, 0.5))
        stack.start_process(victim)
    with explained(stack):
        check(stack, sent)


def test_both_workers_killed_again_and_again_set_nothing_aside(stack: RunningStack) -> None:
    dice = Random(f"workers {SEED}")
    with explained(stack), under_load(stack, posts("workers")) as sent:
        for _ in range(2):
            time.sleep(dice.uniform(0.5, SECONDS))
            for worker in ("worker", "worker-2"):
                stack.kill(worker)
                stack.start_process(worker)
    with explained(stack):
        check(stack, sent)


def test_a_crash_of_the_database_under_load_loses_nothing(stack: RunningStack) -> None:
    dice = Random(f"database {SEED}")
    with explained(stack), under_load(stack, posts("database")) as sent:
        for _ in range(max(1, ROUNDS // 5)):
            time.sleep(dice.uniform(0.2, SECONDS / 2))
            stack.postgres.kill()
            time.sleep(dice.uniform(0, 0.5))
            stack.postgres.start()
    with explained(stack):
        check(stack, sent)


def test_a_broker_that_comes_back_empty_loses_nothing(stack: RunningStack) -> None:
    dice = Random(f"broker {SEED}")
    with explained(stack), under_load(stack, posts("broker")) as sent:
        for _ in range(max(1, ROUNDS // 5)):
            time.sleep(dice.uniform(0.2, SECONDS / 2))
            stack.valkey.kill()
            time.sleep(dice.uniform(0, 0.5))
            stack.valkey.start()
    with explained(stack):
        assert set(sent.statuses) == {200}, "a broker that is away changes no answer"
        check(stack, sent)


def test_deliveries_three_times_shuffled_and_late_are_booked_once(stack: RunningStack) -> None:
    with explained(stack):
        with under_load(stack, posts("thrice", repeated=3)) as sent:
            time.sleep(SECONDS)
        assert len(sent.posted) > 3 * len(set(sent.posted)) > 0
        check(stack, sent)


def test_a_broker_that_doubles_every_message_books_nothing_twice(stack: RunningStack) -> None:
    settle(stack)
    straight = stack.environ["REDIS_URL"]
    with explained(stack), DoublingBroker(straight) as broker:
        restart(stack, broker.url)
        with under_load(stack, posts("doubled")) as sent:
            time.sleep(SECONDS)
        check(stack, sent)
        assert broker.doubled > 10
        restart(stack, straight)


def restart(stack: RunningStack, redis_url: str) -> None:
    """All processes again, with a broker elsewhere."""
    stack.environ["REDIS_URL"] = redis_url
    for name in VICTIMS:
        stack.kill(name)
        stack.start_process(name)
    stack.wait_until(stack.is_answering, 60)
