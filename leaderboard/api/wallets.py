"""A wallet as JSON: everything at a glance, and its lists to the end."""

from functools import partial
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

import pnl.queries
from leaderboard import wallets
from leaderboard.models import Period
from pnl import paging
from pnl.api import (
    Endpoint,
    Fields,
    Shape,
    answer,
    choice,
    choices,
    counts,
    described,
    moment,
    money,
    percent,
    shape,
    sol,
    texts,
    usd,
    whole,
)
from pnl.engine.trades import Side, Venue
from pnl.models import Trader, TraderKind

LINES_DEFAULT = 50
LINES_MAX = 500
NOT_SEEN = "This wallet was not seen trading."

ADDRESS = OpenApiParameter(
    "address", str, OpenApiParameter.PATH, description="A Solana wallet: 32 bytes in base58."
)
LABEL = partial(serializers.CharField, allow_null=True)
KIND = partial(choice, *TraderKind.values)
FLAGS = partial(choices, *wallets.FLAGS)

# What a token is called is up to its creator: text without markup, and no proof of anything. A
# token has graduated when its curve was bought out.
TOKEN: Fields = {
    **texts("mint", "short"),
    "symbol": serializers.CharField(allow_null=True),
    "token_name": serializers.CharField(allow_null=True),
    "graduated": serializers.BooleanField(),
}

ListInput = shape(
    "ListInput",
    {
        "limit": serializers.IntegerField(
            default=LINES_DEFAULT, min_value=1, max_value=LINES_MAX, help_text="Lines in a page."
        ),
        "cursor": serializers.CharField(
            required=False, help_text="`next_cursor` of the page before, of the same list."
        ),
    },
)


def trader_of(address: str) -> Trader:
    """The visible trader behind an address. Raises what becomes a 400 or a 404."""
    try:
        trader = wallets.visible_trader(address)
    except pnl.queries.AddressError as error:
        raise ValidationError({"address": [str(error)]}) from None
    if trader is None:
        raise NotFound(NOT_SEEN)
    return trader


def page(name: str, address: str, asked: dict[str, Any]) -> HttpResponse:
    """A page of one of a wallet's lists."""
    trader = trader_of(address)
    after = None
    if "cursor" in asked:
        try:
            after = paging.decode_cursor(asked["cursor"], of=name, trader_id=trader.pk)
        except paging.CursorError as error:
            raise ValidationError({"cursor": [str(error)]}) from None
    return answer(wallets.list_of(name, trader, limit=asked["limit"], after=after))


def listed(name: str, line: Shape) -> Shape:
    """The shape of a page of such lines."""
    return shape(
        f"{name.capitalize()}Page",
        {
            "address": serializers.CharField(),
            "as_of": moment(),
            name: line(many=True),
            "next_cursor": serializers.CharField(allow_null=True),
        },
    )


class PositionsAPI(Endpoint):
    """A wallet's positions, the one traded last first.

    `cost_*` is what the units still held have cost; `unmatched_units` were sold and never seen
    bought, and realize nothing.
    """

    Input = ListInput
    Line = shape(
        "Position",
        {
            **TOKEN,
            "open": serializers.BooleanField(),
            "units": whole(),
            **money("cost"),
            "bought_units": whole(),
            **money("bought"),
            "sold_units": whole(),
            **money("sold", "realized"),
            "unmatched_units": whole(),
            **counts("buys", "sells", "closed_positions", "wins", "losses"),
            "last_trade_at": moment(),
            "flags": FLAGS(),
            **texts("pump_fun_url", "solscan_url"),
        },
    )
    Output = listed("positions", Line)

    @described(Output, name="wallet_positions", asks=Input, path=[ADDRESS], missing=NOT_SEEN)
    def get(self, request: Request, address: str) -> HttpResponse:
        return page("positions", address, self.asked)


