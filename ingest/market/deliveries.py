"""How transactions reach the door: in bodies, mostly in order, some twice, some late.

Helius promises neither order nor uniqueness; this does both kinds of harm in known shares.
"""

import heapq
from collections.abc import Iterable, Iterator
from random import Random
from typing import Final, NamedTuple

from ingest.market.exchange import Transaction

_LATE_PLACES: Final = 12.0  # mean number of transactions that overtake a late one
_LATE_MAX: Final = 120


class Harm(NamedTuple):
    """Shares of 1: bodies delivered twice, transactions delivered late. And the size of bodies."""

    duplicates: float = 0.0
    late: float = 0.0
    batch_max: int = 1


class Delivery(NamedTuple):
    """One body, a JSON array, and what is in it. `due_ms` is when the newest of it happened."""

    body: bytes
    due_ms: int
    transactions: int
    trades: int
    late: int
    duplicate: bool = False


class _Passenger(NamedTuple):
    """A transaction waiting for its turn: a place in the queue that may lie behind its own."""

    turn: int
    place: int
    transaction: Transaction
    late: bool


def deliver(transactions: Iterable[Transaction], harm: Harm, dice: Random) -> Iterator[Delivery]:
    """Bodies for all of the transactions, each of them at least once."""
    return _repeated(_bodies(_shuffled(transactions, harm, dice), harm, dice), harm, dice)


def _shuffled(
    transactions: Iterable[Transaction], harm: Harm, dice: Random
) -> Iterator[_Passenger]:
    waiting: list[_Passenger] = []
    for place, transaction in enumerate(transactions):
        late = dice.random() < harm.late
        delay = 1 + min(_LATE_MAX, int(dice.expovariate(1 / _LATE_PLACES))) if late else 0
        heapq.heappush(waiting, _Passenger(place + delay, -place, transaction, late))
        while waiting and waiting[0].turn <= place:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


def _bodies(passengers: Iterable[_Passenger], harm: Harm, dice: Random) -> Iterator[Delivery]:
    load: list[_Passenger] = []
    room = _room(harm, dice)
    for passenger in passengers:
        load.append(passenger)
        if len(load) >= room:
            yield _packed(load)
            load, room = [], _room(harm, dice)
    if load:
        yield _packed(load)


def _room(harm: Harm, dice: Random) -> int:
    """Most bodies carry one transaction, some carry more."""
    return 1 if harm.batch_max == 1 or dice.random() < 0.6 else dice.randint(2, harm.batch_max)


def _packed(load: list[_Passenger]) -> Delivery:
    inside = [passenger.transaction for passenger in load]
    return Delivery(
        body=f"[{','.join(transaction.json for transaction in inside)}]".encode(),
        due_ms=max(transaction.at_ms for transaction in inside),
        transactions=len(inside),
        trades=sum(len(transaction.trades) for transaction in inside),
        late=sum(passenger.late for passenger in load),
    )


def _repeated(deliveries: Iterable[Delivery], harm: Harm, dice: Random) -> Iterator[Delivery]:
    """Some bodies a second time, at once or a little later."""
    again: list[tuple[int, Delivery]] = []
    for place, delivery in enumerate(deliveries):
        yield delivery
        if dice.random() < harm.duplicates:
            turn = place + int(dice.expovariate(1 / _LATE_PLACES))
            heapq.heappush(again, (turn, delivery._replace(duplicate=True)))
        while again and again[0][0] <= place:
            yield heapq.heappop(again)[1]
    yield from (delivery for _, delivery in sorted(again))
