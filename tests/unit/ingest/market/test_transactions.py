"""Every transaction of the market is consistent: accounts, events, balances, size."""

import json
import statistics
from collections import Counter

import based58
import pytest

from ingest.decode.outcome import Decoded, Dropped
from ingest.decode.pipeline import decode_body
from pnl.engine.tokens import TokenEvent
from pnl.engine.trades import Side, Venue
from tests.unit.ingest.market.stage import PUMP, PUMP_SWAP, Reading, played, read, readings

SWAPS = {
    (PUMP, "bddb7fd34ee661ee"): Venue.PUMP,
    (PUMP_SWAP, "67f4521f2cf57777"): Venue.PUMP_SWAP,
    (PUMP_SWAP, "3e2f370aa503dc2a"): Venue.PUMP_SWAP,
}
# The tags of a token's creation, completion and migration.
LIVES = ("1b72a94ddeeb6376", "5f72619cd42e9808", "bde95db95c94ea94")
# What one transaction can cost beside its trades: rent, tips, a terminal's share.
EXTRAS_MAX = 500_000_000


def owner(raw: bytes) -> str:
    return based58.b58encode(raw).decode()


def test_the_decoder_finds_exactly_the_trades_that_were_made() -> None:
    for transaction in played():
        (outcome,) = decode_body(f"[{transaction.json}]".encode())
        found = outcome.trades if isinstance(outcome, Decoded) else ()
        assert found == transaction.trades
        if isinstance(outcome, Decoded):
            assert outcome.trades or outcome.tokens
            assert outcome.unknown_layouts == 0


def test_the_decoder_learns_the_names_of_the_tokens_that_are_born() -> None:
    told: dict[bytes, TokenEvent] = {}
    for transaction, reading in zip(played(), readings(), strict=True):
        (outcome,) = decode_body(f"[{transaction.json}]".encode())
        events = [payload[:8].hex() for _, payload in reading.events]
        tokens = outcome.tokens if isinstance(outcome, Decoded) else ()
        if reading.error is None:
            assert len(tokens) == sum(tag in LIVES for tag in events)
        told |= {token.mint: token for token in tokens if token.creator is not None}
    assert len(told) > 30
    assert all(token.name and token.symbol and token.uri for token in told.values())


def test_a_stranger_finds_them_too() -> None:
    for transaction, reading in zip(played(), readings(), strict=True):
        found = [
            SWAPS[program, payload[:8].hex()]
            for program, payload in reading.events
            if (program, payload[:8].hex()) in SWAPS and reading.error is None
        ]
        assert found == [trade.venue for trade in transaction.trades]


def test_lamports_neither_appear_nor_vanish() -> None:
    assert all(sum(reading.lamports) == -reading.fee for reading in readings())


def test_token_units_move_by_what_the_events_say() -> None:
    for transaction, reading in zip(played(), readings(), strict=True):
        wanted: Counter[tuple[str, str]] = Counter()
        for trade in transaction.trades:
            sign = 1 if trade.side is Side.BUY else -1
            wanted[owner(trade.trader), owner(trade.mint)] += sign * trade.token_units
        moved = reading.units()
        assert all(moved.get(key, 0) == units for key, units in wanted.items())


def test_a_trader_pays_what_the_trade_cost_and_little_else() -> None:
    for transaction, reading in zip(played(), readings(), strict=True):
        for trader in {trade.trader for trade in transaction.trades}:
            legs = sum(
                trade.quote_units if trade.side is Side.SELL else -trade.quote_units
                for trade in transaction.trades
                if trade.trader == trader
            )
            extra = legs - reading.lamports[reading.keys.index(owner(trader))]
            volume = sum(trade.quote_units for trade in transaction.trades)
            assert -10_000_000 < extra < EXTRAS_MAX + volume // 50


