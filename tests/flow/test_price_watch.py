"""The price watch asks for what is missing or waited for, and believes what it can."""

import time
from collections.abc import Callable, Iterator
from random import Random

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from ingest import pricing, tasks
from ingest.price_source import Patience
from pnl import alarms, queries
from pnl.engine.pricing import USDC_BYTES, last_ended
from pnl.models import Alarm
from pnl.prices import save_prices
from pumploss.celery import ERRANDS_QUEUE, app
from pumploss.checks import price_source_url
from tests.exchange import Answer, Exchange, open_exchange
from tests.flow.bodies import Chain
from tests.flow.shown import begin, show

HOUR = 3600
DAY = 24 * HOUR
HASTY = Patience(total_s=0.3, attempt_s=0.3, first_wait_s=0.01)

Fetch = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def exchange(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """A source that knows the last three days, and a site that asks it."""
    begin()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pricing, "WATCHING", HASTY)
    monkeypatch.setattr(pricing, "INSISTING", HASTY)
    with open_exchange() as opened:
        settings.SOL_PRICE_URL = opened.template
        last = last_ended(int(time.time()))
        opened.prices = dict.fromkeys(range(last - 3 * DAY, last + 300, 60), "150.00")
        yield opened


@pytest.fixture
def fetch(capsys: pytest.CaptureFixture[str]) -> Fetch:
    """The command as it is run by hand: its exit code, what it said, and what it refused."""

    def run(*options: str) -> tuple[int, str, list[str]]:
        code = 0
        try:
            call_command("fetch_sol_prices", *options)
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.splitlines()

    return run


def last() -> int:
    return last_ended(int(time.time()))


def test_the_newest_minutes_are_asked_for_in_one_question(exchange: Exchange) -> None:
    pricing.watch()
    assert len(exchange.asked) == 1
    newest = queries.newest_price_minute()
    assert newest is not None
    assert last() - newest.timestamp() <= 60
    assert queries.missing_minutes(last() - 118 * 60, int(newest.timestamp())) == []


def test_nothing_is_asked_again_and_nothing_before_its_minute_has_ended(
    exchange: Exchange,
) -> None:
    pricing.watch()
    pricing.watch()
    # A minute may have ended in between.
    assert len(exchange.asked) <= 2
    assert queries.sol_prices([last() + 120]) == {}


def test_minutes_that_trades_wait_for_are_asked_for_however_old(exchange: Exchange) -> None:
    chain = Chain("old", last() - 2 * DAY)
    ages = (2 * DAY, 2 * DAY - 60, DAY, 30 * HOUR)
    bought = [chain.buy("ann", "A", 5, 10**6, last() - age) for age in ages]
    show(trade._replace(quote_mint=USDC_BYTES) for trade in bought)
    pricing.watch()
    assert queries.waiting_minutes(limit=9) == []
    assert queries.trades_waiting() == 0
    assert len(exchange.asked) <= 4


def test_a_gap_of_the_source_stays_a_gap_and_stops_nobody(exchange: Exchange) -> None:
    gap = last() - 10 * 60
    del exchange.prices[gap]
    chain = Chain("gap", gap)
    bought = [chain.buy("ann", "A", 5, 10**6, at) for at in (gap, gap + 60)]
    show(trade._replace(quote_mint=USDC_BYTES) for trade in bought)
    for _ in range(3):
        pricing.watch()
    assert queries.missing_minutes(gap - 60, gap + 60) == [gap]
    assert queries.waiting_minutes(limit=9) == [gap]


def test_prices_come_in_any_order_and_a_wrong_one_costs_itself(exchange: Exchange) -> None:
    exchange.order = lambda klines: Random(3).sample(klines, len(klines))
    absurd, broken = last() - 20 * 60, last() - 30 * 60
    exchange.prices |= {absurd: "15000.00", broken: "free"}
    pricing.watch()
    assert queries.missing_minutes(last() - 100 * 60, last() - 60) == [broken, absurd]


def test_a_price_on_record_is_not_changed_by_what_the_source_says_now(
    exchange: Exchange, fetch: Fetch
) -> None:
    until = last() - HOUR
    save_prices({until - 60: 149_000_000}, source="a test")
    code, said, refused = fetch("--from", str(until - 120), "--to", str(until))
    assert (code, said) == (1, "2 new, 1 refused, 0 missing; 0 trades priced.")
    assert refused == [f"minute {until - 60} has the price 149000000 micro-USD on record"]
    assert queries.sol_prices([until - 60]) == {until - 60: 149_000_000}


