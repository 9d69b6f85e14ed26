"""An event that has grown is booked by what is known of it, and somebody hears of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from ingest import operations as inbox
from ingest.models import Delivery
from pnl import alarms
from pnl.models import Trade
from tests.flow.bodies import SOL, Chain, body_of
from tests.flow.shown import leave_files_out
from tests.flow.truth import Ask
from tests.unit.ingest.decode.building import Builder, body, curve_event, key, text

TAIL = b"\xff" * 9


def grown(number: int, *tails: bytes) -> Any:
    """A transaction whose events have these bytes behind them."""
    element = Builder().curve(*(curve_event() + tail for tail in tails)).element()
    element["transaction"]["signatures"] = [text(key(number) * 2)]
    return element


@pytest.fixture(autouse=True)
def _quiet(ask: Ask) -> Iterator[None]:
    alarms.clear(inbox.UNKNOWN_LAYOUT)
    yield
    alarms.clear(inbox.UNKNOWN_LAYOUT)


def test_a_grown_event_is_booked_and_counted(client: Client) -> None:
    first = inbox.accept(body(grown(1, TAIL, b"", TAIL), grown(2, b"\0")))
    second = inbox.accept(body(grown(3, b"")))
    waiting = inbox.accept(body(grown(4, TAIL)))
    assert Delivery.objects.get(pk=waiting).unknown_layouts is None
    report = inbox.process_pending()
    assert (report.booked, report.set_aside) == (6, 0)
    counts = dict(Delivery.objects.values_list("pk", "unknown_layouts"))
    assert counts == {first: 3, second: 0, waiting: 1}
    assert "pumploss_unknown_layouts 4\n" in client.get("/metrics").content.decode()
    assert Trade.objects.count() == 6


def test_a_batch_sounds_one_alarm_however_many_events_have_grown() -> None:
    for number in range(3):
        inbox.accept(body(grown(number, TAIL, TAIL)))
    inbox.process_pending()
    [alarm] = alarms.standing()
    assert (alarm.kind, alarm.times) == ("unknown_event_layout", 1)
    assert alarm.detail.startswith("6 events of 3 deliveries, such as ")
    inbox.accept(body(grown(9, TAIL)))
    inbox.process_pending()
    assert [alarm.times for alarm in alarms.standing()] == [2]


def test_a_batch_of_known_events_asks_nothing_about_alarms() -> None:
    inbox.accept(body_of(Chain("known").loss("ann", SOL)))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        inbox.process_pending()
    assert not [query for query in asked.captured_queries if "pnl_alarm" in query["sql"]]
    assert alarms.standing() == []


def test_an_alarm_that_cannot_be_sounded_costs_no_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no alarm today")

    monkeypatch.setattr(alarms, "sound", fail)
    inbox.accept(body(grown(1, TAIL)))
    assert inbox.process_pending() == inbox.Report(1, 1, 0, 0)
    assert Delivery.objects.get().unknown_layouts == 1


def test_a_delivery_shows_staff_how_many_of_its_events_have_grown(
    admin_client: Client, settings: Settings
) -> None:
    leave_files_out(settings)
    pk = inbox.accept(body(grown(1, TAIL, TAIL)))
    inbox.process_pending()
    page = admin_client.get(f"/admin/ingest/delivery/{pk}/change/").content.decode()
    assert "Unknown layouts" in page
