"""Real bodies and those of a market, damaged in hundreds of ways: outcomes, and nothing else.

The damage is seeded, so that what was found once is found again.
"""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ingest.decode.outcome import Decoded, Dropped, Malformed, Unreadable
from ingest.decode.pipeline import decode_body
from ingest.decode.rendering import as_json, as_text
from tests.unit.ingest.market.stage import played

RECORDED = 8
MARKET = 40
TIMES = 120
# As JSON, so that each use is a value of its own.
STRANGERS = [
    *("null", "true", "false", "0", "-1", "1", "7", "9007199254740993", "18446744073709551616"),
    *("1" * 400, "0.5", "1e300", '""', '"x"', '"1"', '"Log truncated"', '"\\u00e9"', '"\\u0000"'),
    *(f'"{"1" * 44}"', f'"{"z" * 20_000}"', "[]", "{}", "[null]", "[[]]", '{"": null}'),
    *(f"[{'0,' * 300}0]", '{"programIdIndex": 0}', '["", "base64"]'),
]

Damage = Callable[[bytes, Random], bytes]


def flipped(body: bytes, dice: Random) -> bytes:
    """Some bytes are others."""
    damaged = bytearray(body)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        damaged[dice.randrange(len(body))] = dice.randrange(256)
    return bytes(damaged)


def truncated(body: bytes, dice: Random) -> bytes:
    """The end, the beginning or a piece between them is missing."""
    start, end = sorted((dice.randrange(len(body)), dice.randrange(len(body))))
    return dice.choice((body[:end], body[start:], body[:start] + body[end:]))


def with_keys_deleted(body: bytes, dice: Random) -> bytes:
    """Keys of objects and items of arrays are gone."""
    return _changed(body, dice, lambda place, step: place.pop(step))


def with_types_swapped(body: bytes, dice: Random) -> bytes:
    """Values are of another kind."""

    def swap(place: Any, step: Any) -> None:
        place[step] = json.loads(dice.choice(STRANGERS))

    return _changed(body, dice, swap)


def with_values_moved(body: bytes, dice: Random) -> bytes:
    """A value stands where another one was."""

    def move(place: Any, step: Any) -> None:
        place[step] = place[dice.choice(list(_steps(place)))]

    return _changed(body, dice, move)


def _changed(body: bytes, dice: Random, change: Callable[[Any, Any], Any]) -> bytes:
    whole = json.loads(body)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        place = whole
        while True:
            step = dice.choice(list(_steps(place)))
            if dice.random() < 0.3 or not isinstance(place[step], dict | list) or not place[step]:
                break
            place = place[step]
        change(place, step)
        if not whole:
            break
    return json.dumps(whole).encode()


def _steps(place: Any) -> Any:
    return place if isinstance(place, dict) else range(len(place))


def check(body: bytes) -> None:
    """Every outcome is one of the four, and can be shown."""
    for outcome in decode_body(body):
        assert isinstance(outcome, Decoded | Dropped | Malformed | Unreadable)
        assert json.dumps(as_json(outcome))
        assert as_text(outcome)


DAMAGES = [flipped, truncated, with_keys_deleted, with_types_swapped, with_values_moved]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_recorded_body_that_is_damaged_gets_an_answer(
    shared_folder: Path, damage: Damage
) -> None:
    files = sorted((shared_folder / "data" / "raw_tx").glob("*.json"))
    assert len(files) == RECORDED
    for file in files:
        body, dice = file.read_bytes(), Random(f"{file.name} {damage.__name__}")
        for _ in range(TIMES):
            check(damage(body, dice))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_markets_body_that_is_damaged_gets_an_answer(damage: Damage) -> None:
    transactions = played(trades=400)[:MARKET]
    for number in range(0, MARKET, 2):
        two = transactions[number : number + 2]
        body = f"[{two[0].json},{two[1].json}]".encode()
        dice = Random(f"{number} {damage.__name__}")
        for _ in range(TIMES // 2):
            check(damage(body, dice))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_body_that_must_be_read_from_its_log_gets_an_answer_when_damaged(damage: Damage) -> None:
    for number, transaction in enumerate(played(trades=400)[:MARKET]):
        element = json.loads(transaction.json)
        element["meta"]["innerInstructions"] = None
        body = json.dumps([element]).encode()
        dice = Random(f"log {number} {damage.__name__}")
        for _ in range(TIMES // 4):
            check(damage(body, dice))


def test_damage_to_one_transaction_costs_its_neighbour_nothing() -> None:
    """As long as the body is still JSON, the other one reads as it did."""
    dice = Random(5)
    first, second, *_ = (transaction.json for transaction in played(trades=400))
    (expected,) = decode_body(f"[{second}]".encode())
    for damage in (with_keys_deleted, with_types_swapped, with_values_moved):
        for _ in range(TIMES):
            damaged = damage(f"[{first}]".encode(), dice).removeprefix(b"[").removesuffix(b"]")
            if damaged:
                body = b"[" + damaged + f",{second}]".encode()
                outcome = decode_body(body)[-1]
                assert type(outcome) is type(expected)
                assert getattr(outcome, "trades", None) == getattr(expected, "trades", None)
