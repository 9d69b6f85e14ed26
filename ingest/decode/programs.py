"""The two programs whose trades are counted: their addresses and the tags of what they emit."""

from typing import Final

import based58


def _bytes(address: str) -> bytes:
    return based58.b58decode(address.encode())


PUMP: Final = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMP_BYTES: Final = _bytes(PUMP)
PUMP_EVENT_AUTHORITY: Final = "Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1"

PUMP_SWAP: Final = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"
PUMP_SWAP_BYTES: Final = _bytes(PUMP_SWAP)
PUMP_SWAP_EVENT_AUTHORITY: Final = "GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR"

# Only the program itself can sign for its event authority, so a call to the program with this one
# account and the tag below is the program's own word, whoever else copies the discriminators.
EVENT_AUTHORITY: Final = {PUMP: PUMP_EVENT_AUTHORITY, PUMP_SWAP: PUMP_SWAP_EVENT_AUTHORITY}

# In front of every event that a program sends to itself (Anchor's `emit_cpi!`).
EVENT_TAG: Final = bytes.fromhex("e445a52e51cb9a1d")

# The first eight bytes of sha256("event:<name>").
TRADE_EVENT: Final = bytes.fromhex("bddb7fd34ee661ee")
POST_COMPLETE_BUY_EVENT: Final = bytes.fromhex("6fb06d8b316cd5fb")
CREATE_EVENT: Final = bytes.fromhex("1b72a94ddeeb6376")
COMPLETE_EVENT: Final = bytes.fromhex("5f72619cd42e9808")
MIGRATION_EVENT: Final = bytes.fromhex("bde95db95c94ea94")
BUY_EVENT: Final = bytes.fromhex("67f4521f2cf57777")
SELL_EVENT: Final = bytes.fromhex("3e2f370aa503dc2a")
CREATE_POOL_EVENT: Final = bytes.fromhex("b1310cd2a076a774")

# The first eight bytes of sha256("global:<name>").
MULTI_HOP_SWAP: Final = bytes.fromhex("2b644913e9f66f94")
DISCRIMINATOR_BYTES: Final = 8
# What never succeeds without a trade event; the first two are the same in both programs.
TRADE_INSTRUCTIONS: Final = frozenset(
    bytes.fromhex(discriminator)
    for discriminator in (
        *("66063d1201daebea", "33e685a4017f83ad"),  # buy, sell
        *("38fc74089edfcd5f", "c62e1552b4d9e870"),  # buy_exact_sol_in, buy_exact_quote_in
        *("b817ee6167c5d33d", "5df6823ce7e940b2", "c2ab1c46684d5b2f"),  # the same, v2
        *("07051dc4f5176550", "1c92de7726c469d5", "e1f7501ed5b38488"),  # the same, v3
        *("2b644913e9f66f94", "e19a7516d756f667"),  # multi_hop_swap, multi_hop_curve_swap
    )
)

WSOL: Final = "So11111111111111111111111111111111111111112"
WSOL_BYTES: Final = _bytes(WSOL)
USDC_BYTES: Final = _bytes("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
NO_KEY: Final = bytes(32)
# How the programs write "quoted in SOL".
SOL_QUOTES: Final = frozenset({NO_KEY, WSOL_BYTES})
