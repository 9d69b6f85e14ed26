"""What the trades alone say: positions, results and boards, folded again plainly and slowly.

Nothing here knows the product's folding. The tables are read by SQL and compared with it whole.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import requests

from pnl.engine.trades import Side, Trade
from tests.flow.running import RunningStack

Ask = Callable[[str], list[tuple[Any, ...]]]

BOOKED = """
SELECT encode(signature, 'hex'), event_index FROM pnl_trade
"""
POSITIONS = """
SELECT encode(t.address, 'hex'), encode(k.mint, 'hex'), p.units::int8, p.cost_lamports,
       p.bought_lamports, p.sold_lamports, p.realized_lamports, p.unmatched_units::int8,
       p.buys, p.sells, p.closed, p.wins, p.losses
  FROM pnl_position p JOIN pnl_trader t ON t.id = p.trader_id JOIN pnl_token k ON k.id = p.token_id
"""
REALIZED = """
SELECT encode(s.signature, 'hex'), s.event_index, r.matched_units::int8, r.cost_lamports,
       r.proceeds_lamports, r.realized_lamports, extract(epoch FROM r.realized_at)::int8
  FROM pnl_realization r JOIN pnl_trade s ON s.id = r.trade_id
"""
HOURS = """
SELECT encode(t.address, 'hex'), extract(epoch FROM r.hour)::int8, r.trades, r.volume_lamports,
       r.unpriced, r.sells, r.matched_sells, r.unmatched_sells, r.cost_lamports,
       r.realized_lamports, r.loss_lamports, r.worst_lamports, r.closed, r.wins, r.losses,
       extract(epoch FROM r.last_loss_at)::int8
  FROM pnl_hourlyrollup r JOIN pnl_trader t ON t.id = r.trader_id
"""
WAITING = """
SELECT (SELECT count(*) FROM ingest_delivery WHERE processed_at IS NULL AND set_aside_at IS NULL)
     + (SELECT count(*) FROM pnl_touched)
"""
STANDINGS = """
SELECT s.period, encode(t.address, 'hex'), s.realized_lamports, s.loss_lamports,
       s.worst_lamports, s.volume_lamports, s.trades, s.closed, s.wins
  FROM leaderboard_standing s JOIN pnl_trader t ON t.id = s.trader_id
