"""What the programs tell of tokens: old and new layouts, hostile names, with and without trades."""

import struct

import pytest

from ingest.decode.outcome import DropReason
from ingest.decode.token_life import (
    NAME_CHARACTERS_MAX,
    SYMBOL_CHARACTERS_MAX,
    URI_CHARACTERS_MAX,
    read_token,
)
from pnl.engine.tokens import TokenEvent
from tests.unit.ingest.decode.building import (
    BLOCK_TIME,
    EVENT_TIME,
    MINT,
    MOONSHOT,
    OTHER_MINT,
    POOL,
    SWAP,
    USER,
    Builder,
    complete_event,
    create_event,
    curve_event,
    key,
    migration_event,
)
from tests.unit.ingest.decode.enhancing import rendered
from tests.unit.ingest.decode.reading import decoded, dropped

NAMES = (b"Grumpy Otter", b"GROTT", b"https://meta.example/1.json")
CREATOR = key(30)
NAMED = TokenEvent(MINT, "Grumpy Otter", "GROTT", "https://meta.example/1.json", CREATOR)


def name_read(name: bytes) -> str:
    told = read_token(create_event((name, b"", b"")), None)
    assert told is not None
    return told.name


@pytest.mark.parametrize("tail", [0, 32, 66, 107, 131, 4_000])
def test_a_creation_is_read_in_every_layout_that_has_a_time(tail: int) -> None:
    event = create_event(NAMES, creator=CREATOR, tail=tail)
    assert read_token(event, 5) == NAMED._replace(created_at=EVENT_TIME)


def test_the_creation_of_2024_has_its_user_and_the_blocks_time() -> None:
    event = create_event(NAMES, creator=b"")
    assert read_token(event, 5) == NAMED._replace(creator=USER, created_at=5)


def test_a_completion_and_a_migration_are_read() -> None:
    assert read_token(complete_event(), None) == TokenEvent(MINT, completed_at=EVENT_TIME)
    moved = TokenEvent(MINT, migrated_at=EVENT_TIME, pool=POOL)
    assert read_token(migration_event(), None) == moved
    assert read_token(migration_event()[:168], None) == moved  # before it had a quote mint


def test_a_time_that_is_none_is_the_blocks() -> None:
    assert read_token(complete_event(at=2**62), 7) == TokenEvent(MINT, completed_at=7)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"nul\x00led", "nulled"),
        (b"\xff\xfe bad", "\ufffd\ufffd bad"),
        ("\u202egnp.exe".encode(), "gnp.exe"),
        (b"\x1b[31mred\x07", "[31mred"),
        (b"  two \n\t lines  ", "two lines"),
        (b"<script>", "<script>"),
        ("\u200b\u2060".encode(), ""),
        ("Ж猫🐸".encode(), "Ж猫🐸"),
    ],
)
def test_a_hostile_name_is_cleaned(name: bytes, shown: str) -> None:
    assert name_read(name) == shown


def test_long_texts_are_cut() -> None:
    told = read_token(create_event((b"n" * 9_000, b"s" * 9_000, b"u" * 9_000)), None)
    assert told is not None
    assert told.name == "n" * NAME_CHARACTERS_MAX
    assert told.symbol == "s" * SYMBOL_CHARACTERS_MAX
    assert told.uri == "u" * URI_CHARACTERS_MAX
    assert told.mint == MINT


@pytest.mark.parametrize("event", [create_event(NAMES), complete_event(), migration_event()])
def test_an_event_that_is_cut_off_tells_nothing_or_the_truth(event: bytes) -> None:
    whole = read_token(event, None)
    assert whole is not None
    for size in range(len(event)):
        told = read_token(event[:size], None)
        assert told is None or told.mint == whole.mint


def test_a_length_beyond_the_event_costs_the_trade_beside_it_nothing() -> None:
    broken = create_event(NAMES)[:8] + struct.pack("<I", 2**32 - 1) + b"x" * 50
    outcome = decoded(Builder().curve(broken, curve_event()).element())
    assert (len(outcome.trades), outcome.tokens) == (1, ())


def test_a_creation_without_a_trade_is_decoded() -> None:
    outcome = decoded(Builder().curve(create_event(NAMES, creator=CREATOR)).element())
    assert outcome.trades == ()
    assert outcome.tokens == (NAMED._replace(created_at=EVENT_TIME),)


def test_tokens_and_trades_of_one_transaction_are_both_told() -> None:
    builder = Builder().curve(create_event(NAMES), curve_event(), complete_event())
    outcome = decoded(builder.emit(migration_event(OTHER_MINT)).element())
    assert [event.mint for event in outcome.tokens] == [MINT, MINT, OTHER_MINT]
    (trade,) = outcome.trades
    assert trade.event_index == 0


@pytest.mark.parametrize("program", [MOONSHOT, SWAP])
def test_an_event_of_another_program_tells_nothing_of_a_token(program: str) -> None:
    builder = Builder().call(program, []).emit(create_event(NAMES), program)
    assert dropped(builder.element()).reason is DropReason.NO_TRADE


def test_an_enhanced_body_tells_the_same_tokens() -> None:
    raw = Builder().curve(create_event(NAMES, creator=b""), complete_event()).element()
    count = len(raw["transaction"]["message"]["accountKeys"])
    raw["meta"] |= {"preBalances": [0] * count, "postBalances": [0] * count}
    raw["meta"] |= {"postTokenBalances": []}
    told = decoded(rendered(raw, with_events=True))
    assert told.tokens == decoded(raw).tokens
    assert told.tokens[0].created_at == BLOCK_TIME
