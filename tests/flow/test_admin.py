"""Staff label and hide wallets and run deliveries again; everything else they can only look at."""

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from ingest import archive
from ingest import operations as inbox
from ingest.models import Delivery, Enrichment
from leaderboard.models import Standing
from pnl import admin
from pnl.models import Position, Realization, SolPrice, Touched, Trade, Trader, TraderKind
from tests.flow.bodies import SOL, Chain, base58, body_of, wallet
from tests.flow.shown import a_life, begin, leave_files_out, refresh, show, trader

ANN = base58(wallet("ann"))
DELIVERIES = "/admin/ingest/delivery/"
TRADERS = "/admin/pnl/trader/"
LISTS = [
    TRADERS,
    DELIVERIES,
    "/admin/pnl/token/",
    "/admin/ingest/enrichment/",
    "/admin/ingest/archived/",
    "/admin/pnl/trade/",
    "/admin/pnl/position/",
    "/admin/pnl/realization/",
    "/admin/pnl/solprice/",
    "/admin/leaderboard/board/",
]


@pytest.fixture(autouse=True)
def _begun(db: None, settings: Settings) -> None:
    begin()
    SolPrice.objects.create(minute=datetime(2025, 11, 23, tzinfo=UTC), micro_usd=1, source="x")
    leave_files_out(settings)


