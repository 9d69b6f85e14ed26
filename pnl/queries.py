"""Reading the ledger: a wallet's totals, positions, realizations and trades.

Every question is one range of an index that begins with the trader, whatever the size of the table;
lists come in pages, newest first, and a cursor names the last line of a page and not its number.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from pnl.fields import ADDRESS_BYTES, base58_bytes
from pnl.models import HourlyRollup, Position, Realization, Touched, Trade, Trader

# 32 bytes in base58. Decoding takes quadratic time, so nothing longer is decoded at all.
ADDRESS_CHARACTERS = (32, 44)

# What every line says of its token besides the mint: a token whose curve is complete has graduated.
TOKEN = ("token__symbol", "token__name", Coalesce("token__completed_at", "token__migrated_at"))

Line = TypeVar("Line")


class AddressError(ValueError):
    """The text is no address of a wallet; the message says why."""


class CursorError(ValueError):
    """The cursor was not made by us, or not for this list."""


class Totals(NamedTuple):
    """A wallet over all time. Lamports, losses negative; `worst` is of one sell, 0 without one."""

    realized_lamports: int
    gross_loss_lamports: int
    cost_lamports: int
    volume_lamports: int
    worst_lamports: int
    trades: int
    buys: int
    sells: int
    unmatched_sells: int
    unpriced: int
    positions: int
    open_positions: int
    closed_positions: int
    wins: int
    losses: int
    losing_streak: int
    first_trade_at: datetime | None
    last_trade_at: datetime | None


class PositionLine(NamedTuple):
    """A position with its mint. Units are raw token units."""

    at: datetime
    slot: int
    id: int
    mint: str
    units: int
    cost_lamports: int
    bought_units: int
    bought_lamports: int
    sold_units: int
    sold_lamports: int
    realized_lamports: int
    unmatched_units: int
    buys: int
    sells: int
    closed: int
    wins: int
    losses: int
    unpriced: int
    symbol: str
    name: str
    graduated_at: datetime | None


class RealizationLine(NamedTuple):
    """What one sell realized, with its mint and signature; `id` is the trade's."""

    at: datetime
    slot: int
    id: int
    mint: str
    signature: str
    matched_units: int
    unmatched_units: int
    cost_lamports: int
    proceeds_lamports: int
    realized_lamports: int
    closes: bool
    trip_lamports: int
    hold_seconds: int
    symbol: str
    name: str
    graduated_at: datetime | None


class TradeLine(NamedTuple):
    """A trade with its mints as addresses; `lamports` is None while it has no SOL price."""

    at: datetime
    slot: int
    id: int
    mint: str
    signature: str
    event_index: int
    side: int
    venue: int
    token_units: int
    lamports: int | None
    fee_units: int
    quote_mint: str | None
    quote_units: int | None
    symbol: str
    name: str
    graduated_at: datetime | None


class Cursor(NamedTuple):
    """The last line of a page, and the list it belongs to."""

    of: str
    trader_id: int
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    slot: int
    id: int


class Page(NamedTuple, Generic[Line]):
    """Lines of a list, newest first, and where the next page begins: None at the end."""

    lines: list[Line]
    next: Cursor | None


def trader_ids_after(last: int, *, limit: int) -> list[int]:
    """Ids of traders above `last`, ascending: a walk over everybody who ever traded."""
    later = Trader.objects.filter(pk__gt=last).order_by("pk")
    return list(later.values_list("pk", flat=True)[:limit])


def last_touched() -> int:
    """The latest note that a trader must be summed again, 0 without one."""
    return int(Touched.objects.aggregate(last=Max("pk", default=0))["last"])


def touched_until(last: int) -> int:
    """How many notes up to this one still wait."""
    return Touched.objects.filter(pk__lte=last).count()


def check_address(address: str) -> None:
    """Raises AddressError when the text cannot be the address of a wallet."""
    least, most = ADDRESS_CHARACTERS
    if not least <= len(address) <= most:
        raise AddressError(f"An address has {least} to {most} characters, this has {len(address)}.")
    try:
        base58_bytes(address, ADDRESS_BYTES)
    except ValueError as error:
        raise AddressError(f"{error}.") from None


def trader_by_address(address: str) -> Trader | None:
    """Whoever trades with this wallet, None if never seen. Raises AddressError for no address."""
    check_address(address)
    return Trader.objects.filter(address=address).first()


