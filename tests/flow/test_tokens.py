"""What the curve tells of tokens reaches the pages; a position runs through graduation as one."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import unescape
from itertools import permutations
from random import Random
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from ingest import operations as inbox
from ingest.models import Delivery
from pnl.engine.tokens import TokenEvent
from pnl.engine.trades import Trade
from pnl.models import Position, Realization, Token
from pnl.operations import book_trades
from pnl.tokens import record_tokens
from tests.flow.bodies import SOL, Chain, base58, mint, wallet
from tests.flow.running import RunningStack
from tests.flow.shown import begin, leave_files_out, show
from tests.flow.truth import Ask, answer, settle
from tests.unit.ingest.decode import building
from tests.unit.ingest.decode.building import Builder, Json

NAMES = (b"Grumpy Otter", b"GROTT", b"https://meta.example/1.json")
COIN = mint("graduate")
WHO = wallet("graduate")
POOL = mint("pool of the graduate")
WSOL = building.raw(building.WSOL)


def element(builder: Builder, number: int) -> Json:
    """The transaction in a slot and with a signature of its own."""
    told = builder.element(slot=building.SLOT + number, blockTime=building.BLOCK_TIME + number)
    told["transaction"]["signatures"] = [building.text(bytes([77, number]) * 32)]
    return told


def a_graduation() -> list[bytes]:
    """Creation with a buy, a sell of a part, completion, migration, the rest sold to the pool."""
    who: Any = {"mint": COIN, "user": WHO}
    born = building.create_event(NAMES, creator=WHO, mint=COIN)
    buy = building.curve_event(sol=3 * SOL, tokens=1_000, fee=0, **who)
    part = building.curve_event(sol=SOL, tokens=400, is_buy=False, **who)
    rest = building.pool_sell_event(
        base=600, quote=SOL, lp=0, protocol=0, creator=0, pool=POOL, user=WHO
    )
    moved = building.migration_event(COIN, POOL)
    steps = [
        Builder().curve(born, buy),
        Builder().curve(part),
        Builder().curve(building.complete_event(COIN)),
        Builder().curve(moved),
        Builder().pool(rest, COIN, WSOL, POOL, WHO),
    ]
    return [building.body(element(step, number)) for number, step in enumerate(steps)]


def test_a_position_runs_from_the_curve_into_the_pool(running_stack: RunningStack) -> None:
    for body in a_graduation():
        assert running_stack.post(body) == 200
    settle(running_stack)
    told = answer(running_stack, f"wallets/{base58(WHO)}/")
    (position,) = told["positions"]
    assert (position["open"], position["units"], position["closed_positions"]) == (False, "0", 1)
    assert position["realized_lamports"] == str(2 * SOL - 3 * SOL)
    assert (position["symbol"], position["token_name"]) == ("GROTT", "Grumpy Otter")
    assert position["graduated"] is True
    assert [trade["venue"] for trade in told["trades"]] == ["pump_swap", "pump", "pump"]
    assert {line["symbol"] for line in (*told["trades"], *told["realizations"])} == {"GROTT"}


@pytest.mark.parametrize("order", list(permutations(range(5)))[::17])
def test_it_is_one_position_whatever_arrives_first(ask: Ask, order: Sequence[int]) -> None:
    bodies = a_graduation()
    for at in (*order, *order):
        inbox.accept(bodies[at])
        inbox.process_pending()
    assert not Delivery.objects.exclude(processed_at__isnull=False).exists()
    position = Position.objects.select_related("token").get()
    assert (position.units, position.cost_lamports, position.closed) == (0, 0, 1)
    assert position.realized_lamports == -SOL
    sells = Realization.objects.order_by("slot").values_list("realized_lamports", flat=True)
    assert list(sells) == [SOL - 3 * SOL * 400 // 1000, SOL - 3 * SOL * 600 // 1000]
    token = position.token
    assert (token.name, token.symbol, token.creator) == ("Grumpy Otter", "GROTT", base58(WHO))
    assert token.pool == base58(POOL)
    moment = datetime.fromtimestamp(building.EVENT_TIME, UTC)
    assert {token.created_at, token.completed_at, token.migrated_at} == {moment}


def recorded(events: Iterable[TokenEvent], beside: Sequence[Trade] = ()) -> None:
    with transaction.atomic():
        record_tokens(list(events), beside=beside)
        book_trades(beside)


def recorded_elsewhere(batch: tuple[list[TokenEvent], list[Trade]]) -> None:
    """In a connection of this thread's own, which is given back."""
    try:
        recorded(*batch)
    finally:
        connections.close_all()


