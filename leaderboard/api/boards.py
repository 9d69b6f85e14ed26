"""The boards as JSON: their lines, and one wallet's place among them."""

from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from leaderboard import messages, queries, wallets
from leaderboard.api.wallets import ADDRESS, FLAGS, KIND, LABEL, NOT_SEEN, trader_of
from leaderboard.models import Period
from pnl.api import (
    Endpoint,
    answer,
    choice,
    choices,
    counts,
    described,
    moment,
    money,
    percent,
    shape,
    texts,
)

METRIC = "realized"
BOTS = "bots"
ROWS_DEFAULT = 100
ROWS_MAX = 500
NO_BOARD = "There is no such board."

PERIOD = OpenApiParameter(
    "period",
    str,
    OpenApiParameter.PATH,
    enum=Period.values,
    description="A window that rolls, exact to the second, or all time.",
)


def period_of(text: str) -> Period:
    """The board of that name. Raises NotFound naming those that exist."""
    try:
        return Period(text)
    except ValueError:
        known = ", ".join(Period.values)
        raise NotFound(f"There is no board {text!r}; the periods are {known}.") from None


class LeaderboardAPI(Endpoint):
    """Who loses most in a period: the biggest realized loss first.

    Wallets marked as bots are left out unless `include=bots`; hidden wallets always are. Ties share
    a rank, and the next one skips. `version` counts the changes of the visible top, as the socket
    `/ws/leaderboards/{period}/` sends them.
    """

    max_age_seconds = 5

    Input = shape(
        "BoardInput",
        {
            "metric": choice(METRIC, default=METRIC, help_text="What the board is ordered by."),
            "include": choice(BOTS, required=False, help_text="Whom to show as well."),
            "limit": serializers.IntegerField(
                default=ROWS_DEFAULT, min_value=1, max_value=ROWS_MAX, help_text="Rows in a page."
            ),
            "cursor": serializers.CharField(
                required=False, help_text="`next_cursor` of the page before, with the same include."
            ),
        },
    )
    Row = shape(
        "BoardRow",
        {
            "rank": serializers.IntegerField(),
            **texts("address", "short"),
            "label": LABEL(),
            **money("realized", "gross_loss", "volume", "worst"),
            "roi_percent": percent(),
            **counts("trades", "closed_positions", "wins"),
            "win_rate_percent": percent(),
            **counts("losing_streak"),
            "last_loss_at": moment(allow_null=True),
            "flags": FLAGS(),
        },
    )
    Output = shape(
        "Board",
        {
            "period": choice(*Period.values),
            "version": serializers.IntegerField(),
            "as_of": moment(),
            "metric": choice(METRIC),
            "include": choices(BOTS),
            "rows": Row(many=True),
            "next_cursor": serializers.CharField(allow_null=True),
        },
    )

    @described(Output, name="leaderboard", asks=Input, path=[PERIOD], missing=NO_BOARD)
    def get(self, request: Request, period: str) -> HttpResponse:
        board = period_of(period)
        # The page that everybody asks for is the same for everybody.
        if self.asked != {"metric": METRIC, "limit": ROWS_DEFAULT}:
            return answer(page(board, self.asked))
        key = f"board-answer:{board}:{queries.version_of(board)}"
        return answer(queries.remembered(key, lambda: msgspec.json.encode(page(board, self.asked))))


def page(period: Period, asked: dict[str, Any]) -> dict[str, Any]:
    """A page of a board as it is answered."""
    include_bots = asked.get("include") == BOTS
    found = queries.page(
        period,
        limit=asked["limit"],
        include_bots=include_bots,
        after=_cursor(period, include_bots, asked.get("cursor")),
    )
    return {
        "period": period.value,
        "version": found.version,
        "as_of": queries.iso(found.as_of),
        "metric": asked["metric"],
        "include": [BOTS] if include_bots else [],
        "rows": [messages.row(line) for line in found.lines],
        "next_cursor": found.next_cursor,
    }


def _cursor(period: Period, include_bots: bool, text: str | None) -> queries.Cursor | None:
    if text is None:
        return None
    try:
        return queries.decode_cursor(text, period=period, include_bots=include_bots)
    except queries.CursorError as error:
        raise ValidationError({"cursor": [str(error)]}) from None


class RankAPI(Endpoint):
    """One wallet's place on a board.

    Without a result in the period there are no amounts, and a wallet that the board leaves out has
    amounts but no rank.
    """

    max_age_seconds = 5

    Output = shape(
        "Rank",
        {
            "period": choice(*Period.values),
            "version": serializers.IntegerField(),
            "as_of": moment(),
            "metric": choice(METRIC),
            **texts("address", "short"),
            "label": LABEL(),
            "kind": KIND(),
            **money("realized", allow_null=True),
            "rank": serializers.IntegerField(allow_null=True),
        },
    )

    @described(
        Output, name="leaderboard_rank", path=[PERIOD, ADDRESS], missing=f"{NO_BOARD} {NOT_SEEN}"
    )
    def get(self, request: Request, period: str, address: str) -> HttpResponse:
        board = period_of(period)
        place = wallets.standing(trader_of(address), board)
        return answer({"metric": METRIC, **place})