def text(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def act(client: Client, path: str, action: str, *keys: object) -> str:
    """Choose rows of a list and an action; the page that follows."""
    chosen = {"action": action, "_selected_action": [str(key) for key in keys]}
    return text(client.post(path, chosen, follow=True))


def staff(*permissions: str) -> Client:
    """Somebody of the staff who may do only this."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def set_aside(error: str = "Boom: it broke\nsecond line") -> Delivery:
    body = body_of(Chain("one").loss("ann", SOL))
    return Delivery.objects.create(
        body=body,
        size_bytes=len(body),
        attempts=2,
        set_aside_at=datetime.now(UTC),
        error=error,
        traceback="Traceback: <here>",
    )


def test_the_staff_see_whose_house_this_is(admin_client: Client) -> None:
    assert "Pump Loss staff" in text(admin_client.get("/admin/"))


@pytest.mark.parametrize("path", LISTS)
def test_every_list_opens_and_every_row_too(admin_client: Client, path: str) -> None:
    show(a_life("ann"))
    inbox.accept(b"[]")
    inbox.process_pending()
    archive.archive(before=datetime.now(UTC) + timedelta(seconds=1))
    set_aside()
    Enrichment.objects.create(signature=base58(bytes(64)), reason="order_unknown")
    page = text(admin_client.get(path))
    assert "add/" not in page.replace("auth/user/add/", "").replace("auth/group/add/", "")
    model = next(
        m for m in site._registry if path == f"/admin/{m._meta.label_lower}/".replace(".", "/")
    )
    row = model._default_manager.first()
    assert row is not None
    assert "deletelink" not in text(admin_client.get(f"{path}{row.pk}/change/"))


@pytest.mark.parametrize("path", LISTS)
def test_no_list_counts_or_reads_a_whole_table(admin_client: Client, path: str) -> None:
    show(a_life("ann"))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        text(admin_client.get(path))
    statements = [query["sql"] for query in asked]
    counts = [sql for sql in statements if "COUNT(" in sql.upper()]
    assert all("LIMIT 10000" in sql for sql in counts), counts
    assert not [sql for sql in statements if '"body"' in sql]
    assert len(statements) < 10


def test_a_count_is_exact_until_it_hurts_and_an_estimate_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(a_life("ann"))
    trades = Trade.objects.order_by("-pk")
    assert admin.BoundedPaginator(trades, 50).count == 7
    monkeypatch.setattr(admin, "COUNTED_MAX", 5)
    assert admin.BoundedPaginator(trades, 50).count == 5
    assert admin.BoundedPaginator(trades.filter(side=1), 50).count == 4
    assert admin.BoundedPaginator(trades.filter(side=0), 50).count == 3
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 123456 WHERE relname = 'pnl_trade'")
    assert admin.BoundedPaginator(trades, 50).count == 123_456


@pytest.mark.parametrize("model", [Trade, Position, Realization])
def test_the_ledger_is_searched_by_whole_keys(admin_client: Client, model: Any) -> None:
    show([*a_life("ann"), *Chain("two").loss("bob", SOL)])
    path = f"/admin/pnl/{model._meta.model_name}/"
    found = model.objects.filter(trader__address=ANN).count()
    assert f"{found} {model._meta.verbose_name}" in text(admin_client.get(f"{path}?q={ANN}"))
    for nothing in (ANN[:20], base58(wallet("nobody")), "x' OR 1=1", "1" * 500):
        assert f"0 {model._meta.verbose_name}s" in text(admin_client.get(path, {"q": nothing}))


@pytest.mark.parametrize("model", [Trade, Realization])
def test_a_signature_finds_its_trade(admin_client: Client, model: Any) -> None:
    show(a_life("ann"))
    signature: Any = Realization.objects.values_list("trade__signature", flat=True).first()
    path = f"/admin/pnl/{model._meta.model_name}/?q={signature}"
    assert f"1 {model._meta.verbose_name}" in text(admin_client.get(path))


@pytest.mark.parametrize(("typed", "found"), [(ANN, True), ("WHALE", True), ("minnow", False)])
def test_a_wallet_is_found_by_address_or_label(
    admin_client: Client, typed: str, found: bool
) -> None:
    show([*Chain("one").loss("ann", SOL), *Chain("two").loss("bob", SOL)])
    Trader.objects.filter(address=ANN).update(label="a whale")
    page = text(admin_client.get(f"{TRADERS}?q={typed}"))
    assert (ANN in page, base58(wallet("bob")) in page) == (found, False)


def test_what_staff_say_of_a_wallet_reaches_the_boards(admin_client: Client) -> None:
    show(Chain("one").loss("ann", SOL))
    ann = trader("ann")
    said = {"label": "the whale", "kind": TraderKind.BOT.value, "watched": "on"}
    text(admin_client.post(f"{TRADERS}{ann.pk}/change/", said, follow=True))
    ann.refresh_from_db()
    assert (ann.label, ann.kind, ann.watched, ann.hidden) == ("the whale", "bot", True, False)
    assert Touched.objects.filter(trader_id=ann.pk).exists()
    refresh()
    standing = Standing.objects.get(period="all")
    assert (standing.label, standing.kind, standing.ranked) == ("the whale", "bot", False)


def test_wallets_are_hidden_and_shown_again_together(admin_client: Client) -> None:
    show([*Chain("one").loss("ann", SOL), *Chain("two").loss("bob", SOL)])
    both = [trader("ann").pk, trader("bob").pk]
    assert "hidden from every board and page: 2" in act(admin_client, TRADERS, "hide", *both)
    refresh()
    assert not Standing.objects.exists()
    assert admin_client.get(f"/wallets/{ANN}/").status_code == 404
    assert "shown again: 2" in act(admin_client, TRADERS, "unhide", *both)
    refresh()
    assert Standing.objects.filter(period="all").count() == 2
    history = text(admin_client.get(f"{TRADERS}{both[0]}/history/"))
    assert "Hidden." in history
    assert "Shown again." in history


def test_a_wallets_page_has_its_standings_and_ways_on(admin_client: Client) -> None:
    show(a_life("ann"))
    page = text(admin_client.get(f"{TRADERS}{trader('ann').pk}/change/"))
    assert f'href="/wallets/{ANN}/"' in page
    assert f'href="/admin/pnl/position/?q={ANN}"' in page
    assert 'href="/leaderboards/24h/"' in page
    assert "<td>1.000000000</td>" in page
    assert "<td>-1.000000000</td>" in page


def test_a_wallet_without_standings_says_so(admin_client: Client) -> None:
    show([Chain("one").buy("ann", "coin", 5, SOL)])
    page = text(admin_client.get(f"{TRADERS}{trader('ann').pk}/change/"))
    assert "On no board." in page


@pytest.mark.parametrize("path", LISTS)
def test_nobody_adds_or_removes_a_row(admin_client: Client, path: str) -> None:
    show(a_life("ann"))
    assert admin_client.get(f"{path}add/").status_code == 403
    assert admin_client.post(f"{path}1/delete/", {"post": "yes"}).status_code in (302, 403)
    assert "delete_selected" not in text(admin_client.get(path))
    assert Trade.objects.count() == 7


def test_a_trade_is_not_changed_by_a_form_that_was_not_offered(admin_client: Client) -> None:
    show(a_life("ann"))
    trade = Trade.objects.all()[:1].get()
    answer = admin_client.post(f"/admin/pnl/trade/{trade.pk}/change/", {"lamports": "1"})
    assert answer.status_code == 403
    assert Trade.objects.get(pk=trade.pk).lamports == trade.lamports


def test_whoever_may_only_look_is_offered_nothing_else() -> None:
    show(Chain("one").loss("ann", SOL))
    delivery, ann = set_aside(), trader("ann")
    client = staff("view_trader", "view_delivery")
    act(client, TRADERS, "hide", ann.pk)
    act(client, DELIVERIES, "process_again", delivery.pk)
    assert client.post(f"{TRADERS}{ann.pk}/change/", {"label": "mine"}).status_code == 403
    assert not Trader.objects.filter(hidden=True).exists()
    assert Delivery.objects.set_aside().exists()
    assert client.get("/admin/pnl/trade/").status_code == 403


def test_a_delivery_that_was_set_aside_is_processed_again(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(inbox, "wake", lambda: woken.append("inbox"))
    delivery = set_aside()
    page = act(admin_client, DELIVERIES, "process_again", delivery.pk)
    assert "Deliveries to be processed: 1" in page
    assert woken == ["inbox"]
    assert Delivery.objects.pending().count() == 1
    assert inbox.process_pending().booked == 2
    assert Trade.objects.count() == 2


def test_the_inbox_is_listed_by_state_with_the_first_line_of_the_error(
    admin_client: Client,
) -> None:
    set_aside()
    inbox.accept(body_of(Chain("two").loss("bob", SOL)))
    page = text(admin_client.get(f"{DELIVERIES}?state=set_aside"))
    assert "1 delivery" in page
    assert "Boom: it broke" in page
    assert "second line" not in page
    for state, count in (("pending", 1), ("processed", 0)):
        assert f"{count} deliver" in text(admin_client.get(f"{DELIVERIES}?state={state}"))


def test_a_delivery_shows_its_body_and_why_it_failed(admin_client: Client) -> None:
    delivery = set_aside()
    response = admin_client.get(f"{DELIVERIES}{delivery.pk}/change/")
    page = text(response)
    assert '      "blockTime": ' in page or '    "blockTime": ' in page
    assert "second line" in page
    assert b"Traceback: &lt;here&gt;" in response.content


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"not json <b>", "not json &lt;b&gt;"),
        (b"\xff\xfe", "�"),
        (b"[" * 100_000, "[[[["),
        (json.dumps(["x" * 300_000]).encode(), "more characters"),
        (b"[" + b" " * 5_000_000 + b"]", "more characters"),
    ],
)
def test_any_body_can_be_looked_at(admin_client: Client, body: bytes, shown: str) -> None:
    delivery = Delivery.objects.create(body=body, size_bytes=len(body))
    response = admin_client.get(f"{DELIVERIES}{delivery.pk}/change/")
    assert response.status_code == 200
    assert shown in response.content.decode()
    assert len(response.content) < 500_000
