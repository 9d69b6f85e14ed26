"""Prices of SOL are read minute by minute, none is made up in between, and dollars follow them."""

import time
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from pnl import queries
from pnl.engine.pricing import USDC, USDC_BYTES, minute_of
from pnl.engine.trades import Trade
from pnl.models import SolPrice
from tests.flow.bodies import SOL, Chain, base58, mint, wallet
from tests.flow.shown import begin, leave_files_out, show

MINUTE = 60
NOON = 1_763_899_200
LONG_AGO = 600
ANN = base58(wallet("ann"))
WALLET = f"/api/v1/wallets/{ANN}/"


@pytest.fixture(autouse=True)
def _begun(db: None, settings: Settings) -> None:
    begin()
    leave_files_out(settings)


def on_record(prices: dict[int, int]) -> None:
    SolPrice.objects.bulk_create(
        SolPrice(minute=datetime.fromtimestamp(minute, UTC), micro_usd=micro_usd, source="a test")
        for minute, micro_usd in prices.items()
    )


def in_quote(trade: Trade, quote: bytes = USDC_BYTES) -> Trade:
    return trade._replace(quote_mint=quote)


def test_a_minute_has_its_price_or_none() -> None:
    on_record({NOON: 150, NOON + 120: 152})
    assert queries.sol_prices([NOON, NOON + 60, NOON + 120]) == {NOON: 150, NOON + 120: 152}
    assert queries.sol_prices([]) == {}


def test_the_minutes_without_a_price_are_listed_between_any_two() -> None:
    on_record({NOON: 150, NOON + 120: 152})
    assert queries.missing_minutes(NOON - 60, NOON + 190) == [NOON - 60, NOON + 60, NOON + 180]
    assert queries.missing_minutes(NOON, NOON) == []
    assert queries.missing_minutes(NOON + 60, NOON) == []


def test_the_newest_minute_with_a_price_is_known() -> None:
    assert queries.newest_price_minute() is None
    on_record({NOON: 150, NOON - 60: 152})
    assert queries.newest_price_minute() == datetime.fromtimestamp(NOON, UTC)


@pytest.mark.parametrize(
    ("seconds", "microseconds", "micro_usd"),
    [(0, 0, 0), (0, 0, -1), (1, 0, 150), (0, 1, 150), (59, 999_999, 150)],
)
def test_the_database_refuses_what_is_no_price_of_a_minute(
    seconds: int, microseconds: int, micro_usd: int
) -> None:
    moment = datetime.fromtimestamp(NOON, UTC)
    moment += timedelta(seconds=seconds, microseconds=microseconds)
    with pytest.raises(IntegrityError, match="sol_price_"), transaction.atomic():
        SolPrice.objects.create(minute=moment, micro_usd=micro_usd, source="a test")


def test_a_minute_is_whole_in_utc_wherever_the_connection_is() -> None:
    with connection.cursor() as cursor:
        # Half a minute off, until 1972.
        cursor.execute("SET LOCAL TIME ZONE 'Africa/Monrovia'")
        cursor.execute(
            "INSERT INTO pnl_solprice (minute, micro_usd, source) "
            "VALUES (to_timestamp(%s), 1, 'a test')",
            [LONG_AGO],
        )
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    assert queries.sol_prices([LONG_AGO]) == {LONG_AGO: 1}


def test_the_minutes_in_which_dollars_wait_are_found_one_after_the_other() -> None:
    chain = Chain("waiting", NOON)
    waiting = [in_quote(chain.buy("ann", "A", 5, 10**6, NOON + at)) for at in (0, 59, 60, 200)]
    other = in_quote(chain.buy("ann", "A", 5, 10**6, NOON + 300), mint("another coin"))
    show([*waiting, other, chain.buy("ann", "A", 5, SOL, NOON + 400)])
    assert queries.waiting_minutes(limit=9) == [NOON, NOON + 60, NOON + 180]
    assert queries.waiting_minutes(limit=2) == [NOON, NOON + 60]
    assert queries.waiting_minutes(after=NOON + 61, limit=9) == [NOON + 180]
    assert queries.waiting_minutes(after=NOON + 300, limit=9) == []
    assert queries.trades_waiting() == 4


def test_nothing_waits_where_nobody_paid_in_dollars() -> None:
    show(Chain("one").loss("ann", SOL))
    assert queries.waiting_minutes(limit=9) == []
    assert queries.trades_waiting() == 0


