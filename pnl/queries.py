"""Reading the ledger: a wallet's totals, positions, realizations and trades.

Every question is one range of an index that begins with the trader, whatever the size of the table;
lists come in pages, newest first, and a cursor names the last line of a page and not its number.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Coalesce

from pnl.engine.pricing import UNITS_PER_USD, minute_of
from pnl.fields import ADDRESS_BYTES, base58_bytes
from pnl.models import HourlyRollup, Position, Realization, SolPrice, Token, Touched, Trade, Trader
from pnl.paging import Asked, Cursor, Page, page_of

# 32 bytes in base58. Decoding takes quadratic time, so nothing longer is decoded at all.
ADDRESS_CHARACTERS = (32, 44)

# What every line says of its token besides the mint: a token whose curve is complete has graduated.
TOKEN = ("token__symbol", "token__name", Coalesce("token__completed_at", "token__migrated_at"))

# The status and the alarms want to know whether many wait, not how many millions.
WAITING_COUNTED_MAX = 10_000

MISSING_MINUTES = """
SELECT minute FROM generate_series(%s::int8, %s::int8, 60) AS asked(minute)
 WHERE NOT EXISTS (SELECT FROM pnl_solprice p WHERE p.minute = to_timestamp(asked.minute))
 ORDER BY minute
"""
# From one waiting minute to the next by the index: thousands of trades may wait in each of them.
WAITING_MINUTES = """
WITH RECURSIVE waiting AS (
    SELECT (SELECT min(block_time) FROM pnl_trade
             WHERE quote_id = %(quote)s AND lamports IS NULL
               AND block_time >= to_timestamp(%(after)s)) AS block_time
     UNION ALL
    SELECT (SELECT min(t.block_time) FROM pnl_trade t
             WHERE t.quote_id = %(quote)s AND t.lamports IS NULL
               AND t.block_time >= date_trunc('minute', w.block_time, 'UTC') + interval '1 minute')
      FROM waiting w WHERE w.block_time IS NOT NULL)
SELECT extract(epoch FROM block_time)::int8
  FROM waiting WHERE block_time IS NOT NULL LIMIT %(limit)s
"""


class AddressError(ValueError):
    """The text is no address of a wallet; the message says why."""


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
    return page_of(found, columns, PositionLine._make, Asked("positions", trader_id, limit, after))


def realizations_of(
    trader_id: int, *, limit: int, after: Cursor | None = None
) -> Page[RealizationLine]:
    """What a wallet's sells realized, latest first."""
    keys = ("realized_at", "slot", "trade_id", "token__mint", "trade__signature")
    found = Realization.objects.filter(trader_id=trader_id)
    asked = Asked("realizations", trader_id, limit, after)
    return page_of(
        found, (*keys, *RealizationLine._fields[5:-3], *TOKEN), RealizationLine._make, asked
    )


def trades_of(trader_id: int, *, limit: int, after: Cursor | None = None) -> Page[TradeLine]:
    """A wallet's trades, latest first."""
    columns = ("block_time", "slot", "id", "token__mint", *TradeLine._fields[4:-5])
    found = Trade.objects.filter(trader_id=trader_id)
    asked = Asked("trades", trader_id, limit, after)
    return page_of(found, (*columns, "quote__mint", "quote_units", *TOKEN), TradeLine._make, asked)


def sol_prices(minutes: Collection[int]) -> dict[int, int]:
    """The micro-USD of one SOL by minute, both as `pnl.engine.pricing` has them.

    Minutes are Unix seconds of their start. One without a price is absent: none is interpolated.
    """
    moments = [datetime.fromtimestamp(minute, UTC) for minute in minutes]
    found = SolPrice.objects.filter(pk__in=moments).values_list("minute", "micro_usd")
    return {int(minute.timestamp()): micro_usd for minute, micro_usd in found}


def missing_minutes(first: int, last: int) -> list[int]:
    """The minutes from `first` to `last` that have no price, ascending, in Unix seconds."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING_MINUTES, [minute_of(first), minute_of(last)])
        return [minute for (minute,) in cursor.fetchall()]


def newest_price_minute() -> datetime | None:
    """The start of the newest minute that has a price, None without any."""
    return SolPrice.objects.order_by("-pk").values_list("minute", flat=True).first()


def waiting_minutes(*, after: int = 0, limit: int) -> list[int]:
    """The first minutes, from `after` on, in which trades wait that a price could value.

    In Unix seconds, ascending. A minute may have a price already, which was then saved while its
    trades were being booked: they are only to be priced again.
    """
    found: set[int] = set()
    with connection.cursor() as cursor:
        for quote_id in _priced_quotes():
            cursor.execute(WAITING_MINUTES, {"quote": quote_id, "after": after, "limit": limit})
            found.update(minute_of(block_time) for (block_time,) in cursor.fetchall())
    return sorted(found)[:limit]


def trades_waiting() -> int:
    """How many trades wait for the price of their minute, counted to WAITING_COUNTED_MAX."""
    waiting = Trade.objects.filter(quote_id__in=_priced_quotes(), lamports__isnull=True)
    return waiting[:WAITING_COUNTED_MAX].count()


def _priced_quotes() -> list[int]:
    """The ids of the quotes that have a price, as far as anybody traded in them."""
    return list(Token.objects.filter(mint__in=UNITS_PER_USD).values_list("pk", flat=True))
