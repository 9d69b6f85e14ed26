"""Small raw webhook bodies with chosen amounts: trades first, then the body that brings them."""

import hashlib
import json
import struct
import time
from collections.abc import Iterable, Sequence
from itertools import count, groupby
from random import Random
from typing import Any

import based58

from ingest.decode.programs import EVENT_TAG, PUMP, PUMP_EVENT_AUTHORITY, TRADE_EVENT
from pnl.engine.trades import Side, Trade, Venue

SOL = 1_000_000_000
FIRST_SLOT = 452_000_000

# TradeEvent as it was before it grew: mint, sol, tokens, is_buy, user, time; reserves; fees.
_EVENT = struct.Struct("<8s32sQQ?32sq32x40xQ40xQ")
# What it grew by: volume, an empty name, mode, cashback, buyback, nobody's shares; then the quote.
_QUOTE = struct.Struct("<74x32sQ16x")


def wallet(name: str) -> bytes:
    """The address of somebody."""
    return hashlib.sha256(f"wallet {name}".encode()).digest()


def mint(name: str) -> bytes:
    """The address of a token."""
    return hashlib.sha256(f"mint {name}".encode()).digest()


def base58(raw: bytes) -> str:
    """An address or a signature as people write it."""
    return based58.b58encode(raw).decode()


class Chain:
    """Trades one after the other, each in a transaction and at a place of its own.

    They begin at `at` (now, a minute ago) and are `step` seconds apart, unless told otherwise.
    """

    def __init__(self, name: str, at: int | None = None, step: int = 0) -> None:
        self.name = name
        self.at = int(time.time()) - 60 if at is None else at
        self.step = step
        self._numbers = count()

    def buy(self, who: str, token: str, units: int, lamports: int, at: int | None = None) -> Trade:
        """A buy that cost so many lamports, fees inside."""
        return self._trade(Side.BUY, who, token, (units, lamports), at)

    def sell(self, who: str, token: str, units: int, lamports: int, at: int | None = None) -> Trade:
        """A sell that brought so many lamports, fees inside."""
        return self._trade(Side.SELL, who, token, (units, lamports), at)

    def loss(self, who: str, lamports: int, at: int | None = None) -> list[Trade]:
        """A round trip in a token of its own that lost so many lamports."""
        token = f"{self.name} {next(self._numbers)}"
        bought = self.buy(who, token, 1_000_000, lamports + SOL, at)
        return [bought, self.sell(who, token, 1_000_000, SOL, at)]

    def at_random(self, dice: Random, trades: int, wallets: int = 6) -> list[Trade]:
        """Buys and sells of a few wallets in a few tokens: closes, remainders, unseen units."""
        return [self._at_random(dice, wallets) for _ in range(trades)]

    def _at_random(self, dice: Random, wallets: int) -> Trade:
        side = Side.BUY if dice.random() < 0.5 else Side.SELL
        who, token = f"{self.name} {dice.randrange(wallets)}", f"{self.name} {dice.randrange(4)}"
        units = dice.choice((1, 2, 3, 1_000_003))
        return self._trade(side, who, token, (units, dice.randrange(1, 3 * SOL)), None)

    def _trade(
        self, side: Side, who: str, token: str, amounts: tuple[int, int], at: int | None
    ) -> Trade:
        units, lamports = amounts
        number = next(self._numbers)
        return Trade(
            signature=hashlib.sha512(f"{self.name}/{number}".encode()).digest(),
            event_index=0,
            slot=FIRST_SLOT + number // 3,
            block_index=number % 3,
            block_time=self.at + self.step * number if at is None else at,
            trader=wallet(who),
            mint=mint(token),
            side=side,
            token_units=units,
            quote_mint=None,
            quote_units=lamports,
            fee_units=lamports // 100,
            venue=Venue.PUMP,
        )


def body_of(trades: Iterable[Trade]) -> bytes:
    """The body that brings these trades, as Helius would post it."""
    return json.dumps(elements_of(trades)).encode()


def elements_of(trades: Iterable[Trade]) -> list[dict[str, Any]]:
    """One element a transaction; the trades of one signature stand together."""
    groups = groupby(trades, key=lambda trade: trade.signature)
    return [_transaction(list(inside)) for _, inside in groups]


def _transaction(trades: Sequence[Trade]) -> dict[str, Any]:
    first = trades[0]
    accounts = [base58(first.trader), PUMP_EVENT_AUTHORITY, PUMP]
    inner = [_step([1], base58(EVENT_TAG + _event(trade))) for trade in trades]
    message = {"accountKeys": accounts, "instructions": [_step([0], base58(TRADE_EVENT))]}
    where = {} if first.block_index is None else {"indexWithinBlock": first.block_index}
    return {
        "blockTime": first.block_time,
        "slot": first.slot,
        **where,
        "meta": {"err": None, "innerInstructions": [{"index": 0, "instructions": inner}]},
        "transaction": {"message": message, "signatures": [base58(first.signature)]},
        "version": "legacy",
    }


def _step(accounts: list[int], data: str) -> dict[str, Any]:
    return {"accounts": accounts, "data": data, "programIdIndex": 2}


def _event(trade: Trade) -> bytes:
    """The program's event: its amount leaves out the fees that the trade's has inside.

    Of a trade in another quote the amount of SOL means nothing, and the quote stands at the end.
    """
    is_buy = trade.side is Side.BUY
    fee, creator_fee = trade.fee_units - trade.fee_units // 4, trade.fee_units // 4
    amount = trade.quote_units - trade.fee_units if is_buy else trade.quote_units + trade.fee_units
    event = _EVENT.pack(
        *(TRADE_EVENT, trade.mint, amount, trade.token_units, is_buy, trade.trader),
        *(trade.block_time, fee, creator_fee),
    )
    if trade.quote_mint is None:
        return event
    return event + _QUOTE.pack(trade.quote_mint, amount)
