"""Enhanced payloads: the programs' events where they are there, else balances counted once."""

import json
from typing import Any

import pytest

from ingest.decode.outcome import Decoded, DropReason, Malformed, Unreadable
from ingest.decode.pipeline import decode_body
from pnl.engine.trades import Side, Trade, Venue
from tests.unit.ingest.decode import building
from tests.unit.ingest.decode.building import PUMP, SIGNATURE, SLOT, SWAP, WSOL, text
from tests.unit.ingest.decode.enhancing import (
    ANN,
    ANNS,
    BOB,
    CURVE,
    FEES,
    MINT,
    OTHER_MINT,
    OTHER_POOL,
    PLATFORM,
    POOL,
    RENT,
    TIME,
    TIP,
    VAULT,
    WRAPPED,
    Parsed,
    curve_buy,
    curve_sell,
    pool_buy,
)
from tests.unit.ingest.decode.reading import decoded, dropped, error_of

SOL = 1_000_000_000
CURVE_FEES = 9_500_000 + 3_000_000  # 95 and 30 bp of one SOL
POOL_FEES = 500_000 + 500_000
UNITS = 35_000_000_000_000


def trade_of(parsed: Parsed, **changes: Any) -> Trade:
    outcome = decoded(parsed.element(**changes))
    assert outcome.order_unknown
    (trade,) = outcome.trades
    assert (trade.inferred, trade.block_index, trade.event_index) == (True, None, 0)
    assert (trade.signature, trade.slot, trade.block_time) == (SIGNATURE, SLOT, TIME)
    assert (text(trade.trader), text(trade.mint), trade.quote_mint) == (ANN, MINT, None)
    return trade


def refused(parsed: Parsed, **changes: Any) -> tuple[DropReason, str]:
    outcome = dropped(parsed.element(**changes))
    assert outcome.signature == text(SIGNATURE)
    return outcome.reason, outcome.detail


def test_trap_25_wsol_legs_and_native_legs_are_counted_once() -> None:
    """SOL in, wrapped, paid as wrapped SOL: three legs, one payment."""
    wrapped = {"mint": WSOL, "fromUserAccount": ANN, "fromTokenAccount": WRAPPED}
    legs = [
        wrapped | {"toUserAccount": POOL, "toTokenAccount": VAULT, "tokenAmount": 1.0},
        wrapped | {"toUserAccount": FEES, "toTokenAccount": FEES, "tokenAmount": 0.001},
    ]
    trade = trade_of(pool_buy(SOL, POOL_FEES, UNITS), tokenTransfers=legs)
    assert (trade.quote_units, trade.fee_units) == (SOL + POOL_FEES, POOL_FEES)
    assert (trade.side, trade.venue, trade.token_units) == (Side.BUY, Venue.PUMP_SWAP, UNITS)


def test_a_curve_buy_costs_what_the_curve_got_and_the_fees() -> None:
    trade = trade_of(curve_buy(SOL, CURVE_FEES, UNITS))
    assert (trade.side, trade.venue, trade.token_units) == (Side.BUY, Venue.PUMP, UNITS)
    assert (trade.quote_units, trade.fee_units) == (SOL + CURVE_FEES, CURVE_FEES)


def test_a_curve_sell_whose_proceeds_only_the_balances_show() -> None:
    trade = trade_of(curve_sell(SOL, CURVE_FEES, UNITS))
    assert (trade.side, trade.token_units) == (Side.SELL, UNITS)
    assert (trade.quote_units, trade.fee_units) == (SOL - CURVE_FEES, CURVE_FEES)


@pytest.mark.parametrize("make", [curve_buy, curve_sell, pool_buy])
def test_tips_platform_fees_and_rents_are_no_part_of_a_swap(make: Any) -> None:
    fees = POOL_FEES if make is pool_buy else CURVE_FEES
    plain = trade_of(make(SOL, fees, UNITS))
    dear = make(SOL, fees, UNITS).pay(ANN, PLATFORM, 8_000_000).pay(ANN, TIP, 3_000_000)
    dear.pay(ANN, text(building.key(20)), 2_039_280).pay(ANN, text(building.key(21)), 1_844_400)
    assert trade_of(dear) == plain


@pytest.mark.parametrize("make", [curve_buy, curve_sell, pool_buy])
def test_a_body_without_transfers_tells_the_same_by_its_balances(make: Any) -> None:
    fees = POOL_FEES if make is pool_buy else CURVE_FEES
    parsed = make(SOL, fees, UNITS).pay(ANN, PLATFORM, 8_000_000).pay(ANN, TIP, 3_000_000)
    whole, bare = trade_of(parsed), trade_of(parsed, nativeTransfers=[], tokenTransfers=None)
    assert (bare.quote_units, bare.fee_units) == (whole.quote_units, whole.fee_units)


