"""Events out of the log: where a node recorded no inner instructions, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.decode.outcome import Decoded, DropReason
from ingest.decode.pipeline import decode_body
from tests.unit.ingest.decode.building import (
    MINT,
    MOONSHOT,
    OTHER_MINT,
    OTHER_POOL,
    POOL,
    PUMP,
    SWAP,
    WSOL,
    Builder,
    Json,
    create_pool_event,
    curve_event,
    key,
    pool_buy_event,
    pool_sell_event,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import decoded, dropped, error_of
from tests.unit.ingest.decode.running import Step, log_of, ran, said, told
from tests.unit.ingest.market.stage import played

SOL = raw(WSOL)
ROUTER, TOKENS = text(key(70)), text(key(71))
BUY = bytes.fromhex("66063d1201daebea")
UNRECORDED: list[Any] = [None, [], ...]
MISSING = "meta.innerInstructions is missing or empty, and "


def unrecorded(builder: Builder, *outer: Step, record: Any = None) -> Json:
    """The transaction as a node tells it that kept the log and no inner instructions."""
    element = builder.element()
    element["meta"]["logMessages"] = log_of(*outer)
    element["meta"]["innerInstructions"] = record
    if record is ...:
        del element["meta"]["innerInstructions"]
    return element


@pytest.mark.parametrize("record", UNRECORDED)
def test_a_log_tells_the_same_as_the_inner_instructions(record: Any) -> None:
    first, second = curve_event(tokens=1), curve_event(tokens=2, is_buy=False)
    builder = Builder().curve(first, second).pool(pool_buy_event(), MINT, SOL)
    curve = ran(PUMP, ran(TOKENS), told(first), ran(PUMP), told(second), ran(PUMP))
    pool = ran(SWAP, told(pool_buy_event()), ran(SWAP))
    expected = decoded(builder.element())
    assert [trade.event_index for trade in expected.trades] == [0, 1, 2]
    assert decoded(unrecorded(builder, curve, pool, record=record)) == expected


@pytest.mark.parametrize("record", UNRECORDED)
def test_a_router_around_the_program_changes_nothing(record: Any) -> None:
    event = curve_event()
    builder = Builder().call(ROUTER, []).cpi(PUMP, []).emit(event)
    log = ran(ROUTER, ran(TOKENS), ran(PUMP, ran(TOKENS), told(event), ran(PUMP)), ran(TOKENS))
    assert decoded(unrecorded(builder, log, record=record)) == decoded(builder.element())


def test_an_event_belongs_to_the_program_that_ran() -> None:
    """The same bytes told by another program, before, inside and after ours, are not ours."""
    strange, ours = told(curve_event(tokens=1)), told(curve_event(tokens=2))
    log = ran(
        MOONSHOT, strange, ran(PUMP, ran(MOONSHOT, strange), ours, ran(MOONSHOT, strange)), strange
    )
    builder = Builder().call(MOONSHOT, [PUMP])
    (trade,) = decoded(unrecorded(builder, log)).trades
    assert (trade.token_units, trade.event_index) == (2, 0)


def test_an_event_that_nobody_ran_for_is_not_counted() -> None:
    builder = Builder().call(MOONSHOT, [PUMP])
    element = unrecorded(builder, told(curve_event()), ran(MOONSHOT))
    assert dropped(element).reason is DropReason.NO_TRADE


def test_what_a_program_says_is_no_step_of_the_runtime() -> None:
    """Whatever is logged by a program itself has a prefix that the runtime puts before it."""
    lie = said(f"Program log: Program {PUMP} invoke [2]")
    log = ran(MOONSHOT, lie, told(curve_event()), said(f"Program return: {PUMP} AAAA"))
    assert dropped(unrecorded(Builder().call(MOONSHOT, [PUMP]), log)).reason is DropReason.NO_TRADE


@pytest.mark.parametrize("end", ["failed: custom program error: 0x1", "failed", "failed: a\nb"])
def test_what_a_failed_call_told_took_no_effect(end: str) -> None:
    """Neither its own events nor those of what it had called; those before and after it did."""
    lost, kept = told(curve_event(tokens=1)), told(curve_event(tokens=2))
    failing = ran(ROUTER, ran(PUMP, lost), ran(PUMP, lost, end=end), end=end)
    log = ran(MOONSHOT, ran(PUMP, kept), failing, ran(PUMP, kept))
    outcome = decoded(unrecorded(Builder().call(MOONSHOT, [PUMP]), log))
    assert [trade.token_units for trade in outcome.trades] == [2, 2]


@pytest.mark.parametrize("record", UNRECORDED)
def test_a_log_that_was_truncated_is_malformed_and_says_so(record: Any) -> None:
    """Not even the events before the cut are booked: what is set aside can be fetched again."""
    log = ran(PUMP, told(curve_event()), said("Log truncated"))
    element = unrecorded(Builder().curve(), log, record=record)
    element["meta"]["logMessages"] = element["meta"]["logMessages"][:3]
    place = "transaction 0, log message 2"
    assert error_of(element) == f"{place}: {MISSING}the log was truncated, and events with it"


@pytest.mark.parametrize("record", UNRECORDED)
@pytest.mark.parametrize("log", [None, ...])
def test_without_a_log_either_it_is_malformed(record: Any, log: Any) -> None:
    element = unrecorded(Builder().call(ROUTER, [PUMP]), record=record)
    element["meta"]["logMessages"] = log
    if log is ...:
        del element["meta"]["logMessages"]
    assert error_of(element) == f"transaction 0: {MISSING}meta.logMessages is missing, too"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "the log shows 0 of 1 calls of the programs"),
        ([f"Program {PUMP} invoke [1]"], f"the log ends inside a call of {PUMP}"),
        ([f"Program {PUMP} invoke [2]"], "a call at depth 2 follows one at 0"),
        ([f"Program {PUMP} success"], f"{PUMP} ends, and is not what runs"),
        (
            [f"Program {PUMP} invoke [1]", f"Program {ROUTER} success"],
            f"{ROUTER} ends, and is not what runs",
        ),
        (
            [f"Program {PUMP} invoke [1]", "Program data: no base64!"],
            "the event is not base64",
        ),
        pytest.param(
            [f"Program {PUMP} invoke [{'9' * 5_000}]"],
            "the log shows 0 of 1 calls of the programs",
            id="huge depth",
        ),
        (17, "meta.logMessages: Expected `array | null`, got `int`"),
        ([17], "meta.logMessages: Expected `str`, got `int` - at `$[0]`"),
    ],
)
def test_a_log_that_cannot_be_followed_is_malformed(lines: Any, reason: str) -> None:
    element = unrecorded(Builder().call(PUMP, []))
    element["meta"]["logMessages"] = lines
    assert f"{MISSING}{reason}" in error_of(element)


@pytest.mark.parametrize("record", UNRECORDED)
def test_a_trade_whose_event_is_not_in_the_log_is_malformed(record: Any) -> None:
    element = unrecorded(Builder().call(PUMP, [], BUY), ran(PUMP), record=record)
    assert error_of(element) == f"transaction 0: {MISSING}the log has no event of a trade"


@pytest.mark.parametrize("record", UNRECORDED)
def test_a_log_without_events_of_calls_that_need_none_is_no_trade(record: Any) -> None:
    element = unrecorded(Builder().call(PUMP, [], b"\1"), ran(PUMP), record=record)
    assert dropped(element).reason is DropReason.NO_TRADE


def test_a_log_is_not_counted_beside_inner_instructions() -> None:
    """Even if it tells more: what is recorded is the truth."""
    event = curve_event()
    element = Builder().curve(event).element()
    log = log_of(ran(PUMP, told(event), ran(PUMP), told(curve_event(tokens=1)), ran(PUMP)))
    element["meta"]["logMessages"] = log
    (trade,) = decoded(element).trades
    assert trade.token_units == 35_000_000


def test_a_truncated_log_beside_inner_instructions_costs_nothing() -> None:
    element = Builder().curve(curve_event()).element()
    element["meta"]["logMessages"] = [f"Program {PUMP} invoke [1]", "Log truncated"]
    assert len(decoded(element).trades) == 1


def test_a_record_that_lacks_the_events_is_completed_from_the_log() -> None:
    builder = Builder().call(PUMP, [], BUY).cpi(TOKENS, [])
    element = builder.element()
    element["meta"]["logMessages"] = log_of(ran(PUMP, ran(TOKENS), told(curve_event())))
    assert decoded(element) == decoded(Builder().curve(curve_event()).element())


@pytest.mark.parametrize("lines", [None, ["Log truncated"]])
def test_a_record_that_lacks_the_event_of_a_trade_is_malformed_without_a_log(lines: Any) -> None:
    trade = Builder().call(ROUTER, []).cpi(PUMP, [], BUY).element()
    other = Builder().call(ROUTER, []).cpi(PUMP, [], b"\1").element()
    trade["meta"]["logMessages"] = other["meta"]["logMessages"] = lines
    assert "meta.innerInstructions has no event, and " in error_of(trade)
    assert dropped(other).reason is DropReason.NO_TRADE


def test_a_pool_that_the_outer_instruction_names_is_known() -> None:
    sold, bought = pool_sell_event(), pool_buy_event(pool=OTHER_POOL)
    builder = Builder().pool(sold, MINT, SOL).pool(bought, OTHER_MINT, SOL, OTHER_POOL)
    log = [ran(SWAP, told(event), ran(SWAP)) for event in (sold, bought)]
    assert decoded(unrecorded(builder, *log)) == decoded(builder.element())


def test_a_pool_that_was_made_in_the_same_transaction_is_known() -> None:
    log = ran(
        ROUTER, ran(SWAP, told(create_pool_event(MINT, SOL))), ran(SWAP, told(pool_buy_event()))
    )
    (trade,) = decoded(unrecorded(Builder().call(ROUTER, [SWAP]), log)).trades
    assert (trade.mint, trade.event_index) == (MINT, 0)


def test_a_pool_that_only_a_router_named_is_malformed() -> None:
    log = ran(ROUTER, ran(SWAP, told(pool_buy_event())))
    element = unrecorded(Builder().call(ROUTER, [SWAP]), log)
    place = "transaction 0, log message 2"
    assert error_of(element) == f"{place}: no instruction tells the mints of pool {text(POOL)}"


@pytest.mark.parametrize("record", UNRECORDED)
def test_a_whole_market_reads_the_same_from_its_logs(record: Any) -> None:
    for transaction in played(trades=400):
        body = f"[{transaction.json}]".encode()
        (full,) = decode_body(body)
        (element,) = json.loads(body)
        element["meta"]["innerInstructions"] = record
        if record is ...:
            del element["meta"]["innerInstructions"]
        if isinstance(full, Decoded) and names_its_pools(element):
            assert decoded(element) == full


def names_its_pools(element: Json) -> bool:
    """Whether the pool program was called by the transaction itself, or not at all."""
    keys = element["transaction"]["message"]["accountKeys"]
    loaded = element["meta"]["loadedAddresses"]
    keys = [*keys, *loaded["writable"], *loaded["readonly"]]
    outer = {
        keys[step["programIdIndex"]] for step in element["transaction"]["message"]["instructions"]
    }
    return SWAP in outer or SWAP not in keys


def test_a_recorded_transaction_reads_the_same_from_its_log(shared_folder: Path) -> None:
    for name in ("buy", "create"):
        file = shared_folder / f"data/raw_tx/agrozold_2024-08__raw_{name}_getTransaction.json"
        answer = json.loads(file.read_text())
        expected = decoded(answer)
        answer["result"]["meta"]["innerInstructions"] = None
        assert decoded(answer) == expected
