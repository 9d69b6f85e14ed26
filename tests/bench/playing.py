"""Transactions and bodies of a simulated market whose clock has come to the present."""

import time
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final

from ingest.market.deliveries import Delivery, Harm, deliver
from ingest.market.exchange import Transaction
from ingest.market.market import Market

SEED: Final = 7
TRADERS: Final = 20_000
TOKENS: Final = 20_000
# People hold for minutes: a slow market has its share of sells from the first thousand trades on.
TRADES_PER_SECOND: Final = 20.0
ENDED_SECONDS_AGO: Final = 300
DUPLICATES: Final = 0.05
REORDERED: Final = 0.10


def transactions(count: int, *, traders: int = TRADERS) -> Iterator[Transaction]:
    """So many transactions in the order of the chain, the last of them some minutes old."""
    began = time.time() - ENDED_SECONDS_AGO - count / TRADES_PER_SECOND
    return islice(Market(SEED, traders, TOKENS, int(began) * 1000).play(TRADES_PER_SECOND), count)


def bodies(count: int) -> list[bytes]:
    """So many bodies of one transaction each, in the order of the chain."""
    return [f"[{transaction.json}]".encode() for transaction in transactions(count)]


def deliveries(count: int) -> Iterator[Delivery]:
    """So many deliveries of one transaction each, some twice, some late, as Helius sends them."""
    harm = Harm(DUPLICATES, REORDERED, batch_max=1)
    return islice(deliver(transactions(count), harm, Random(SEED)), count)
