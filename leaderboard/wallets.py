"""A wallet as it is shown on its page and answered by the API: one shape for both."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pnl.queries
from leaderboard import queries
from leaderboard.messages import money, percent, short, sol, usd
from leaderboard.models import Board, Period, Standing
from leaderboard.queries import iso
from leaderboard.windows import LENGTHS
from pnl import paging
from pnl.engine.pricing import micro_usd_of_quote, minute_of, usd_of
from pnl.engine.trades import Side, Venue
from pnl.fields import ADDRESS_BYTES, base58_bytes
from pnl.models import Trader
from pnl.paging import Cursor, Page
from pnl.queries import PositionLine, RealizationLine, Totals, TradeLine

SOLSCAN = "https://solscan.io"
PUMP_FUN = "https://pump.fun"
LINES_SHOWN = 50
FLAGS = ("unmatched", "unpriced", "bot", "agent")


def visible_trader(address: str) -> Trader | None:
    """The trader behind an address; a hidden one is as unknown as one never seen.

    Raises pnl.queries.AddressError when the text is no address.
    """
    trader = pnl.queries.trader_by_address(address)
    return None if trader is None or trader.hidden else trader


def wallet(trader: Trader) -> dict[str, Any]:
    """Everything about a wallet, with the newest lines of each list."""
    now = datetime.now(UTC)
    totals = pnl.queries.totals_of(trader.pk)
    return {
        "address": trader.address,
        "short": short(trader.address),
        "label": trader.label or None,
        "kind": trader.kind,
        "as_of": iso(now),
        "flags": _flags(totals.unmatched_sells > 0, totals.unpriced > 0, trader.kind),
        "explorers": {
            "solscan": f"{SOLSCAN}/account/{trader.address}",
            "pump_fun": f"{PUMP_FUN}/profile/{trader.address}",
        },
        "totals": totals_shown(totals),
        "periods": _periods(trader, totals, now),
        "positions": positions(pnl.queries.positions_of(trader.pk, limit=LINES_SHOWN).lines),
        "realizations": realizations(
            pnl.queries.realizations_of(trader.pk, limit=LINES_SHOWN).lines
        ),
        "trades": trades(pnl.queries.trades_of(trader.pk, limit=LINES_SHOWN).lines),
    }


def totals_shown(totals: Totals) -> dict[str, Any]:
    """All-time figures; shares of nothing are None."""
    return {
        **money("realized", totals.realized_lamports),
        **money("gross_loss", totals.gross_loss_lamports),
        **money("volume", totals.volume_lamports),
        **money("worst", totals.worst_lamports),
        **money("cost", totals.cost_lamports),
        "roi_percent": percent(totals.realized_lamports, totals.cost_lamports),
        "trades": totals.trades,
        "buys": totals.buys,
        "sells": totals.sells,
        "positions": totals.positions,
        "open_positions": totals.open_positions,
        "closed_positions": totals.closed_positions,
        "wins": totals.wins,
        "losses": totals.losses,
        "win_rate_percent": percent(totals.wins, totals.closed_positions),
        "losing_streak": totals.losing_streak,
        "unmatched_sells": totals.unmatched_sells,
        "unpriced": totals.unpriced,
        "first_trade_at": _iso(totals.first_trade_at),
        "last_trade_at": _iso(totals.last_trade_at),
    }


def list_of(name: str, trader: Trader, *, limit: int, after: Cursor | None) -> dict[str, Any]:
    """A page of one of a wallet's lists: positions, realizations or trades, newest first."""
    read, shown = LISTS[name]
    page = read(trader.pk, limit=limit, after=after)
    return {
        "address": trader.address,
        "as_of": iso(datetime.now(UTC)),
        name: shown(page.lines),
        "next_cursor": None if page.next is None else paging.encode_cursor(page.next),
    }


def positions(lines: Sequence[PositionLine]) -> list[dict[str, Any]]:
    """Positions as they are shown; token units as strings, because they pass what a float holds."""
    return [
        {
            **_token(line),
            "open": line.units > 0,
            "units": str(line.units),
            **money("cost", line.cost_lamports),
            "bought_units": str(line.bought_units),
            **money("bought", line.bought_lamports),
            "sold_units": str(line.sold_units),
            **money("sold", line.sold_lamports),
            **money("realized", line.realized_lamports),
            "unmatched_units": str(line.unmatched_units),
            "buys": line.buys,
            "sells": line.sells,
            "closed_positions": line.closed,
            "wins": line.wins,
            "losses": line.losses,
            "last_trade_at": iso(line.at),
            "flags": _flags(line.unmatched_units > 0, line.unpriced > 0),
            "pump_fun_url": f"{PUMP_FUN}/coin/{line.mint}",
            "solscan_url": f"{SOLSCAN}/token/{line.mint}",
        }
        for line in lines
    ]