def test_a_platforms_share_in_wrapped_sol_is_no_part_of_the_swap() -> None:
    plain = pool_buy(SOL, POOL_FEES, UNITS)
    dear = pool_buy(SOL, POOL_FEES, UNITS).hold(PLATFORM, text(building.key(24)), 7_000_000, WSOL)
    assert trade_of(dear.gain(ANN, -7_000_000)) == trade_of(plain)


def test_an_account_that_is_closed_returns_its_rent_and_no_proceeds() -> None:
    closing = curve_sell(SOL, CURVE_FEES, UNITS).pay(ANNS, ANN, RENT)
    assert trade_of(closing) == trade_of(curve_sell(SOL, CURVE_FEES, UNITS))


def test_a_sell_to_a_pool_brings_what_its_fees_leave() -> None:
    parsed = Parsed("PUMP_AMM").gain(ANN, SOL - POOL_FEES)
    parsed.hold(POOL, VAULT, -SOL, WSOL).hold(FEES, text(building.key(14)), POOL_FEES, WSOL)
    parsed.hold(ANN, ANNS, -UNITS).hold(POOL, text(building.key(15)), UNITS)
    trade = trade_of(parsed)
    assert (trade.side, trade.venue) == (Side.SELL, Venue.PUMP_SWAP)
    assert (trade.quote_units, trade.fee_units) == (SOL - POOL_FEES, POOL_FEES)


def test_wrapped_sol_that_is_kept_wrapped_counts_as_sol() -> None:
    parsed = Parsed("PUMP_AMM").hold(ANN, WRAPPED, SOL, WSOL).hold(POOL, VAULT, -SOL, WSOL)
    parsed.hold(ANN, ANNS, -UNITS).hold(POOL, text(building.key(15)), UNITS)
    assert trade_of(parsed).quote_units == SOL


def test_a_wrapped_account_that_is_shown_without_its_lamports_has_them() -> None:
    parsed = Parsed("PUMP_AMM").hold(ANN, WRAPPED, SOL, WSOL).gain(WRAPPED, -SOL)
    trade = trade_of(parsed.hold(ANN, ANNS, -UNITS))
    assert (trade.side, trade.quote_units) == (Side.SELL, SOL)


def test_a_market_that_is_not_shown_leaves_the_traders_word() -> None:
    """Tips, platforms and rents are known; the program's fees are inside, and not told apart."""
    parsed = Parsed("PUMP_AMM").gain(ANN, -SOL).pay(ANN, ANNS, RENT).hold(ANN, ANNS, UNITS)
    trade = trade_of(parsed.pay(ANN, PLATFORM, 8_000_000))
    assert (trade.quote_units, trade.fee_units) == (SOL, 0)


def test_a_creation_with_a_first_buy_is_a_buy_without_the_rents_of_the_curve() -> None:
    parsed = curve_buy(SOL, CURVE_FEES, UNITS).hold(CURVE, VAULT, 10**15)
    parsed.pay(ANN, CURVE, 1_691_280).pay(ANN, CURVE, 250_560).pay(ANN, MINT, 1_461_600)
    trade = trade_of(parsed, type="CREATE", source="PUMP_FUN")
    assert (trade.side, trade.token_units) == (Side.BUY, UNITS)
    assert trade.quote_units == SOL + CURVE_FEES


def test_the_fee_payer_is_only_a_hint() -> None:
    trade = trade_of(curve_buy(SOL, CURVE_FEES, UNITS).gain(ANN, 5_000), feePayer=BOB)
    assert trade.quote_units == SOL + CURVE_FEES


def test_the_guesses_of_the_parser_are_never_the_amounts() -> None:
    swap = {"nativeInput": {"account": BOB, "amount": "1"}, "tokenOutputs": []}
    guesses = {"type": "UNKNOWN", "description": "BOB swapped 1", "events": {"swap": swap}}
    parsed = curve_buy(SOL, CURVE_FEES, UNITS)
    assert trade_of(parsed, **guesses) == trade_of(parsed)


def test_several_tokens_are_not_decided() -> None:
    parsed = curve_buy(SOL, CURVE_FEES, UNITS).hold(ANN, WRAPPED, -5, OTHER_MINT)
    assert refused(parsed) == (DropReason.SEVERAL_TOKENS, "2 tokens changed hands")


def test_several_traders_are_not_decided() -> None:
    parsed = curve_buy(SOL, CURVE_FEES, UNITS).gain(BOB, -SOL).hold(BOB, text(SIGNATURE[:32]), 7)
    reason, detail = refused(parsed)
    assert reason is DropReason.SEVERAL_TRADERS
    assert detail == f"2 wallets hold more or less of {MINT}"


def test_a_bystander_who_paid_nothing_is_no_trader() -> None:
    parsed = curve_buy(SOL, CURVE_FEES, UNITS).hold(BOB, text(SIGNATURE[:32]), 7)
    assert trade_of(parsed).quote_units == SOL + CURVE_FEES