def test_what_fails_costs_its_fee_and_nothing_else() -> None:
    failed = [reading for reading in readings() if reading.error is not None]
    assert failed
    for reading in failed:
        assert reading.lamports[0] == -reading.fee
        assert not any(reading.lamports[1:])
        assert not any(reading.units().values())


def test_what_fails_after_the_swap_still_shows_the_event() -> None:
    shown = [bool(reading.events) for reading in readings() if reading.error is not None]
    assert any(shown)
    assert not all(shown)


def test_the_log_says_what_the_event_says() -> None:
    for reading in readings():
        assert [payload for _, payload in reading.events] == reading.logged


def test_every_index_and_every_key_is_valid() -> None:
    for reading in readings()[::5]:
        message, meta = reading.raw["transaction"]["message"], reading.raw["meta"]
        calls = [*message["instructions"]]
        calls += [call for group in meta["innerInstructions"] for call in group["instructions"]]
        used = {place for call in calls for place in (*call["accounts"], call["programIdIndex"])}
        assert max(used) < len(reading.keys) == len(set(reading.keys)) == len(reading.lamports)
        assert all(based58.b58decode(call["data"].encode()) for call in calls)
        assert all(len(based58.b58decode(key.encode())) == 32 for key in reading.keys)
        signers = message["header"]["numRequiredSignatures"]
        assert len(reading.raw["transaction"]["signatures"]) == signers


def test_pool_swaps_name_their_mints_where_the_programs_do() -> None:
    for transaction, reading in zip(played(), readings(), strict=True):
        swaps = [trade for trade in transaction.trades if trade.venue is Venue.PUMP_SWAP]
        named = {tuple(accounts[:5]) for accounts in pool_calls(reading)}
        for trade in swaps:
            assert any(
                accounts[1] == owner(trade.trader) and accounts[3] == owner(trade.mint)
                for accounts in named
            )


def pool_calls(reading: Reading) -> list[list[str]]:
    message, meta = reading.raw["transaction"]["message"], reading.raw["meta"]
    calls = [*message["instructions"]]
    calls += [call for group in meta["innerInstructions"] for call in group["instructions"]]
    return [
        [reading.keys[place] for place in call["accounts"]]
        for call in calls
        if reading.keys[call["programIdIndex"]] == PUMP_SWAP and len(call["accounts"]) > 10
    ]


def test_all_forms_of_transactions_occur() -> None:
    raws = [reading.raw for reading in readings()]
    assert {raw["version"] for raw in raws} == {0, "legacy"}
    tables = [bool(raw["meta"]["loadedAddresses"]["readonly"]) for raw in raws]
    assert 0.3 < statistics.mean(tables) < 0.7
    assert all(
        raw["version"] == 0 or not raw["meta"]["loadedAddresses"]["readonly"] for raw in raws
    )
    pairs = statistics.mean(len(transaction.trades) == 2 for transaction in played())
    assert 0.003 < pairs < 0.04


def test_some_fail_and_some_have_nothing_to_do_with_it() -> None:
    outcomes = Counter(
        str(outcome.reason)
        for transaction in played()
        for outcome in decode_body(f"[{transaction.json}]".encode())
        if isinstance(outcome, Dropped)
    )
    assert 0.003 < outcomes["failed"] / len(played()) < 0.03
    assert 0.002 < outcomes["no_trade"] / len(played()) < 0.03


@pytest.mark.parametrize(
    ("venue", "least", "most"), [(Venue.PUMP, 5_500, 8_000), (Venue.PUMP_SWAP, 9_500, 13_000)]
)
def test_a_trade_is_as_large_as_helius_sends_it(venue: Venue, least: int, most: int) -> None:
    sizes = [
        len(transaction.json)
        for transaction in played()
        if [trade.venue for trade in transaction.trades] == [venue]
    ]
    assert least < statistics.median(sizes) < most


def test_the_json_is_compact_and_ascii() -> None:
    sample = played()[0]
    assert json.dumps(read(sample).raw, separators=(",", ":")).count(",") == sample.json.count(",")
    assert sample.json.isascii()
