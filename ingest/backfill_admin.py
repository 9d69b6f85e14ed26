"""The backfill for staff: runs and their progress, what is queued, how far wallets were walked."""

from collections.abc import Collection

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ingest import backfills, waiting
from ingest.models import Backfill, BackfillPage, BackfillSignature, Watermark
from pnl.admin import ReadOnlyAdmin


@admin.register(Backfill)
class BackfillAdmin(ReadOnlyAdmin):
    """Runs, the newest first."""

    list_display = (
        *("id", "scope", "started_at", "progress", "pages", "transactions"),
        *("gaps", "dropped", "unknown", "failed_pages", "problem"),
    )
    actions = ("resume",)

    def has_resume_permission(self, request: HttpRequest) -> bool:
        """Whoever may change backfills."""
        return bool(request.user.has_perm("ingest.change_backfill"))

    @admin.action(description="Resume: try what failed again now", permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Backfill]) -> None:
        """What has failed of these runs is due at once."""
        queued = backfills.resume(list(queryset.values_list("pk", flat=True)))
        self.message_user(
            request, f"Queued: {queued}; what has failed is due now.", messages.SUCCESS
        )

    @admin.display(description="progress")
    def progress(self, run: Backfill) -> str:
        """What is left, in a word."""
        if run.finished_at is not None:
            return f"finished {run.finished_at:%Y-%m-%d %H:%M}"
        left = waiting.left_of(run.pk)
        done = max(0, run.traders - left.pages)
        return f"{done} of {run.traders} wallets, {left.signatures} signatures left"

    @admin.display(description="last error")
    def problem(self, run: Backfill) -> str:
        """Its beginning."""
        return run.error[:120]


@admin.register(BackfillPage)
class BackfillPageAdmin(ReadOnlyAdmin):
    """The walks under way: one row a wallet, its next page."""

    list_display = (
        *("trader", "backfill", "from_slot", "begin_by_slot", "reached_slot"),
        *("until_slot", "attempts", "not_before", "error"),
    )
    list_select_related = ("trader", "backfill")


@admin.register(BackfillSignature)
class BackfillSignatureAdmin(ReadOnlyAdmin):
    """Transactions that were asked for by their signatures and have not come."""

    list_display = ("signature", "backfill", "is_unknown", "attempts", "not_before", "error")
    list_filter = ("is_unknown",)
    list_select_related = ("backfill",)


@admin.register(Watermark)
class WatermarkAdmin(ReadOnlyAdmin):
    """How far each wallet's finalized transactions were walked."""

    list_display = ("trader", "slot", "block_index", "walked_at")
    list_select_related = ("trader",)
    actions = ("walk", "walk_from_the_beginning")

    def has_walk_permission(self, request: HttpRequest) -> bool:
        """Whoever may start backfills: each costs credits."""
        return bool(request.user.has_perm("ingest.add_backfill"))

    @admin.action(description="Run a backfill from the watermark on", permissions=["walk"])
    def walk(self, request: HttpRequest, queryset: QuerySet[Watermark]) -> None:
        """Queued for the workers, from the watermark less an overlap."""
        self._start(request, list(queryset.values_list("pk", flat=True)), None)

    @admin.action(description="Run a backfill of the whole history", permissions=["walk"])
    def walk_from_the_beginning(self, request: HttpRequest, queryset: QuerySet[Watermark]) -> None:
        """Queued for the workers, from the first slot on."""
        self._start(request, list(queryset.values_list("pk", flat=True)), 0)

    def _start(
        self, request: HttpRequest, trader_ids: Collection[int], from_slot: int | None
    ) -> None:
        scope = f"{len(trader_ids)} wallets, by {request.user.get_username()}"
        run = backfills.start(scope, trader_ids, from_slot=from_slot)
        self.message_user(request, f"Queued as {run}.", messages.SUCCESS)
