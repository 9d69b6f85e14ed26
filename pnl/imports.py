"""Rows of a trade list become trades of the ledger, or a line number and the reason why not. Pure.

Columns: `signature,mint,user,is_buy,sol_amount_lamports,token_amount_raw,timestamp,slot,tx_index`,
as Pump.fun's own trade list has them. `sol_amount_lamports` is without the program's fee, which was
1 % of it, floored, at the time such lists come from. `tx_index` counts the trade events of a
transaction from one; the place of the transaction in its block is not known.
"""

import csv
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from pnl.engine.trades import Side, Trade, Venue
from pnl.fields import ADDRESS_BYTES, SIGNATURE_BYTES, base58_bytes

COLUMNS = (
    "signature",
    "mint",
    "user",
    "is_buy",
    "sol_amount_lamports",
    "token_amount_raw",
    "timestamp",
    "slot",
    "tx_index",
)
FEE_DIVISOR = 100
BIGINT_MAX = 2**63 - 1
U64_MAX = 2**64 - 1
# With its fee a buy must still fit into a bigint of lamports.
SOL_MAX = BIGINT_MAX * FEE_DIVISOR // (FEE_DIVISOR + 1)
EVENTS_MAX = 2**15
# Solana's first block: no trade is older. A time in milliseconds fails at the other end.
GENESIS = 1_584_332_940
# Base58 takes quadratic time: what is longer than any key is refused unread.
KEY_CHARACTERS_MAX = 100


class Reject(NamedTuple):
    """A row that is no trade. Line 1 is the header."""

    line: int
    reason: str


class RowError(ValueError):
    """What is wrong with a row, in words."""


def is_header(line: str) -> bool:
    """Whether the first line names the columns, all of them and in order."""
    return tuple(values_of(line)) == COLUMNS


def read_rows(lines: Iterable[str], *, latest: int) -> Iterator[Trade | Reject]:
    """The rows after the header, each as a trade or a reject; blank lines are passed over.

    A row stands on its own line whatever its quotes say, so that a stray quote costs one row only.
    `latest` is the last block time that can be true, in Unix seconds.
    """
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            yield trade_of(values_of(line), latest=latest)
        except RowError as error:
            yield Reject(number, str(error))


def trade_of(values: list[str], *, latest: int) -> Trade:
    """One row as a trade. Raises RowError naming the first column that cannot be true."""
    if len(values) != len(COLUMNS):
        raise RowError(f"{len(values)} columns, {len(COLUMNS)} expected")
    signature, mint, user, is_buy, sol, tokens, timestamp, slot, event = values
    side = _side(is_buy)
    lamports = integer("sol_amount_lamports", sol, 0, SOL_MAX)
    fee = lamports // FEE_DIVISOR
    return Trade(
        signature=_key("signature", signature, SIGNATURE_BYTES),
        event_index=integer("tx_index", event, 1, EVENTS_MAX) - 1,
        slot=integer("slot", slot, 1, BIGINT_MAX),
        block_index=None,
        block_time=integer("timestamp", timestamp, GENESIS, latest),
        trader=_address("user", user),
        mint=_address("mint", mint),
        side=side,
        token_units=integer("token_amount_raw", tokens, 1, U64_MAX),
        quote_mint=None,
        quote_units=lamports + fee if side is Side.BUY else lamports - fee,
        fee_units=fee,
        venue=Venue.PUMP,
    )


def values_of(line: str) -> list[str]:
    """The values of a line, out of their quotes; a line with a stray quote is one value."""
    text = line.rstrip("\r\n")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        return [text]


def _side(is_buy: str) -> Side:
    try:
        return {"1": Side.BUY, "0": Side.SELL}[is_buy]
    except KeyError:
        raise RowError(f"is_buy is {shown(is_buy)}, 1 or 0 expected") from None


def integer(column: str, text: str, least: int, most: int) -> int:
    """A column's whole number between two bounds. Raises RowError naming what is wrong."""
    if not text:
        raise RowError(f"{column} is missing")
    # int() alone would take signs, blanks, underscores and the digits of every script.
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(U64_MAX))):
        raise RowError(f"{column} is {shown(text)}, a whole number expected")
    number = int(text)
    if not least <= number <= most:
        raise RowError(f"{column} is {number}, {least} to {most} expected")
    return number


def _key(column: str, text: str, length: int) -> bytes:
    if not text:
        raise RowError(f"{column} is missing")
    if len(text) > KEY_CHARACTERS_MAX:
        raise RowError(f"{column} has {len(text)} characters, it is no key")
    try:
        return base58_bytes(text, length)
    except ValueError as error:
        raise RowError(f"{column} {error}") from None


@lru_cache(maxsize=100_000)
def _address(column: str, text: str) -> bytes:
    """Wallets and mints come again and again."""
    return _key(column, text, ADDRESS_BYTES)


def shown(text: str) -> str:
    """A value as a reason quotes it: its beginning, where it is long."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
