"""The answer of a price source: exchange klines become prices by minute, or reasons. Pure.

A kline is `[open time in ms, open, high, low, close, …]` with decimal strings, one a minute. The
close is the price of the minute. Nothing is filled in: a minute that is not there has no price.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Mapping, Sequence
from statistics import median_low
from typing import Any, Final, NamedTuple

import msgspec

from ingest.decode.outcome import Unreadable
from pnl.engine.pricing import MINUTE_SECONDS, PriceError, micro_usd_of

_MINUTE_MS: Final = 60_000
_FIELDS_LEAST: Final = 5
_SHOWN_CHARACTERS: Final = 60
# A price is held against those around it: so many on each side, no further away than a day.
_NEIGHBOURS: Final = 5
_NEAR_SECONDS: Final = 86_400
_JUMP_MAX: Final = 10


class Klines(NamedTuple):
    """Micro-USD by minute (Unix seconds of its start), and what was refused, each with a reason."""

    prices: dict[int, int]
    refusals: tuple[str, ...]


class _Refused(Exception):
    """Why a kline is none. It never leaves this module."""


def read_klines(body: bytes, *, first: int, last: int) -> Klines | Unreadable:
    """The prices of the minutes from `first` to `last`, in whatever order the answer has them.

    What is no price, of another minute, or contradicts another kline is refused; the rest is kept.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        return Unreadable(f"the answer is not JSON: {error}")
    if not isinstance(answer, list):
        return Unreadable(f"the answer is no array of klines: {_shown(answer)}")
    found: dict[int, set[int]] = {}
    refusals: list[str] = []
    for place, kline in enumerate(answer):
        try:
            minute, micro_usd = _price_of(kline, first, last)
            found.setdefault(minute, set()).add(micro_usd)
        except _Refused as refused:
            refusals.append(f"kline {place}: {refused}")
    refusals += [f"minute {minute} has several prices" for minute in _torn(found)]
    prices = {minute: min(each) for minute, each in sorted(found.items()) if len(each) == 1}
    return Klines(prices, tuple(refusals))


def without_jumps(prices: Mapping[int, int], known: Mapping[int, int]) -> Klines:
    """Refuse what is more than ten times off its neighbours, which speak by their median.

    Neighbours are the nearest five on each side within a day, of those on record and those already
    believed; where there are none, the others of the answer. So a mistaken price condemns itself
    and not its neighbours, and an answer in another unit does not vouch for itself.
    """
    believed = dict(known)
    trusted = sorted(known)
    offered = sorted(prices)
    kept: dict[int, int] = {}
    refusals: list[str] = []
    for minute in offered:
        around = _around(minute, trusted) or _around(minute, offered)
        usual = median_low([believed.get(each) or prices[each] for each in around] or [0])
        if usual and _jumps(prices[minute], usual):
            refusals.append(f"minute {minute} costs {prices[minute]} micro-USD, around it {usual}")
            continue
        kept[minute] = believed[minute] = prices[minute]
        if minute not in known:
            insort(trusted, minute)
    return Klines(kept, tuple(refusals))


def _around(minute: int, among: Sequence[int]) -> list[int]:
    """The nearest minutes on both sides, the minute itself left out."""
    before, after = bisect_left(among, minute), bisect_right(among, minute)
    nearest = (*among[max(0, before - _NEIGHBOURS) : before], *among[after : after + _NEIGHBOURS])
    return [each for each in nearest if abs(each - minute) <= _NEAR_SECONDS]


def _jumps(micro_usd: int, usual: int) -> bool:
    return micro_usd > usual * _JUMP_MAX or micro_usd * _JUMP_MAX < usual


def _torn(found: Mapping[int, Collection[int]]) -> list[int]:
    return sorted(minute for minute, prices in found.items() if len(prices) > 1)


def _price_of(kline: Any, first: int, last: int) -> tuple[int, int]:
    if not isinstance(kline, list) or len(kline) < _FIELDS_LEAST:
        raise _Refused(f"an array of {_FIELDS_LEAST} or more expected: {_shown(kline)}")
    minute = _minute_of(kline[0])
    if not first <= minute <= last:
        raise _Refused(f"minute {minute} was not asked for")
    close = kline[4]
    if not isinstance(close, str):
        raise _Refused(f"the close is {_shown(close)}, a decimal string expected")
    try:
        return minute, micro_usd_of(close)
    except PriceError as error:
        raise _Refused(f"the close {error}") from None


def _minute_of(open_time: Any) -> int:
    if not isinstance(open_time, int) or isinstance(open_time, bool):
        raise _Refused(f"the open time is {_shown(open_time)}, whole milliseconds expected")
    if open_time % _MINUTE_MS:
        raise _Refused(f"the open time {open_time} is not the start of a minute")
    return open_time // _MINUTE_MS * MINUTE_SECONDS


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
