"""The API answers with exact figures, pages to the end, and says what was wrong with a question."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from ingest.models import Delivery
from leaderboard import queries
from pnl.engine.trades import Trade
from pnl.models import TraderKind
from pnl.operations import save_trader
from tests.flow.bodies import SOL, Chain, base58, mint, wallet
from tests.flow.shown import a_life, begin, leave_files_out, losers, refresh, show, trader

ANN = base58(wallet("ann"))
BOARD = "/api/v1/leaderboards/all/"
WALLET = f"/api/v1/wallets/{ANN}/"
USDC = mint("usdc")
NOWHERE = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _begun(db: None, settings: Settings) -> None:
    begin()
    leave_files_out(settings)


def pages(client: Client, path: str, name: str) -> list[dict[str, Any]]:
    """All lines of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(path + (f"&cursor={cursor}" if cursor else "")).json()
        found += answer[name]
        cursor = answer["next_cursor"]
    return found


def test_a_board_has_a_line_a_loser_with_money_in_both_units(client: Client) -> None:
    show(Chain("one").loss("ann", SOL // 4))
    response = client.get(BOARD)
    answer = response.json()
    assert response["Cache-Control"] == "public, max-age=5"
    assert response["Access-Control-Allow-Origin"] == "*"
    row = answer.pop("rows")[0]
    assert answer.pop("as_of").endswith("Z")
    assert answer == {
        "period": "all",
        "version": 1,
        "metric": "realized",
        "include": [],
        "next_cursor": None,
    }
    assert (row["rank"], row["address"], row["realized_lamports"]) == (1, ANN, "-250000000")
    assert (row["realized_sol"], row["roi_percent"]) == ("-0.250000000", "-20.00")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
def test_the_pages_of_a_board_have_everybody_once_and_in_order(client: Client, limit: int) -> None:
    expected = losers(7)
    rows = pages(client, f"{BOARD}?limit={limit}", "rows")
    assert [row["address"] for row in rows] == expected
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]


def test_the_first_page_goes_on_where_it_ends(client: Client) -> None:
    expected = losers(103)
    rows = pages(client, f"{BOARD}?limit=100", "rows")
    assert [row["address"] for row in rows] == expected
    assert client.get(BOARD).json()["next_cursor"]


def test_a_new_version_is_seen_at_once_although_pages_are_remembered(client: Client) -> None:
    show(Chain("one").loss("ann", SOL))
    assert len(client.get(BOARD).json()["rows"]) == 1
    remembered = queries.version_of("all")
    # As a refresh by another process: nobody clears the cache.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "clear", lambda: None)
        show(Chain("two").loss("bob", SOL))
    assert queries.version_of("all") > remembered
    assert len(client.get(BOARD).json()["rows"]) == 2


def test_bots_are_shown_to_those_who_ask(client: Client) -> None:
    show([*Chain("one").loss("ann", SOL), *Chain("two").loss("robot", 2 * SOL)])
    robot = trader("robot")
    robot.kind = TraderKind.BOT
    save_trader(robot)
    refresh()
    assert [row["address"] for row in client.get(BOARD).json()["rows"]] == [ANN]
    everyone = client.get(f"{BOARD}?include=bots").json()
    assert everyone["include"] == ["bots"]
    assert [row["flags"] for row in everyone["rows"]] == [["bot"], []]


def test_a_board_is_answered_without_redis(client: Client, settings: Settings) -> None:
    show(Chain("one").loss("ann", SOL))
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOWHERE}}
    assert [row["address"] for row in client.get(BOARD).json()["rows"]] == [ANN]


def test_a_rank_is_given_to_whoever_has_a_result(client: Client) -> None:
    first, second, *_ = losers(3)
    answer = client.get(f"{BOARD}rank/{second}/").json()
    assert (answer["rank"], answer["address"]) == (2, second)
    assert answer["realized_lamports"] == str(1 - SOL)
    assert client.get(f"/api/v1/leaderboards/24h/rank/{first}/").json()["rank"] == 1


def test_who_only_bought_and_who_is_a_bot_have_no_rank(client: Client) -> None:
    show([Chain("one").buy("ann", "coin", 5, SOL), *Chain("two").loss("robot", SOL)])
    robot = trader("robot")
    robot.kind = TraderKind.BOT
    save_trader(robot)
    refresh()
    bought = client.get(f"{BOARD}rank/{ANN}/").json()
    assert (bought["rank"], bought["realized_sol"]) == (None, None)
    gated = client.get(f"{BOARD}rank/{robot.address}/").json()
    assert (gated["rank"], gated["realized_sol"]) == (None, "-1.000000000")


