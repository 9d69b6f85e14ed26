"""The ledger for staff: wallets can be labelled and hidden, everything else can only be looked at.

The tables are too large to be counted or scanned for a page: lists go by the primary key, searches
go by a whole key, and a count stops where it would begin to hurt.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

import pnl.operations
from pnl import alarms
from pnl.fields import ADDRESS_BYTES, SIGNATURE_BYTES, base58_bytes
from pnl.models import Alarm, Position, Realization, SolPrice, Token, Trade, Trader

if TYPE_CHECKING:
    # The stubs make these generic; at run time they are not.
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _Paginator = Paginator

COUNTED_MAX = 10_000
KEY_CHARACTERS_MAX = 100
ESTIMATE = "SELECT reltuples::int8 FROM pg_class WHERE oid = %s::regclass"


class BoundedPaginator(_Paginator):
    """Counts to a limit; beyond it a whole table is as long as the planner believes."""

    @cached_property
    def count(self) -> int:
        """Exact up to the limit."""
        found: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        counted = found.order_by()[:COUNTED_MAX].count()
        if counted < COUNTED_MAX or found.query.where:
            return counted
        with connection.cursor() as cursor:
            cursor.execute(ESTIMATE, [found.model._meta.db_table])
            return max(counted, int(cursor.fetchone()[0]))


class ReadOnlyAdmin(_ModelAdmin):
    """Rows that nobody adds, changes or removes by hand."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Every column: a form would leave out the keys, which are bytes."""
        return tuple(self.readonly_fields) or tuple(f.name for f in self.opts.concrete_fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class KeyedAdmin(ReadOnlyAdmin):
    """Found by the whole signature of its trade, or by the whole address of its wallet."""

    search_fields = ("pk",)
    search_help_text = "A whole signature, or the whole address of a wallet."
    signature_field = ""
    list_select_related: ClassVar[tuple[str, ...]] = ("trader", "token")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What has exactly this key; nothing when the text is no key."""
        if not search_term:
            return queryset, False
        if self.signature_field and is_key(search_term, SIGNATURE_BYTES):
            return queryset.filter(**{self.signature_field: search_term}), False
        if not is_key(search_term, ADDRESS_BYTES):
            return queryset.none(), False
        # By id, so that the index on the trader is what the database looks into.
        known = Trader.objects.filter(address=search_term).values_list("pk", flat=True).first()
        return queryset.filter(trader_id=known), False


@admin.register(Trader)
class TraderAdmin(ReadOnlyAdmin):
    """Wallets: what staff say of them, and where to read more."""

    list_display = ("address", "label", "kind", "hidden", "watched", "page")
    list_filter = ("kind", "hidden", "watched")
    fields: ClassVar[tuple[str, ...]] = (
        "address",
        "label",
        "kind",
        "hidden",
        "watched",
        "page",
        "lists",
    )
    readonly_fields: ClassVar[tuple[str, ...]] = ("address", "page", "lists")
    search_fields = ("label",)
    search_help_text = "A whole address, or a part of a label."
    actions = ("hide", "unhide")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change traders."""
        return bool(request.user.has_perm("pnl.change_trader"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The wallet of this address, or those with such a label."""
        if is_key(search_term, ADDRESS_BYTES):
            return queryset.filter(address=search_term), False
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: Trader, form: Any, change: bool) -> None:
        """Saved by the operation that tells the boards."""
        pnl.operations.save_trader(obj)

    @admin.action(description="Hide from every board and page", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Trader]) -> None:
        """Off every board, every page and the API."""
        self._set_hidden(request, queryset, hidden=True)

    @admin.action(description="Show again", permissions=["change"])
    def unhide(self, request: HttpRequest, queryset: QuerySet[Trader]) -> None:
        """Back on them."""
        self._set_hidden(request, queryset, hidden=False)

    def _set_hidden(
        self, request: HttpRequest, queryset: QuerySet[Trader], *, hidden: bool
    ) -> None:
        traders = list(queryset)
        pnl.operations.set_traders_hidden(traders, hidden=hidden)
        for trader in traders:
            self.log_change(request, trader, f"{'Hidden' if hidden else 'Shown again'}.")
        state = "hidden from every board and page" if hidden else "shown again"
        self.message_user(request, f"Wallets {state}: {len(traders)}.", messages.SUCCESS)

    @admin.display(description="page")
    def page(self, trader: Trader) -> SafeString:
        """The wallet as everybody sees it; a hidden one has no page."""
        url = reverse("wallet", args=[trader.address])
        return format_html('<a href="{}">On the site</a>', url)

    @admin.display(description="ledger")
    def lists(self, trader: Trader) -> SafeString:
        """The wallet's rows of the ledger."""
        links = [
            format_html(
                '<a href="{}?q={}">{}</a>',
                reverse(f"admin:pnl_{model._meta.model_name}_changelist"),
                trader.address,
                model._meta.verbose_name_plural,
            )
            for model in (Position, Realization, Trade)
        ]
        return format_html("{} · {} · {}", *links)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens, and what their creators and the curve told of them."""

    list_display = ("mint", "symbol", "name", "created_at", "completed_at", "migrated_at")
    search_fields = ("symbol",)
    search_help_text = "A whole mint, or a whole symbol."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The token of this mint, or those of this symbol, whatever its case."""
        if not search_term:
            return queryset, False
        if is_key(search_term, ADDRESS_BYTES):
            return queryset.filter(mint=search_term), False
        # A blank symbol is in no index; to say so lets the database use the one there is.
        return queryset.filter(symbol__iexact=search_term.strip()).exclude(symbol=""), False


@admin.register(Trade)
class TradeAdmin(KeyedAdmin):
    """Trades, as they were booked."""

    list_display = ("signature", "event_index", "block_time", "trader", "side", "sol", "venue")
    signature_field = "signature"

    @admin.display(description="lamports")
    def sol(self, trade: Trade) -> str:
        """Whole lamports with their thousands apart."""
        return grouped(trade.lamports)


@admin.register(Position)
class PositionAdmin(KeyedAdmin):
    """Positions, as their trades folded."""

    list_display = ("id", "trader", "token", "realized", "cost", "buys", "sells", "last_at")
    search_help_text = "The whole address of a wallet."

    @admin.display(description="realized lamports")
    def realized(self, position: Position) -> str:
        """What its sells realized."""
        return grouped(position.realized_lamports)

    @admin.display(description="cost lamports")
    def cost(self, position: Position) -> str:
        """What the units still held have cost."""
        return grouped(position.cost_lamports)


@admin.register(Realization)
class RealizationAdmin(KeyedAdmin):
    """Realizations, one a sell."""

    list_display = ("trade", "trader", "token", "realized", "closes", "realized_at")
    list_select_related = ("trade", "trader", "token")
    signature_field = "trade__signature"

    @admin.display(description="realized lamports")
    def realized(self, realization: Realization) -> str:
        """Proceeds without cost."""
        return grouped(realization.realized_lamports)


@admin.register(SolPrice)
class SolPriceAdmin(ReadOnlyAdmin):
    """What a SOL cost, the newest minute first."""

    list_display = ("minute", "micro_usd", "source", "fetched_at")


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    """What somebody must look at; an alarm goes by itself when its cause is gone."""

    list_display = ("kind", "detail", "times", "since", "last_at")
    ordering = ("since",)
    actions = ("dismiss",)

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        """Whoever may delete alarms may say that one has been seen to."""
        return bool(request.user.has_perm("pnl.delete_alarm"))

    @admin.action(description="Dismiss", permissions=["dismiss"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> None:
        """It comes back if its cause is still there."""
        kinds = list(queryset.values_list("kind", flat=True))
        for kind in kinds:
            alarms.clear(kind)
        self.message_user(request, f"Alarms dismissed: {len(kinds)}.", messages.SUCCESS)


def is_key(text: str, length: int) -> bool:
    """Whether the text is a key of so many bytes."""
    if len(text) > KEY_CHARACTERS_MAX:
        return False
    try:
        base58_bytes(text, length)
    except ValueError:
        return False
    return True


def grouped(amount: int | None) -> str:
    """An amount that can be read; a dash where there is none."""
    return "—" if amount is None else f"{amount:,}"
