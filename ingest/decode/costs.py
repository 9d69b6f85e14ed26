"""What a transaction costs besides its swap, where only its balances tell: fees, rents and tips."""

from typing import Final

# The curve's fees before its events told them: from when, and the shares of program and creator in
# hundredths of a percent. Since 2025 each share is rounded up.
_ONE_PERCENT: Final = 100
_CREATORS_SINCE: Final = 1_747_047_600  # 2025-05-12 11:00 UTC
_ASCENDED_SINCE: Final = 1_756_756_800  # 2025-09-01 20:00 UTC
_FIRST_SHARES: Final = (95, 5)
_SHARES: Final = (95, 30)
_WHOLE: Final = 10_000

# What makes an account exempt from rent: two years of so many lamports a byte.
_LAMPORTS_PER_BYTE: Final = 6_960
_CURVE_BYTES_MAX: Final = 300

# Token accounts (SPL, Token-2022 with 170 and 175 bytes) and the user's volume accumulator.
RENTS: Final = frozenset({2_039_280, 2_074_080, 2_108_880, 1_844_400})

TIP_ACCOUNTS: Final = frozenset(
    {
        "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
        "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
        "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
        "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
        "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
        "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
        "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
        "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
    }
)


def curve_fees(lamports: int, block_time: int) -> int:
    """The most that the curve's program takes of a swap of so many lamports, at that time."""
    if block_time < _CREATORS_SINCE:
        return lamports * _ONE_PERCENT // _WHOLE
    shares = _FIRST_SHARES if block_time < _ASCENDED_SINCE else _SHARES
    return sum(-(-lamports * share // _WHOLE) for share in shares)


def may_be_a_curves_rent(lamports: int) -> bool:
    """Whether a payment into a curve looks like the rent of its bytes and not like a swap."""
    return lamports % _LAMPORTS_PER_BYTE == 0 and lamports <= _LAMPORTS_PER_BYTE * _CURVE_BYTES_MAX
