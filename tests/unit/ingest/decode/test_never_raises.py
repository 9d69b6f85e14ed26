"""Whatever arrives, the decoder answers with outcomes: it never raises and never hangs."""

import copy
import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode.outcome import Decoded, Dropped, Malformed, Outcome, Unreadable
from ingest.decode.pipeline import decode_body
from tests.unit.ingest.decode.building import (
    MINT,
    OTHER_POOL,
    PUMP,
    SWAP,
    TAG,
    WSOL,
    Builder,
    Json,
    body,
    create_pool_event,
    curve_event,
    pool_buy_event,
    pool_sell_event,
    post_complete_event,
    raw,
)

SOL = raw(WSOL)


def everything() -> Json:
    """A transaction that walks every path of the decoder."""
    builder = Builder().curve(curve_event(shareholders=2))
    builder.emit(post_complete_event(tokens=1, quote=2, fee=3, creator_fee=4))
    builder.pool(pool_buy_event(), MINT, SOL).pool(
        pool_sell_event(pool=OTHER_POOL), SOL, MINT, OTHER_POOL
    )
    return builder.emit(create_pool_event(MINT, SOL), SWAP).element()


# Without a deadline: a machine that is busy with something else is no bug.
SOME = settings(deadline=None)
MANY = settings(SOME, max_examples=400)

WHOLE = everything()
BODY = body(WHOLE, {"jsonrpc": "2.0", "result": WHOLE})
EVENTS = [
    curve_event(shareholders=2),
    post_complete_event(tokens=1, quote=2, fee=3, creator_fee=4),
    pool_buy_event(),
    pool_sell_event(),
    create_pool_event(MINT, SOL),
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
STRANGE = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


def check(outcomes: tuple[Outcome, ...]) -> None:
    assert all(
        isinstance(outcome, Decoded | Dropped | Malformed | Unreadable) for outcome in outcomes
    )


def test_the_whole_transaction_decodes() -> None:
    first, second = decode_body(BODY)
    assert isinstance(first, Decoded)
    assert isinstance(second, Decoded)
    assert len(first.trades) == 4
    assert first.trades == second.trades


@settings(SOME)
@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(noise: bytes) -> None:
    check(decode_body(noise))


@settings(SOME)
@given(STRANGE)
def test_any_json_gets_an_answer(value: Any) -> None:
    check(decode_body(json.dumps(value).encode()))
    check(decode_body(json.dumps([value, {"transaction": value, "meta": value}]).encode()))


@settings(MANY)
@given(st.data())
def test_a_body_with_bytes_changed(data: st.DataObject) -> None:
    mutated = bytearray(BODY)
    for _ in range(data.draw(st.integers(1, 8))):
        mutated[data.draw(st.integers(0, len(BODY) - 1))] = data.draw(st.integers(0, 255))
    check(decode_body(bytes(mutated)))


@settings(SOME)
@given(st.integers(0, len(BODY) - 1), st.integers(0, 60))
def test_a_body_with_a_piece_missing(at: int, size: int) -> None:
    check(decode_body(BODY[:at]))
    check(decode_body(BODY[:at] + BODY[at + size :]))


@settings(MANY)
@given(st.data())
def test_an_element_with_a_value_replaced(data: st.DataObject) -> None:
    element = copy.deepcopy(WHOLE)
    place: Any = element
    while True:
        steps = list(place) if isinstance(place, dict) else list(range(len(place)))
        step = data.draw(st.sampled_from(steps))
        inner = place[step]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            place[step] = data.draw(STRANGE)
            break
        place = inner
    check(decode_body(json.dumps([element]).encode()))


@settings(MANY)
@given(st.sampled_from(EVENTS), st.data())
def test_an_event_with_bytes_changed(event: bytes, data: st.DataObject) -> None:
    mutated = bytearray(event[: data.draw(st.integers(0, len(event)))])
    for _ in range(data.draw(st.integers(0, 6)) if mutated else 0):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    for program in (PUMP, SWAP):
        check(
            decode_body(body(Builder().call(program, []).emit(bytes(mutated), program).element()))
        )


LINES = st.sampled_from(
    [
        *(f"Program {program} invoke [{depth}]" for program in (PUMP, SWAP) for depth in (1, 2, 3)),
        *(f"Program {program} {end}" for program in (PUMP, SWAP) for end in ("success", "failed")),
        *(f"Program data: {b64encode(event).decode()}" for event in EVENTS),
        *("Program data: ", "Program data: ?", "Log truncated", "Program log: hello", ""),
    ]
)


@settings(MANY)
@given(st.lists(LINES | st.text(max_size=30), max_size=12) | STRANGE)
def test_any_log_gets_an_answer(log: Any) -> None:
    element = Builder().call(PUMP, []).element()
    element["meta"] |= {"innerInstructions": None, "logMessages": log}
    check(decode_body(body(element)))


@settings(SOME)
@given(st.binary(max_size=300))
def test_any_wire_bytes_get_an_answer(noise: bytes) -> None:
    builder = Builder()
    for encoding in ("base64", "base58", "base64+zstd", ""):
        element = builder.element(transaction=[noise.hex(), encoding])
        check(decode_body(body(element)))


@pytest.mark.parametrize(
    "opening", [b"[", b'{"a":', b'[{"meta":{"err":', b'{"result":', b'[{"result":']
)
def test_deep_nesting_gets_an_answer(opening: bytes) -> None:
    check(decode_body(opening * 200_000))
    check(decode_body(opening + b"[" * 200_000 + b"]" * 200_000))


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5_000, "-0", "1.0"]
)
@pytest.mark.parametrize("field", ["slot", "blockTime", "indexWithinBlock", "meta", "transaction"])
def test_strange_numbers_get_an_answer(field: str, number: str) -> None:
    text = json.dumps([WHOLE | {field: "HERE"}]).replace('"HERE"', number)
    check(decode_body(text.encode()))


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", "-1", "65536", "null"])
@pytest.mark.parametrize("place", ['"accounts": [', '"programIdIndex": ', '"index": '])
def test_strange_indices_get_an_answer(place: str, number: str) -> None:
    end = ", " if place.endswith("[") else ', "then": '
    check(decode_body(BODY.decode().replace(place, place + number + end).encode()))


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\xff"', '"\\u0000"', '"é"', '"' + "1" * 100_000 + '"']
)
def test_strange_texts_get_an_answer(text: str) -> None:
    for old in ('"data": "', '"accountKeys": ["', '"signatures": ["'):
        at = BODY.decode().index(old) + len(old)
        changed = BODY.decode()[: at - 1] + text + BODY.decode()[BODY.decode().index('"', at) + 1 :]
        check(decode_body(changed.encode("latin-1")))


def test_a_megabyte_of_event_is_refused_at_once() -> None:
    builder = Builder().call(PUMP, []).emit(curve_event())
    element = builder.element()
    step = element["meta"]["innerInstructions"][0]["instructions"][0]
    step["data"] = "z" * 1_000_000
    (outcome,) = decode_body(body(element))
    assert isinstance(outcome, Malformed)
    assert len(outcome.error) < 600
    assert TAG.hex() not in outcome.error
