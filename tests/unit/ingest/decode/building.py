"""Events and transactions for the decoder's tests, laid out byte by byte at documented offsets.

Nothing here uses the decoder: offsets are those of the programs' interface descriptions.
"""

import json
import struct
from typing import Any

import based58

PUMP = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMP_AUTHORITY = "Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1"
SWAP = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"
SWAP_AUTHORITY = "GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR"
MOONSHOT = "MoonCVVNZFSYkqNXP6bxHLPL6QQJiMagDL3qcqUQTrG"
WSOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"

TAG = bytes.fromhex("e445a52e51cb9a1d")
TRADE = bytes.fromhex("bddb7fd34ee661ee")
POST_COMPLETE = bytes.fromhex("6fb06d8b316cd5fb")
BUY = bytes.fromhex("67f4521f2cf57777")
SELL = bytes.fromhex("3e2f370aa503dc2a")
CREATE = bytes.fromhex("1b72a94ddeeb6376")
COMPLETE = bytes.fromhex("5f72619cd42e9808")
MIGRATION = bytes.fromhex("bde95db95c94ea94")
CREATE_POOL = bytes.fromhex("b1310cd2a076a774")

SIGNATURE = bytes(range(64))
SLOT = 452_654_932
BLOCK_INDEX = 811
BLOCK_TIME = 1_791_000_000
EVENT_TIME = 1_790_999_999

Json = dict[str, Any]


def text(raw: bytes) -> str:
    return based58.b58encode(raw).decode()


def raw(address: str) -> bytes:
    return bytes(based58.b58decode(address.encode()))


def key(number: int) -> bytes:
    """A key that is nobody's."""
    return bytes([number]) * 32


MINT, USER, POOL, OTHER_POOL, OTHER_MINT = key(7), key(8), key(9), key(10), key(11)


class Bytes:
    """A buffer to write into at documented offsets; what is not written stays zero."""

    def __init__(self, size: int) -> None:
        self.body = bytearray(size)

    def put(self, at: int, value: int | bytes) -> "Bytes":
        piece = struct.pack("<Q", value) if isinstance(value, int) else value
        self.body[at : at + len(piece)] = piece
        return self


