"""The market behaves as people do, keeps its time, and plays the same twice."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import pytest

from ingest.market.exchange import Transaction
from pnl.engine.trades import Side, Trade, Venue
from tests.unit.ingest.market.stage import (
    PUMP,
    PUMP_SWAP,
    START_S,
    market,
    number,
    played,
    readings,
    until,
)


class Closed(NamedTuple):
    """A position from the first buy to the last sell."""

    gained: int
    seconds: int


def trades_of(transactions: Iterable[Transaction]) -> list[Trade]:
    return [trade for transaction in transactions for trade in transaction.trades]


@cache
def closed() -> list[Closed]:
    units: Counter[tuple[bytes, bytes]] = Counter()
    flows: Counter[tuple[bytes, bytes]] = Counter()
    opened: dict[tuple[bytes, bytes], int] = {}
    done = []
    for trade in trades_of(played()):
        key = (trade.trader, trade.mint)
        sign = 1 if trade.side is Side.BUY else -1
        opened.setdefault(key, trade.block_time)
        units[key] += sign * trade.token_units
        flows[key] -= sign * trade.quote_units
        assert units[key] >= 0
        if not units[key]:
            done.append(Closed(flows.pop(key), trade.block_time - opened.pop(key)))
    return done


def test_the_same_seed_plays_the_same_market() -> None:
    again = tuple(until(market().play(2.0), 500))
    assert again == played()[: len(again)]


def test_another_seed_plays_another_market() -> None:
    other = {transaction.signature for transaction in until(market(seed=12).play(2.0), 500)}
    assert not other & {transaction.signature for transaction in played()}


def test_two_of_three_positions_lose() -> None:
    assert len(closed()) > 2_000
    assert 0.60 < statistics.mean(position.gained < 0 for position in closed()) < 0.74


def test_the_median_hold_is_about_a_hundred_seconds() -> None:
    assert 60 < statistics.median(position.seconds for position in closed()) < 160


def test_stakes_are_small_with_a_heavy_tail() -> None:
    stakes = [trade.quote_units for trade in trades_of(played()) if trade.side is Side.BUY]
    assert 0.25e9 < statistics.median(stakes) < 0.6e9
    assert max(stakes) > 20 * 10**9
    assert statistics.mean(stakes) > 1.8 * statistics.median(stakes)


def test_most_wallets_trade_little_and_a_few_trade_all_day() -> None:
    counts = Counter(trade.trader for trade in trades_of(played()))
    assert statistics.median(counts.values()) <= 4
    assert max(counts.values()) > 60


def test_few_tokens_graduate() -> None:
    transactions = tuple(until(market(seed=3, tokens=5_000).play(20.0), 10_000))
    launched = sum("Instruction: CreateV2" in act.json for act in transactions)
    graduated = sum("Instruction: Migrate" in act.json for act in transactions)
    assert launched > 60
    assert graduated <= 0.03 * launched


def test_both_venues_are_busy() -> None:
    venues = Counter(trade.venue for trade in trades_of(played()))
    assert min(venues[Venue.PUMP], venues[Venue.PUMP_SWAP]) > len(played()) // 5


@pytest.mark.parametrize("rate", [0.5, 20.0, 200.0])
def test_the_market_keeps_the_rate_it_was_given(rate: float) -> None:
    transactions = tuple(until(market(seed=4).play(rate), 3_000))
    seconds = transactions[-1].block_time - START_S
    assert 0.8 < 3_000 / rate / seconds < 1.25


def test_places_in_the_chain_are_unique_and_in_order() -> None:
    places = [(act.slot, act.block_index) for act in played()]
    assert all(earlier < later for earlier, later in pairwise(places))
    by_slot = defaultdict(set)
    for act in played():
        by_slot[act.slot].add(act.block_time)
    assert all(len(times) == 1 for times in by_slot.values())
    seconds = played()[-1].block_time - played()[0].block_time
    slots = played()[-1].slot - played()[0].slot
    assert abs(slots * 0.4 - seconds) < 2


def test_a_history_ends_in_time_and_life_goes_on_after_it() -> None:
    here = market(seed=9)
    end_ms = (START_S + 3 * 86_400) * 1_000
    history = tuple(until(here.play(1_000 / (3 * 86_400), end_ms), 1_000))
    assert START_S <= history[0].block_time <= history[-1].block_time <= end_ms // 1_000
    assert 850 <= len(trades_of(history)) <= 1_001
    later_ms = end_ms + 30_000
    here.jump(later_ms)
    live = tuple(until(here.play(20.0), 200))
    assert 0 <= live[0].block_time - later_ms // 1_000 < 3_600
    assert live[0].at_ms >= later_ms
    assert 5 < live[-1].block_time - live[0].block_time < 20
    assert live[0].slot > history[-1].slot


def test_the_reserves_of_every_curve_follow_its_trades() -> None:
    last: dict[bytes, tuple[int, int]] = {}
    for reading in readings():
        for program, event in reading.events if reading.error is None else ():
            if program != PUMP or event[:8].hex() != "bddb7fd34ee661ee":
                continue
            mint, sign = event[8:40], 1 if event[56] else -1
            sol, units = last.get(mint, (30_000_000_000, 1_073_000_000_000_000))
            last[mint] = (sol + sign * number(event, 40), units - sign * number(event, 48))
            assert last[mint] == (number(event, 97), number(event, 105))
            assert number(event, 113) == number(event, 97) - 30_000_000_000
    assert len(last) > 30


def test_the_reserves_of_every_pool_follow_its_trades() -> None:
    last: dict[bytes, tuple[int, int]] = {}
    for reading in readings():
        for program, event in reading.events if reading.error is None else ():
            is_buy = event[:8].hex() == "67f4521f2cf57777"
            if program != PUMP_SWAP or not (is_buy or event[:8].hex() == "3e2f370aa503dc2a"):
                continue
            pool, sign = event[120:152], 1 if is_buy else -1
            before = (number(event, 48), number(event, 56))
            assert last.get(pool, before) == before
            last[pool] = (
                before[0] - sign * number(event, 16),
                before[1] + sign * number(event, 104),
            )
    assert len(last) > 5
