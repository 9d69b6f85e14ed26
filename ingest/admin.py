"""The inbox and its archive for staff: what came, what became of it, a way to run it again."""

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingest import (
    backfill_admin,  # noqa: F401  Django looks for registrations here only.
    operations,
    queries,
)
from ingest.bodies import unpacked
from ingest.models import Archived, Delivery, DeliveryQuerySet, Enrichment
from pnl.admin import ReadOnlyAdmin, is_key
from pnl.fields import SIGNATURE_BYTES

SHOWN_CHARACTERS_MAX = 200_000
# Indenting needs the whole body in memory several times over: a large one is shown as it came.
INDENTED_BYTES_MAX = 4 * 1024 * 1024
STATES = ("pending", "processed", "set_aside")
AGES = {
    "10m": ("the last 10 minutes", timedelta(minutes=10)),
    "1h": ("the last hour", timedelta(hours=1)),
    "24h": ("the last 24 hours", timedelta(days=1)),
    "7d": ("the last 7 days", timedelta(days=7)),
}
# What one click may put back; for more there is `manage.py reprocess`.
REPROCESSED_MAX = 50_000
ID_DIGITS_MAX = 18


class StateFilter(admin.SimpleListFilter):
    """One of the three states of a delivery."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states as they are shown."""
        return [(state, state.replace("_", " ")) for state in STATES]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery] | None:
        """The deliveries in the chosen state."""
        state = self.value()
        if state not in STATES or not isinstance(queryset, DeliveryQuerySet):
            return None
        chosen: QuerySet[Delivery] = getattr(queryset, state)()
        return chosen


class KindFilter(admin.SimpleListFilter):
    """One of the words for what went wrong."""

    title = "error kind"
    parameter_name = "error_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that there are."""
        return [(kind, kind) for kind in queries.error_kinds()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery] | None:
        """The deliveries that were set aside for it."""
        kind = self.value()
        if kind is None or not isinstance(queryset, DeliveryQuerySet):
            return None
        return queryset.set_aside().filter(error_kind=kind)


class ReceivedFilter(admin.SimpleListFilter):
    """How long ago a delivery came."""

    title = "received"
    parameter_name = "received"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """A few ages."""
        return [(key, name) for key, (name, _) in AGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """The deliveries that came since then."""
        age = AGES.get(self.value() or "")
        return age and queryset.filter(received_at__gte=timezone.now() - age[1])


class InboxAdmin(ReadOnlyAdmin):
    """Deliveries wherever they are: found by id and time, shown with their body, run again."""

    search_fields = ("pk",)
    search_help_text = "A whole id."
    actions = ("process_again",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The delivery of this id; nothing when the text is none."""
        if not search_term:
            return queryset, False
        is_id = search_term.isdecimal() and len(search_term) <= ID_DIGITS_MAX
        return queryset.filter(pk=int(search_term)) if is_id else queryset.none(), False

    def has_process_permission(self, request: HttpRequest) -> bool:
        """Whoever may change deliveries may have them processed."""
        return bool(request.user.has_perm("ingest.change_delivery"))

    @admin.action(description="Process again", permissions=["process"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Back into the inbox; what was booked already changes nothing."""
        waiting = sum(operations.reprocess_all([queryset], limit=REPROCESSED_MAX))
        said = f"Deliveries to be processed: {waiting}."
        if waiting == REPROCESSED_MAX:
            said += " There may be more: do it again, or use manage.py reprocess."
        self.message_user(request, said, messages.SUCCESS)

    @admin.display(description="dropped")
    def left_out(self, delivery: Delivery | Archived) -> SafeString:
        """What was well formed but not ours to book."""
        return preformatted("" if delivery.dropped is None else indented(delivery.dropped))


@admin.register(Delivery)
class DeliveryAdmin(InboxAdmin):
    """Deliveries, the newest first; the lists leave their bodies alone."""

    list_display = (
        *("id", "received_at", "state", "size_bytes", "trades", "attempts"),
        *("error_kind", "problem"),
    )
    list_filter = (StateFilter, KindFilter, ReceivedFilter)
    fields = (
        *("id", "received_at", "state", "processed_at", "set_aside_at", "attempts"),
        *("size_bytes", "trades", "unknown_layouts", "error_kind", "error", "trace"),
        *("left_out", "content"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bodies are read one at a time, where they are shown."""
        return super().get_queryset(request).defer("body", "traceback", "dropped")

    @admin.display(description="state")
    def state(self, delivery: Delivery) -> str:
        """In a word."""
        if delivery.processed_at is not None:
            return "processed"
        return "set aside" if delivery.set_aside_at is not None else "pending"

    @admin.display(description="problem")
    def problem(self, delivery: Delivery) -> str:
        """The first line of its error."""
        return delivery.error.partition("\n")[0]

    @admin.display(description="traceback")
    def trace(self, delivery: Delivery) -> SafeString:
        """Where it failed."""
        return preformatted(delivery.traceback)

    @admin.display(description="body")
    def content(self, delivery: Delivery) -> SafeString:
        """The body, indented where it is JSON; its beginning where it is long."""
        return preformatted(readable(unpacked(bytes(delivery.body))))


@admin.register(Enrichment)
class EnrichmentAdmin(ReadOnlyAdmin):
    """What came enhanced and is asked for raw."""

    list_display = (
        *("signature", "reason", "requested_at", "attempts", "done_at", "is_unknown", "error"),
    )
    search_fields = ("signature",)
    search_help_text = "A whole signature."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The one of this signature; nothing when the text is no signature."""
        if not search_term:
            return queryset, False
        known = is_key(search_term, SIGNATURE_BYTES)
        return queryset.filter(signature=search_term) if known else queryset.none(), False


@admin.register(Archived)
class ArchivedAdmin(InboxAdmin):
    """Processed deliveries that have left the inbox, the newest first."""

    list_display = ("id", "received_at", "processed_at", "size_bytes", "trades", "attempts")
    list_filter = (ReceivedFilter,)
    fields = (
        *("id", "received_at", "processed_at", "attempts", "size_bytes", "trades"),
        *("left_out", "content"),
    )
    readonly_fields = fields
    ordering = ("-received_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bodies are read one at a time, where they are shown."""
        return super().get_queryset(request).defer("body", "dropped")

    @admin.display(description="body")
    def content(self, delivery: Archived) -> SafeString:
        """The body as it came, indented where it is JSON."""
        return preformatted(readable(unpacked(bytes(delivery.body))))


def readable(body: bytes) -> str:
    """A body as text: indented if it is JSON of a bearable size."""
    if len(body) <= INDENTED_BYTES_MAX:
        try:
            return indented(json.loads(body))
        # Nothing that somebody posts may keep staff from looking at it.
        except (ValueError, RecursionError):
            pass
    return body[: 4 * SHOWN_CHARACTERS_MAX].decode(errors="replace")


def indented(content: Any) -> str:
    """JSON as people read it."""
    return json.dumps(content, indent=2, ensure_ascii=False)


def preformatted(text: str) -> SafeString:
    """Text in its own lines, cut where a browser would suffer."""
    if not text:
        return format_html("{}", "—")
    left = len(text) - SHOWN_CHARACTERS_MAX
    shown = text[:SHOWN_CHARACTERS_MAX]
    end = f"\n… {left:,} more characters" if left > 0 else ""
    return format_html('<pre style="white-space: pre-wrap">{}{}</pre>', shown, end)