"""


class Result(NamedTuple):
    """What one sell realized."""

    trade: Trade
    matched: int
    cost: int
    proceeds: int
    trip: int | None

    @property
    def realized(self) -> int:
        return self.proceeds - self.cost

    @property
    def unseen(self) -> int:
        return self.trade.token_units - self.matched


@dataclass
class Holding:
    """One wallet in one token."""

    units: int = 0
    cost: int = 0
    spent: int = 0
    brought: int = 0
    realized: int = 0
    unseen: int = 0
    buys: int = 0
    sells: int = 0
    closed: int = 0
    wins: int = 0
    losses: int = 0
    trip: int = 0

    def row(self) -> tuple[int, ...]:
        """As POSITIONS reads it."""
        money = (self.units, self.cost, self.spent, self.brought, self.realized, self.unseen)
        return (*money, self.buys, self.sells, self.closed, self.wins, self.losses)


class Books:
    """Every holding and every result of a set of trades, each counted once."""

    def __init__(self, trades: Iterable[Trade]) -> None:
        unique = {trade[:2]: trade for trade in trades}
        self.trades = sorted(unique.values(), key=lambda trade: trade.place)
        self.holdings: dict[tuple[bytes, bytes], Holding] = {}
        self.results: list[Result] = []
        for trade in self.trades:
            holding = self.holdings.setdefault((trade.trader, trade.mint), Holding())
            if trade.lamports is not None:
                self._fold(holding, trade, trade.lamports)

    def _fold(self, held: Holding, trade: Trade, lamports: int) -> None:
        if trade.side is Side.BUY:
            held.trip = held.trip if held.units else 0
            held.units += trade.token_units
            held.cost += lamports
            held.spent += lamports
            held.buys += 1
            return
        matched = min(trade.token_units, held.units)
        cost = held.cost if matched == held.units else held.cost * matched // held.units
        proceeds = lamports * matched // trade.token_units
        held.units -= matched
        held.cost -= cost
        held.brought += lamports
        held.realized += proceeds - cost
        held.trip += proceeds - cost
        held.unseen += trade.token_units - matched
        held.sells += 1
        trip = held.trip if matched and not held.units else None
        self.results.append(Result(trade, matched, cost, proceeds, trip))
        if trip is not None:
            held.closed += 1
            held.wins += trip > 0
            held.losses += trip < 0

    def identities(self) -> list[tuple[Any, ...]]:
        """As BOOKED reads them."""
        return sorted((trade.signature.hex(), trade.event_index) for trade in self.trades)

    def positions(self) -> list[tuple[Any, ...]]:
        """As POSITIONS reads them."""
        found = self.holdings.items()
        return sorted((who.hex(), mint.hex(), *held.row()) for (who, mint), held in found)

    def realized(self) -> list[tuple[Any, ...]]:
        """As REALIZED reads them."""
        return sorted(
            (
                *(r.trade.signature.hex(), r.trade.event_index),
                *(r.matched, r.cost, r.proceeds, r.realized, r.trade.block_time),
            )
            for r in self.results
        )

    def hours(self) -> list[tuple[Any, ...]]:
        """As HOURS reads them."""
        keys = {(trade.trader, trade.block_time // 3600 * 3600) for trade in self.trades}
        return sorted((who.hex(), start, *self._hour(who, start)) for who, start in keys)

    def _hour(self, who: bytes, start: int) -> tuple[int | None, ...]:
        inside = range(start, start + 3600)
        trades = [t for t in self.trades if t.trader == who and t.block_time in inside]
        results = [r for r in self.results if r.trade in trades]
        lost = [r for r in results if r.realized < 0]
        trips = [r.trip for r in results if r.trip is not None]
        return (
            *(len(trades), sum(t.lamports or 0 for t in trades)),
            *(sum(t.lamports is None for t in trades), len(results)),
            *(sum(r.matched > 0 for r in results), sum(r.unseen > 0 for r in results)),
            *(sum(r.cost for r in results), sum(r.realized for r in results)),
            *(sum(r.realized for r in lost), min((r.realized for r in lost), default=0)),
            *(len(trips), sum(trip > 0 for trip in trips), sum(trip < 0 for trip in trips)),
            max((r.trade.block_time for r in lost), default=None),
        )

    def standing(self, who: bytes, since: float) -> tuple[int, ...] | None:
        """As STANDINGS reads it, of what came after a moment; None without a matched sell."""
        results = [r for r in self.results if r.trade.trader == who and r.trade.block_time > since]
        if not any(result.matched for result in results):
            return None
        trades = [t for t in self.trades if t.trader == who and t.block_time > since]
        losses = [min(0, result.realized) for result in results]
        trips = [result.trip for result in results if result.trip is not None]
        volume = sum(trade.lamports or 0 for trade in trades)
        sums = (sum(result.realized for result in results), sum(losses), min(losses), volume)
        return (*sums, len(trades), len(trips), sum(trip > 0 for trip in trips))

    def standings(self, since: float) -> dict[str, tuple[int, ...]]:
        """The board of what came after a moment, by wallet."""
        everyone = {trade.trader for trade in self.trades}
        found = {who.hex(): self.standing(who, since) for who in everyone}
        return {who: standing for who, standing in found.items() if standing is not None}


def standings_in(ask: Ask, period: str) -> dict[str, tuple[int, ...]]:
    """A board as the database has it, by wallet."""
    rows = ask(STANDINGS)
    return {who: tuple(sums) for found, who, *sums in rows if found == period}


def check(ask: Ask, trades: Iterable[Trade]) -> None:
    """The ledger holds these trades, each once, and nothing but what follows from them."""
    books = Books(trades)
    assert sorted(ask(BOOKED)) == books.identities()
    assert sorted(ask(POSITIONS)) == books.positions()
    assert sorted(ask(REALIZED)) == books.realized()
    assert sorted(ask(HOURS)) == books.hours()


def settle(stack: RunningStack) -> None:
    """Wait until everything that was posted is booked and on the boards."""
    stack.wait_until(lambda: stack.sql(WAITING)[0][0] == 0, 30)


def answer(stack: RunningStack, path: str) -> Any:
    """What the API says."""
    response = requests.get(f"{stack.url}/api/v1/{path}", timeout=10)
    assert response.status_code == 200, response.text
    return response.json()


def check_wallets(stack: RunningStack, trades: Sequence[Trade]) -> None:
    """Of these wallets the ledger holds these trades, each once, and what follows from them."""
    books = Books(trades)
    identities = set(books.identities())
    who = {trade.trader.hex() for trade in trades}
    assert sorted(set(stack.sql(BOOKED)) & identities) == books.identities()
    realized = [row for row in stack.sql(REALIZED) if row[:2] in identities]
    assert sorted(realized) == books.realized()
    assert sorted(row for row in stack.sql(POSITIONS) if row[0] in who) == books.positions()
    assert sorted(row for row in stack.sql(HOURS) if row[0] in who) == books.hours()
    for period in ("24h", "7d", "30d", "all"):
        found = {row[1]: row[2:] for row in stack.sql(STANDINGS) if row[:2] == (period, row[1])}
        assert {each: found[each] for each in who & found.keys()} == books.standings(0)
