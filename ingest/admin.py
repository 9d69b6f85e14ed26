"""The inbox for staff: what came, what became of it, and a way to run it again."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingest import operations
from ingest.models import Delivery, DeliveryQuerySet, Enrichment
from pnl.admin import ReadOnlyAdmin, is_key
from pnl.fields import SIGNATURE_BYTES

SHOWN_CHARACTERS_MAX = 200_000
# Indenting needs the whole body in memory several times over: a large one is shown as it came.
INDENTED_BYTES_MAX = 4 * 1024 * 1024
STATES = ("pending", "processed", "set_aside")


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


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries, the newest first; the lists leave their bodies alone."""

    list_display = ("id", "received_at", "state", "size_bytes", "trades", "attempts", "problem")
    list_filter = (StateFilter,)
    fields = (
        *("id", "received_at", "state", "processed_at", "set_aside_at", "attempts"),
        *("size_bytes", "trades", "error", "trace", "left_out", "content"),
    )
    readonly_fields = fields
    actions = ("process_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bodies are read one at a time, where they are shown."""
        return super().get_queryset(request).defer("body", "traceback", "dropped")

    def has_process_permission(self, request: HttpRequest) -> bool:
        """Whoever may change deliveries may have them processed."""
        return bool(request.user.has_perm("ingest.change_delivery"))

    @admin.action(description="Process again", permissions=["process"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Back into the inbox; what was booked already changes nothing."""
        waiting = operations.reprocess(list(queryset.values_list("pk", flat=True)))
        operations.wake()
        self.message_user(request, f"Deliveries to be processed: {waiting}.", messages.SUCCESS)

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

    @admin.display(description="dropped")
    def left_out(self, delivery: Delivery) -> SafeString:
        """What was well formed but not ours to book."""
        return preformatted("" if delivery.dropped is None else indented(delivery.dropped))

    @admin.display(description="body")
    def content(self, delivery: Delivery) -> SafeString:
        """The body, indented where it is JSON; its beginning where it is long."""
        return preformatted(readable(bytes(delivery.body)))


@admin.register(Enrichment)
class EnrichmentAdmin(ReadOnlyAdmin):
    """What came enhanced and is asked for raw."""

    list_display = ("signature", "reason", "requested_at", "attempts", "done_at", "error")
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