def curve_event(
    *,
    sol: int = 1_000_000,
    tokens: int = 35_000_000,
    is_buy: bool = True,
    fee: int = 0,
    creator_fee: int = 0,
    cashback: int = 0,
    quote_mint: bytes = bytes(32),
    quote_amount: int = 0,
    name: bytes = b"buy",
    shareholders: int = 0,
    mint: bytes = MINT,
    user: bytes = USER,
) -> bytes:
    """A TradeEvent in its newest layout: 379 bytes, the name, and 34 for each shareholder."""
    n = len(name)
    more = n + 34 * shareholders
    event = Bytes(379 + more)
    event.put(0, TRADE).put(8, mint).put(40, sol).put(48, tokens).put(56, bytes([is_buy]))
    event.put(57, user).put(89, EVENT_TIME).put(97, 30_000_000_000).put(105, 10**15)
    event.put(113, 5).put(121, 6).put(129, key(1)).put(161, 95).put(169, fee)
    event.put(177, key(2)).put(209, 30).put(217, creator_fee).put(225, b"\1").put(250, EVENT_TIME)
    event.put(258, struct.pack("<I", n)).put(262, name)
    event.put(263 + n, 30).put(271 + n, cashback).put(279 + n, 5000).put(287 + n, fee // 2)
    event.put(295 + n, struct.pack("<I", shareholders)).put(299 + n, key(3) * shareholders)
    event.put(299 + more, quote_mint).put(331 + more, quote_amount)
    event.put(339 + more, 7).put(347 + more, 8)
    event.put(355 + more, 30).put(363 + more, creator_fee).put(371 + more, 99_999)
    return bytes(event.body)


def curve_ends(name_bytes: int, shareholders: int = 0) -> tuple[int, ...]:
    """Where a layout of TradeEvent once ended."""
    n, more = name_bytes, name_bytes + 34 * shareholders
    return (113, 129, 225, 258, 262 + n, 263 + n, 279 + n, 355 + more, 371 + more, 379 + more)


def post_complete_event(
    *, tokens: int, quote: int, fee: int, creator_fee: int, quote_mint: bytes = bytes(32)
) -> bytes:
    """A PostCompleteBuyEvent: 232 bytes."""
    event = Bytes(232).put(0, POST_COMPLETE).put(8, USER).put(40, MINT).put(72, key(4))
    event.put(104, quote_mint).put(136, EVENT_TIME).put(144, tokens).put(152, quote)
    event.put(160, 95).put(168, fee).put(176, 30).put(184, creator_fee).put(192, fee // 2)
    return bytes(event.put(200, 1).put(208, 2).put(216, 3).put(224, 4).body)


def _pool_head(event: Bytes, tag: bytes, amounts: Json, pool: bytes, user: bytes) -> Bytes:
    event.put(0, tag).put(8, EVENT_TIME).put(16, amounts["base"]).put(24, 10**9)
    event.put(32, 1).put(40, 2).put(48, 3).put(56, 4).put(64, amounts["quote"])
    event.put(72, 20).put(80, amounts["lp"]).put(88, 5).put(96, amounts["protocol"])
    event.put(104, amounts["other_quote"]).put(112, amounts["user_quote"])
    event.put(120, pool).put(152, user).put(184, key(5)).put(216, key(6)).put(248, key(1))
    event.put(280, key(2)).put(312, key(3)).put(344, 5).put(352, amounts["creator"])
    return event


def pool_buy_event(
    *,
    base: int = 1_000,
    quote: int = 10_000,
    lp: int = 20,
    protocol: int = 5,
    creator: int = 5,
    cashback: int = 0,
    exact_quote: bool = False,
    name: bytes = b"buy",
    pool: bytes = POOL,
    user: bytes = USER,
) -> bytes:
    """A BuyEvent in its newest layout: 486 bytes and the name."""
    total = quote + lp + protocol + creator + cashback
    shown = (total, quote - 1) if exact_quote else (quote, total)
    amounts = {"base": base, "quote": shown[0], "lp": lp, "protocol": protocol}
    amounts |= {"other_quote": quote + lp, "user_quote": shown[1], "creator": creator}
    n = len(name)
    event = _pool_head(Bytes(486 + n), BUY, amounts, pool, user)
    event.put(360, b"\1").put(385, EVENT_TIME).put(393, base)
    event.put(401, struct.pack("<I", n)).put(405, name).put(405 + n, 30).put(413 + n, cashback)
    event.put(421 + n, 5000).put(429 + n, 77)
    event.put(437 + n, (-12_345).to_bytes(16, "little", signed=True)).put(453 + n, b"\1")
    event.put(454 + n, 10**15).put(462 + n, 30).put(470 + n, 88).put(478 + n, 99)
    return bytes(event.body)


def pool_buy_ends(name_bytes: int) -> tuple[int, ...]:
    """Where a layout of BuyEvent once ended."""
    n = name_bytes
    return (312, 360, 393, 405 + n, 421 + n, 437 + n, 462 + n, 478 + n, 486 + n)


def pool_sell_event(
    *,
    base: int = 1_000,
    quote: int = 10_000,
    lp: int = 20,
    protocol: int = 5,
    creator: int = 5,
    cashback: int = 0,
    received: int | None = None,
    pool: bytes = POOL,
    user: bytes = USER,
) -> bytes:
    """A SellEvent in its newest layout: 441 bytes."""
    if received is None:
        received = quote - lp - protocol - creator - cashback
    amounts = {"base": base, "quote": quote, "lp": lp, "protocol": protocol}
    amounts |= {"other_quote": quote - lp, "user_quote": received, "creator": creator}
    event = _pool_head(Bytes(441), SELL, amounts, pool, user)
    event.put(360, 30).put(368, cashback).put(376, 5000).put(384, 77)
    event.put(392, (-12_345).to_bytes(16, "little", signed=True)).put(408, b"\1")
    return bytes(event.put(409, 10**15).put(417, 30).put(425, 88).put(433, 99).body)


POOL_SELL_ENDS = (312, 360, 376, 392, 417, 433, 441)


def create_pool_event(base_mint: bytes, quote_mint: bytes, pool: bytes = POOL) -> bytes:
    """A CreatePoolEvent."""
    event = Bytes(360).put(0, CREATE_POOL).put(8, EVENT_TIME).put(18, key(1))
    return bytes(event.put(50, base_mint).put(82, quote_mint).put(173, pool).body)


def create_event(
    names: tuple[bytes, bytes, bytes], *, creator: bytes = USER, tail: int = 132, mint: bytes = MINT
) -> bytes:
    """A CreateEvent; without `creator` the layout of 2024, `tail` bytes behind the timestamp."""
    texts = b"".join(struct.pack("<I", len(name)) + name for name in names)
    told = creator + struct.pack("<q", EVENT_TIME) + bytes(tail) if creator else b""
    return CREATE + texts + mint + key(12) + USER + told


def complete_event(mint: bytes = MINT, at: int = EVENT_TIME) -> bytes:
    """A CompleteEvent with its quote mint."""
    return bytes(Bytes(144).put(0, COMPLETE).put(40, mint).put(104, at).body)


def migration_event(mint: bytes = MINT, pool: bytes = POOL, at: int = EVENT_TIME) -> bytes:
    """A CompletePumpAmmMigrationEvent with its quote mint."""
    event = Bytes(200).put(0, MIGRATION).put(40, mint).put(72, 206_900_000_000_000)
    return bytes(event.put(128, at).put(136, pool).body)


class Builder:
    """A raw transaction in the making: instructions by address, keys numbered as they come."""

    def __init__(self) -> None:
        self.keys: list[str] = [text(USER)]
        self.outer: list[Json] = []
        self.inner: dict[int, list[Json]] = {}

    def call(self, program: str, accounts: list[str], data: bytes = b"\1") -> "Builder":
        """An outer instruction."""
        self.outer.append(self._instruction(program, accounts, data))
        return self

    def cpi(self, program: str, accounts: list[str], data: bytes = b"\1") -> "Builder":
        """An instruction that the last outer one called."""
        group = self.inner.setdefault(len(self.outer) - 1, [])
        group.append(self._instruction(program, accounts, data) | {"stackHeight": 2})
        return self

    def emit(self, event: bytes, program: str = PUMP, authority: str | None = None) -> "Builder":
        """An event the way a program tells it to itself."""
        told = {PUMP: PUMP_AUTHORITY, SWAP: SWAP_AUTHORITY}.get(program, text(key(99)))
        return self.cpi(program, [authority or told], TAG + event)

    def curve(self, *events: bytes) -> "Builder":
        """A curve instruction and its events."""
        self.call(PUMP, [text(key(20)), text(MINT)])
        for event in events:
            self.emit(event)
        return self

    def pool(
        self, event: bytes, base: bytes, quote: bytes, pool: bytes = POOL, user: bytes = USER
    ) -> "Builder":
        """A swap instruction of a pool and its event."""
        config, spare = text(key(21)), text(key(22))
        self.call(SWAP, [text(pool), text(user), config, text(base), text(quote), spare])
        return self.emit(event, SWAP)

    def element(self, **changes: Any) -> Json:
        """The transaction as Helius posts it."""
        groups = [{"index": at, "instructions": steps} for at, steps in self.inner.items()]
        meta: Json = {
            "err": None,
            "fee": 5000,
            "innerInstructions": groups,
            "loadedAddresses": {"writable": [], "readonly": []},
            "logMessages": ["Program log: Instruction: Buy"],
            "preBalances": [10**10],
            "postBalances": [10**9],
            "preTokenBalances": [],
            "postTokenBalances": [{"accountIndex": 0, "uiTokenAmount": {"uiAmount": 1.5}}],
            "rewards": [],
        }
        message = {"accountKeys": self.keys, "instructions": self.outer}
        return {
            "blockTime": BLOCK_TIME,
            "indexWithinBlock": BLOCK_INDEX,
            "slot": SLOT,
            "version": 0,
            "meta": meta,
            "transaction": {"message": message, "signatures": [text(SIGNATURE)]},
        } | changes

    def _instruction(self, program: str, accounts: list[str], data: bytes) -> Json:
        indices = [self._index(account) for account in accounts]
        return {"accounts": indices, "data": text(data), "programIdIndex": self._index(program)}

    def _index(self, address: str) -> int:
        if address not in self.keys:
            self.keys.append(address)
        return self.keys.index(address)


def body(*elements: Any) -> bytes:
    """A webhook body."""
    return json.dumps(elements).encode()
