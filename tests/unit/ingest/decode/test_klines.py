"""Klines become prices; what cannot be a price is refused with its reason, and nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode.klines import Klines, read_klines, without_jumps
from ingest.decode.outcome import Unreadable

START = 1_763_900_040
MINUTE = 60
SOL_USD = 150_000_000


def kline(minute: int, close: object = "150.00000000") -> list[Any]:
    """As exchanges have them."""
    opened = minute * 1000
    return [opened, "149.1", "151.2", "148.9", close, "1234.5", opened + 59_999, "1", 7, "1", "1"]


def read(*klines: object, minutes: int = 10) -> Klines:
    last = START + (minutes - 1) * MINUTE
    found = read_klines(json.dumps(klines).encode(), first=START, last=last)
    assert isinstance(found, Klines)
    return found


def test_the_close_is_the_price_of_its_minute_whatever_the_order() -> None:
    found = read(kline(START + 120, "151.5"), kline(START, "150.1234567"), kline(START + 60))
    assert found.refusals == ()
    assert list(found.prices.items()) == [
        (START, 150_123_456),
        (START + 60, 150_000_000),
        (START + 120, 151_500_000),
    ]


def test_a_minute_that_is_not_in_the_answer_has_no_price() -> None:
    found = read(kline(START), kline(START + 180))
    assert found == Klines({START: SOL_USD, START + 180: SOL_USD}, ())
    assert read() == Klines({}, ())


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (kline(START, "0.00000000"), "the close '0.00000000' is no price: it is not above zero"),
        (kline(START, "-1.5"), "the close '-1.5' is no price: it is not above zero"),
        (kline(START, "NaN"), "the close 'NaN' is no decimal number"),
        (kline(START, 150.25), "the close is 150.25, a decimal string expected"),
        (kline(START, None), "the close is None, a decimal string expected"),
        (kline(START - 60), f"minute {START - 60} was not asked for"),
        (kline(START + 600), f"minute {START + 600} was not asked for"),
        (kline(START + 1), f"the open time {START * 1000 + 1000} is not the start of a minute"),
        ([str(START * 1000), *kline(START)[1:]], "whole milliseconds expected"),
        ([True, *kline(START)[1:]], "the open time is True, whole milliseconds expected"),
        ([1, "2", "3", "4"], "an array of 5 or more expected: [1, '2', '3', '4']"),
        ({"close": "150"}, "an array of 5 or more expected: {'close': '150'}"),
        (None, "an array of 5 or more expected: None"),
    ],
)
def test_what_is_no_price_is_refused_and_its_neighbours_are_kept(
    wrong: object, reason: str
) -> None:
    found = read(kline(START + 60), wrong, kline(START + 120))
    assert found.prices == {START + 60: SOL_USD, START + 120: SOL_USD}
    assert len(found.refusals) == 1
    assert found.refusals[0].startswith("kline 1: ")
    assert found.refusals[0].endswith(reason)


def test_a_minute_that_is_told_twice_is_believed_only_if_it_is_the_same() -> None:
    found = read(kline(START), kline(START), kline(START + 60), kline(START + 60, "151"))
    assert found.prices == {START: SOL_USD}
    assert found.refusals == (f"minute {START + 60} has several prices",)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the answer is not JSON"),
        (b"<html>busy</html>", "the answer is not JSON"),
        (b'[[1763900040000,"1","1","1"', "the answer is not JSON"),
        (b"[" * 100_000, "the answer is not JSON"),
        (b'{"code":-1121,"msg":"Invalid symbol."}', "the answer is no array of klines"),
        (b"null", "the answer is no array of klines"),
    ],
)
def test_an_answer_that_is_no_list_of_klines_says_why(body: bytes, error: str) -> None:
    found = read_klines(body, first=START, last=START)
    assert isinstance(found, Unreadable)
    assert found.error.startswith(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@given(st.lists(JSON))
def test_nothing_that_is_json_makes_it_raise(answer: list[Any]) -> None:
    found = read_klines(json.dumps(answer).encode(), first=START, last=START)
    assert isinstance(found, Klines | Unreadable)


def prices(*dollars: int) -> dict[int, int]:
    """One a minute."""
    return {START + place * MINUTE: usd * 10**6 for place, usd in enumerate(dollars)}


def test_a_price_that_jumps_is_refused_and_its_neighbours_are_kept() -> None:
    given_ = prices(150, 151, 1501, 149, 150)
    found = without_jumps(given_, {})
    assert found.prices == {m: p for m, p in given_.items() if p != 1_501_000_000}
    assert found.refusals == (
        f"minute {START + 120} costs 1501000000 micro-USD, around it 150000000",
    )


@pytest.mark.parametrize("dollars", [(1501, 150, 151, 149), (150, 151, 149, 14)])
def test_a_price_at_either_end_that_jumps_is_refused_alone(dollars: tuple[int, ...]) -> None:
    found = without_jumps(prices(*dollars), {})
    assert sorted(found.prices.values()) == [149_000_000, 150_000_000, 151_000_000]


@pytest.mark.parametrize("factor", [15_000, 14])
def test_an_answer_in_another_unit_is_refused_whole_by_what_is_on_record(factor: int) -> None:
    found = without_jumps(prices(*[factor] * 500), {START - MINUTE: SOL_USD})
    assert found.prices == {}
    assert len(found.refusals) == 500


def test_a_tenfold_move_is_just_believed() -> None:
    assert without_jumps(prices(150, 1500), {}).refusals == ()
    assert without_jumps(prices(1500, 150), {}).refusals == ()


def test_what_is_more_than_a_day_away_is_no_neighbour() -> None:
    assert without_jumps({START: SOL_USD}, {START - 86_460: 1}).prices == {START: SOL_USD}
    assert without_jumps({START: SOL_USD}, {START - 86_400: 1}).prices == {}


def test_a_price_on_record_is_held_against_the_others_and_not_against_itself() -> None:
    known = prices(150, 151, 152)
    assert without_jumps(prices(150, 1, 152), known).prices == prices(150) | {
        START + 120: 152_000_000
    }


def test_of_two_prices_that_contradict_each_other_neither_is_believed() -> None:
    assert without_jumps(prices(1, 150), {}).prices == {}
