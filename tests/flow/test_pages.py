"""The pages show what the API answers, lead anywhere from anywhere, and say what is wrong."""

from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from ingest.models import Delivery
from leaderboard import queries, wallets
from pnl.models import TraderKind
from pnl.operations import save_trader, set_traders_hidden
from pumploss import health
from tests.flow.bodies import SOL, Chain, base58, wallet
from tests.flow.shown import a_life, begin, leave_files_out, losers, refresh, show, trader

ANN = base58(wallet("ann"))
NOWHERE = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _begun(db: None, settings: Settings) -> None:
    begin()
    leave_files_out(settings)


def text(response: Any) -> str:
    return unescape(response.content.decode())


@pytest.mark.parametrize("path", ["/", *(f"/leaderboards/{p}/" for p in ("24h", "7d", "30d"))])
def test_a_board_shows_who_lost_most(client: Client, path: str) -> None:
    expected = losers(3)
    response = client.get(path)
    page = text(response)
    assert response["Cache-Control"] == "public, max-age=5"
    places = [page.index(f'data-address="{address}"') for address in expected]
    assert places == sorted(places)
    assert "-0.999999998 SOL" in page


@pytest.mark.parametrize("period", ["24h", "7d", "30d", "all"])
def test_every_board_opens_with_nothing_on_it(client: Client, period: str) -> None:
    assert "No closed result" in text(client.get(f"/leaderboards/{period}/"))


def test_the_periods_keep_whom_the_reader_wants_to_see(client: Client) -> None:
    plain, with_bots = text(client.get("/")), text(client.get("/?include=bots"))
    assert 'href="/leaderboards/24h/" aria-current="page"' in plain
    assert 'href="/leaderboards/7d/"' in plain
    assert 'href="/leaderboards/24h/?include=bots"' in plain
    assert 'href="/leaderboards/7d/?include=bots"' in with_bots


def test_bots_are_on_the_page_of_those_who_want_them(client: Client) -> None:
    show(Chain("one").loss("robot", SOL))
    robot = trader("robot")
    robot.kind = TraderKind.BOT
    save_trader(robot)
    refresh()
    assert robot.address not in text(client.get("/"))
    assert f'data-address="{robot.address}"' in text(client.get("/?include=bots"))


def test_a_page_is_remembered_for_one_version_only(client: Client) -> None:
    losers(1)
    assert text(client.get("/")).count("data-address=") == 2  # one of them is the template row
    before = queries.version_of("24h")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "clear", lambda: None)
        losers(2)
        show(Chain("two").loss("somebody else", SOL))
    assert queries.version_of("24h") > before
    assert text(client.get("/")).count("data-address=") > 2


def test_what_stands_behind_the_question_mark_is_shown_to_nobody_else(client: Client) -> None:
    losers(1)
    assert "from=me" in text(client.get("/?from=me"))
    assert "from=me" not in text(client.get("/"))


def test_the_boards_open_without_redis(client: Client, settings: Settings) -> None:
    (address,) = losers(1)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOWHERE}}
    assert address in text(client.get("/"))


def test_an_unknown_board_is_told_the_four_there_are(client: Client) -> None:
    response = client.get("/leaderboards/3d/")
    assert response.status_code == 404
    assert "24h, 7d, 30d, all" in text(response)


def test_a_wallet_has_its_page(client: Client) -> None:
    show(a_life("ann"))
    page = text(client.get(f"/wallets/{ANN}/"))
    answer = client.get(f"/api/v1/wallets/{ANN}/").json()
    for trade in answer["trades"]:
        assert trade["solscan_url"] in page
    for position in answer["positions"]:
        assert position["pump_fun_url"] in page
        assert f"{position['realized_sol']} SOL" in page
    assert f"{answer['totals']['realized_sol']} SOL" in page


def test_a_label_is_text_and_never_markup(client: Client) -> None:
    show(Chain("one").loss("ann", SOL))
    ann = trader("ann")
    ann.label = "<script>alert(1)</script>"
    save_trader(ann)
    refresh()
    for path in ("/", f"/wallets/{ANN}/"):
        assert b"<script>alert" not in client.get(path).content


