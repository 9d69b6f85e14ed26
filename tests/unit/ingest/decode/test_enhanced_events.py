"""An enhanced rendering tells what the raw one does; a broken one gets an answer all the same."""

from random import Random
from typing import Any

import pytest

from ingest.decode.outcome import Decoded, Dropped, DropReason, Malformed
from tests.unit.ingest.decode import building
from tests.unit.ingest.decode.building import WSOL, Builder, Json
from tests.unit.ingest.decode.enhancing import ANN, curve_buy, curve_sell, pool_buy, rendered
from tests.unit.ingest.decode.reading import decoded, dropped, outcome_of

SOL = 1_000_000_000
UNITS = 35_000_000_000_000


def everything() -> Builder:
    builder = Builder().curve(
        building.curve_event(fee=9_500, creator_fee=3_000), building.curve_event(is_buy=False)
    )
    return builder.pool(
        building.pool_buy_event(exact_quote=True), building.MINT, building.raw(WSOL)
    ).pool(
        building.pool_sell_event(pool=building.OTHER_POOL),
        building.raw(WSOL),
        building.OTHER_MINT,
        building.OTHER_POOL,
    )


def with_balances(element: Json) -> Json:
    count = len(element["transaction"]["message"]["accountKeys"])
    balances = {"preBalances": [0] * count, "postBalances": [0] * count}
    element["meta"] |= balances | {"postTokenBalances": []}
    return element


def test_raw_and_enhanced_renderings_of_one_transaction_are_the_same_trades() -> None:
    raw = with_balances(everything().element())
    enhanced = decoded(rendered(raw, with_events=True))
    plain = decoded(raw)
    assert len(plain.trades) == 4
    assert enhanced.trades == tuple(trade._replace(block_index=None) for trade in plain.trades)
    assert (plain.order_unknown, enhanced.order_unknown) == (False, True)


def test_an_event_of_another_program_in_an_enhanced_body_is_ignored() -> None:
    raw = Builder().call(building.MOONSHOT, []).emit(building.curve_event(), building.MOONSHOT)
    outcome = dropped(rendered(with_balances(raw.element()), with_events=True))
    assert outcome.reason is DropReason.NO_TRADE


STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    2**63,
    2**70,
    1.5,
    "",
    "x",
    "11111",
    [],
    {},
    [[]],
    [None],
    ANN,
    WSOL,
]


def mutated(dice: Random, value: Any) -> Any:
    """The value with something replaced, lost or doubled somewhere inside."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        return {**value, key: mutated(dice, value[key])}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return [*value[:at], *dice.choice(([], [mutated(dice, value[at])] * 2)), *value[at + 1 :]]
    return dice.choice(STRANGE)


@pytest.mark.parametrize("seed", range(6))
def test_mutated_enhanced_bodies_always_get_an_answer(seed: int) -> None:
    dice = Random(seed)
    bodies = [
        curve_buy(SOL, 12_500_000, UNITS).element(),
        curve_sell(SOL, 12_500_000, UNITS).element(),
        pool_buy(SOL, 1_000_000, UNITS).element(),
        rendered(with_balances(everything().element()), with_events=True),
    ]
    for _ in range(150):
        element = dice.choice(bodies)
        for _ in range(dice.randint(1, 3)):
            element = mutated(dice, element)
        outcome = outcome_of(element)
        assert isinstance(outcome, Decoded | Dropped | Malformed)
        if isinstance(outcome, Decoded):
            assert all(trade.quote_units >= 0 < trade.token_units + 1 for trade in outcome.trades)
