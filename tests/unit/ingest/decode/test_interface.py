"""The decoder against the programs' own interface descriptions: names, order and sizes of fields.

Events are written here field by field as a description has them, and must be read as written.
"""

import json
import struct
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ingest.decode import programs
from pnl.engine.trades import Side, Trade
from tests.unit.ingest.decode.building import (
    MINT,
    PUMP,
    SWAP,
    WSOL,
    Builder,
    Json,
    key,
    pool_buy_event,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import decoded, trade_of

CURVE = ["pump.2026-05-19.pump-public-docs.json"]
POOLS = ["pump_amm.2026-05-19.pump-public-docs.json", "pump_amm.2026-07.chainstack.json"]
SOL = raw(WSOL)
INTEGERS = {"u8": 1, "u16": 2, "u64": 8, "i64": 8, "i128": 16}
NAMES = ["", "buy", "buy_exact_quote_in_v2"]


class Interface:
    """One description, and events written by it."""

    def __init__(self, path: Path) -> None:
        self.described: Json = json.loads(path.read_text())
        self.types = {each["name"]: each["type"]["fields"] for each in self._structs()}

    def _structs(self) -> list[Json]:
        return [each for each in self.described["types"] if "fields" in each["type"]]

    def discriminator(self, kind: str, name: str) -> bytes:
        (found,) = [each for each in self.described[kind] if each["name"] == name]
        return bytes(found["discriminator"])

    def accounts(self, instruction: str) -> list[str]:
        (found,) = [i for i in self.described["instructions"] if i["name"] == instruction]
        return [account["name"] for account in found["accounts"]]

    def random(self, event: str, dice: Random, **chosen: Any) -> Json:
        """A value for every field of an event."""
        fields = self.types[event]
        assert chosen.keys() <= {field["name"] for field in fields}
        return {field["name"]: _some(field["type"], dice) for field in fields} | chosen

    def written(self, event: str, values: Json) -> bytes:
        """The event's bytes, discriminator first."""
        fields = self.types[event]
        body = b"".join(self._borsh(each["type"], values[each["name"]]) for each in fields)
        return self.discriminator("events", event) + body

    def _borsh(self, kind: Any, value: Any) -> bytes:
        if isinstance(kind, dict):
            item = self.types[kind["vec"]["defined"]["name"]]
            size = sum(32 if each["type"] == "pubkey" else 2 for each in item)
            return struct.pack("<I", value) + bytes(size * value)
        if kind in INTEGERS:
            return int(value).to_bytes(INTEGERS[kind], "little", signed=kind[0] == "i")
        if kind == "string":
            spelled: bytes = value.encode()
            return struct.pack("<I", len(spelled)) + spelled
        return bytes([value]) if kind == "bool" else bytes(value)


def _some(kind: Any, dice: Random) -> Any:
    """Amounts are at most 2^40, so that sums of them stay amounts."""
    if isinstance(kind, dict):
        return dice.randrange(4)
    if kind in INTEGERS:
        return dice.randrange(1 << min(40, 8 * INTEGERS[kind]))
    return {"bool": dice.random() < 0.5, "string": dice.choice(NAMES)}.get(kind, dice.randbytes(32))


def interface(shared_folder: Path, name: str) -> Interface:
    return Interface(shared_folder / "data" / "idl" / name)


def known_trade(builder: Builder) -> Trade:
    """The one trade, of an event in whose bytes nothing is left unread."""
    assert decoded(builder.element()).unknown_layouts == 0
    return trade_of(builder)


@pytest.mark.parametrize("name", CURVE)
@pytest.mark.parametrize("seed", range(40))
def test_a_trade_event_is_read_as_it_is_described(
    shared_folder: Path, name: str, seed: int
) -> None:
    dice = Random(seed)
    described = interface(shared_folder, name)
    quote_mint = dice.choice([bytes(32), SOL, key(50)])
    values = described.random(
        "TradeEvent",
        dice,
        quote_mint=quote_mint,
        sol_amount=dice.randrange(1 << 50, 1 << 51),
        quote_amount=dice.randrange(1 << 52, 1 << 53),
    )
    trade = known_trade(Builder().curve(described.written("TradeEvent", values)))
    fee = values["fee"] + values["creator_fee"] + values["cashback"]
    in_sol = quote_mint in (bytes(32), SOL)
    amount = values["sol_amount"] if in_sol else values["quote_amount"]
    assert (trade.trader, trade.mint) == (values["user"], values["mint"])
    assert trade.side is (Side.BUY if values["is_buy"] else Side.SELL)
    assert (trade.token_units, trade.fee_units) == (values["token_amount"], fee)
    assert trade.quote_units == amount + (fee if values["is_buy"] else -fee)
    assert trade.quote_mint == (None if in_sol else quote_mint)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("seed", range(20))
def test_a_buy_event_is_read_as_it_is_described(shared_folder: Path, name: str, seed: int) -> None:
    dice = Random(seed)
    described = interface(shared_folder, name)
    values = described.random("BuyEvent", dice)
    parts = ("quote_amount_in_with_lp_fee", "protocol_fee", "coin_creator_fee", "cashback")
    paid = sum(values[part] for part in parts)
    values[dice.choice(["quote_amount_in", "user_quote_amount_in"])] = paid
    event = described.written("BuyEvent", values)
    trade = known_trade(Builder().pool(event, MINT, SOL, values["pool"]))
    assert (trade.trader, trade.side) == (values["user"], Side.BUY)
    assert (trade.token_units, trade.lamports) == (values["base_amount_out"], paid)
    assert trade.fee_units == values["lp_fee"] + sum(values[part] for part in parts[1:])


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("seed", range(20))
def test_a_sell_event_is_read_as_it_is_described(shared_folder: Path, name: str, seed: int) -> None:
    described = interface(shared_folder, name)
    values = described.random("SellEvent", Random(seed))
    event = described.written("SellEvent", values)
    trade = known_trade(Builder().pool(event, MINT, SOL, values["pool"]))
    fees = ("lp_fee", "protocol_fee", "coin_creator_fee", "cashback")
    assert (trade.trader, trade.side) == (values["user"], Side.SELL)
    assert trade.token_units == values["base_amount_in"]
    assert trade.lamports == values["user_quote_amount_out"]
    assert trade.fee_units == sum(values[fee] for fee in fees)


@pytest.mark.parametrize("name", POOLS)
def test_a_creation_of_a_pool_is_read_as_it_is_described(shared_folder: Path, name: str) -> None:
    described = interface(shared_folder, name)
    values = described.random("CreatePoolEvent", Random(3), quote_mint=SOL)
    builder = Builder().call(SWAP, []).emit(described.written("CreatePoolEvent", values), SWAP)
    builder.emit(pool_buy_event(pool=values["pool"]), SWAP)
    trade = trade_of(builder)
    assert (trade.mint, trade.quote_mint) == (values["base_mint"], None)


def test_events_and_instructions_have_the_described_discriminators(shared_folder: Path) -> None:
    (curve,) = (interface(shared_folder, name) for name in CURVE)
    pool = interface(shared_folder, POOLS[-1])
    assert curve.discriminator("events", "TradeEvent") == programs.TRADE_EVENT
    assert curve.discriminator("events", "CreateEvent") == programs.CREATE_EVENT
    assert curve.discriminator("events", "CompleteEvent") == programs.COMPLETE_EVENT
    migration = curve.discriminator("events", "CompletePumpAmmMigrationEvent")
    assert migration == programs.MIGRATION_EVENT
    assert pool.discriminator("events", "BuyEvent") == programs.BUY_EVENT
    assert pool.discriminator("events", "SellEvent") == programs.SELL_EVENT
    assert pool.discriminator("events", "CreatePoolEvent") == programs.CREATE_POOL_EVENT
    assert (curve.described["address"], pool.described["address"]) == (PUMP, SWAP)


def test_a_discriminator_is_the_beginning_of_a_hash() -> None:
    """Also of what is newer than the descriptions."""
    post_complete = sha256(b"event:PostCompleteBuyEvent").digest()[:8]
    assert post_complete == programs.POST_COMPLETE_BUY_EVENT
    newer = ["buy_v3", "sell_v3", "buy_exact_quote_in_v3", "multi_hop_swap", "multi_hop_curve_swap"]
    found = {sha256(f"global:{name}".encode()).digest()[:8] for name in newer}
    assert found <= programs.TRADE_INSTRUCTIONS
    assert sha256(b"global:multi_hop_swap").digest()[:8] == programs.MULTI_HOP_SWAP


@pytest.mark.parametrize("name", [*CURVE, *POOLS])
def test_every_described_trade_is_known_to_need_an_event(shared_folder: Path, name: str) -> None:
    described = interface(shared_folder, name)
    names = [each["name"] for each in described.described["instructions"]]
    trades = [each for each in names if each.startswith(("buy", "sell"))]
    assert {"buy", "sell"} <= set(trades)
    found = {each: described.discriminator("instructions", each) for each in trades}
    assert set(found.values()) <= programs.TRADE_INSTRUCTIONS, found


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize(
    "instruction", ["buy", "sell", "buy_exact_quote_in", "deposit", "create_pool"]
)
def test_an_instruction_names_pool_and_mints_where_they_are_described(
    shared_folder: Path, name: str, instruction: str
) -> None:
    names = interface(shared_folder, name).accounts(instruction)
    known = {"pool": key(9), "base_mint": MINT, "quote_mint": SOL}
    accounts = [text(known.get(each, key(100 + at))) for at, each in enumerate(names)]
    builder = Builder().call(SWAP, accounts).emit(pool_buy_event(pool=key(9)), SWAP)
    assert trade_of(builder).mint == MINT
