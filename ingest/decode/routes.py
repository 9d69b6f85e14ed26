"""Routes: swaps of which each spends what the one before it brought, told by their two ends.

Who goes from SOL through coin A to coin B has bought B with SOL. Told hop by hop, A would be bought
with SOL and never sold, and B bought with A at a price in SOL that nobody knows: the day it is sold
its units would seem never to have been bought. So what passes through drops out of the trades.
"""

from typing import Final, cast

import msgspec
from msgspec.structs import replace

from ingest.decode.programs import USDC_BYTES
from ingest.decode.swap import Swap
from pnl.engine.trades import Side, Venue

# What a price in SOL can be known of: whatever else is traded is a coin.
_MONEY: Final = frozenset({None, USDC_BYTES})


class Placed(msgspec.Struct, frozen=True):
    """A swap, its ordinal among the transaction's trade events, and the program that made it."""

    event_index: int
    venue: Venue
    swap: Swap


def joined(swaps: list[Placed]) -> list[Placed]:
    """The swaps of a transaction, with each route made one swap in the place of its last hop.

    What a hop brought and the next did not spend stays a swap in the first one's place; what the
    next spent beyond it, out of what the trader had, stays a swap in its own.
    """
    routes = swaps[:1]
    for placed in swaps[1:]:
        if _goes_on(routes[-1].swap, placed.swap):
            routes.extend(_joined(routes.pop(), placed))
        else:
            routes.append(placed)
    return routes


def _goes_on(before: Swap, after: Swap) -> bool:
    """Whether two swaps are hops of one route.

    From money to money is two trades, for between them something is gained or lost. So are two
    coins with money in between, for both have a price then.
    """
    between = before.taken.mint
    if before.trader != after.trader or between is None or between != after.given.mint:
        return False
    start, end = before.given.mint, after.taken.mint
    money = (start in _MONEY) + (end in _MONEY)
    is_used = before.taken.units > 0 and after.given.units > 0 and start != end
    return is_used and (money == 1 or (money == 0 and between not in _MONEY))


def _joined(before: Placed, after: Placed) -> list[Placed]:
    brought, spent = before.swap.taken.units, after.swap.given.units
    if brought >= spent:
        used, kept = _cut(before.swap, brought - spent, brought)
        whole = replace(after, swap=_whole(used, after.swap))
        return [whole] if brought == spent else [replace(before, swap=kept), whole]
    used, own = _cut(after.swap, spent - brought, spent)
    return [replace(before, swap=_whole(before.swap, used)), replace(after, swap=own)]


def _cut(swap: Swap, part: int, of: int) -> tuple[Swap, Swap]:
    """The swap in two, whose amounts add up to its own; the second has the part, rounded down."""
    amounts = (swap.token_units, swap.quote_units, swap.fee_units)
    second = [amount * part // of for amount in amounts]
    first = [amount - less for amount, less in zip(amounts, second, strict=True)]
    return _with_amounts(swap, *first), _with_amounts(swap, *second)


def _with_amounts(swap: Swap, token_units: int, quote_units: int, fee_units: int) -> Swap:
    return replace(swap, token_units=token_units, quote_units=quote_units, fee_units=fee_units)


def _whole(before: Swap, after: Swap) -> Swap:
    """Both hops as one. Fees taken in what passed through are in the amounts alone."""
    given, taken = before.given, after.taken
    side = Side.SELL if taken.mint in _MONEY else Side.BUY
    token, quote = (given, taken) if side is Side.SELL else (taken, given)
    fees = [hop.fee_units for hop in (before, after) if hop.quote_mint == quote.mint]
    return replace(
        after,
        mint=cast(bytes, token.mint),  # SOL is money, and one end at least is none
        side=side,
        token_units=token.units,
        quote_mint=quote.mint,
        quote_units=quote.units,
        fee_units=sum(fees),
    )
