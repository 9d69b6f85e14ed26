"""Laws that hold for every ledger, tried on ledgers nobody would have thought of."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pnl.engine.booking import Booked, Realization
from pnl.engine.positions import Position
from pnl.engine.replay import extend, in_chain_order, replay
from pnl.engine.trades import Side, Trade, Venue
from tests.ledger import MINT, TRADER, USDC

U64_MAX = 2**64 - 1
ROWS_MAX = 30

# Small numbers meet each other (full closes, ties, remainders), large ones find lost digits.
AMOUNTS = st.one_of(st.integers(1, 12), st.integers(1, 10**6), st.integers(1, U64_MAX))
ZERO_OR_MORE = st.one_of(st.just(0), AMOUNTS)


@st.composite
def trades(draw: st.DrawFn, units: st.SearchStrategy[int] = ZERO_OR_MORE) -> Trade:
    """A trade anywhere among a few slots; a known place in a block has one signature."""
    slot = draw(st.integers(1, 5))
    index = draw(st.none() | st.integers(0, 4))
    seed = f"{slot}/{index}" if index is not None else f"{slot}:{draw(st.integers(0, 40))}"
    return Trade(
        signature=hashlib.sha512(seed.encode()).digest(),
        event_index=draw(st.integers(0, 3)),
        slot=slot,
        block_index=index,
        block_time=1000 + slot,
        trader=TRADER,
        mint=MINT,
        side=draw(st.sampled_from(Side)),
        token_units=draw(units),
        quote_mint=draw(st.sampled_from([None, None, None, USDC])),
        quote_units=draw(ZERO_OR_MORE),
        fee_units=0,
        venue=Venue.PUMP,
    )


def ledgers(units: st.SearchStrategy[int] = ZERO_OR_MORE) -> st.SearchStrategy[list[Trade]]:
    """Trades of one position, each identity once."""
    return st.lists(trades(units), max_size=ROWS_MAX, unique_by=lambda t: t[:2])


def sells(booked: Sequence[tuple[Trade, Booked]]) -> list[Realization]:
    return [outcome for _, outcome in booked if isinstance(outcome, Realization)]


def priced(ledger: Sequence[Trade], side: Side) -> list[Trade]:
    return [trade for trade in ledger if trade.side is side and trade.quote_mint is None]


@dataclass
class Exact:
    """Average cost as a book would define it, in fractions that never round."""

    units: int = 0
    cost: Fraction = Fraction(0)
    realized: Fraction = Fraction(0)
    matched: list[int] = field(default_factory=list)

    def fold(self, trade: Trade) -> None:
        if trade.side is Side.BUY:
            self.units += trade.token_units
            self.cost += trade.quote_units
            return
        matched = min(self.units, trade.token_units)
        left = self.cost * Fraction(matched, self.units) if self.units else Fraction(0)
        brought = Fraction(trade.quote_units * matched, trade.token_units)
        self.units -= matched
        self.cost -= left
        self.realized += brought - left
        self.matched.append(matched)


@given(ledgers())
def test_the_cost_of_every_sell_and_of_what_is_held_is_the_cost_of_the_buys(
    ledger: list[Trade],
) -> None:
    position, booked = replay(ledger)
    left = sum(sell.cost_lamports for sell in sells(booked))
    spent = sum(trade.quote_units for trade in priced(ledger, Side.BUY))
    assert left + position.cost_lamports == spent == position.bought_lamports


@given(ledgers())
def test_the_proceeds_of_every_sell_are_matched_or_unmatched(ledger: list[Trade]) -> None:
    position, booked = replay(ledger)
    matched = sum(sell.proceeds_lamports for sell in sells(booked))
    brought = sum(trade.quote_units for trade in priced(ledger, Side.SELL))
    assert matched + position.unmatched_lamports == brought == position.sold_lamports


@given(ledgers())
def test_every_unit_is_held_sold_or_was_never_seen(ledger: list[Trade]) -> None:
    position, booked = replay(ledger)
    matched = sum(sell.matched_units for sell in sells(booked))
    assert position.units == position.bought_units - matched
    assert position.unmatched_units == position.sold_units - matched


@given(ledgers())
def test_nothing_held_is_ever_negative(ledger: list[Trade]) -> None:
    position = Position()
    for trade in in_chain_order(ledger):
        for outcome in extend(position, [trade]):
            assert min(position.units, position.cost_lamports, *natural(outcome)) >= 0


def natural(outcome: Booked) -> tuple[int, ...]:
    """What of a sell is an amount, and not a gain."""
    if not isinstance(outcome, Realization):
        return (0,)
    whole = (outcome.matched_units, outcome.unmatched_units, outcome.cost_lamports)
    return (*whole, outcome.proceeds_lamports, outcome.unmatched_lamports, outcome.hold_seconds)


@given(ledgers())
def test_a_position_realized_what_its_sells_realized(ledger: list[Trade]) -> None:
    position, booked = replay(ledger)
    found = sells(booked)
    assert all(s.realized_lamports == s.proceeds_lamports - s.cost_lamports for s in found)
    assert position.realized_lamports == sum(sell.realized_lamports for sell in found)


@given(ledgers(AMOUNTS))
def test_every_gain_belongs_to_one_round_trip(ledger: list[Trade]) -> None:
    position, booked = replay(ledger)
    trips = [sell.trip_lamports for sell in sells(booked) if sell.closes]
    assert sum(trips) + position.trip_lamports == position.realized_lamports
    assert position.closed == len(trips)
    assert position.wins == sum(trip > 0 for trip in trips)
    assert position.losses == sum(trip < 0 for trip in trips)


@given(ledgers().flatmap(lambda ledger: st.tuples(st.just(ledger), st.permutations(ledger))))
def test_the_order_of_arrival_changes_nothing(pair: tuple[list[Trade], list[Trade]]) -> None:
    ledger, arrived = pair
    assert replay(ledger) == replay(arrived)


@given(ledgers(), st.integers(0, ROWS_MAX))
def test_a_begun_position_goes_on_as_if_it_were_folded_anew(ledger: list[Trade], cut: int) -> None:
    ordered = in_chain_order(ledger)
    position, booked = replay(ordered[:cut])
    rest = zip(ordered[cut:], extend(position, ordered[cut:]), strict=True)
    assert (position, [*booked, *rest]) == replay(ledger)


@given(ledgers(AMOUNTS))
def test_every_result_is_exact_to_less_than_a_lamport_a_sell(ledger: list[Trade]) -> None:
    position, booked = replay(ledger)
    exact = Exact()
    for trade, _ in booked:
        if trade.quote_mint is None:
            exact.fold(trade)
    found = sells(booked)
    assert [sell.matched_units for sell in found] == exact.matched
    assert position.units == exact.units
    assert abs(position.cost_lamports - exact.cost) <= len(found)
    assert abs(position.realized_lamports - exact.realized) <= len(found)


@given(ledgers())
def test_trades_without_a_price_leave_no_trace_but_their_count(ledger: list[Trade]) -> None:
    position, _ = replay(ledger)
    without, _ = replay([trade for trade in ledger if trade.quote_mint is None])
    seen = ("unpriced", "first_at", "last_at")
    folded = {name: value for name, value in asdict(position).items() if name not in seen}
    assert folded == {name: v for name, v in asdict(without).items() if name not in seen}
    assert position.unpriced == sum(trade.quote_mint is not None for trade in ledger)


@given(ledgers(AMOUNTS))
def test_a_position_is_open_while_it_holds_something(ledger: list[Trade]) -> None:
    position = Position()
    for trade in in_chain_order(ledger):
        extend(position, [trade])
        assert (position.opened_at is None) == (position.units == 0)