def test_a_source_that_fails_is_asked_again_next_time(exchange: Exchange) -> None:
    exchange.answers = [Answer(418)]
    pricing.watch()
    assert queries.newest_price_minute() is None
    (alarm,) = alarms.standing()
    assert alarm.kind == pricing.STALE_ALARM
    assert "No price of SOL ever. 127.0.0.1 answered 418" in alarm.detail
    pricing.watch()
    assert queries.newest_price_minute() is not None
    assert not Alarm.objects.exists()


def test_a_short_silence_of_the_source_is_no_alarm(exchange: Exchange) -> None:
    exchange.prices = {at: usd for at, usd in exchange.prices.items() if at < last() - 5 * 60}
    pricing.watch()
    exchange.answers = [Answer(500)] * 100
    pricing.watch()
    assert len(exchange.asked) > 2
    assert not Alarm.objects.exists()


def test_without_a_source_nobody_is_asked_and_nothing_is_missed(
    exchange: Exchange, settings: Settings
) -> None:
    alarms.sound(pricing.STALE_ALARM, "while there still was a source")
    settings.SOL_PRICE_URL = ""
    pricing.watch()
    assert exchange.asked == []
    assert not Alarm.objects.exists()


def test_the_watch_is_an_errand_that_neither_inbox_nor_boards_wait_for(
    exchange: Exchange,
) -> None:
    name = tasks.watch_sol_price.name
    assert app.amqp.router.route({}, name)["queue"].name == ERRANDS_QUEUE
    assert any(entry["task"] == name for entry in app.conf.beat_schedule.values())
    tasks.watch_sol_price()
    assert len(exchange.asked) == 1


def test_a_range_is_fetched_question_by_question_and_only_where_it_is_missing(
    exchange: Exchange, fetch: Fetch
) -> None:
    until = last() - HOUR
    since = until - 1200 * 60
    code, said, refused = fetch("--from", str(since), "--to", str(until))
    assert (code, said, refused) == (0, "1201 new, 0 refused, 0 missing; 0 trades priced.", [])
    assert len(exchange.asked) == 3
    code, said, _ = fetch("--from", str(since), "--to", str(until))
    assert (code, said) == (0, "0 new, 0 refused, 0 missing; 0 trades priced.")
    assert len(exchange.asked) == 3


def test_a_day_is_fetched_when_nothing_is_said(exchange: Exchange, fetch: Fetch) -> None:
    code, said, _ = fetch()
    assert code == 0
    assert said.startswith("1441 new, 0 refused, 0 missing")


def test_what_is_refused_or_missing_is_told_by_the_exit_code(
    exchange: Exchange, fetch: Fetch
) -> None:
    until = last() - HOUR
    exchange.prices[until - 120] = "0"
    del exchange.prices[until - 180]
    code, said, refused = fetch("--from", str(until - 600), "--to", str(until))
    assert code == 1
    assert said == "9 new, 1 refused, 2 missing; 0 trades priced."
    assert len(refused) == 1
    assert "is no price: it is not above zero" in refused[0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--from", "soon"], "--from is 'soon', Unix seconds or ISO 8601 expected"),
        (["--to", "2025-01-31T12:30:00"], "--to is '2025-01-31T12:30:00', UTC expected"),
        (["--from", "2000000060", "--to", "2000000000"], "--from is later than --to"),
    ],
)
def test_a_time_that_is_none_is_refused(
    exchange: Exchange, fetch: Fetch, options: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason) as refused:
        fetch(*options)
    assert refused.value.returncode == 2
    assert exchange.asked == []


def test_a_range_ends_where_the_source_fails_and_keeps_what_it_has(
    exchange: Exchange, fetch: Fetch
) -> None:
    until = last() - HOUR
    first = Answer(body=exchange.klines((until - 600 * 60) * 1000, (until - 590 * 60) * 1000))
    exchange.answers = [first, Answer(403)]
    with pytest.raises(CommandError, match=r"127\.0\.0\.1 answered 403") as refused:
        fetch("--from", str(until - 600 * 60), "--to", str(until))
    assert refused.value.returncode == 2
    assert len(queries.sol_prices(range(until - 600 * 60, until, 60))) == 11


def test_without_a_source_the_command_says_what_is_missing(
    db: None, settings: Settings, fetch: Fetch
) -> None:
    settings.SOL_PRICE_URL = ""
    with pytest.raises(CommandError, match="SOL_PRICE_URL is not set") as refused:
        fetch()
    assert refused.value.returncode == 2


def test_a_source_that_cannot_be_asked_is_found_before_the_start(settings: Settings) -> None:
    settings.SOL_PRICE_URL = "prices.example/?from={begin}"
    assert {problem.id for problem in price_source_url()} == {"pumploss.E003"}
    settings.SOL_PRICE_URL = "https://prices.example/?from={start_ms}"
    assert price_source_url() == []
    settings.SOL_PRICE_URL = ""
    assert price_source_url() == []
