"""Bodies arrive as Helius sends them: some twice, some late, none lost."""

import json
from collections import Counter
from functools import cache

from ingest.market.deliveries import Delivery, Harm, deliver
from ingest.market.dice import dice
from tests.unit.ingest.market.stage import played

SAMPLE = played()[:3_000]


@cache
def delivered(harm: Harm) -> tuple[Delivery, ...]:
    return tuple(deliver(iter(SAMPLE), harm, dice(1)))


def jsons(delivery: Delivery) -> list[str]:
    """The transactions in a body, by their signatures."""
    return [act["transaction"]["signatures"][0] for act in json.loads(delivery.body)]


def test_without_harm_every_transaction_comes_once_and_in_order() -> None:
    bodies = [delivery.body for delivery in delivered(Harm())]
    assert bodies == [f"[{transaction.json}]".encode() for transaction in SAMPLE]


def test_the_given_share_comes_twice_and_byte_by_byte_the_same() -> None:
    deliveries = delivered(Harm(duplicates=0.05))
    twice = [delivery.body for delivery in deliveries if delivery.duplicate]
    assert 0.035 < len(twice) / len(SAMPLE) < 0.065
    counts = Counter(delivery.body for delivery in deliveries)
    assert Counter(counts.values()) == {1: len(SAMPLE) - len(twice), 2: len(twice)}


def test_the_given_share_comes_late_and_nothing_is_lost() -> None:
    deliveries = delivered(Harm(late=0.1))
    late = sum(delivery.late for delivery in deliveries)
    assert 0.08 < late / len(SAMPLE) < 0.12
    order = [delivery.body for delivery in deliveries]
    wanted = [f"[{transaction.json}]".encode() for transaction in SAMPLE]
    assert order != wanted
    assert sorted(order) == sorted(wanted)
    punctual = [d.body for d in deliveries if not d.late]
    assert punctual == [body for body in wanted if body in set(punctual)]


def test_bodies_carry_up_to_the_given_number() -> None:
    deliveries = delivered(Harm(batch_max=6))
    sizes = Counter(delivery.transactions for delivery in deliveries)
    assert max(sizes) == 6
    assert sizes[1] > len(deliveries) // 3
    assert sum(count * size for size, count in sizes.items()) == len(SAMPLE)
    assert all(len(jsons(d)) == d.transactions for d in deliveries[:200])


def test_the_same_dice_do_the_same_harm() -> None:
    harm = Harm(0.05, 0.1, 4)
    assert delivered(harm) == tuple(deliver(iter(SAMPLE), harm, dice(1)))
