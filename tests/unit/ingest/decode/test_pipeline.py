"""What is a trade, what is not, and what breaks: one transaction never costs another."""

import base64
import json
from typing import Any

import pytest

from ingest.decode.outcome import Decoded, Dropped, DropReason, Malformed, Unreadable
from ingest.decode.pipeline import decode_body
from pnl.engine.agents import MAYHEM_AGENT, MAYHEM_AGENT_BYTES
from pnl.engine.trades import Side, Venue
from tests.unit.ingest.decode.building import (
    BLOCK_INDEX,
    BLOCK_TIME,
    EVENT_TIME,
    MINT,
    MOONSHOT,
    PUMP,
    PUMP_AUTHORITY,
    SIGNATURE,
    SLOT,
    SWAP,
    SWAP_AUTHORITY,
    TAG,
    USDC,
    USER,
    WSOL,
    Builder,
    body,
    curve_event,
    key,
    pool_buy_event,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import decoded, dropped, error_of, outcome_of, trades_of

SOL = raw(WSOL)


def test_a_trade_knows_its_place() -> None:
    outcome = decoded(Builder().curve(curve_event()).element())
    assert (outcome.index, outcome.signature) == (0, SIGNATURE)
    (trade,) = outcome.trades
    assert (trade.signature, trade.event_index) == (SIGNATURE, 0)
    assert (trade.slot, trade.block_index, trade.block_time) == (SLOT, BLOCK_INDEX, BLOCK_TIME)


def test_every_event_of_both_programs_counts_in_execution_order() -> None:
    """Inner instructions are listed here with the last group first: their index decides."""
    builder = Builder()
    builder.call(MOONSHOT, []).emit(curve_event(tokens=1)).emit(curve_event(tokens=2))
    builder.pool(pool_buy_event(base=3), MINT, SOL)
    usdc = curve_event(tokens=4, quote_mint=raw(USDC), quote_amount=5)
    builder.curve(usdc).emit(curve_event(tokens=5, is_buy=False))
    builder.inner = dict(reversed(builder.inner.items()))
    trades = trades_of(builder)
    assert [trade.event_index for trade in trades] == [0, 1, 2, 3, 4]
    assert [trade.token_units for trade in trades] == [1, 2, 3, 4, 5]
    assert [trade.venue for trade in trades] == [
        *(Venue.PUMP, Venue.PUMP, Venue.PUMP_SWAP, Venue.PUMP, Venue.PUMP)
    ]
    assert trades[-1].side is Side.SELL


def test_the_log_message_of_an_event_is_not_a_second_trade() -> None:
    event = curve_event()
    element = Builder().curve(event).element()
    line = f"Program data: {base64.b64encode(event).decode()}"
    element["meta"]["logMessages"] = [f"Program {PUMP} invoke [1]", line, f"Program {PUMP} success"]
    assert len(decoded(element).trades) == 1


def test_another_program_with_the_same_discriminator_is_not_counted() -> None:
    builder = Builder().call(MOONSHOT, []).emit(curve_event(tokens=1), MOONSHOT)
    builder.cpi(MOONSHOT, [PUMP_AUTHORITY], TAG + curve_event(tokens=2))
    assert dropped(builder.element()).reason is DropReason.NO_TRADE
    (trade,) = trades_of(builder.emit(curve_event(tokens=3)))
    assert (trade.token_units, trade.event_index) == (3, 0)


@pytest.mark.parametrize("authority", [SWAP_AUTHORITY, text(key(9))])
def test_an_event_without_the_programs_own_authority_is_not_counted(authority: str) -> None:
    builder = Builder().call(PUMP, []).emit(curve_event(), authority=authority)
    assert dropped(builder.element()).reason is DropReason.NO_TRADE


def test_an_event_of_the_other_program_is_not_counted() -> None:
    builder = Builder().call(PUMP, []).emit(pool_buy_event(), PUMP).emit(curve_event(), SWAP)
    assert dropped(builder.element()).reason is DropReason.NO_TRADE


def test_an_outer_instruction_is_never_an_event() -> None:
    builder = Builder().call(PUMP, [PUMP_AUTHORITY], TAG + curve_event()).cpi(MOONSHOT, [])
    assert dropped(builder.element()).reason is DropReason.NO_TRADE


def test_data_without_the_event_tag_is_no_event() -> None:
    builder = Builder().call(PUMP, []).cpi(PUMP, [PUMP_AUTHORITY], curve_event())
    assert dropped(builder.element()).reason is DropReason.NO_TRADE


def test_a_failed_transaction_had_no_effect() -> None:
    element = Builder().curve(curve_event()).element()
    element["meta"]["err"] = {"InstructionError": [3, {"Custom": 6002}]}
    outcome = dropped(element)
    assert outcome.reason is DropReason.FAILED
    assert outcome.signature == text(SIGNATURE)
    assert json.loads(outcome.detail) == {"InstructionError": [3, {"Custom": 6002}]}


def test_the_trader_is_who_the_event_names_not_who_paid_the_fee() -> None:
    builder = Builder()
    builder.keys = [text(key(80))]
    (trade,) = trades_of(builder.curve(curve_event()))
    assert trade.trader == USER


def test_the_mayhem_agents_trades_are_decoded_like_others() -> None:
    (trade,) = trades_of(Builder().curve(curve_event(user=MAYHEM_AGENT_BYTES)))
    assert text(trade.trader) == MAYHEM_AGENT


@pytest.mark.parametrize("part", ["writable", "readonly"])
def test_keys_may_come_from_lookup_tables(part: str) -> None:
    builder = Builder().pool(pool_buy_event(), MINT, SOL)
    element = builder.element()
    keys = element["transaction"]["message"]["accountKeys"]
    element["transaction"]["message"]["accountKeys"] = keys[:2]
    element["meta"]["loadedAddresses"][part] = keys[2:]
    assert decoded(element).trades[0].mint == MINT


def test_writable_loaded_keys_come_before_readonly_ones() -> None:
    element = Builder().pool(pool_buy_event(), MINT, SOL).element()
    keys = element["transaction"]["message"]["accountKeys"]
    element["transaction"]["message"]["accountKeys"] = keys[:2]
    element["meta"]["loadedAddresses"] = {"writable": keys[2:4], "readonly": keys[4:]}
    assert decoded(element).trades[0].mint == MINT


@pytest.mark.parametrize("loaded", [None, {"writable": [], "readonly": []}])
def test_a_key_that_is_missing_is_malformed_and_named(loaded: Any) -> None:
    element = Builder().curve(curve_event()).element()
    message = element["transaction"]["message"]
    count = len(message["accountKeys"]) - 1
    message["accountKeys"].pop()
    element["meta"]["loadedAddresses"] = loaded
    place = "transaction 0, instruction 0.0"
    assert error_of(element) == f"{place}: it names key {count}, the transaction has {count} keys"


@pytest.mark.parametrize("field", ["transactionIndex", "indexWithinBlock"])
def test_the_block_index_has_two_names(field: str) -> None:
    element = Builder().curve(curve_event()).element()
    del element["indexWithinBlock"]
    assert decoded(element).trades[0].block_index is None
    assert decoded(element | {field: 0}).trades[0].block_index == 0


@pytest.mark.parametrize("time", [None, "absent"])
def test_without_a_block_time_the_event_tells_it(time: Any) -> None:
    element = Builder().curve(curve_event()).element(blockTime=time)
    if time == "absent":
        del element["blockTime"]
    assert decoded(element).trades[0].block_time == EVENT_TIME


def test_an_event_with_an_impossible_time_is_malformed() -> None:
    event = bytearray(curve_event())
    event[89:97] = (-5).to_bytes(8, "little", signed=True)
    assert "timestamp -5" in error_of(Builder().curve(bytes(event)).element(blockTime=None))


def test_a_malformed_transaction_does_not_cost_its_neighbours() -> None:
    good = Builder().curve(curve_event()).element()
    cut = Builder().call(MOONSHOT, []).curve(curve_event()[:57]).element()
    outcomes = decode_body(body(good, {"slot": "x"}, cut, 17, None, [], good))
    assert [type(outcome) for outcome in outcomes] == [
        *(Decoded, Malformed, Malformed, Malformed, Dropped, Malformed, Decoded)
    ]
    assert [getattr(outcome, "index", None) for outcome in outcomes] == [0, 1, 2, 3, 4, 5, 6]
    assert isinstance(outcomes[2], Malformed)
    assert outcomes[2].error == (
        "transaction 2, instruction 1.0: TradeEvent has 57 bytes, at least 113 expected"
    )
    assert outcomes[2].signature == text(SIGNATURE)


def test_one_broken_event_keeps_the_whole_transaction_back() -> None:
    builder = Builder().curve(curve_event(), curve_event()[:57])
    assert "instruction 0.1" in error_of(builder.element())


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("slot", None, "transaction 0: slot is missing"),
        ("slot", "7", "Expected `int | null`, got `str` - at `$.slot`"),
        ("slot", -1, "`$.slot`"),
        ("slot", 2**63, "`$.slot`"),
        pytest.param("slot", 10**4000, "`$.slot`", id="huge slot"),
        ("slot", 1.5, "`$.slot`"),
        ("indexWithinBlock", 2**31, "`$.indexWithinBlock`"),
        ("blockTime", 10**12, "`$.blockTime`"),
        ("meta.err", ..., "missing required field `err` - at `$.meta`"),
        ("meta.innerInstructions", None, "meta.innerInstructions is missing"),
        ("meta.innerInstructions", 3, "`$.meta.innerInstructions`"),
        ("meta.innerInstructions.0.instructions.0.data", "0OIl", "its data is not base58"),
        ("meta.innerInstructions.0.instructions.0.programIdIndex", ..., "it names no program"),
        ("meta.innerInstructions.0.instructions.0.programIdIndex", 99, "it names key 99"),
        ("meta.innerInstructions.0.instructions.0.programIdIndex", -1, "programIdIndex"),
        ("meta.innerInstructions.0.instructions.0.accounts.0", 99, "it names key 99"),
        ("meta.innerInstructions.0.instructions.0.accounts.0", -1, "accounts[0]"),
        pytest.param(
            "meta.innerInstructions.0.instructions.0.accounts.0",
            10**4000,
            "accounts[0]",
            id="huge account",
        ),
        ("transaction.message", ..., "missing required field `message`"),
        ("transaction.message.accountKeys", ..., "missing required field `accountKeys`"),
        ("transaction.signatures", [], "`$.transaction.signatures`"),
        ("transaction.signatures.0", "0", "the signature is not base58"),
        ("transaction.signatures.0", "abc", "the signature has 3 bytes, 64 expected"),
        ("transaction", ..., "transaction 0: transaction is missing"),
        ("transaction", [], "transaction has 0 parts"),
        ("meta", ..., "transaction 0: meta is missing"),
    ],
)
def test_what_is_wrong_is_named(path: str, value: Any, error: str) -> None:
    element = Builder().curve(curve_event()).element()
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = element
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    assert error in error_of(element)


