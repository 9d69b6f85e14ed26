"""What came enhanced is booked at once where it can be, and asked for raw, once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from ingest import operations as inbox
from ingest.models import Delivery, Enrichment
from ingest.queries import Wanted, waiting_enrichments
from pnl.models import Position, Trade
from tests.flow.shown import leave_files_out
from tests.flow.truth import Ask
from tests.unit.ingest.decode.building import SLOT, Builder, Json, body, curve_event, raw, text
from tests.unit.ingest.decode.enhancing import ANN, MINT, Parsed, curve_buy, curve_sell, rendered

SOL = 1_000_000_000
FEES = 12_500_000
UNITS = 1_000


def signature(number: int) -> str:
    return text(bytes([number + 1]) * 64)


def received(*elements: Json) -> None:
    inbox.accept(body(*elements))
    inbox.process_pending()
    assert not Delivery.objects.set_aside().exists()


def buy(number: int, **changes: object) -> Json:
    return curve_buy(SOL, FEES, UNITS).element(**{"signature": signature(number), **changes})


def reasons() -> dict[str, str]:
    return {str(row.signature): row.reason for row in Enrichment.objects.all()}


def test_an_enhanced_buy_and_sell_are_a_position(ask: Ask) -> None:
    sell = curve_sell(2 * SOL, 2 * FEES, UNITS).element(signature=signature(1), slot=SLOT + 1)
    received(buy(0), sell)
    position = Position.objects.get()
    assert (position.units, position.closed) == (0, 1)
    assert position.realized_lamports == (2 * SOL - 2 * FEES) - (SOL + FEES)
    assert set(Trade.objects.values_list("block_index", flat=True)) == {None}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0)])
def test_a_raw_body_takes_the_place_of_what_was_inferred(ask: Ask, order: Sequence[int]) -> None:
    """The coin's creator takes less than usual, which no balance of a partial body could tell."""
    event = curve_event(sol=SOL, tokens=UNITS, fee=9_500_000, mint=raw(MINT), user=raw(ANN))
    exact = Builder().curve(event).element()
    exact["transaction"]["signatures"] = [signature(0)]
    both = (buy(0), exact)
    for at in order:
        received(both[at])
    trade = Trade.objects.get()
    assert (trade.lamports, trade.inferred) == (SOL + 9_500_000, False)
    assert trade.block_index == exact["indexWithinBlock"]
    assert Position.objects.get().cost_lamports == SOL + 9_500_000
    assert reasons() == {signature(0): "order_unknown"}


@pytest.mark.parametrize("err", [None, {"InstructionError": [0, "Custom"]}])
def test_a_raw_body_without_a_trade_takes_back_what_was_inferred(ask: Ask, err: object) -> None:
    none = Builder().element()
    none["transaction"]["signatures"] = [signature(0)]
    none["meta"]["err"] = err
    received(buy(0))
    assert Position.objects.exists()
    received(none)
    received(buy(0))
    assert not Trade.objects.exists()
    assert not Position.objects.exists()


def test_an_enhanced_payload_without_events_or_with_is_asked_for(ask: Ask) -> None:
    told = Builder().curve(curve_event()).element()
    count = len(told["transaction"]["message"]["accountKeys"])
    told["meta"] |= {"preBalances": [0] * count, "postBalances": [0] * count}
    told["meta"] |= {"postTokenBalances": []}
    told["transaction"]["signatures"] = [signature(1)]
    received(buy(0), rendered(told, with_events=True))
    assert reasons() == dict.fromkeys((signature(0), signature(1)), "order_unknown")
    assert set(Enrichment.objects.values_list("slot", flat=True)) == {SLOT}


def test_what_lacks_detail_is_asked_for_with_the_reason(ask: Ask) -> None:
    several = Parsed().hold(text(bytes([3]) * 32), text(bytes([5]) * 32), 5).element()
    received(buy(0, slot=None), several | {"signature": signature(1)})
    assert reasons() == {signature(0): "incomplete", signature(1): "no_sol"}
    (delivery,) = Delivery.objects.all()
    assert delivery.dropped is not None
    assert [row["reason"] for row in delivery.dropped] == ["incomplete", "no_sol"]
    assert delivery.dropped[0]["detail"] == "it does not tell: slot"


def test_what_failed_or_traded_nothing_is_not_asked_for(ask: Ask) -> None:
    foreign = {"programId": text(bytes(32)), "accounts": [], "data": ""}
    noop = Parsed().element(signature=signature(1), instructions=[foreign])
    received(buy(0, transactionError={"InstructionError": [0, "Custom"]}), noop)
    received(Builder().curve(curve_event()).element())
    assert reasons() == {}


def test_a_transaction_that_comes_again_is_asked_for_once(ask: Ask) -> None:
    received(buy(0), buy(0))
    received(buy(0, slot=None))
    assert reasons() == {signature(0): "order_unknown"}


def test_what_was_fetched_no_longer_waits(ask: Ask) -> None:
    received(buy(0), buy(1))
    assert waiting_enrichments(9) == [
        Wanted(signature(0), SLOT, 0),
        Wanted(signature(1), SLOT, 0),
    ]
    assert waiting_enrichments(1) == [Wanted(signature(0), SLOT, 0)]
    assert inbox.enriched([signature(0), signature(7)]) == 1
    assert inbox.enriched([signature(0)]) == 0
    assert waiting_enrichments(9) == [Wanted(signature(1), SLOT, 0)]
    received(buy(0))
    assert waiting_enrichments(9) == [Wanted(signature(1), SLOT, 0)]


def test_what_could_not_be_fetched_waits_until_its_time(ask: Ask) -> None:
    received(buy(0))
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert inbox.enrichment_failed(signature(0), "the node is busy", later) == 1
    assert waiting_enrichments(9) == []
    assert inbox.enrichment_failed(signature(0), "again", datetime.now(UTC)) == 1
    assert waiting_enrichments(9) == [Wanted(signature(0), SLOT, 2)]
    assert Enrichment.objects.get().error == "again"


def test_staff_find_a_request_by_its_signature(
    ask: Ask, admin_client: Client, settings: Settings
) -> None:
    leave_files_out(settings)
    received(buy(0), buy(1))
    for term, found in ((signature(0), 1), (signature(5), 0), ("nobody", 0), ("", 2)):
        page = admin_client.get("/admin/ingest/enrichment/", {"q": term}).content.decode()
        assert f"{found} enrichment" in page, term
