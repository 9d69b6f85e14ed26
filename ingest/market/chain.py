"""Addresses, rents and instruction tags of the chain that no decoder needs, but a market does."""

from typing import Final

PUMP_GLOBAL: Final = "4wTV1YmiEkRvAtNtsSGPtUrqRYQMe5SKy2uB4Jjaxnjf"
PUMP_SWAP_GLOBAL: Final = "ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw"
PUMP_FEES: Final = "pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ"
MAYHEM: Final = "MAyhSmzXzV1pTf7LsNkrNwkWKTo4ougAJ1PPg47MD4e"
MOONSHOT: Final = "MoonCVVNZFSYkqNXP6bxHLPL6QQJiMagDL3qcqUQTrG"

SYSTEM: Final = "11111111111111111111111111111111"
COMPUTE_BUDGET: Final = "ComputeBudget111111111111111111111111111111"
SPL: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
SPL_2022: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
ASSOCIATED: Final = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
RENT: Final = "SysvarRent111111111111111111111111111111111"

# Lamports that make an account rent-exempt.
ACCOUNT_2022_RENT: Final = 2_074_080
ACCOUNT_RENT: Final = 2_039_280
MINT_RENT: Final = 3_667_920
CURVE_RENT: Final = 1_691_280
POOL_RENT: Final = 2_978_640
LP_MINT_RENT: Final = 2_568_240
BASE_FEE: Final = 5_000

LAMPORTS_PER_SOL: Final = 1_000_000_000

BUY: Final = bytes.fromhex("66063d1201daebea")
SELL: Final = bytes.fromhex("33e685a4017f83ad")
BUY_EXACT_SOL_IN: Final = bytes.fromhex("38fc74089edfcd5f")
BUY_EXACT_QUOTE_IN: Final = bytes.fromhex("c62e1552b4d9e870")
CREATE_V2: Final = bytes.fromhex("d6904cec5f8b31b4")
MIGRATE: Final = bytes.fromhex("9beae792ec9ea21e")
CREATE_POOL: Final = bytes.fromhex("e992d18ecf6840bc")
