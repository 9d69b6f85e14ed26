"""The boards for staff, and a trader's standings on the trader's own page.

A standing has no key of a single column, which the admin cannot open: it is shown where it belongs.
"""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from leaderboard import queries
from leaderboard.messages import sol
from leaderboard.models import Board, Period, Standing
from pnl.admin import ReadOnlyAdmin, TraderAdmin
from pnl.models import Trader

HEADINGS = ("period", "rank", "realized SOL", "gross loss SOL", "trades", "closed", "wins", "until")


@admin.register(Board)
class BoardAdmin(ReadOnlyAdmin):
    """The four boards: how often they changed, and when they were last looked at."""

    list_display = ("period", "version", "refreshed_at", "page")
    ordering = ("period",)

    @admin.display(description="page")
    def page(self, board: Board) -> SafeString:
        """The board as everybody sees it."""
        return format_html('<a href="{}">On the site</a>', reverse("board", args=[board.period]))


admin.site.unregister(Trader)


@admin.register(Trader)
class RankedTraderAdmin(TraderAdmin):
    """Wallets with their standings: the ledger knows no board, so that the boards add them."""

    fields = (*TraderAdmin.fields, "standings")
    readonly_fields = (*TraderAdmin.readonly_fields, "standings")

    @admin.display(description="standings")
    def standings(self, trader: Trader) -> SafeString | str:
        """The wallet's lines on the boards; a hidden wallet has none."""
        found = queries.standings_of(trader.pk)
        if not found:
            return "On no board."
        lines = [_cells(found[period]) for period in Period.values if period in found]
        rows = format_html_join("", "<tr>{}</tr>", ((_row("td", line),) for line in lines))
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
            _row("th", HEADINGS),
            rows,
        )


def _row(tag: str, cells: tuple[Any, ...]) -> SafeString:
    return format_html_join("", f"<{tag}>{{}}</{tag}>", ((cell,) for cell in cells))


def _cells(standing: Standing) -> tuple[Any, ...]:
    link = format_html(
        '<a href="{}">{}</a>',
        reverse("board", args=[standing.period]),
        Period(standing.period).label,
    )
    return (
        link,
        queries.rank_of(standing) if standing.ranked else "not ranked",
        sol(standing.realized_lamports),
        sol(standing.loss_lamports),
        standing.trades,
        standing.closed,
        standing.wins,
        "for ever" if standing.expires_at is None else f"{standing.expires_at:%Y-%m-%d %H:%M:%S}",
    )
