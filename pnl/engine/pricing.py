"""What trades in another quote are worth in SOL, and lamports in US dollars; integers, cut down.

A price is the micro-USD (millionths of a US dollar) that one SOL costs in one minute. USDC is taken
as one US dollar. No other quote has a price: what was paid in another coin stays without a SOL
value for ever.
"""

import re
from decimal import Decimal

import based58

USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
USDC_BYTES = based58.b58decode(USDC.encode())

MINUTE_SECONDS = 60
# A minute's close is known once it has ended, and is left alone until everybody has noticed.
ENDED_SECONDS = 5
LAMPORTS_PER_SOL = 10**9
MICRO = 10**6
LAMPORTS_MAX = 2**63 - 1
# A SOL for more than a million dollars is a mistake of units.
MICRO_USD_MAX = 10**6 * MICRO

# The quotes that have a price: how many of their units are one US dollar.
UNITS_PER_USD = {USDC_BYTES: 10**6}

# Plain decimals: no exponent, no blanks, no digits of other scripts, nothing that is not a number;
# and no more digits than the 28 that Decimal multiplies without rounding.
_DECIMAL = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,18})?")


class PriceError(ValueError):
    """The text is no price of one SOL; the message says why."""


def minute_of(block_time: int) -> int:
    """The minute that a moment belongs to: its start, in Unix seconds."""
    return block_time - block_time % MINUTE_SECONDS


def last_ended(now: int) -> int:
    """The last minute that has ended by a moment, both in Unix seconds."""
    return minute_of(now - ENDED_SECONDS) - MINUTE_SECONDS


def micro_usd_of(text: str) -> int:
    """The micro-USD of a decimal number of dollars, further digits cut. Raises PriceError."""
    if not _DECIMAL.fullmatch(text):
        raise PriceError(f"{_shown(text)} is no decimal number")
    micro_usd = int(Decimal(text) * MICRO)
    if micro_usd <= 0:
        raise PriceError(f"{_shown(text)} is no price: it is not above zero")
    if micro_usd > MICRO_USD_MAX:
        raise PriceError(
            f"{_shown(text)} is no price: it is above {MICRO_USD_MAX // MICRO} dollars"
        )
    return micro_usd


def micro_usd_of_quote(quote_mint: bytes, quote_units: int) -> int | None:
    """What an amount in a quote is worth in micro-USD, rounded down; None without a price."""
    units_per_usd = UNITS_PER_USD.get(quote_mint)
    return None if units_per_usd is None else quote_units * MICRO // units_per_usd


def lamports_of(quote_mint: bytes, quote_units: int, micro_usd: int) -> int | None:
    """What an amount in a quote is worth in lamports while one SOL costs `micro_usd`, rounded down.

    None for a quote without a price, and for a value that no column of the ledger could hold.
    """
    units_per_usd = UNITS_PER_USD.get(quote_mint)
    if units_per_usd is None:
        return None
    lamports = quote_units * MICRO * LAMPORTS_PER_SOL // (units_per_usd * micro_usd)
    return lamports if lamports <= LAMPORTS_MAX else None


def usd_of(lamports: int, micro_usd: int) -> int:
    """Lamports in micro-USD while one SOL costs `micro_usd`, cut towards zero: for display only."""
    size = abs(lamports) * micro_usd // LAMPORTS_PER_SOL
    return -size if lamports < 0 else size


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
