"""Transactions recorded from the chain, reconciled with the balances they changed."""

import json
from pathlib import Path

import pytest

from ingest.decode.outcome import Decoded, Malformed
from ingest.decode.pipeline import decode_body
from pnl.engine.agents import MAYHEM_AGENT
from pnl.engine.trades import Side, Trade
from tests.unit.ingest.decode.building import (
    PUMP,
    PUMP_AUTHORITY,
    USDC,
    Builder,
    Json,
    body,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import decoded


@pytest.fixture
def recordings(shared_folder: Path) -> Path:
    return shared_folder / "data"


def trades(recordings: Path, name: str) -> tuple[Trade, ...]:
    (outcome,) = decode_body((recordings / "raw_tx" / name).read_bytes())
    assert isinstance(outcome, Decoded), outcome
    assert outcome.unknown_layouts == 0
    return outcome.trades


def test_a_buy_and_a_sell_in_one_transaction(recordings: Path) -> None:
    """24,080,282 went to the curve and 240,802 to the fee account, and nearly all came back."""
    buy, sell = trades(recordings, "agrozold_2024-08__raw_buy_getTransaction.json")
    assert (buy.side, sell.side) == (Side.BUY, Side.SELL)
    assert (buy.event_index, sell.event_index) == (0, 1)
    assert buy.token_units == sell.token_units == 605_426_095_720
    assert buy.quote_units == 24_080_282 + 240_802
    assert sell.quote_units == 24_080_281 - 240_802
    assert buy.fee_units + sell.fee_units == 481_604  # what the fee account gained
    tip, network = 962_563, 32_000
    assert sell.quote_units - buy.quote_units - tip - network == -1_476_168  # the wallet's change
    assert (buy.slot, buy.block_time, buy.block_index) == (284_677_332, 1_724_126_293, None)
    assert text(buy.trader) == "2vr538qDgHCPYmr2mjt5LSjQ3kBYjtw3SDSveUKBVkef"
    assert text(buy.mint) == "HfJVjBdkhAD2ynVM8PdTSii4ECZdsxNTCx5wpEqUpump"


def test_a_creation_with_its_first_buy(recordings: Path) -> None:
    (buy,) = trades(recordings, "agrozold_2024-08__raw_create_getTransaction.json")
    assert buy.quote_units == 1_100_000_000 + 11_000_000
    assert buy.token_units == 37_951_768_488_745
    rents = 1_461_600 + 1_231_920 + 2_039_280 + 15_616_720 + 2_039_280
    tip, network = 4_000_000, 88_750
    assert buy.quote_units + rents + tip + network == 1_137_477_550  # the wallet's change


def test_a_creators_buy_of_2026(recordings: Path) -> None:
    name = "chainstack_2026__raw_create_and_devbuy_getTransaction_jsonParsed.json"
    (buy,) = trades(recordings, name)
    creator_fee, protocol_fee = 8_888_889, 14_074_075 + 14_074_074
    assert buy.quote_units == 2_962_962_962 + creator_fee + protocol_fee == 3_000_000_000
    assert buy.fee_units == creator_fee + protocol_fee
    assert buy.token_units == 96_449_438_144_093
    rents = 2_519_520 + 1_691_280 + 2_074_080 + 1_148_400 + 250_560 + 2_074_080
    tips, network = 27_000_000 + 3_000_000, 10_000
    assert buy.quote_units + rents + tips + network == 3_039_767_920  # the wallet's change


def test_a_buy_of_the_mayhem_agent_quoted_in_usdc(recordings: Path) -> None:
    (buy,) = trades(recordings, "chainstack_2026__raw_buy_getTransaction_jsonParsed.json")
    assert text(buy.trader) == MAYHEM_AGENT
    assert buy.quote_mint == raw(USDC)
    assert buy.quote_units == 216_821_345_299 - 216_817_828_107 == 3_517_192
    assert buy.token_units == 1_002_575_212_594_466 - 1_002_129_835_456_595
    assert (buy.lamports, buy.fee_units) == (None, 0)


def test_a_buy_through_a_terminal_in_wire_bytes(recordings: Path) -> None:
    (buy,) = trades(recordings, "yangdc_sol-parser-sdk__pumpfun_buy_rpc_base64.json")
    creator_fee, protocol_fee = 2_933_334, 4_644_445 + 4_644_444
    assert buy.quote_units == 977_777_777 + creator_fee + protocol_fee == 990_000_000
    assert buy.token_units == 30_765_521_374_696
    rents = 250_560 + 2_074_080
    payments = 3_000_000 + 225_000 + 150_000 + 9_685_514 + 6_625_000
    assert buy.quote_units + rents + payments + 319_486 == 1_012_329_640  # the wallet's change
    assert buy.block_index == 1_775


def test_a_recorded_buy_by_instruction(recordings: Path) -> None:
    """Its instruction asks for 693,868,985,905 tokens; fees are 95 and 30 bp, rounded up."""
    trade = instruction_trade(recordings, "3tkxRjND")
    assert (trade.side, trade.token_units) == (Side.BUY, 693_868_985_905)
    assert trade.quote_units == 50_051_224 + 475_487 + 150_154
    assert -(-50_051_224 * 95 // 10_000) == 475_487
    assert -(-50_051_224 * 30 // 10_000) == 150_154


def test_a_recorded_sell_by_instruction(recordings: Path) -> None:
    """Its instruction gives 3,878,351,170,692 tokens."""
    trade = instruction_trade(recordings, "4GtxzHLT")
    assert (trade.side, trade.token_units) == (Side.SELL, 3_878_351_170_692)
    assert trade.quote_units == 630_254_544 - 5_987_419 - 1_890_764


def instruction_trade(recordings: Path, name: str) -> Trade:
    (file,) = (recordings / "raw_tx").glob(f"vixen__pump_ix_{name}*")
    (trade,) = decoded(wrapped(json.loads(file.read_text()))).trades
    return trade


def wrapped(recorded: Json) -> Json:
    """The recorded instruction updates as a raw transaction."""
    builder = Builder().call(PUMP, [])
    for step in recorded["instructions"]:
        accounts = [text(bytes(account)) for account in step["accounts"]]
        builder.cpi(text(bytes(step["program"])), accounts, bytes(step["data"]))
    return builder.element()


def test_a_trimmed_recording_is_malformed_and_says_why(recordings: Path) -> None:
    (outcome,) = decode_body(
        (recordings / "raw_tx" / "waffle__pumpswap_sell__trimmed.json").read_bytes()
    )
    assert isinstance(outcome, Malformed)
    assert "missing required field `accountKeys`" in outcome.error
    assert outcome.signature is not None


def test_a_recording_wrapped_as_a_webhook_body_tells_the_same(recordings: Path) -> None:
    file = recordings / "raw_tx" / "agrozold_2024-08__raw_create_getTransaction.json"
    answer = json.loads(file.read_text())
    (bare,) = decode_body(body(answer["result"]))
    assert (bare,) == decode_body(file.read_bytes())


def test_the_event_authority_of_the_recordings_is_the_one_we_ask_for(recordings: Path) -> None:
    file = recordings / "raw_tx" / "agrozold_2024-08__raw_buy_getTransaction.json"
    assert PUMP_AUTHORITY in file.read_text()