def realizations(lines: Sequence[RealizationLine]) -> list[dict[str, Any]]:
    """What sells realized, as it is shown. `trip_*` is the whole round trip that a sell closed.

    `realized_usd` is the result in SOL at the price of the sell's own minute, None without one.
    """
    prices = _prices(lines)
    return [
        {
            "id": line.id,
            **_token(line),
            "realized_at": iso(line.at),
            "signature": line.signature,
            "solscan_url": f"{SOLSCAN}/tx/{line.signature}",
            "matched_units": str(line.matched_units),
            "unmatched_units": str(line.unmatched_units),
            **money("cost", line.cost_lamports),
            **money("proceeds", line.proceeds_lamports),
            **money("realized", line.realized_lamports),
            "realized_usd": _usd(line.realized_lamports, prices.get(_minute(line))),
            "closes": line.closes,
            **money("trip", line.trip_lamports),
            "hold_seconds": line.hold_seconds,
        }
        for line in lines
    ]


def trades(lines: Sequence[TradeLine]) -> list[dict[str, Any]]:
    """Trades as they are shown. Without a SOL price only the amount in their own quote is there.

    `value_usd` is what was paid in dollars, or the SOL at the price of the trade's own minute, None
    without one.
    """
    prices = _prices(lines)
    return [
        {
            "signature": line.signature,
            "event_index": line.event_index,
            "solscan_url": f"{SOLSCAN}/tx/{line.signature}",
            "block_time": iso(line.at),
            "slot": line.slot,
            **_token(line),
            "side": Side(line.side).name.lower(),
            "token_units": str(line.token_units),
            "lamports": None if line.lamports is None else str(line.lamports),
            "sol": None if line.lamports is None else sol(line.lamports),
            "value_usd": _value_usd(line, prices.get(_minute(line))),
            "fee_units": str(line.fee_units),
            "quote_mint": line.quote_mint,
            "quote_units": None if line.quote_units is None else str(line.quote_units),
            "venue": Venue(line.venue).name.lower(),
        }
        for line in lines
    ]


def standing(trader: Trader, period: Period) -> dict[str, Any]:
    """A wallet's place on one board. Nulls when it has no result there, no rank when gated out."""
    board = Board.objects.get(period=period)
    found = queries.standings_of(trader.pk).get(period)
    return {
        "period": period.value,
        "version": board.version,
        "as_of": iso(board.refreshed_at or datetime.now(UTC)),
        "address": trader.address,
        "short": short(trader.address),
        "label": trader.label or None,
        "kind": trader.kind,
        **_place(found),
    }


def _periods(trader: Trader, totals: Totals, now: datetime) -> list[dict[str, Any]]:
    found = queries.standings_of(trader.pk)
    return [
        {
            "period": period.value,
            "label": period.label,
            **_place(found.get(period)),
            "trades": _trades_within(trader, period, found.get(period), totals, now),
        }
        for period in Period
    ]


def _place(found: Standing | None) -> dict[str, Any]:
    if found is None:
        return {"realized_lamports": None, "realized_sol": None, "rank": None}
    rank = queries.rank_of(found) if found.ranked else None
    return {**money("realized", found.realized_lamports), "rank": rank}


def _trades_within(
    trader: Trader, period: Period, found: Standing | None, totals: Totals, now: datetime
) -> int:
    """A wallet that has only bought has no standing, and trades all the same."""
    if found is not None:
        return found.trades
    length = LENGTHS[period]
    return totals.trades if length is None else pnl.queries.trades_since(trader.pk, now - length)


def _token(line: PositionLine | RealizationLine | TradeLine) -> dict[str, Any]:
    """The line's token. What it is called was written by its creator, and may be anything."""
    return {
        "mint": line.mint,
        "short": short(line.mint),
        "symbol": line.symbol or None,
        "token_name": line.name or None,
        "graduated": line.graduated_at is not None,
    }


def _flags(unmatched: bool, unpriced: bool, kind: str = "person") -> list[str]:
    """What a reader must know before trusting the figures, named as on the boards."""
    raised = (unmatched, unpriced, kind == "bot", kind == "agent")
    return [flag for flag, is_raised in zip(FLAGS, raised, strict=True) if is_raised]


LISTS: dict[str, tuple[Callable[..., Page[Any]], Callable[[Any], list[dict[str, Any]]]]] = {
    "positions": (pnl.queries.positions_of, positions),
    "realizations": (pnl.queries.realizations_of, realizations),
    "trades": (pnl.queries.trades_of, trades),
}


def _minute(line: RealizationLine | TradeLine) -> int:
    return minute_of(int(line.at.timestamp()))


def _prices(lines: Sequence[RealizationLine | TradeLine]) -> dict[int, int]:
    """What a SOL cost in the minutes of these lines, where that is known."""
    return pnl.queries.sol_prices({_minute(line) for line in lines})


def _value_usd(line: TradeLine, micro_usd: int | None) -> str | None:
    """Dollars that were paid are exact as they are; they do not go through SOL and back."""
    if line.quote_mint is not None and line.quote_units is not None:
        quote = base58_bytes(line.quote_mint, ADDRESS_BYTES)
        value = micro_usd_of_quote(quote, line.quote_units)
        return None if value is None else usd(value)
    return None if line.lamports is None else _usd(line.lamports, micro_usd)


def _usd(lamports: int, micro_usd: int | None) -> str | None:
    return None if micro_usd is None else usd(usd_of(lamports, micro_usd))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
