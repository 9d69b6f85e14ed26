"""Traps of the source that the way into the ledger must not fall into, by their numbers.

Those that the decoder meets alone stand in tests/unit/ingest/decode/test_traps.py. 25, wrapped SOL
counted twice in an enhanced payload, stands in test_enhanced.py beside that file; 26, a webhook
that was disabled, in test_webhook_watchdog.py beside this one.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest
import requests
from django.utils import timezone

from ingest import operations as inbox
from ingest.bodies import packed
from ingest.models import Delivery
from leaderboard import operations as boards
from leaderboard import queries
from pnl.engine.agents import MAYHEM_AGENT_BYTES
from pnl.engine.trades import Trade
from pnl.models import Position, Realization
from pnl.models import Trade as TradeRow
from tests.flow.bodies import SOL, Chain, base58, body_of, elements_of, wallet
from tests.flow.running import RunningStack
from tests.flow.truth import Ask, check, check_wallets, settle

DELIVERED = "SELECT count(*) FROM ingest_delivery WHERE body = %s AND processed_at IS NOT NULL"


def deliver(*bodies: bytes) -> inbox.Report:
    """Each body in a delivery of its own, one after the other."""
    total = inbox.NOTHING
    for body in bodies:
        inbox.accept(body)
        total = total.plus(inbox.process_pending())
    return total


def held() -> Position:
    """The only position there is."""
    return Position.objects.get()


def test_trap_11_the_mayhem_agent_is_booked_and_not_ranked(ask: Ask) -> None:
    agents = [t._replace(trader=MAYHEM_AGENT_BYTES) for t in Chain("agent").loss("agent", 9 * SOL)]
    persons = Chain("person").loss("ann", SOL)
    deliver(body_of([*agents, *persons]))
    check(ask, [*agents, *persons])
    boards.refresh(now=timezone.now())
    assert [line.address for line in queries.top("all")] == [base58(wallet("ann"))]


def test_trap_15_a_transaction_twice_in_one_post_counts_once(ask: Ask) -> None:
    trades = Chain("twice").loss("ann", SOL)
    elements = elements_of(trades)
    report = deliver(json.dumps([*elements, *elements, elements[0]]).encode())
    assert (report.booked, report.duplicates, report.set_aside) == (2, 3, 0)
    check(ask, trades)


def test_trap_15_a_post_that_comes_again_counts_once(ask: Ask) -> None:
    trades = Chain("again").loss("ann", SOL)
    assert deliver(*[body_of(trades)] * 4).booked == 2
    check(ask, trades)


def test_trap_15_the_same_post_many_times_at_once_counts_once(running_stack: RunningStack) -> None:
    trades = [trade for name in "abc" for trade in Chain(f"at once {name}").loss(name, SOL)]
    body = body_of(trades)
    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(running_stack.post, [body] * 36)) == {200}
    settle(running_stack)
    assert running_stack.sql(DELIVERED, [packed(body)]) == [(36,)]
    check_wallets(running_stack, trades)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_trap_16_one_malformed_transaction_costs_no_other(ask: Ask, place: int) -> None:
    trades = Chain("company").loss("ann", SOL)
    elements = elements_of(trades)
    elements.insert(place, elements_of(Chain("broken").loss("bob", SOL))[0] | {"slot": "x"})
    report = deliver(json.dumps(elements).encode())
    assert (report.booked, report.set_aside) == (2, 1)
    check(ask, trades)
    kept = Delivery.objects.set_aside().get()
    assert kept.error.startswith(f"transaction {place}: Expected `int | null`, got `str`")


def life(chain: Chain) -> list[Trade]:
    """Five trades of one wallet in one token: the first three share a slot."""
    return [
        chain.buy(chain.name, chain.name, 1_000, 4 * SOL),
        chain.sell(chain.name, chain.name, 600, SOL),
        chain.buy(chain.name, chain.name, 1_000, 7 * SOL),
        chain.sell(chain.name, chain.name, 900, 2 * SOL),
        chain.sell(chain.name, chain.name, 500, 9 * SOL),
    ]


def test_trap_17_any_order_within_and_across_slots_gives_the_order_of_the_chain(ask: Ask) -> None:
    """All 120 orders of one life, each lived by a wallet of its own."""
    lives = [life(Chain(f"life {number}")) for number in range(120)]
    assert [trade.slot - lives[0][0].slot for trade in lives[0]] == [0, 0, 0, 1, 1]
    orders = zip(lives, permutations(range(5)), strict=True)
    arrivals = [[trades[place] for place in places] for trades, places in orders]
    for step in zip(*arrivals, strict=True):
        deliver(body_of(step))
    check(ask, [trade for trades in lives for trade in trades])
    assert len(set(Realization.objects.values_list("realized_lamports", flat=True))) == 3


def test_trap_18_a_sell_before_its_buy_is_repaired_when_the_buy_arrives(ask: Ask) -> None:
    chain = Chain("gap")
    buy, sell = chain.buy("ann", "A", 1_000, 5 * SOL), chain.sell("ann", "A", 1_000, 2 * SOL)
    deliver(body_of([sell]))
    assert (held().units, held().unmatched_units, held().realized_lamports) == (0, 1_000, 0)
    boards.refresh(now=timezone.now())
    assert queries.top("all") == []
    deliver(body_of([buy]))
    assert (held().units, held().unmatched_units) == (0, 0)
    assert held().realized_lamports == -3 * SOL
    check(ask, [buy, sell])
    boards.refresh(now=timezone.now())
    assert [line.address for line in queries.top("all")] == [base58(wallet("ann"))]


def test_trap_19_what_came_by_transfer_is_sold_without_gain_or_loss(ask: Ask) -> None:
    """Of 3,000 units sold for 3 SOL, 1,000 had been bought for 2: they brought 1."""
    chain = Chain("transfer")
    buy, sell = chain.buy("ann", "A", 1_000, 2 * SOL), chain.sell("ann", "A", 3_000, 3 * SOL)
    deliver(body_of([buy, sell]))
    position = held()
    assert (position.units, position.unmatched_units) == (0, 2_000)
    assert (position.realized_lamports, position.unmatched_lamports) == (-SOL, 2 * SOL)
    check(ask, [buy, sell])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_trap_22_of_a_signature_in_several_slots_the_greatest_slot_wins(
    ask: Ask, order: tuple[int, ...]
) -> None:
    """With its block index and its time, whatever order the reports arrive in, and however often.

    At its first place the sale comes before the buy and would be unmatched.
    """
    chain = Chain("landed again")
    early = chain.sell("ann", "A", 1_000, SOL)
    buy = chain.buy("ann", "A", 1_000, 3 * SOL)
    later = early._replace(slot=buy.slot + 1, block_index=7, block_time=buy.block_time + 3_600)
    last = early._replace(slot=buy.slot + 2, block_index=0, block_time=buy.block_time + 7_200)
    reports = [body_of([trade]) for trade in (early, later, last)]
    deliver(body_of([buy]), *(reports[place] for place in order), *reports)
    check(ask, [buy, last])
    row = TradeRow.objects.get(side=1)
    assert (row.slot, row.block_index) == (last.slot, 0)
    assert (held().realized_lamports, held().unmatched_units) == (-2 * SOL, 0)


def test_trap_22_a_slot_that_is_not_greater_changes_nothing(ask: Ask) -> None:
    chain = Chain("landed once")
    buy, sell = chain.buy("ann", "A", 1_000, 3 * SOL), chain.sell("ann", "A", 1_000, SOL)
    before = sell._replace(slot=buy.slot - 1, block_index=99)
    unknown = sell._replace(block_index=None)
    deliver(body_of([buy, sell]), body_of([before]), body_of([unknown]))
    check(ask, [buy, sell])


@pytest.mark.parametrize("secret", [None, "", "wrong", "x" * 5_000, "Bearer wrong", "é"])
def test_trap_27_a_wrong_secret_is_never_answered_403(
    running_stack: RunningStack, secret: str | None
) -> None:
    """Helius sends again after any other refusal, so that a secret can be replaced."""
    headers = {} if secret is None else {"Authorization": secret.encode()}
    door = f"{running_stack.url}/webhooks/helius/"
    for method in ("POST", "GET", "PUT", "DELETE", "OPTIONS"):
        answer = requests.request(method, door, data=b"[]", headers=headers, timeout=30)
        assert answer.status_code in (401, 405), (method, answer.status_code)
    body = body_of(Chain(f"wrong {secret}"[:20]).loss("eve", SOL))
    assert requests.post(door, data=body, headers=headers, timeout=30).status_code == 401
    assert running_stack.sql(DELIVERED, [packed(body)]) == [(0,)]
