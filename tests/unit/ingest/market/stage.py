"""A market played once for many tests, and its transactions read without the product's decoder."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import based58

from ingest.market.exchange import Transaction
from ingest.market.market import Market

START_S = 1_795_000_000
PUMP = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMP_SWAP = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"
EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")


def market(seed: int = 11, traders: int = 3_000, tokens: int = 2_000) -> Market:
    """A market at its beginning."""
    return Market(seed, traders, tokens, START_S * 1_000)


def until(transactions: Iterable[Transaction], trades: int) -> Iterator[Transaction]:
    """Transactions until there are so many trades."""
    for transaction in transactions:
        yield transaction
        trades -= len(transaction.trades)
        if trades <= 0:
            return


@cache
def played(trades: int = 6_000, rate: float = 2.0, seed: int = 11) -> tuple[Transaction, ...]:
    """The first transactions of a market."""
    return tuple(until(market(seed).play(rate), trades))


class Reading(NamedTuple):
    """A transaction as a stranger would read it."""

    raw: dict[str, Any]
    keys: list[str]
    error: Any
    events: list[tuple[str, bytes]]  # program and payload of each self-call, in order
    logged: list[bytes]
    lamports: list[int]  # changes by account
    fee: int

    def units(self) -> dict[tuple[str, str], int]:
        """Changes of token units by (owner, mint)."""
        changes: dict[tuple[str, str], int] = {}
        for sign, name in ((-1, "preTokenBalances"), (1, "postTokenBalances")):
            for line in self.raw["meta"][name]:
                key = (line["owner"], line["mint"])
                amount = int(line["uiTokenAmount"]["amount"])
                changes[key] = changes.get(key, 0) + sign * amount
        return changes


def read(transaction: Transaction) -> Reading:
    """Parse the JSON and gather what the tests compare."""
    raw = json.loads(transaction.json)
    meta, message = raw["meta"], raw["transaction"]["message"]
    loaded = meta["loadedAddresses"]
    keys = message["accountKeys"] + loaded["writable"] + loaded["readonly"]
    inner = [call for group in meta["innerInstructions"] for call in group["instructions"]]
    calls = [(keys[c["programIdIndex"]], based58.b58decode(c["data"].encode())) for c in inner]
    balances = zip(meta["preBalances"], meta["postBalances"], strict=True)
    return Reading(
        raw=raw,
        keys=keys,
        error=meta["err"],
        events=[(program, data[8:]) for program, data in calls if data.startswith(EVENT_TAG)],
        logged=[
            b64decode(line.removeprefix("Program data: "))
            for line in meta["logMessages"]
            if line.startswith("Program data: ")
        ],
        lamports=[after - before for before, after in balances],
        fee=meta["fee"],
    )


@cache
def readings() -> tuple[Reading, ...]:
    """The played market, read."""
    return tuple(map(read, played()))


def number(payload: bytes, offset: int, size: int = 8) -> int:
    """An unsigned integer at an offset of an event."""
    return int.from_bytes(payload[offset : offset + size], "little")


def rises(values: Iterable[Any]) -> bool:
    """Each value is greater than the one before."""
    return all(earlier < later for earlier, later in pairwise(values))
