"""The price client asks politely, tries again while it makes sense, and says why it has nothing."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ingest.decode.klines import Klines
from ingest.price_source import (
    Failed,
    Patience,
    PriceSource,
    jittered,
    problems_of,
    retry_after,
    times_of,
)
from tests.exchange import Answer, Exchange, open_exchange

START = 1_763_900_040
HASTY = Patience(total_s=3.0, attempt_s=0.3, first_wait_s=0.01, longest_wait_s=0.02)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """Nobody listens where the environment would have us ask."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with open_exchange() as opened:
        opened.prices = {START + 60 * place: f"15{place}.5" for place in range(5)}
        yield opened


def ask(exchange: Exchange, minutes: int = 5, patience: Patience = HASTY) -> Klines | Failed:
    with PriceSource(exchange.template, patience=patience) as source:
        return source.ask(START, START + 60 * (minutes - 1))


def reason(found: Klines | Failed) -> str:
    assert isinstance(found, Failed)
    return found.reason


def prices(found: Klines | Failed) -> dict[int, int]:
    assert isinstance(found, Klines)
    return found.prices


WHOLE = {START + 60 * place: 150_500_000 + place * 10**6 for place in range(5)}


def test_it_asks_from_the_first_moment_to_the_last_and_reads_every_minute(
    exchange: Exchange,
) -> None:
    assert prices(ask(exchange)) == WHOLE
    assert exchange.asked == [(START * 1000, (START + 300) * 1000 - 1)]


def test_the_times_are_there_in_seconds_and_in_milliseconds() -> None:
    assert times_of(START, START + 60) == {
        "start_seconds": START,
        "end_seconds": START + 119,
        "start_ms": START * 1000,
        "end_ms": (START + 120) * 1000 - 1,
    }


def test_an_answer_that_runs_backwards_or_has_gaps_is_read_as_it_is(exchange: Exchange) -> None:
    exchange.order = lambda klines: list(reversed(klines))
    del exchange.prices[START + 120]
    assert prices(ask(exchange)) == {m: p for m, p in WHOLE.items() if m != START + 120}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_it_tries_again_while_the_source_is_busy_or_broken(exchange: Exchange, status: int) -> None:
    exchange.answers = [Answer(status), Answer(status)]
    assert prices(ask(exchange)) == WHOLE
    assert len(exchange.asked) == 3


@pytest.mark.parametrize("as_date", [False, True])
def test_it_waits_as_long_as_it_is_asked_to(exchange: Exchange, as_date: bool) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    exchange.answers = [Answer(429, headers={"Retry-After": later if as_date else "1"})]
    assert prices(ask(exchange)) == WHOLE
    first, second = exchange.times
    assert second - first >= 0.9


def test_it_does_not_wait_longer_than_it_may(exchange: Exchange) -> None:
    exchange.answers = [Answer(429, headers={"Retry-After": "600"})]
    begun = time.monotonic()
    said = reason(ask(exchange))
    assert said == "127.0.0.1 answered 429 Too Many Requests and asks to wait 600 s (attempts: 1)"
    assert time.monotonic() - begun < 1


def test_it_gives_up_on_a_source_that_stays_broken(exchange: Exchange) -> None:
    exchange.answers = [Answer(500)] * 1000
    begun = time.monotonic()
    patience = HASTY._replace(total_s=0.5)
    assert reason(ask(exchange, patience=patience)).startswith("127.0.0.1 answered 500 Internal")
    assert time.monotonic() - begun < 1
    assert len(exchange.asked) > 3


@pytest.mark.parametrize("status", [400, 403, 404, 418, 451])
def test_a_plain_no_is_an_answer(exchange: Exchange, status: int) -> None:
    exchange.answers = [Answer(status)]
    assert reason(ask(exchange)).startswith(f"127.0.0.1 answered {status} ")
    assert len(exchange.asked) == 1


def test_it_does_not_follow_to_another_host(exchange: Exchange) -> None:
    with open_exchange() as other:
        other.prices = exchange.prices
        host, _, path = other.template.partition("/klines")
        location = f"{host}/klines{path.format_map(times_of(START, START + 240))}"
        exchange.answers = [Answer(302, headers={"Location": location})]
        assert reason(ask(exchange)).startswith("127.0.0.1 answered 302 Found")
        assert other.asked == []


def test_a_slow_answer_is_asked_for_again(exchange: Exchange) -> None:
    exchange.answers = [Answer(delay_s=0.6)]
    assert prices(ask(exchange)) == WHOLE
    assert len(exchange.asked) == 2


def test_an_answer_that_trickles_is_not_waited_for(exchange: Exchange) -> None:
    exchange.answers = [Answer(body=b" " * 200, drip_s=0.05)] * 100
    begun = time.monotonic()
    said = reason(ask(exchange, patience=HASTY._replace(total_s=1.0)))
    assert "in time" in said
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("body", [b"<html>", b"[[1", b'{"code":-1121}'])
def test_an_answer_that_is_no_klines_is_told_and_not_asked_for_again(
    exchange: Exchange, body: bytes
) -> None:
    exchange.answers = [Answer(body=body)]
    assert reason(ask(exchange)).startswith("127.0.0.1: the answer is no")
    assert len(exchange.asked) == 1


def test_an_answer_that_breaks_off_is_asked_for_again(exchange: Exchange) -> None:
    exchange.answers = [Answer(body=b"[", headers={"Content-Length": "99", "Connection": "close"})]
    assert prices(ask(exchange)) == WHOLE
    assert len(exchange.asked) == 2


def test_a_body_without_end_is_not_read_to_its_end(exchange: Exchange) -> None:
    exchange.answers = [Answer(body=b" " * (9 * 1024 * 1024))]
    patience = HASTY._replace(attempt_s=3.0)
    assert "answered more than 8388608 bytes" in reason(ask(exchange, patience=patience))


def test_nobody_at_home_is_told_apart() -> None:
    with PriceSource(
        "http://127.0.0.1:9/{start_ms}", patience=HASTY._replace(total_s=0.2)
    ) as source:
        assert reason(source.ask(START, START)).startswith("127.0.0.1 cannot be reached")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("https://prices.example/?from={start_ms}&to={end_ms}", None),
        ("http://prices.example/{start_seconds}/{end_seconds}", None),
        ("https://prices.example/?from={begin}", "{begin} is no placeholder; there are {start_sec"),
        ("https://prices.example/?from={start_ms", "it cannot be read: "),
        ("https://prices.example/?from={}", "{} is no placeholder"),
        ("ftp://prices.example/{start_ms}", "it is no http:// or https:// address"),
        ("/klines?from={start_ms}", "it is no http:// or https:// address"),
        ("https://prices.example/", "it does not say from when prices are asked"),
    ],
)
def test_a_url_that_cannot_be_asked_is_known_before(template: str, problem: str | None) -> None:
    found = problems_of(template)
    if problem is None:
        assert found == []
    else:
        assert any(each.startswith(problem) for each in found)


def test_waits_differ_and_stay_within_their_bounds() -> None:
    waits = {jittered(8.0) for _ in range(50)}
    assert len(waits) > 10
    assert all(4.0 <= wait <= 8.0 for wait in waits)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("3", 3), ("soon", 0), ("-1", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_a_wish_to_wait_that_means_nothing_is_none(header: str | None, seconds: int) -> None:
    assert retry_after(header) == seconds
