"""Staff see how the backfill goes, hurry it and start it; nobody else, and nobody edits a row."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingest import backfills, harvest, walks
from ingest.models import Backfill, BackfillPage, BackfillSignature, Watermark
from tests.flow.bodies import base58, wallet
from tests.flow.shown import begin, leave_files_out
from tests.flow.test_admin import act, text

RUNS, PAGES = "/admin/ingest/backfill/", "/admin/ingest/backfillpage/"
SIGNATURES, WATERMARKS = "/admin/ingest/backfillsignature/", "/admin/ingest/watermark/"
ANN = base58(wallet("ann"))


@pytest.fixture(autouse=True)
def _begun(db: None, settings: Settings) -> None:
    begin()
    leave_files_out(settings)


@pytest.fixture
def run() -> Backfill:
    """A run with a page that failed and a signature that nobody knows."""
    (ann,) = backfills.trader_ids([wallet("ann")])
    Watermark.objects.create(trader_id=ann, slot=452_000_000)
    made = backfills.start("a run for the tests", [ann])
    backfills.start_signatures("a list", [base58(b"\7" * 64)])
    later = timezone.now() + timedelta(hours=1)
    BackfillPage.objects.update(not_before=later, attempts=3, error="Boom: it broke")
    return made


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", [RUNS, PAGES, SIGNATURES, WATERMARKS])
def test_every_list_opens_and_its_rows_cannot_be_changed(
    admin_client: Client, run: Backfill, path: str
) -> None:
    models: dict[str, Any] = {
        RUNS: Backfill, PAGES: BackfillPage, SIGNATURES: BackfillSignature, WATERMARKS: Watermark
    }  # fmt: skip
    assert "add/" not in text(admin_client.get(path)).replace("user/add/", "").replace(
        "group/add/", ""
    )
    row = models[path].objects.first()
    page = text(admin_client.get(f"{path}{row.pk}/change/"))
    assert "deletelink" not in page
    assert 'name="_save"' not in page


def test_a_run_shows_its_progress(admin_client: Client, run: Backfill) -> None:
    assert "0 of 1 wallets, 0 signatures left" in text(admin_client.get(RUNS))
    BackfillPage.objects.all().delete()
    harvest.finish()
    assert "finished 20" in text(admin_client.get(RUNS))


def test_a_run_is_resumed_at_once(admin_client: Client, run: Backfill) -> None:
    assert "Queued: 1;" in act(admin_client, RUNS, "resume", run.pk)
    assert BackfillPage.objects.get().not_before <= timezone.now()


def test_the_metrics_tell_how_much_is_queued(admin_client: Client, run: Backfill) -> None:
    assert "pumploss_backfill_queued 2\n" in admin_client.get("/metrics").content.decode()


def test_a_wallet_is_walked_again_from_its_watermark(admin_client: Client, run: Backfill) -> None:
    BackfillPage.objects.all().delete()
    (ann,) = Watermark.objects.values_list("pk", flat=True)
    assert "1 wallets, by admin" in act(admin_client, WATERMARKS, "walk", ann)
    assert BackfillPage.objects.get().from_slot == 452_000_000 - walks.OVERLAP_SLOTS
    act(admin_client, WATERMARKS, "walk_from_the_beginning", ann)
    assert BackfillPage.objects.get().begin_by_slot == 0


def test_whoever_may_only_look_starts_nothing(run: Backfill) -> None:
    client = clerk("view_backfill", "view_watermark")
    (ann,) = Watermark.objects.values_list("pk", flat=True)
    before = Backfill.objects.count()
    for path, action, key in ((RUNS, "resume", run.pk), (WATERMARKS, "walk", ann)):
        assert f'value="{action}"' not in text(client.get(path))
        act(client, path, action, key)
    assert Backfill.objects.count() == before
    assert BackfillPage.objects.get().not_before > timezone.now()


def test_whoever_may_change_runs_resumes_them(run: Backfill) -> None:
    assert "Queued: 1;" in act(clerk("view_backfill", "change_backfill"), RUNS, "resume", run.pk)
