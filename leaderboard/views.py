"""The pages: boards, wallets, and the way from an address to its wallet."""

from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

import pnl.queries
from leaderboard import messages, queries, wallets
from leaderboard.models import Period

BOTS = "bots"
PAGE_SECONDS = 5


@require_safe
@cache_control(public=True, max_age=PAGE_SECONDS)
def board(request: HttpRequest, period: str = Period.DAY.value) -> HttpResponse:
    """Who loses most in a period."""
    if period not in Period.values:
        return _unknown_period(request, period)
    # What somebody else has put behind the question mark would be shown to the next visitor.
    if request.META.get("QUERY_STRING", "") not in ("", f"include={BOTS}"):
        return HttpResponse(_board_page(request, period))
    key = f"board-page:{request.build_absolute_uri()}:{queries.version_of(period)}"
    return HttpResponse(queries.remembered(key, lambda: _board_page(request, period)))


@require_safe
def wallet(request: HttpRequest, address: str) -> HttpResponse:
    """One wallet: what it lost, on what, and each of its trades."""
    try:
        trader = wallets.visible_trader(address)
    except pnl.queries.AddressError as error:
        return _no_wallet(request, 400, "That is not a wallet address", str(error))
    if trader is None:
        detail = f"{address} was not seen trading on Pump.fun."
        return _no_wallet(request, 404, "We have not seen this wallet", detail)
    return render(request, "leaderboard/wallet.html", {"wallet": wallets.wallet(trader)})


@require_safe
def find_wallet(request: HttpRequest) -> HttpResponseBase:
    """From a search box to the wallet."""
    address = request.GET.get("address", "").strip()
    try:
        pnl.queries.check_address(address)
    except pnl.queries.AddressError as error:
        return _no_wallet(request, 400, "That is not a wallet address", str(error))
    return redirect("wallet", address=address)


@require_safe
def favicon(request: HttpRequest) -> HttpResponseBase:
    """The mark, for clients that ask for it without having read a page."""
    return redirect(static("pumploss/mark.svg"))


def _board_page(request: HttpRequest, period: str) -> bytes:
    include_bots = request.GET.get("include") == BOTS
    context = {
        "board": _everyone(period) if include_bots else queries.snapshot(period).frame(),
        "periods": [_link(each, period, include_bots) for each in Period],
        "include_bots": include_bots,
        "bots_url": _url(period, not include_bots),
        "headline": _headline(period),
    }
    return render_to_string("leaderboard/board.html", context, request).encode()


def _everyone(period: str) -> dict[str, Any]:
    """The board with bots, in the shape of the rendered one."""
    page = queries.page(period, limit=settings.BOARD_ROWS, include_bots=True)
    return messages.snapshot(period, page.version, queries.iso(page.as_of), page.lines)


def _headline(period: str) -> dict[str, Any]:
    encoded = queries.remembered(
        f"headline:{period}", lambda: msgspec.json.encode(queries.headline(period))
    )
    return dict(msgspec.json.decode(encoded))


def _link(period: Period, current: str, include_bots: bool) -> dict[str, Any]:
    return {
        "value": period.value,
        "label": period.label,
        "url": _url(period.value, include_bots),
        "current": period.value == current,
    }


def _url(period: str, include_bots: bool) -> str:
    query = f"?include={BOTS}" if include_bots else ""
    return reverse("board", args=[period]) + query


def _unknown_period(request: HttpRequest, period: str) -> HttpResponse:
    known = ", ".join(Period.values)
    detail = f"There is no board “{period}”; the periods are {known}."
    return _problem(request, "404.html", 404, "There is no such board", detail)


def _no_wallet(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    return _problem(request, "leaderboard/wallet_problem.html", status, title, detail)


def _problem(
    request: HttpRequest, template: str, status: int, title: str, detail: str
) -> HttpResponse:
    context = {"problem": {"status": status, "title": title, "detail": detail}}
    return render(request, template, context, status=status)