def test_a_wallet_is_answered_whole(client: Client) -> None:
    show(a_life("ann"))
    answer = client.get(WALLET).json()
    totals = answer["totals"]
    assert (totals["realized_sol"], totals["gross_loss_sol"]) == ("-1.000000000", "-3.000000000")
    assert (totals["worst_sol"], totals["cost_sol"]) == ("-2.000000000", "6.000000000")
    assert (totals["volume_sol"], totals["roi_percent"]) == ("15.000000000", "-16.66")
    counted = ("trades", "buys", "sells", "positions", "open_positions", "closed_positions")
    assert [totals[name] for name in counted] == [7, 3, 4, 4, 1, 2]
    assert (totals["wins"], totals["losses"], totals["win_rate_percent"]) == (1, 1, "50.00")
    assert (totals["losing_streak"], totals["unmatched_sells"]) == (0, 1)
    assert totals["first_trade_at"] < totals["last_trade_at"]
    assert answer["flags"] == ["unmatched"]
    assert answer["explorers"]["solscan"].endswith(ANN)


def test_a_wallet_has_its_result_and_its_trades_in_every_period(client: Client) -> None:
    show(a_life("ann"))
    periods = client.get(WALLET).json()["periods"]
    assert [period["period"] for period in periods] == ["24h", "7d", "30d", "all"]
    assert [period["trades"] for period in periods] == [5, 5, 5, 7]
    assert [period["realized_sol"] for period in periods] == [*["1.000000000"] * 3, "-1.000000000"]
    assert [period["rank"] for period in periods] == [1, 1, 1, 1]


def test_trades_are_counted_where_there_is_no_result(client: Client) -> None:
    show([Chain("one").buy("ann", "coin", 5, SOL)])
    day, *_, ever = client.get(WALLET).json()["periods"]
    assert (day["trades"], day["realized_lamports"], day["rank"]) == (1, None, None)
    assert ever["trades"] == 1


def test_the_lists_of_a_wallet_come_newest_first(client: Client) -> None:
    show(a_life("ann"))
    answer = client.get(WALLET).json()
    assert [line["side"] for line in answer["trades"][:3]] == ["sell", "sell", "buy"]
    assert answer["trades"][0]["mint"] == base58(mint("gift"))
    gift, held, winner, lost = answer["positions"]
    assert (gift["unmatched_units"], gift["flags"], gift["open"]) == ("7", ["unmatched"], False)
    assert (held["units"], held["cost_sol"], held["open"]) == ("60", "3.000000000", True)
    assert (winner["realized_sol"], lost["realized_sol"]) == ("2.000000000", "-2.000000000")
    unseen, part, gain, loss = answer["realizations"]
    assert (unseen["matched_units"], unseen["realized_lamports"]) == ("0", "0")
    assert (part["closes"], gain["closes"], gain["hold_seconds"]) == (False, True, 10)
    assert (loss["trip_sol"], loss["realized_sol"]) == ("-2.000000000", "-2.000000000")


@pytest.mark.parametrize("name", ["positions", "realizations", "trades"])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_pages_of_a_list_have_every_line_once(client: Client, name: str, limit: int) -> None:
    chain = Chain("many")
    # All in one second, in three slots a time: the cursor has to tell them apart all the same.
    show(trade for _ in range(9) for trade in chain.loss("ann", SOL))
    whole = pages(client, f"{WALLET}{name}/?limit=500", name)
    assert len(whole) == (18 if name == "trades" else 9)
    assert pages(client, f"{WALLET}{name}/?limit={limit}", name) == whole


def test_a_trade_in_another_quote_is_shown_in_that_quote(client: Client) -> None:
    bought = Chain("one").buy("ann", "coin", 5, 3_517_192)._replace(quote_mint=USDC)
    show([bought])
    answer = client.get(WALLET).json()
    line = answer["trades"][0]
    assert (line["sol"], line["lamports"], line["quote_units"]) == (None, None, "3517192")
    assert line["quote_mint"] == base58(USDC)
    assert answer["flags"] == ["unpriced"]
    assert (answer["totals"]["trades"], answer["totals"]["unpriced"]) == (1, 1)


def test_the_status_tells_what_waits_and_how_far_the_boards_are(client: Client) -> None:
    show(Chain("one").loss("ann", SOL))
    Delivery.objects.create(body=b"[]", size_bytes=2)
    answer = client.get("/api/v1/status/").json()
    waiting, size = (answer["inbox"].pop(k) for k in ("oldest_pending_seconds", "size_bytes"))
    kept = {"archived_estimate": 0, "oldest_archived_day": None}
    assert answer["inbox"] == {"pending": 1, "set_aside": 0, **kept}
    assert 0 <= waiting < 60
    assert size > 0
    assert [board["period"] for board in answer["boards"]] == ["24h", "7d", "30d", "all"]
    assert all(board["version"] == 1 and board["refreshed_at"] for board in answer["boards"])


def test_every_answer_costs_a_bounded_number_of_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    chain = Chain("many")
    trades: list[Trade] = [t for _ in range(60) for t in chain.loss("ann", SOL)]
    show(trades)
    for path, most in ((BOARD, 4), (f"{BOARD}?limit=9", 3), (WALLET, 20), (f"{WALLET}trades/", 3)):
        with django_assert_max_num_queries(most):
            assert client.get(path).status_code == 200