def test_many_that_wait_are_counted_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain("many")
    show(in_quote(chain.buy("ann", "A", 5, 10**6)) for _ in range(5))
    monkeypatch.setattr(queries, "WAITING_COUNTED_MAX", 3)
    assert queries.trades_waiting() == 3


def test_those_that_wait_are_found_by_an_index_of_their_own() -> None:
    chain = Chain("many", NOON, step=1)
    paid = [in_quote(chain.buy("ann", "A", 5, 10**6)) for _ in range(400)]
    show([paid[0], *(trade._replace(priced_lamports=7) for trade in paid[1:])])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SELECT id FROM pnl_token WHERE mint = %s", [USDC_BYTES])
        (quote,) = cursor.fetchone()
        named = {"quote": quote, "after": 0, "limit": 9}
        cursor.execute(f"EXPLAIN {queries.WAITING_MINUTES}", named)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "trade_unpriced" in plan
    assert "trade_quoted" not in plan


def a_round_trip(at: int) -> list[Trade]:
    """A loss of a quarter SOL: bought in the minute of `at`, sold in the next one."""
    chain = Chain("dollars", at)
    bought = chain.buy("ann", "A", 10, SOL, at + 3)
    return [bought, chain.sell("ann", "A", 10, SOL - SOL // 4, at + MINUTE)]


def test_a_wallet_has_its_dollars_at_the_price_of_each_trades_own_minute(client: Client) -> None:
    on_record({NOON: 150_000_000, NOON + 60: 151_234_567})
    show(a_round_trip(NOON))
    answer = client.get(WALLET).json()
    sold, bought = answer["trades"]
    assert (bought["value_usd"], sold["value_usd"]) == ("150.000000", "113.425925")
    (sell,) = answer["realizations"]
    assert (sell["realized_lamports"], sell["realized_usd"]) == ("-250000000", "-37.808641")
    for name in ("trades", "realizations"):
        assert client.get(f"{WALLET}{name}/").json()[name] == answer[name]


def test_a_minute_without_a_price_has_no_dollars_and_says_so(client: Client) -> None:
    on_record({NOON: 150_000_000, NOON + 120: 150_000_000})
    show(a_round_trip(NOON))
    answer = client.get(WALLET).json()
    assert [trade["value_usd"] for trade in answer["trades"]] == [None, "150.000000"]
    assert [sell["realized_usd"] for sell in answer["realizations"]] == [None]
    page = unescape(client.get(f"/wallets/{ANN}/").content.decode())
    assert page.count(">no price<") == 2
    assert ">$150.00<" in page


def test_dollars_that_were_paid_are_shown_as_they_are(client: Client) -> None:
    bought = in_quote(Chain("one").buy("ann", "A", 5, 3_517_192))
    other = in_quote(Chain("two").buy("ann", "B", 5, 3_517_192), mint("another coin"))
    show([bought, other])
    values = {line["quote_mint"]: line["value_usd"] for line in client.get(WALLET).json()["trades"]}
    assert values == {USDC: "3.517192", base58(mint("another coin")): None}


def test_the_page_shows_the_dollars_of_the_api(client: Client) -> None:
    on_record({NOON: 150_000_000, NOON + 60: 151_234_567})
    show(a_round_trip(NOON))
    page = unescape(client.get(f"/wallets/{ANN}/").content.decode())
    assert 'title="-37.808641 USD">\N{MINUS SIGN}$37.80<' in page
    assert 'title="113.425925 USD">$113.42<' in page


def test_the_status_and_the_metrics_tell_how_old_prices_are_and_what_waits(client: Client) -> None:
    def told() -> tuple[Any, list[str]]:
        lines = client.get("/metrics").content.decode().splitlines()
        shown = [line for line in lines if "_price" in line or "unpriced" in line]
        return client.get("/api/v1/status/").json()["prices"], [x for x in shown if x[0] != "#"]

    assert told() == (
        {"newest_minute": None, "trades_waiting": 0},
        ["pumploss_trades_unpriced 0"],
    )
    now = minute_of(int(time.time()))
    on_record({now: 150_000_000})
    show([in_quote(Chain("one").buy("ann", "A", 5, 10**6))])
    minute = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told() == (
        {"newest_minute": minute, "trades_waiting": 1},
        [f"pumploss_sol_price_timestamp_seconds {now}", "pumploss_trades_unpriced 1"],
    )