def test_a_broken_transaction_keeps_its_signature() -> None:
    element = Builder().curve(curve_event()).element(slot="x")
    for form in (element, {"jsonrpc": "2.0", "result": element}):
        outcome = outcome_of(form)
        assert isinstance(outcome, Malformed)
        assert outcome.signature == text(SIGNATURE)


def test_a_transaction_that_touches_neither_program_needs_no_inner_instructions() -> None:
    element = Builder().call(MOONSHOT, []).element()
    element["meta"]["innerInstructions"] = None
    assert dropped(element).reason is DropReason.NO_TRADE


def test_a_transaction_whose_execution_the_node_forgot_is_dropped() -> None:
    outcome = dropped(Builder().curve(curve_event()).element(meta=None))
    assert outcome.reason is DropReason.NO_META
    assert outcome.signature == text(SIGNATURE)


def test_an_enhanced_payload_with_a_broken_signature_is_malformed() -> None:
    element = {"signature": "abc", "type": "SWAP", "source": "PUMP_FUN", "accountData": []}
    assert error_of(element) == "transaction 0: the signature has 3 bytes, 64 expected"


@pytest.mark.parametrize(
    "text", [b"", b"   ", b"hello", b"{", b"[1,", b'[{"a":}]', b"\xff\xfe", b"[NaN]"]
)
def test_a_body_that_is_not_json_is_unreadable(text: bytes) -> None:
    (outcome,) = decode_body(text)
    assert isinstance(outcome, Unreadable)
    assert outcome.error.startswith("not JSON: ")


def test_an_unreadable_body_says_at_which_byte() -> None:
    (outcome,) = decode_body(b'[{"slot": 1}, {"slot": nope}]')
    assert isinstance(outcome, Unreadable)
    assert "byte 24" in outcome.error


@pytest.mark.parametrize("text", [b"17", b'"hello"', b"null", b"true", b"-1.5e3"])
def test_a_body_that_holds_no_transactions_is_unreadable(text: bytes) -> None:
    (outcome,) = decode_body(text)
    assert isinstance(outcome, Unreadable)
    assert "an array or an object of transactions was expected" in outcome.error


def test_an_empty_array_is_a_body_without_transactions() -> None:
    assert decode_body(b" [] ") == ()
