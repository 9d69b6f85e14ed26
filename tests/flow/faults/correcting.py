"""Corrections of the ledger, made beside the workers of a running site and with its database."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from typing import Any, Self

import pnl.operations
from pnl.engine.pricing import lamports_of, minute_of
from pnl.engine.trades import Trade
from pnl.prices import save_prices
from pumploss.stack.places import CLONE
from tests.flow.running import RunningStack

SOURCE = "a test"
END_PATIENCE = 20.0
PROGRAM = "from tests.flow.faults.correcting import main; main()"


class Corrector:
    """A process that calls the operations: one correction a line, answered by trades changed."""

    def __init__(self, stack: RunningStack) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CLONE,
            env=stack.environ,
        )

    def __enter__(self) -> Self:
        self.price({})
        return self

    def __exit__(self, *_raised: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=END_PATIENCE)

    def drop(self, trades: Collection[Trade]) -> int:
        """The chain has dropped these, each a transaction of its own; how many were booked."""
        return self._ask({"dropped": [(trade.signature.hex(), trade.slot) for trade in trades]})

    def price(self, prices: Mapping[int, int]) -> int:
        """From now on a SOL costs this much in these minutes; how many trades got a value."""
        return self._ask({"prices": list(prices.items())})

    def _ask(self, correction: Mapping[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(correction) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the corrections ended with status {self._process.wait()}"
        return int(answer)


def main() -> None:
    """Read corrections, make them, tell what they changed."""
    for line in sys.stdin:
        sys.stdout.write(f"{_correct(json.loads(line))}\n")
        sys.stdout.flush()


def _correct(correction: Mapping[str, Any]) -> int:
    places = [(bytes.fromhex(text), slot) for text, slot in correction.get("dropped", ())]
    prices = dict(correction.get("prices", ()))
    changed = pnl.operations.drop_trades(places) if places else 0
    changed += save_prices(prices, source=SOURCE, replace=True).repriced
    # As the watch does: what a worker booked while its price was being saved.
    return changed + pnl.operations.reprice(prices.keys())


def priced(trade: Trade, prices: Mapping[int, int]) -> Trade:
    """As the ledger must have it once these prices are known."""
    price = prices.get(minute_of(trade.block_time))
    if trade.quote_mint is None or price is None:
        return trade
    value = lamports_of(trade.quote_mint, trade.quote_units, price)
    return trade._replace(priced_lamports=value)