def test_a_trader_whom_another_paid_for_is_not_decided() -> None:
    parsed = Parsed().pay(BOB, CURVE, SOL).hold(ANN, ANNS, UNITS).hold(CURVE, VAULT, -UNITS)
    reason, detail = refused(parsed)
    assert reason is DropReason.UNBALANCED
    assert detail == "1000000000 lamports of the market and 0 of the trader do not fit"


def test_several_pools_of_a_token_are_not_decided() -> None:
    parsed = pool_buy(SOL, POOL_FEES, UNITS).hold(OTHER_POOL, text(building.key(18)), 5, WSOL)
    parsed.hold(OTHER_POOL, text(building.key(20)), -5)
    assert refused(parsed)[0] is DropReason.SEVERAL_SWAPS


def test_tokens_that_went_between_programs_only_have_no_trader() -> None:
    parsed = Parsed().hold(POOL, VAULT, 5).hold(OTHER_POOL, text(building.key(20)), -5)
    assert refused(parsed)[0] is DropReason.NO_TRADER


def test_a_gift_has_no_sol_leg() -> None:
    parsed = Parsed("PUMP_AMM").hold(ANN, ANNS, UNITS)
    assert refused(parsed) == (DropReason.NO_SOL, "no SOL went the other way")


@pytest.mark.parametrize("field", ["slot", "timestamp", "fee", "feePayer", "accountData"])
def test_a_body_that_lacks_what_a_trade_needs_says_what(field: str) -> None:
    reason, detail = refused(curve_buy(SOL, CURVE_FEES, UNITS), **{field: None})
    assert (reason, detail) == (DropReason.INCOMPLETE, f"it does not tell: {field}")
    assert reason.raw_can_help


def test_a_failed_transaction_has_no_effect() -> None:
    error = {"InstructionError": [3, {"Custom": 6002}]}
    reason, detail = refused(curve_buy(SOL, CURVE_FEES, UNITS), transactionError=error)
    assert reason is DropReason.FAILED
    assert json.loads(detail) == error
    assert not reason.raw_can_help


def test_a_transaction_that_moved_nothing_is_no_trade() -> None:
    foreign = {"programId": building.MOONSHOT, "accounts": [SWAP], "data": ""}
    reason, _ = refused(Parsed("PUMP_AMM"), type="UNKNOWN", instructions=[foreign])
    assert reason is DropReason.NO_TRADE
    assert not reason.raw_can_help


def test_a_swap_elsewhere_is_no_trade_of_ours() -> None:
    foreign = {"programId": building.MOONSHOT, "accounts": [], "data": ""}
    parsed = Parsed("MOONSHOT").gain(ANN, -SOL).hold(ANN, ANNS, UNITS)
    assert refused(parsed, instructions=[foreign])[0] is DropReason.NO_TRADE


def test_a_call_of_the_program_that_left_no_trace_may_have_been_a_round_trip() -> None:
    call = {"programId": PUMP, "accounts": [], "data": ""}
    reason, _ = refused(Parsed(), instructions=[call])
    assert reason is DropReason.UNTOLD
    assert reason.raw_can_help


def test_a_malformed_neighbour_costs_an_enhanced_payload_nothing() -> None:
    good = curve_buy(SOL, CURVE_FEES, UNITS).element()
    bad = good | {"accountData": [{"account": 5}]}
    first, second = decode_body(building.body(bad, good))
    assert isinstance(first, Malformed)
    assert "$.accountData[0].account" in first.error
    assert first.signature == text(SIGNATURE)
    assert isinstance(second, Decoded)


@pytest.mark.parametrize("amount", ["1.5", "", "1e9", "0x1", "9" * 30, 7])
def test_an_amount_that_is_no_whole_number_is_refused(amount: Any) -> None:
    element = curve_buy(SOL, CURVE_FEES, UNITS).element()
    change = next(row for row in element["accountData"] if row["tokenBalanceChanges"])
    change["tokenBalanceChanges"][0]["rawTokenAmount"]["tokenAmount"] = amount
    assert "tokenAmount" in error_of(element)


def test_an_owner_that_is_no_address_is_refused() -> None:
    assert "32 expected" in error_of(Parsed().hold("nobody", ANNS, 5).element())
    error = error_of(Parsed().hold(POOL, VAULT, 5, "mint\0" * 1_000).element())
    assert "\0" not in error
    assert len(error) <= 500


def test_deep_nesting_in_an_enhanced_body_gets_an_answer() -> None:
    head = json.dumps(Parsed().element())[:-1]
    for opening in ('"innerInstructions":[{', '"instructions":[{"innerInstructions":[{'):
        (outcome,) = decode_body(f"{head},{opening * 100_000}".encode())
        assert isinstance(outcome, Unreadable)
    step = '{"programId":"x","innerInstructions":['
    deep = step * 50_000 + "]}" * 50_000
    (outcome,) = decode_body(f'{head},"instructions":[{deep}]}}'.encode())
    assert isinstance(outcome, Malformed | Unreadable)
