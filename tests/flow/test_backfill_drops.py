"""A trade goes only when the chain says so: that a walk has not brought it proves nothing."""

import pytest

from ingest import operations, walks
from ingest.models import Backfill, BackfillPage
from pnl.engine.trades import Trade
from pnl.models import Trade as TradeRow
from pnl.operations import drop_trades
from tests.flow.bodies import SOL, Chain, body_of, wallet
from tests.flow.fake_helius import FakeHelius
from tests.flow.truth import Ask, check
from tests.flow.walking import booked, walk, walk_and_fail

ALL = ("--from-slot", "0")


def three_losses() -> list[Trade]:
    chain = Chain("dropped", step=1)
    return [trade for _ in range(3) for trade in chain.loss("ann", SOL)]


def test_a_trade_that_the_chain_has_dropped_is_taken_back(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land([*trades[:2], *trades[3:]])
    assert "1 dropped by the chain" in walk(*ALL)
    check(ask, [*trades[:2], *trades[3:]])
    assert Backfill.objects.get().dropped == 1


def test_a_dropped_trade_stays_out_when_it_is_delivered_again(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades[:4])
    walk(*ALL)
    operations.accept(body_of(trades))
    operations.process_until_empty(seconds=20)
    check(ask, trades[:4])


@pytest.mark.parametrize("shift", [0, 50])
def test_what_was_dropped_wrongly_comes_back_by_the_next_walk_if_it_is_final_there(
    ask: Ask, fake_helius: FakeHelius, shift: int
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades)
    dropped = {(trade.signature, trade.slot + shift) for trade in trades[4:]}
    drop_trades({*dropped, *((trade.signature, trade.slot) for trade in trades[4:])})
    check(ask, trades[:4])
    walk(*ALL)
    check(ask, trades)
    left = {
        (bytes(sign), slot)
        for sign, slot in ask("SELECT signature, slot FROM pnl_droppedtransaction")
    }
    assert left == (dropped if shift else set())


def test_what_was_dropped_stays_out_until_its_transaction_is_final(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades)
    fake_helius.chain.finalized = trades[3].slot
    drop_trades([(trade.signature, trade.slot) for trade in trades[4:]])
    walk(*ALL)
    operations.accept(body_of(trades))
    operations.process_until_empty(seconds=20)
    check(ask, trades[:4])


def test_it_is_asked_for_in_two_ways_before_it_is_dropped(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades[:5])
    walk(*ALL)
    assert fake_helius.calls("getSignatureStatuses") == 1
    assert fake_helius.calls("getTransaction") == 1


def test_a_trade_that_a_router_made_is_kept_though_no_walk_finds_it(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades[:4])
    fake_helius.chain.land(trades[4:], found_under=[wallet("router")])
    assert "0 dropped by the chain" in walk(*ALL)
    check(ask, trades)


def test_a_status_that_was_forgotten_drops_nothing(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades, found_under=[wallet("router")])
    fake_helius.chain.forgets_statuses = True
    assert "0 dropped by the chain" in walk(*ALL)
    check(ask, trades)


def test_a_trade_above_the_finalized_slot_is_not_judged(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.finalized = trades[0].slot - 1
    walk(*ALL)
    check(ask, trades)
    assert fake_helius.calls("getSignatureStatuses") == 0


def test_a_walk_that_is_not_complete_drops_nothing_behind_it(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land([*trades[:3], trades[5]])
    fake_helius.chain.page_size = 2
    fake_helius.behaviour.fails = lambda rpc: (
        rpc.method == "getTransactionsForAddress" and "paginationToken" in rpc.params[1]
    )
    walk_and_fail(*ALL)
    check(ask, trades)
    assert BackfillPage.objects.get().reached_slot == trades[1].slot
    fake_helius.behaviour.fails = lambda _rpc: False
    walk(*ALL)
    check(ask, [*trades[:3], trades[5]])


def test_nothing_is_dropped_while_nobody_can_be_asked(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades[:4])
    fake_helius.behaviour.fails = lambda rpc: rpc.method == "getTransaction"
    walk_and_fail(*ALL)
    check(ask, trades)
    assert BackfillPage.objects.get().attempts == 1
    assert Backfill.objects.get().pages == 0
    fake_helius.behaviour.fails = lambda _rpc: False
    walk(*ALL)
    check(ask, trades[:4])


def test_a_transaction_that_landed_in_another_slot_moves_there(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    for shift in (-100_000, 100_000):
        landed = [*trades[:5], trades[5]._replace(slot=trades[5].slot + shift, block_index=0)]
        fake_helius.chain.landed.clear()
        fake_helius.chain.land(landed)
        walk(*ALL)
        check(ask, landed)


def test_one_that_landed_elsewhere_and_under_another_wallet_is_fetched(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    moved = trades[5]._replace(slot=trades[5].slot + 50, block_index=1)
    fake_helius.chain.land(trades[:5])
    fake_helius.chain.land([moved], found_under=[wallet("router")])
    assert "1 dropped by the chain" in walk(*ALL)
    check(ask, [*trades[:5], moved])
    assert TradeRow.objects.filter(slot=moved.slot).count() == 1


def test_nothing_is_dropped_while_its_new_place_cannot_be_fetched(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    moved = trades[5]._replace(slot=trades[5].slot + 50, block_index=1)
    fake_helius.chain.land(trades[:5])
    fake_helius.chain.land([moved], found_under=[wallet("router")])
    fake_helius.chain.forgets_transactions = True
    walk_and_fail(*ALL)
    check(ask, trades)
    assert f"final at slot {moved.slot}" in BackfillPage.objects.get().error
    fake_helius.chain.forgets_transactions = False
    assert "1 dropped by the chain" in walk(*ALL)
    check(ask, [*trades[:5], moved])


def test_a_trade_of_a_transaction_that_failed_in_the_end_is_taken_back(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades)
    fake_helius.chain.fail(trades[5])
    assert "1 dropped by the chain" in walk(*ALL)
    check(ask, trades[:5])


def test_a_node_that_is_behind_is_no_witness(ask: Ask, fake_helius: FakeHelius) -> None:
    trades = three_losses()
    booked(trades)
    fake_helius.chain.land(trades[:4])
    fake_helius.chain.behind_slots = 33
    walk_and_fail(*ALL)
    check(ask, trades)
    assert "a node at slot" in BackfillPage.objects.get().error
    fake_helius.chain.behind_slots = 0
    walk(*ALL)
    check(ask, trades[:4])


def test_more_than_a_step_judges_is_judged_part_by_part(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Chain("many", step=1)
    trades = [trade for _ in range(20) for trade in chain.loss("ann", SOL)]
    booked(trades)
    kept = [trade for number, trade in enumerate(trades) if number % 3]
    fake_helius.chain.land(kept[:15])
    fake_helius.chain.land(kept[15:], found_under=[wallet("router")])
    fake_helius.chain.page_size = 4
    monkeypatch.setattr(walks, "JUDGED_MAX", 2)
    assert f"{len(trades) - len(kept)} dropped by the chain" in walk(*ALL)
    check(ask, kept)
    assert max(statuses_asked(fake_helius)) <= 3


def statuses_asked(fake: FakeHelius) -> list[int]:
    """How many signatures each question had."""
    bodies = [seen.body for seen in fake.seen if isinstance(seen.body, dict)]
    return [len(b["params"][0]) for b in bodies if b["method"] == "getSignatureStatuses"]
