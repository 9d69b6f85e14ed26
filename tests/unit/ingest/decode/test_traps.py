"""Traps of the source that the decoder must not fall into, by their numbers.

Those that take a ledger (15 to 19, 22, 27, and the rest of 11) stand in tests/flow/test_traps.py.
25, wrapped SOL counted twice in an enhanced payload, stands in test_enhanced.py beside this file;
26, a webhook that was disabled, in tests/flow/test_webhook_watchdog.py.
"""

import base64
import json
from pathlib import Path

import pytest

from ingest.decode.outcome import Decoded, DropReason
from ingest.decode.pipeline import decode_body
from pnl.engine.agents import MAYHEM_AGENT, MAYHEM_AGENT_BYTES
from pnl.engine.trades import Side, Venue
from tests.unit.ingest.decode.building import (
    MINT,
    MOONSHOT,
    OTHER_MINT,
    OTHER_POOL,
    POOL_SELL_ENDS,
    PUMP,
    SWAP,
    USDC,
    USER,
    WSOL,
    Builder,
    body,
    curve_ends,
    curve_event,
    key,
    pool_buy_ends,
    pool_buy_event,
    pool_sell_event,
    post_complete_event,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import decoded, dropped, error_of, trade_of, trades_of
from tests.unit.ingest.decode.running import log_of, ran, told

SOL = raw(WSOL)
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
LAMPORTS = 1_000_000_000


def test_trap_01_cpi_event_and_log_event_are_one_trade() -> None:
    curve, pool = curve_event(), pool_buy_event()
    element = Builder().curve(curve).pool(pool, MINT, SOL).element()
    log = log_of(ran(PUMP, told(curve), ran(PUMP)), ran(SWAP, told(pool), ran(SWAP)))
    element["meta"]["logMessages"] = log
    both = decoded(element)
    assert [trade.event_index for trade in both.trades] == [0, 1]
    element["meta"]["innerInstructions"] = None
    assert decoded(element) == both


def test_trap_02_a_foreign_program_with_the_same_discriminator_is_ignored() -> None:
    builder = Builder().call(MOONSHOT, []).emit(curve_event(), MOONSHOT)
    builder.emit(pool_buy_event(), MOONSHOT).emit(pool_sell_event(), MOONSHOT)
    assert dropped(builder.element()).reason is DropReason.NO_TRADE
    element = Builder().call(MOONSHOT, [PUMP]).element()
    element["meta"]["logMessages"] = log_of(ran(MOONSHOT, told(curve_event())))
    assert dropped(element).reason is DropReason.NO_TRADE


@pytest.mark.parametrize("name", [b"", b"buy", b"buy_exact_quote_in_v2"])
@pytest.mark.parametrize("shareholders", [0, 1, 3])
def test_trap_03_every_length_of_a_curve_event_decodes(name: bytes, shareholders: int) -> None:
    event = curve_event(name=name, shareholders=shareholders)
    length, vector = len(name), 34 * shareholders
    assert {129, 225, 258, 262 + length, 379 + length + vector} < set(
        curve_ends(length, shareholders)
    )
    for end in curve_ends(length, shareholders):
        outcome = decoded(Builder().curve(event[:end]).element())
        assert (len(outcome.trades), outcome.unknown_layouts) == (1, 0)


def test_trap_03_every_length_of_a_pool_event_decodes() -> None:
    events = [pool_buy_event(creator=0)[:end] for end in pool_buy_ends(3)]
    events += [pool_sell_event(creator=0)[:end] for end in POOL_SELL_ENDS]
    for event in events:
        outcome = decoded(Builder().pool(event, MINT, SOL).element())
        assert (len(outcome.trades), outcome.unknown_layouts) == (1, 0)


@pytest.mark.parametrize("tail", [1, 8, 33, 1_000])
def test_trap_03_an_unknown_longer_tail_is_decoded_and_counted(tail: int) -> None:
    builder = Builder().curve(curve_event() + bytes(tail))
    builder.pool(pool_buy_event() + bytes(tail), MINT, SOL)
    builder.pool(pool_sell_event() + bytes(tail), MINT, SOL)
    outcome = decoded(builder.element())
    assert (len(outcome.trades), outcome.unknown_layouts) == (3, 3)


@pytest.mark.parametrize("size", [8, 40, 112])
def test_trap_03_a_shorter_event_is_refused_whole(size: int) -> None:
    error = error_of(Builder().curve(curve_event(), curve_event()[:size]).element())
    assert f"TradeEvent has {size} bytes, at least 113 expected" in error


@pytest.mark.parametrize(("is_buy", "total"), [(True, 214_827_230), (False, 210_573_226)])
def test_trap_04_a_fee_that_is_not_in_the_event_is_one_percent_rounded_down(
    is_buy: bool, total: int
) -> None:
    event = curve_event(sol=212_700_228, is_buy=is_buy)[:129]
    trade = trade_of(Builder().curve(event))
    assert (trade.fee_units, trade.lamports) == (2_127_002, total)


def test_trap_05_buy_exact_quote_in_exchanges_two_fields() -> None:
    """11,905,008 and fees of 5,938 were paid; `user_quote_amount_in` shows 11,875,319."""
    event = bytearray(pool_buy_event(quote=11_905_008, lp=5_938, protocol=0, creator=0))
    event[64:72] = (11_910_946).to_bytes(8, "little")
    event[112:120] = (11_875_319).to_bytes(8, "little")
    outcome = decoded(Builder().pool(bytes(event), MINT, SOL).element())
    assert (outcome.trades[0].lamports, outcome.unknown_layouts) == (11_910_946, 0)


def test_trap_05_a_total_that_neither_field_has_is_booked_and_counted() -> None:
    event = bytearray(pool_buy_event(quote=11_905_008, lp=5_938, protocol=0, creator=0))
    event[64:72] = event[112:120] = (11_910_947).to_bytes(8, "little")
    outcome = decoded(Builder().pool(bytes(event), MINT, SOL).element())
    assert (outcome.trades[0].lamports, outcome.unknown_layouts) == (11_910_946, 1)


def test_trap_06_in_a_reversed_pool_the_side_is_where_the_sol_is() -> None:
    gives_sol = pool_sell_event(base=96_623_111, quote=10_000, received=164_383_938_805)
    takes_sol = pool_buy_event(base=96_623_111, quote=10_000, lp=20, protocol=5, creator=5)
    bought = trade_of(Builder().pool(gives_sol, SOL, MINT))
    sold = trade_of(Builder().pool(takes_sol, SOL, MINT))
    assert (bought.side, bought.mint, bought.token_units) == (Side.BUY, MINT, 164_383_938_805)
    assert (sold.side, sold.mint, sold.token_units) == (Side.SELL, MINT, 10_030)
    assert bought.lamports == sold.lamports == 96_623_111


@pytest.mark.parametrize("quote", [raw(USDC), OTHER_MINT])
def test_trap_07_another_quote_is_no_sol(quote: bytes) -> None:
    event = curve_event(sol=0, quote_mint=quote, quote_amount=3_517_192, fee=9, creator_fee=1)
    curve = trade_of(Builder().curve(event))
    pool = trade_of(Builder().pool(pool_buy_event(), MINT, quote))
    assert (curve.quote_mint, curve.quote_units, curve.lamports) == (quote, 3_517_202, None)
    assert (pool.quote_mint, pool.quote_units, pool.lamports) == (quote, 10_030, None)


def test_trap_08_cashback_is_paid_by_the_trader() -> None:
    buy, sell = (
        curve_event(sol=10_000, is_buy=is_buy, fee=95, cashback=30) for is_buy in (True, False)
    )
    bought, sold = trade_of(Builder().curve(buy)), trade_of(Builder().curve(sell))
    pool = trade_of(Builder().pool(pool_sell_event(creator=0, cashback=30), MINT, SOL))
    assert (bought.lamports, sold.lamports, pool.lamports) == (10_125, 9_875, 9_945)


def test_trap_09_holder_rewards_and_buyback_are_inside_the_fees() -> None:
    """The builder lays the buyback at half the fee, the rewards at the creator's fee."""
    event = curve_event(sol=700_000_128, fee=6_650_002, creator_fee=2_100_001)
    assert (3_325_001).to_bytes(8, "little") in event
    assert event.count((2_100_001).to_bytes(8, "little")) == 2
    assert trade_of(Builder().curve(event)).lamports == 708_750_131


def test_trap_10_a_completing_buy_of_v3_is_two_trades() -> None:
    first = curve_event(sol=3 * LAMPORTS, tokens=8_000, fee=28_500_000, name=b"buy_v3")
    rest = post_complete_event(tokens=2_000, quote=LAMPORTS, fee=9_500_000, creator_fee=0)
    trades = trades_of(Builder().curve(first, rest))
    assert [trade.event_index for trade in trades] == [0, 1]
    assert {(trade.side, trade.mint, trade.trader) for trade in trades} == {(Side.BUY, MINT, USER)}
    assert sum(trade.token_units for trade in trades) == 10_000
    assert sum(trade.quote_units for trade in trades) == 4_038_000_000


def test_trap_11_the_mayhem_agent_pays_no_fee() -> None:
    trade = trade_of(Builder().curve(curve_event(sol=500, user=MAYHEM_AGENT_BYTES)))
    assert (trade.lamports, trade.fee_units, text(trade.trader)) == (500, 0, MAYHEM_AGENT)


def test_trap_12_the_fee_payer_is_not_the_trader() -> None:
    builder = Builder()
    builder.keys = [text(key(80)), text(key(81))]
    assert trade_of(builder.curve(curve_event())).trader == USER


@pytest.mark.parametrize("count", [2, 3, 4])
def test_trap_13_a_transaction_may_hold_several_swaps(count: int) -> None:
    builder = Builder()
    for at in range(count):
        pool = key(30 + at)
        builder.pool(pool_sell_event(base=at + 1, pool=pool), key(40 + at), SOL, pool)
    trades = trades_of(builder)
    assert [(trade.event_index, trade.token_units) for trade in trades] == [
        (at, at + 1) for at in range(count)
    ]


def test_trap_14_a_failed_transaction_traded_nothing() -> None:
    element = Builder().curve(curve_event()).element()
    element["meta"]["err"] = {"InstructionError": [0, {"Custom": 6002}]}
    assert dropped(element).reason is DropReason.FAILED


def test_trap_20_keys_from_lookup_tables_are_counted_on() -> None:
    """The program, its authority, pool and mints all stand behind the message's own keys."""
    element = Builder().pool(pool_buy_event(), MINT, SOL).element()
    message = element["transaction"]["message"]
    keys = message["accountKeys"]
    message["accountKeys"] = keys[:1]
    element["meta"]["loadedAddresses"] = {"writable": keys[1:4], "readonly": keys[4:]}
    assert message["instructions"][0]["programIdIndex"] >= len(message["accountKeys"])
    trade = decoded(element).trades[0]
    assert (trade.mint, trade.venue) == (MINT, Venue.PUMP_SWAP)


@pytest.mark.parametrize("amount", [2**53 + 1, 2**63 + 1, 2**64 - 1])
def test_trap_21_amounts_beyond_a_double_are_exact(amount: int) -> None:
    curve = trade_of(Builder().curve(curve_event(tokens=amount, sol=amount)))
    pool = trade_of(Builder().pool(pool_sell_event(base=amount), MINT, SOL))
    assert curve.token_units == curve.lamports == pool.token_units == amount


def test_trap_21_rounded_amounts_beside_the_event_are_never_read() -> None:
    element = Builder().curve(curve_event(tokens=2**53 + 1)).element()
    expected = decoded(element)
    amount = {"amount": "1", "decimals": 6, "uiAmount": 9007199254.740993, "uiAmountString": "?"}
    element["meta"]["postTokenBalances"] = [{"accountIndex": 0, "uiTokenAmount": amount}]
    assert decoded(element) == expected


def test_trap_23_a_token_2022_mint_is_a_mint_like_others(shared_folder: Path) -> None:
    name = "chainstack_2026__raw_create_and_devbuy_getTransaction_jsonParsed.json"
    recorded = (shared_folder / "data" / "raw_tx" / name).read_bytes()
    assert TOKEN_2022.encode() in recorded
    (outcome,) = decode_body(recorded)
    assert isinstance(outcome, Decoded)
    assert [trade.token_units for trade in outcome.trades] == [96_449_438_144_093]


@pytest.mark.parametrize("reserves", [-(2**127), -1, 0, 2**127 - 1])
def test_trap_24_virtual_reserves_are_signed_and_128_bits_wide(reserves: int) -> None:
    wide = reserves.to_bytes(16, "little", signed=True)
    bought, sold = bytearray(pool_buy_event(name=b"")), bytearray(pool_sell_event())
    bought[437:453], sold[392:408] = wide, wide
    builder = Builder().pool(bytes(bought), MINT, SOL)
    outcome = decoded(builder.pool(bytes(sold), OTHER_MINT, SOL, OTHER_POOL).element())
    assert outcome.unknown_layouts == 0
    assert [trade.lamports for trade in outcome.trades] == [10_030, 9_970]


def test_the_traps_do_not_hide_behind_each_other() -> None:
    """All events of one transaction, in the log as well, delivered with a stranger in the stack."""
    events = [curve_event(), curve_event(is_buy=False) + b"\1"]
    builder = Builder().call(MOONSHOT, []).emit(curve_event(), MOONSHOT)
    builder.cpi(PUMP, []).emit(events[0]).emit(events[1])
    element = builder.element()
    lines = [f"Program data: {base64.b64encode(event).decode()}" for event in events]
    element["meta"]["logMessages"] = lines
    (outcome,) = decode_body(body(json.loads(json.dumps(element))))
    assert isinstance(outcome, Decoded)
    assert (len(outcome.trades), outcome.unknown_layouts) == (2, 1)