def some_events(dice: Random) -> list[TokenEvent]:
    """Of a few mints: creations of different times, completions, migrations."""
    events = []
    for _ in range(60):
        coin = mint(f"coin {dice.randrange(5)}")
        at = 1_790_000_000 + dice.randrange(4)
        creator, pool = wallet(f"creator {at}"), mint(f"pool {at}")
        events.append(
            dice.choice(
                (
                    TokenEvent(coin, f"name {at}", f"S{at}", "uri", creator, at),
                    TokenEvent(coin, completed_at=at),
                    TokenEvent(coin, migrated_at=at, pool=pool),
                )
            )
        )
    return events


def known() -> list[tuple[Any, ...]]:
    fields = [field.name for field in Token._meta.fields if field.name != "id"]
    return list(Token.objects.exclude(creator=None).order_by("mint").values_list(*fields))


def test_any_order_of_any_batches_tells_the_same_of_tokens(ask: Ask) -> None:
    events = some_events(Random(1))
    recorded(events)
    expected = known()
    assert expected
    for seed in range(3):
        Token.objects.all().delete()
        begin()
        shuffled = events * 2
        Random(seed).shuffle(shuffled)
        for at in range(0, len(shuffled), 9):
            recorded(shuffled[at : at + 9])
        assert known() == expected


def test_concurrent_bookings_with_new_tokens_never_wait_for_each_other(ask: Ask) -> None:
    """Tokens of the one are traded by the other, and the other way round, all of them new."""
    dice = Random(3)
    batches = []
    for number in range(24):
        trades = Chain(f"beside {number}").at_random(dice, 12)
        trades = [t._replace(mint=mint(f"coin {dice.randrange(9)}")) for t in trades]
        told = [TokenEvent(mint(f"coin {dice.randrange(9)}"), completed_at=5) for _ in range(3)]
        batches.append((told, trades))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(recorded_elsewhere, batches))
    assert Token.objects.exclude(completed_at=None).count() >= 5


@pytest.fixture
def shown(db: None, settings: Settings) -> None:
    begin()
    leave_files_out(settings)


def test_a_hostile_symbol_is_text_and_never_markup(shown: None, client: Client) -> None:
    show(Chain("one").loss("ann", SOL))
    coin = building.raw(str(Token.objects.values_list("mint", flat=True).get()))
    evil = "<script>alert(1)</script>"
    recorded([TokenEvent(coin, f'"{evil}', evil, evil, WHO, 1), TokenEvent(coin, completed_at=2)])
    response = client.get(f"/wallets/{base58(wallet('ann'))}/")
    assert response.status_code == 200
    assert b"<script>alert" not in response.content
    page = unescape(response.content.decode())
    assert page.count(f">{evil}</bdi>") == 4  # a position, a sell, two trades
    assert page.count('class="graduated"') == 4
    answered = client.get(f"/api/v1/wallets/{base58(wallet('ann'))}/positions/").json()
    assert answered["positions"][0]["symbol"] == evil


def test_a_token_without_a_name_is_shown_by_its_mint(shown: None, client: Client) -> None:
    show(Chain("one").loss("ann", SOL))
    page = client.get(f"/wallets/{base58(wallet('ann'))}/").content.decode()
    assert 'class="ticker"' not in page
    assert 'class="graduated"' not in page
    answered = client.get(f"/api/v1/wallets/{base58(wallet('ann'))}/trades/").json()
    line = answered["trades"][0]
    assert (line["symbol"], line["token_name"], line["graduated"]) == (None, None, False)


def test_staff_find_a_token_by_mint_or_symbol(shown: None, admin_client: Client) -> None:
    coins = [mint(f"coin {number}") for number in range(3)]
    recorded(TokenEvent(coin, "Otter", f"Ott{at}", "", WHO, 1) for at, coin in enumerate(coins))
    for term, found in ((base58(coins[1]), 1), ("oTT2", 1), ("ott", 0), ("", 3), ("x' OR 1=1", 0)):
        page = admin_client.get("/admin/pnl/token/", {"q": term}).content.decode()
        assert f"{found} token" in page, term