@pytest.mark.parametrize("address", ["nobody", "ann"])
def test_an_unknown_and_a_hidden_wallet_were_not_seen(client: Client, address: str) -> None:
    show(Chain("one").loss("ann", SOL))
    set_traders_hidden([trader("ann")], hidden=True)
    response = client.get(f"/wallets/{base58(wallet(address))}/")
    assert response.status_code == 404
    assert "not seen trading" in text(response)


@pytest.mark.parametrize("path", ["/wallets/abc/", "/wallets/?address=abc", "/wallets/"])
def test_what_is_no_address_is_told_why(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert "An address has 32 to 44 characters" in text(response)


@pytest.mark.parametrize("typed", [ANN, f"%20{ANN}%20"])
def test_a_search_leads_to_the_wallet(client: Client, typed: str) -> None:
    response = client.get(f"/wallets/?address={typed}")
    assert (response.status_code, response["Location"]) == (302, f"/wallets/{ANN}/")


def test_what_was_typed_is_text_and_never_markup(client: Client) -> None:
    response = client.get("/wallets/?address=%3Cscript%3E11111111111111111111111111111111")
    assert response.status_code == 400
    assert b"<script>1" not in response.content


def test_a_page_that_fails_says_so_in_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    show(Chain("one").loss("ann", SOL))
    careless = Client(raise_request_exception=False)
    for error, status in ((ZeroDivisionError("secret"), 500), (OperationalError("secret"), 503)):

        def fail(_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(wallets, "wallet", fail)
        response = careless.get(f"/wallets/{ANN}/")
        assert response.status_code == status
        assert response["Content-Type"].startswith("text/html")
        assert "secret" not in text(response)


@pytest.mark.parametrize("path", ["/", "/leaderboards/7d/", f"/wallets/{ANN}/"])
def test_a_host_that_is_not_ours_is_refused_with_a_page(client: Client, path: str) -> None:
    response = client.get(path, headers={"host": "elsewhere.example"})
    assert response.status_code == 400
    assert "<!doctype html>" in text(response).lower()


def test_a_client_that_asks_for_an_icon_by_its_old_name_gets_the_mark(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert (response.status_code, response["Location"]) == (302, "/static/pumploss/mark.svg")


def test_a_path_that_leads_nowhere_is_a_page(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "/leaderboards/24h/" in text(response)


def test_a_live_process_says_so_without_asking_anybody(
    client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok"


def test_a_site_with_everything_is_ready(client: Client) -> None:
    answer = {"status": "ready", "database": "ok", "redis": "ok", "migrations": "ok", "failed": []}
    assert client.get("/readyz").json() == answer


def test_a_site_without_redis_is_degraded_and_ready(client: Client, settings: Settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOWHERE}}
    response = client.get("/readyz")
    assert response.status_code == 200
    assert (response.json()["status"], response.json()["failed"]) == ("degraded", ["redis"])


def test_a_site_without_its_database_is_not_ready(client: Client) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("secret")

    with connection.execute_wrapper(fail):
        response = client.get("/readyz")
        metrics = text(client.get("/metrics"))
    assert response.status_code == 503
    assert response.json()["failed"] == ["database", "migrations"]
    assert b"secret" not in response.content
    assert "pumploss_database_up 0" in metrics


def test_a_site_with_an_old_schema_is_not_ready(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("leaderboard", "0003_standing_order")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"] == "1 not applied"


def test_the_metrics_have_the_inbox_the_boards_and_the_tables(client: Client) -> None:
    losers(2)
    Delivery.objects.create(body=b"[]", size_bytes=2)
    response = client.get("/metrics")
    lines = text(response).splitlines()
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "pumploss_inbox_pending 1" in lines
    assert "pumploss_inbox_set_aside 0" in lines
    assert 'pumploss_board_version{period="24h"} 1' in lines
    assert sum(line.startswith("pumploss_rows_estimate{") for line in lines) == len(
        health.ESTIMATED
    )
    described = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {line.partition("{")[0].split()[0] for line in lines if line[0] != "#"} == described
