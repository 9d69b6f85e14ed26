"""The people of the market: what kind of trader each is, and their wallets, made when first seen.

The kinds and their shares follow the archetypes measured on ten million wallets: most trade once
or twice and small, one in nine loses chronically and chases, a few are bots, a few are insiders.
"""

from enum import Enum
from random import Random
from typing import Final, NamedTuple

from ingest.market import keys
from ingest.market.keys import Key


class Temper(NamedTuple):
    """How a kind of trader behaves. Stakes in lamports, holds in seconds, the rest shares of 1."""

    share: float  # of all wallets
    stake: float  # median of one buy
    stake_spread: float  # sigma of its logarithm
    hold: float  # median
    hold_spread: float
    keep: float  # never sells
    deny: float  # puts off a sale at a loss
    chase: float  # buys again soon after a loss


class Kind(Enum):
    """The kinds of traders."""

    CASUAL = Temper(0.80, 0.30e9, 1.05, 110.0, 1.15, 0.07, 0.25, 0.04)
    CHASER = Temper(0.12, 0.70e9, 1.10, 140.0, 1.10, 0.06, 0.40, 0.55)
    INSIDER = Temper(0.04, 1.20e9, 0.90, 45.0, 0.90, 0.02, 0.05, 0.02)
    BOT = Temper(0.02, 0.50e9, 0.40, 7.0, 0.60, 0.00, 0.00, 0.00)
    WHALE = Temper(0.02, 5.00e9, 0.90, 160.0, 1.10, 0.05, 0.20, 0.05)


class Wallet:
    """One trader: a number, a key, a kind, and the SOL volume so far in lamports."""

    __slots__ = ("key", "kind", "number", "volume")

    def __init__(self, number: int, key: Key, kind: Kind) -> None:
        self.number = number
        self.key = key
        self.kind = kind
        self.volume = 0


# Activity is Zipf-like: the lower a wallet's number within its kind, the more often it trades.
_SKEW: Final = 2.6


class Cast:
    """All wallets a market may meet; the key of wallet n is the same in every market of a seed."""

    def __init__(self, seed: int, size: int) -> None:
        self._seed = str(seed).encode()
        self._wallets: dict[int, Wallet] = {}
        self._blocks: dict[Kind, tuple[int, int]] = {}
        start = 0
        for kind in Kind:
            count = max(1, round(size * kind.value.share))
            self._blocks[kind] = (start, count)
            start += count

    def pick(self, kind: Kind, dice: Random) -> Wallet:
        """Some wallet of a kind, the busy ones more often."""
        start, count = self._blocks[kind]
        number = start + int(count * dice.random() ** _SKEW)
        return self._wallets.get(number) or self._meet(number, kind)

    def _meet(self, number: int, kind: Kind) -> Wallet:
        key = keys.derive(b"wallet", self._seed, str(number).encode())
        wallet = self._wallets[number] = Wallet(number, key, kind)
        return wallet
