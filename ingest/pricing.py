"""The price watch: asks for the minutes that lack a price, and saves what can be believed."""

import logging
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.conf import settings

import pnl.prices
import pnl.queries
from ingest.decode.klines import without_jumps
from ingest.price_source import Failed, Patience, PriceSource
from pnl import alarms
from pnl.engine.pricing import MINUTE_SECONDS, last_ended, minute_of
from pnl.prices import Saved

log = logging.getLogger(__name__)

QUESTION_MINUTES = 500
# What a watch looks at, and how often it asks.
NEWEST_MINUTES = 120
WAITING_MINUTES = 1000
QUESTIONS_MAX = 4
WATCHING = Patience(total_s=10.0)
INSISTING = Patience(total_s=120.0, longest_wait_s=30.0)
# Prices on record that an answer is held against.
AROUND_SECONDS = 24 * 3600

STALE_ALARM = "sol_price_stale"
STALE_SECONDS = 900

Span = tuple[int, int]  # first and last minute, Unix seconds of their starts


class Fetched(NamedTuple):
    """What one question brought: prices saved, reasons of refusals, or why there was no answer."""

    saved: Saved
    refusals: tuple[str, ...] = ()
    failure: str = ""


NOTHING = Fetched(pnl.prices.NOTHING)


def watch() -> None:
    """Price what waits: with prices on record, and with those that the source has, if there is one.

    Nothing is asked while no source is configured. A source that fails is asked again next time.
    """
    last = last_ended(int(time.time()))
    waiting = _some_waiting(last)
    on_record = pnl.queries.sol_prices(waiting)
    pnl.prices.price_again(on_record)
    if settings.SOL_PRICE_URL:
        _fetch_wanted(last, [minute for minute in waiting if minute not in on_record])
    else:
        alarms.clear(STALE_ALARM)


def fetch_range(first: int, last: int) -> Iterator[Fetched]:
    """Fetch every price that is missing from `first` to `last`, question by question.

    Ends with the first failure. Minutes that have not ended are left out.
    """
    last = min(minute_of(last), last_ended(int(time.time())))
    with PriceSource(settings.SOL_PRICE_URL, patience=INSISTING) as source:
        step = QUESTION_MINUTES * MINUTE_SECONDS
        for begin in range(minute_of(first), last + 1, step):
            end = min(begin + step - MINUTE_SECONDS, last)
            missing = pnl.queries.missing_minutes(begin, end)
            fetched = _fetch(source, (missing[0], missing[-1])) if missing else NOTHING
            yield fetched
            if fetched.failure:
                return


def spans_of(minutes: Iterable[int]) -> list[Span]:
    """The fewest questions that cover these minutes, ascending; what lies between is asked, too."""
    spans: list[Span] = []
    for minute in sorted(minutes):
        if spans and minute - spans[-1][0] < QUESTION_MINUTES * MINUTE_SECONDS:
            spans[-1] = (spans[-1][0], minute)
        else:
            spans.append((minute, minute))
    return spans


def _some_waiting(last: int) -> list[int]:
    """Minutes that trades wait in, from a random one on: a gap of the source must not stop them."""
    oldest = pnl.queries.waiting_minutes(limit=1)
    if not oldest or oldest[0] > last:
        return []
    start = random.randint(oldest[0], last)  # noqa: S311 - a place to begin
    later = pnl.queries.waiting_minutes(after=start, limit=WAITING_MINUTES)
    earlier = pnl.queries.waiting_minutes(limit=WAITING_MINUTES - len(later))
    return sorted(minute for minute in {*later, *earlier} if minute <= last)


def _fetch_wanted(last: int, waiting: Sequence[int]) -> None:
    first = last - (NEWEST_MINUTES - 1) * MINUTE_SECONDS
    spans = spans_of(pnl.queries.missing_minutes(first, last))
    older = spans_of(minute for minute in waiting if minute < first)
    random.shuffle(older)
    failure = ""
    with PriceSource(settings.SOL_PRICE_URL, patience=WATCHING) as source:
        for span in [*spans, *older][:QUESTIONS_MAX]:
            failure = _fetch(source, span).failure
            if failure:
                break
    _tell_of_age(last, failure)


def _fetch(source: PriceSource, span: Span) -> Fetched:
    first, last = span
    answer = source.ask(first, last)
    if isinstance(answer, Failed):
        log.warning("No prices of SOL: %s", answer.reason)
        return Fetched(pnl.prices.NOTHING, failure=answer.reason)
    around = range(first - AROUND_SECONDS, last + AROUND_SECONDS + 1, MINUTE_SECONDS)
    believed = without_jumps(answer.prices, pnl.queries.sol_prices(around))
    saved = pnl.prices.save_prices(believed.prices, source=source.name)
    contradicted = (
        f"minute {minute} has the price {micro_usd} micro-USD on record"
        for minute, micro_usd in saved.contradicted
    )
    refusals = (*answer.refusals, *believed.refusals, *contradicted)
    for refusal in refusals:
        log.warning("A price of SOL from %s is refused: %s", source.name, refusal)
    return Fetched(saved, refusals)


def _tell_of_age(last: int, failure: str) -> None:
    """An alarm stands while the newest price is old."""
    newest = pnl.queries.newest_price_minute()
    if newest is not None and last - newest.timestamp() < STALE_SECONDS:
        alarms.clear(STALE_ALARM)
        return
    since = "ever" if newest is None else f"since {newest:%Y-%m-%d %H:%M} UTC"
    alarms.sound(STALE_ALARM, f"No price of SOL {since}. {failure or 'The source had none.'}")
