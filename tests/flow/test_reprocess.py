"""Deliveries are run again by id, time, state and kind of error, from the command or the admin."""

from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest import admin, archive, queries
from ingest import operations as inbox
from ingest.models import Archived, Delivery
from tests.flow.bodies import SOL, Chain, body_of
from tests.flow.shown import leave_files_out
from tests.flow.truth import Ask

DELIVERIES = "/admin/ingest/delivery/"
ARCHIVED = "/admin/ingest/archived/"


@pytest.fixture(autouse=True)
def decided(ask: Ask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Two that were archived, two that were booked, two unreadable, one malformed; one waits."""
    leave_files_out(settings)
    monkeypatch.setattr(inbox, "wake", lambda: None)
    found = {}
    for name in ("archived", "older"):
        found[name] = inbox.accept(body_of(Chain(name).loss(name, SOL)))
    Delivery.objects.filter(pk=found["older"]).update(received_at=days_ago(2))
    inbox.process_pending()
    archive.archive(before=timezone.now() + timedelta(seconds=1))
    for name in ("booked", "also booked"):
        found[name] = inbox.accept(body_of(Chain(name).loss(name, SOL)))
    found["cut"], found["old cut"] = inbox.accept(b"[cut"), inbox.accept(b"[")
    Delivery.objects.filter(pk=found["old cut"]).update(received_at=days_ago(3))
    found["malformed"] = inbox.accept(b"[{}, 1]")
    inbox.process_pending()
    found["waits"] = inbox.accept(b"[]")
    return found


def days_ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


def reprocess(*arguments: str) -> str:
    said = StringIO()
    call_command("reprocess", *arguments, stdout=said)
    return said.getvalue()


def pending(decided: dict[str, int]) -> set[str]:
    waiting = set(Delivery.objects.pending().values_list("pk", flat=True))
    return {name for name, pk in decided.items() if pk in waiting} - {"waits"}


SINCE, UNTIL = "--since={}", "--until={}"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], {"cut", "old cut", "malformed"}),
        (["--error-kind=unreadable"], {"cut", "old cut"}),
        (["--error-kind=unreadable", SINCE], {"cut"}),
        (["--state=set_aside", UNTIL], {"old cut"}),
        (["--state=processed"], {"archived", "older", "booked", "also booked"}),
        (["--state=processed", UNTIL], {"older"}),
        (["--state=processed", "--limit=3"], {"booked", "also booked", "archived"}),
        (["--limit=1"], {"cut"}),
        (["--error-kind=malformed"], {"malformed"}),
        (["--error-kind=never heard of"], set()),
    ],
)
def test_every_condition_narrows_what_is_run_again(
    decided: dict[str, int], conditions: list[str], expected: set[str]
) -> None:
    moment = days_ago(1).isoformat()
    arguments = [condition.format(moment) for condition in conditions]
    assert f"would be put back into the inbox: {len(expected)}." in reprocess(
        *arguments, "--dry-run"
    )
    assert pending(decided) == set()
    assert f"Deliveries put back into the inbox: {len(expected)}." in reprocess(*arguments)
    assert pending(decided) == expected


def test_ids_are_found_wherever_they_are(decided: dict[str, int]) -> None:
    names = ("archived", "booked", "cut", "waits")
    ids = [f"--id={decided[name]}" for name in names]
    assert "inbox: 3." in reprocess(*ids, "--id=123456789")
    assert pending(decided) == {"archived", "booked", "cut"}
    assert inbox.process_pending() == inbox.Report(4, 0, 4, 1)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--since=yesterday"], "--since"),
        (["--limit=0"], "--limit"),
        (["--state=processed", "--error-kind=x"], "--error-kind"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(arguments: list[str], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        reprocess(*arguments)


def text(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def process_again(client: Client, path: str, *keys: int, everything: bool = False) -> str:
    chosen = {"action": "process_again", "_selected_action": [str(key) for key in keys]}
    chosen |= {"select_across": "1"} if everything else {}
    return text(client.post(path, chosen, follow=True))


def test_the_admin_lists_by_kind_of_error_and_by_time(
    admin_client: Client, decided: dict[str, int]
) -> None:
    page = text(admin_client.get(DELIVERIES))
    assert all(f"?error_kind={kind}" in page for kind in ("unreadable", "malformed"))
    for query, count in (
        ("error_kind=unreadable", 2),
        ("error_kind=unreadable&received=1h", 1),
        ("state=set_aside&received=7d", 3),
        ("received=10m", 5),
        ("received=nonsense", 6),
    ):
        assert f"{count} deliver" in text(admin_client.get(f"{DELIVERIES}?{query}")), query
    assert "1 archived deliver" in text(admin_client.get(f"{ARCHIVED}?received=24h"))


def test_the_admin_runs_all_that_match_again(
    admin_client: Client, decided: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin.InboxAdmin, "list_per_page", 1)
    path = f"{DELIVERIES}?error_kind=unreadable"
    assert "Select all 2 deliveries" in text(admin_client.get(path))
    said = process_again(admin_client, path, decided["cut"], everything=True)
    assert "to be processed: 2." in said
    assert pending(decided) == {"cut", "old cut"}


def test_one_click_puts_back_no_more_than_it_can(
    admin_client: Client, decided: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "REPROCESSED_MAX", 1)
    said = process_again(admin_client, DELIVERIES, decided["cut"], decided["malformed"])
    assert "to be processed: 1. There may be more" in said


def test_an_archived_delivery_is_found_shown_and_run_again(
    admin_client: Client, decided: dict[str, int]
) -> None:
    pk = decided["archived"]
    assert "1 archived deliver" in text(admin_client.get(f"{ARCHIVED}?q={pk}"))
    assert "1 deliver" in text(admin_client.get(f"{DELIVERIES}?q={decided['cut']}"))
    for nothing in ("abc", "9" * 40, "-1"):
        assert "0 archived deliver" in text(admin_client.get(f"{ARCHIVED}?q={nothing}"))
    assert '"blockTime": ' in text(admin_client.get(f"{ARCHIVED}{pk}/change/"))
    assert "to be processed: 1." in process_again(admin_client, ARCHIVED, pk)
    assert pending(decided) == {"archived"}
    assert not Archived.objects.filter(pk=pk).exists()


def test_portions_of_ids_meet_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PORTION", 2)
    found = Delivery.objects.all()
    portions = list(queries.portions_of_ids(found, limit=5))
    assert [len(portion) for portion in portions] == [2, 2, 1]
    ids = [pk for portion in portions for pk in portion]
    assert ids == sorted(found.values_list("pk", flat=True))[:5]