class RealizationsAPI(Endpoint):
    """What a wallet's sells realized, latest first.

    A sell that `closes` ended a round trip, which realized `trip_*` in `hold_seconds`.
    `realized_usd` is the result in SOL at the price of the sell's own minute; it is null where that
    price is not known.
    """

    Input = ListInput
    Line = shape(
        "Realization",
        {
            "id": serializers.IntegerField(),
            **TOKEN,
            "realized_at": moment(),
            **texts("signature", "solscan_url"),
            "matched_units": whole(),
            "unmatched_units": whole(),
            **money("cost", "proceeds", "realized"),
            "realized_usd": usd(allow_null=True),
            "closes": serializers.BooleanField(),
            **money("trip"),
            **counts("hold_seconds"),
        },
    )
    Output = listed("realizations", Line)

    @described(Output, name="wallet_realizations", asks=Input, path=[ADDRESS], missing=NOT_SEEN)
    def get(self, request: Request, address: str) -> HttpResponse:
        return page("realizations", address, self.asked)


class TradesAPI(Endpoint):
    """A wallet's trades, latest first.

    `lamports` is what a buy cost or a sell brought, program fees inside; it is null while a trade
    in another quote has no SOL price. `value_usd` is the SOL at the price of the trade's own
    minute, or what was paid in USDC, taken as US dollars; it is null where no price is known.
    """

    Input = ListInput
    Line = shape(
        "Trade",
        {
            "signature": serializers.CharField(),
            "event_index": serializers.IntegerField(),
            "solscan_url": serializers.CharField(),
            "block_time": moment(),
            "slot": serializers.IntegerField(),
            **TOKEN,
            "side": choice(*(side.name.lower() for side in Side)),
            "token_units": whole(),
            "lamports": whole(allow_null=True),
            "sol": sol(allow_null=True),
            "value_usd": usd(allow_null=True),
            "fee_units": whole(),
            "quote_mint": serializers.CharField(allow_null=True),
            "quote_units": whole(allow_null=True),
            "venue": choice(*(venue.name.lower() for venue in Venue)),
        },
    )
    Output = listed("trades", Line)

    @described(Output, name="wallet_trades", asks=Input, path=[ADDRESS], missing=NOT_SEEN)
    def get(self, request: Request, address: str) -> HttpResponse:
        return page("trades", address, self.asked)


class WalletAPI(Endpoint):
    """Everything about a wallet: all-time totals, its places on the boards, its newest lines."""

    Totals = shape(
        "Totals",
        {
            **money("realized", "gross_loss", "volume", "worst", "cost"),
            "roi_percent": percent(),
            **counts("trades", "buys", "sells", "positions", "open_positions", "closed_positions"),
            **counts("wins", "losses"),
            "win_rate_percent": percent(),
            **counts("losing_streak", "unmatched_sells", "unpriced"),
            "first_trade_at": moment(allow_null=True),
            "last_trade_at": moment(allow_null=True),
        },
    )
    Place = shape(
        "PeriodResult",
        {
            "period": choice(*Period.values),
            "label": serializers.CharField(),
            **money("realized", allow_null=True),
            "rank": serializers.IntegerField(allow_null=True),
            **counts("trades"),
        },
    )
    Output = shape(
        "Wallet",
        {
            **texts("address", "short"),
            "label": LABEL(),
            "kind": KIND(),
            "as_of": moment(),
            "flags": FLAGS(),
            "explorers": shape("Explorers", texts("solscan", "pump_fun"))(),
            "totals": Totals(),
            "periods": Place(many=True),
            "positions": PositionsAPI.Line(many=True),
            "realizations": RealizationsAPI.Line(many=True),
            "trades": TradesAPI.Line(many=True),
        },
    )

    @described(Output, name="wallet", path=[ADDRESS], missing=NOT_SEEN)
    def get(self, request: Request, address: str) -> HttpResponse:
        return answer(wallets.wallet(trader_of(address)))
