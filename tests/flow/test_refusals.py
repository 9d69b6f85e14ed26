"""A question that cannot be answered is told what was wrong with it, in one form everywhere."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

import pnl.queries
from pnl.operations import set_traders_hidden
from tests.flow.bodies import SOL, Chain, base58, wallet
from tests.flow.shown import begin, leave_files_out, losers, refresh, show, trader

ANN = base58(wallet("ann"))
BOARD = "/api/v1/leaderboards/all/"
WALLET = f"/api/v1/wallets/{ANN}/"


@pytest.fixture(autouse=True)
def _begun(db: None, settings: Settings) -> None:
    begin()
    leave_files_out(settings)


def is_problem(response: Any, status: int, *words: str) -> dict[str, Any]:
    """The response is a problem that says these words."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Access-Control-Allow-Origin"] == "*"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["instance"] == response.wsgi_request.path
    assert problem["type"]
    assert problem["title"]
    assert all(word in problem["detail"] for word in words), problem["detail"]
    return problem


@pytest.mark.parametrize(
    "path", ["", "positions/", "realizations/", "trades/", "../../leaderboards/all/rank/{}/"]
)
def test_a_hidden_wallet_is_as_unknown_as_one_never_seen(client: Client, path: str) -> None:
    show(Chain("one").loss("ann", SOL))
    asked = (WALLET + path).format(ANN).replace(f"wallets/{ANN}/../../", "")
    assert client.get(asked).status_code == 200
    set_traders_hidden([trader("ann")], hidden=True)
    refresh()
    is_problem(client.get(asked), 404, "not seen trading")
    unknown = asked.replace(ANN, base58(wallet("nobody")))
    assert client.get(asked).json()["detail"] == client.get(unknown).json()["detail"]
    assert client.get(BOARD).json()["rows"] == []


@pytest.mark.parametrize(
    ("path", "parameter", "word"),
    [
        ("leaderboards/all/?metric=roi", "metric", "known here: realized"),
        ("leaderboards/all/?limit=0", "limit", "1"),
        ("leaderboards/all/?limit=501", "limit", "500"),
        ("leaderboards/all/?limit=x", "limit", "integer"),
        ("leaderboards/all/?limit=1&limit=2", "limit", "more than once"),
        ("leaderboards/all/?include=agents", "include", "known here: bots"),
        ("leaderboards/all/?offset=5", "offset", "metric, include, limit, cursor"),
        ("leaderboards/all/?cursor=bm90IG91cnM=", "cursor", "not given out"),
        ("leaderboards/all/?cursor=%E2%82%AC", "cursor", "not given out"),
        ("leaderboards/all/rank/{ann}/?limit=1", "limit", "known here: none"),
        ("wallets/{ann}/?full=1", "full", "known here: none"),
        ("wallets/{ann}/trades/?cursor=x", "cursor", "not given out"),
        ("wallets/abc/", "address", "32 to 44 characters, this has 3"),
        ("wallets/{ann}x/", "address", "44"),
        ("wallets/0{cut}/", "address", "not base58"),
        ("wallets/11111111111111111111111111111111111/", "address", "35 bytes"),
        ("leaderboards/all/rank/abc/", "address", "characters"),
        ("status/?x=1", "x", "known here: none"),
    ],
)
def test_a_question_that_is_wrong_is_told_which_part(
    client: Client, path: str, parameter: str, word: str
) -> None:
    show(Chain("one").loss("ann", SOL))
    response = client.get("/api/v1/" + path.format(ann=ANN, cut=ANN[1:]))
    assert is_problem(response, 400, word)["parameter"] == parameter


def test_a_cursor_is_good_for_its_own_question_only(client: Client) -> None:
    first, second, _ = losers(3)
    chain = Chain("more")
    show(trade for _ in range(2) for trade in chain.loss("loser 0", SOL))
    board = client.get(f"{BOARD}?limit=1").json()["next_cursor"]
    for path in ("24h/?limit=1", "all/?include=bots"):
        refused = client.get(f"/api/v1/leaderboards/{path}&cursor={board}")
        is_problem(refused, 400, "another period or another include")
    trades = client.get(f"/api/v1/wallets/{first}/trades/?limit=1").json()["next_cursor"]
    for path in (f"{first}/positions", f"{second}/trades"):
        is_problem(client.get(f"/api/v1/wallets/{path}/?cursor={trades}"), 400, "another list")


@pytest.mark.parametrize("path", ["leaderboards/3d/", "leaderboards/3d/rank/{ann}/"])
def test_an_unknown_period_is_told_the_four_there_are(client: Client, path: str) -> None:
    is_problem(client.get("/api/v1/" + path.format(ann=ANN)), 404, "24h, 7d, 30d, all")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/status/"])
def test_a_path_without_an_endpoint_is_a_problem_too(client: Client, path: str) -> None:
    is_problem(client.get(path), 404, path)


def test_a_path_without_its_slash_is_led_there(client: Client) -> None:
    response = client.get("/api/v1/leaderboards/all?limit=3")
    assert (response.status_code, response["Location"]) == (301, f"{BOARD}?limit=3")
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", [BOARD, WALLET, "/api/v1/status/"])
def test_nobody_writes_through_the_api(client: Client, path: str) -> None:
    for method in (client.post, client.put, client.patch, client.delete):
        refused = method(path)
        is_problem(refused, 405)
        assert refused["Allow"] == "GET, HEAD, OPTIONS"


def test_whatever_a_client_accepts_it_gets_json(client: Client) -> None:
    assert client.get(BOARD, headers={"accept": "text/html"})["Content-Type"] == "application/json"


def fails_with(patch: pytest.MonkeyPatch, error: Exception) -> Client:
    """A client of an API whose wallets cannot be read."""

    def fail(*_: object) -> None:
        raise error

    patch.setattr(pnl.queries, "totals_of", fail)
    return Client(raise_request_exception=False)


def test_an_error_of_ours_is_a_problem_that_gives_nothing_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(Chain("one").loss("ann", SOL))
    response = fails_with(monkeypatch, ZeroDivisionError("secret")).get(WALLET)
    assert "secret" not in is_problem(response, 500, "on our side")["detail"]


def test_a_database_that_is_away_is_a_reason_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    show(Chain("one").loss("ann", SOL))
    response = fails_with(monkeypatch, OperationalError("secret")).get(WALLET)
    assert "secret" not in is_problem(response, 503, "try again")["detail"]
    assert response["Retry-After"] == "5"
