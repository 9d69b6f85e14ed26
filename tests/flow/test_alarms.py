"""An alarm stands until its cause is gone, and everybody who should can see it."""

import logging

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.fixtures import Settings

from pnl import alarms
from tests.flow.shown import leave_files_out

KIND = "webhook_disabled"


@pytest.fixture(autouse=True)
def _begun(db: None) -> None:
    alarms.clear(KIND)


def test_an_alarm_is_loud_once_and_counts_after(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="pnl.alarms"):
        alarms.sound(KIND, "first")
        alarms.sound(KIND, "second")
    assert [record.getMessage() for record in caplog.records] == [f"Alarm {KIND}: first"]
    [alarm] = alarms.standing()
    assert (alarm.kind, alarm.detail, alarm.times) == (KIND, "second", 2)
    assert alarm.since <= alarm.last_at


def test_an_alarm_that_is_over_is_gone_and_begins_anew() -> None:
    alarms.sound(KIND, "once")
    alarms.clear(KIND)
    assert alarms.standing() == []
    alarms.sound(KIND, "again")
    assert [alarm.times for alarm in alarms.standing()] == [1]


def test_status_and_metrics_tell_of_an_alarm_but_not_its_detail(client: Client) -> None:
    alarms.sound(KIND, "for staff only")
    status = client.get("/api/v1/status/")
    assert [alarm["kind"] for alarm in status.json()["alarms"]] == [KIND]
    metrics = client.get("/metrics").content.decode()
    assert f'pumploss_alarm{{kind="{KIND}"}} 1\n' in metrics
    assert "for staff only" not in status.content.decode() + metrics


def test_only_staff_with_the_right_may_dismiss_an_alarm(
    admin_client: Client, settings: Settings
) -> None:
    leave_files_out(settings)
    alarms.sound(KIND, "for staff only")
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_alarm"))
    clerk = Client()
    clerk.force_login(user)
    chosen = {"action": "dismiss", "_selected_action": [KIND]}
    clerk.post("/admin/pnl/alarm/", chosen, follow=True)
    assert len(alarms.standing()) == 1
    page = admin_client.get("/admin/pnl/alarm/").content.decode()
    assert "for staff only" in page
    admin_client.post("/admin/pnl/alarm/", chosen, follow=True)
    assert alarms.standing() == []