def totals_of(trader_id: int) -> Totals:
    """A wallet summed from its hours and positions, not from its trades."""
    hours = HourlyRollup.objects.filter(trader_id=trader_id).aggregate(
        realized_lamports=Sum("realized_lamports", default=0),
        gross_loss_lamports=Sum("loss_lamports", default=0),
        cost_lamports=Sum("cost_lamports", default=0),
        volume_lamports=Sum("volume_lamports", default=0),
        worst_lamports=Min("worst_lamports", default=0),
        trades=Sum("trades", default=0),
        unmatched_sells=Sum("unmatched_sells", default=0),
        closed_positions=Sum("closed", default=0),
        wins=Sum("wins", default=0),
        losses=Sum("losses", default=0),
    )
    positions = Position.objects.filter(trader_id=trader_id).aggregate(
        positions=Count("pk"),
        open_positions=Count("pk", filter=Q(units__gt=0)),
        buys=Sum("buys", default=0),
        sells=Sum("sells", default=0),
        unpriced=Sum("unpriced", default=0),
        first_trade_at=Min("first_at"),
        last_trade_at=Max("last_at"),
    )
    return Totals(**hours, **positions, losing_streak=losing_streak_of(trader_id))


def losing_streak_of(trader_id: int) -> int:
    """Losing round trips since the last one that did not lose, counted by slot as the boards do."""
    trips = Realization.objects.filter(trader_id=trader_id, closes=True)
    slots = trips.filter(trip_lamports__gte=0).order_by("-slot").values_list("slot", flat=True)
    won_at = slots.first()
    return trips.filter(trip_lamports__lt=0, slot__gt=-1 if won_at is None else won_at).count()


def trades_since(trader_id: int, moment: datetime) -> int:
    """How many trades a wallet made after a moment."""
    return Trade.objects.filter(trader_id=trader_id, block_time__gt=moment).count()


def positions_of(trader_id: int, *, limit: int, after: Cursor | None = None) -> Page[PositionLine]:
    """A wallet's positions, the one traded last first."""
    columns = ("last_at", "last_slot", "id", "token__mint", *PositionLine._fields[4:-3], *TOKEN)
    found = Position.objects.filter(trader_id=trader_id)
    return _page(found, columns, PositionLine._make, Asked("positions", trader_id, limit, after))


def realizations_of(
    trader_id: int, *, limit: int, after: Cursor | None = None
) -> Page[RealizationLine]:
    """What a wallet's sells realized, latest first."""
    keys = ("realized_at", "slot", "trade_id", "token__mint", "trade__signature")
    found = Realization.objects.filter(trader_id=trader_id)
    asked = Asked("realizations", trader_id, limit, after)
    return _page(
        found, (*keys, *RealizationLine._fields[5:-3], *TOKEN), RealizationLine._make, asked
    )


def trades_of(trader_id: int, *, limit: int, after: Cursor | None = None) -> Page[TradeLine]:
    """A wallet's trades, latest first."""
    columns = ("block_time", "slot", "id", "token__mint", *TradeLine._fields[4:-5])
    found = Trade.objects.filter(trader_id=trader_id)
    asked = Asked("trades", trader_id, limit, after)
    return _page(found, (*columns, "quote__mint", "quote_units", *TOKEN), TradeLine._make, asked)


def decode_cursor(text: str, *, of: str, trader_id: int) -> Cursor:
    """The cursor of an earlier page. Raises CursorError when it belongs to another list."""
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text.encode()), type=Cursor)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise CursorError("this cursor was not given out by this endpoint") from None
    if (cursor.of, cursor.trader_id) != (of, trader_id):
        raise CursorError("this cursor belongs to another list")
    return cursor


def encode_cursor(cursor: Cursor) -> str:
    """A cursor as an opaque string."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


class Asked(NamedTuple):
    """Which list, whose, how much of it, and after what."""

    of: str
    trader_id: int
    limit: int
    after: Cursor | None


def _page(
    found: "QuerySet[Any]",
    columns: tuple[Any, ...],
    make: Callable[[tuple[Any, ...]], Any],
    asked: Asked,
) -> Page[Any]:
    """One page of a list whose order is its first three columns, descending."""
    order = columns[:3]
    if asked.after is not None:
        found = found.filter(_behind(order, asked.after))
    rows = found.order_by(*(f"-{column}" for column in order)).values_list(*columns)
    lines = [make(row) for row in rows[: asked.limit + 1]]
    shown = lines[: asked.limit]
    if len(lines) == len(shown):
        return Page(shown, None)
    last = shown[-1]
    return Page(shown, Cursor(asked.of, asked.trader_id, last.at, last.slot, last.id))


def _behind(order: tuple[str, ...], after: Cursor) -> Q:
    """Everything further down. The first condition is redundant, and what the index can use."""
    at, slot, key = order
    same_time = Q(**{at: after.at})
    return Q(**{f"{at}__lte": after.at}) & (
        Q(**{f"{at}__lt": after.at})
        | same_time & Q(**{f"{slot}__lt": after.slot})
        | same_time & Q(**{slot: after.slot, f"{key}__lt": after.id})
    )
