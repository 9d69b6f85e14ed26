"""Events found on the chain, with the amounts that were worked out from them by hand."""

import base64

import pytest

from pnl.engine.trades import Side, Trade
from tests.unit.ingest.decode.building import (
    WSOL,
    Builder,
    curve_event,
    pool_sell_event,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import decoded, trade_of

# A buy of December 2024: 129 bytes, without a word about fees.
A = base64.b64decode(
    "vdt/007mYe5fUJLKQBnZyU5a25rXFCHmUq3eDeg/6m3qXr6Y4LVhXz7JvUoAAAAAWdK2IWMiAAABjF9LiRHyIjjqqF93"
    "tZIAeB6MsYzDh6xG1Oi/PnwVBw/0JWRnAAAAAERvQMEHAAAANwv2V/5uAwBEwxzFAAAAADdz4wttcAIA"
)
# A sell of February 2026 by the instruction `sell`: 267 bytes.
B = base64.b64decode(
    "vdt/007mYe7XyVnAmrsmNQEqjfzZIfKiwqiQCYeIdMrC6UxxN4hCf9DrkCUAAAAAhGy+/4YDAAAA4mShxt7KFvq6T6dm"
    "jb9yEzSgbpRBKEVTmLNy5reQWhyA9IlpAAAAABJjOsQQAAAAZMje4I2WAQAStxbICQAAAGQwzJT8lwAASsL40N1cvJfj"
    "KJwZfLUGKlTz2Va5zm5RFfllZ6pcs+ZfAAAAAAAAAFtcWwAAAAAALUNGTC+hWGN5OXP1S7ZMJLKc62q0tXQFvA5WBZ2I"
    "/18eAAAAAAAAAMzZHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAHNlbGwA"
)
# A buy of September 2026 of a holder-reward coin with buyback: 374 bytes behind the tag.
C = bytes.fromhex(
    "e445a52e51cb9a1dbddb7fd34ee661eec64820775191c522d7efd717bb0c4fc542646c0f61c7d62424396cbbf426"
    "5c8f8027b92900000000beda7d0540160000018ae6a2a667c302c533cd414f72b0544fd53ee2d604c0bf5c8a4e40"
    "6615b0863bd23ebd6a00000000f1beeb2507000000ee60f01d9bb90300f112c82900000000eec8ddd109bb02004a"
    "c2f8d0dd5cbc97e3289c197cb5062a54f3d956b9ce6e5115f96567aa5cb3e65f0000000000000092786500000000"
    "001febbcc1ce2f593312ba79aa756cc0c770f5996b13557594bcacfc2f80039be31e00000000000000210b200000"
    "00000000000000000000000000000000000000000000000000000000000000000000000003000000627579000000"
    "0000000000000000000000000000881300000000000049bc32000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000008027b92900000000f1beeb2507000000f112c829000000001e00"
    "000000000000210b200000000000"
)
# A sell of April 2026 of a cashback coin through a router: 376 bytes.
E = base64.b64decode(
    "Pi83CqUD3Cp6jutpAAAAAE8JpjWFAAAAAAAAAAAAAABPCaY1hQAAAAAAAAAAAAAAcD71HQe+AADVw1UMFAAAALDxAw4A"
    "AAAAAgAAAAAAAAC0twAAAAAAAF0AAAAAAAAALl4hAAAAAAD8OQMOAAAAAEMY1w0AAAAAg+YS38RzNXicYoME0m33JMCE"
    "o3zY1g/hU4+CW2g204W75Awn5s8MKDwCuul12rHZPfhqcZnJ4lsuuRaNGB1xZTZfDxuexeSanU90MAd1ce7HD8n//SZ4"
    "YmPJkLEMVe1QIKDVF9afP1eyllSYYEaWYBV/Ls8wmmbzVigI0+tHtXtgjMwd/OlhtDt3nBkVBabi079F1aTbRhitdsgt"
    "YXVFNV0OMm1Matf/fY9TP8MJCFS9H+8ykQhAD19V155Lh4BR5S/pSM+P550FCivexR7c5mxwZpss84qXjyKRUmWiJVoA"
    "AAAAAAAAAAAAAAAAAAAAHgAAAAAAAACLwwoAAAAAAA=="
)


def curve_trade(event: bytes) -> Trade:
    return trade_of(Builder().curve(event))


def test_a_buy_whose_event_tells_no_fee_costs_one_percent_rounded_down() -> None:
    assert len(A) == 129
    trade = curve_trade(A)
    assert text(trade.mint) == "7R4zU5pgHFxRQaNUhhCAPFXaSN6AWiheD6rRfkFJpump"
    assert text(trade.trader) == "ASxMiMb1AJGTU4AduPNB2CGqT1TiDqWkLvy7oCUnzw5x"
    assert trade.side is Side.BUY
    assert trade.token_units == 37_809_162_736_217
    assert trade.quote_units == 1_253_951_806 + 12_539_518 == 1_266_491_324
    assert trade.fee_units == 12_539_518
    assert trade.quote_mint is None


def test_a_sell_brings_what_protocol_and_creator_leave() -> None:
    assert len(B) == 267
    trade = curve_trade(B)
    assert text(trade.mint) == "FXLjNRSQXuFM8fhKLEg2QeuUxs4Eu2hhc28tZhzrpump"
    assert text(trade.trader) == "GEk94udrX63hAvNzNE1eC8zNvMDZ2cpV9xTgKuVP7kAw"
    assert trade.side is Side.SELL
    assert trade.token_units == 3_878_351_170_692
    assert trade.quote_units == 630_254_544 - 5_987_419 - 1_890_764 == 622_376_361
    assert trade.fee_units == 5_987_419 + 1_890_764


def test_buyback_and_holder_rewards_are_inside_the_fees_and_cost_nothing_more() -> None:
    assert len(C) == 382
    trade = curve_trade(C.removeprefix(C[:8]))
    assert text(trade.mint) == "EM1WnMcHLeMqBFWKoNstRj7qautMwSphqRQVBVw1pump"
    assert text(trade.trader) == "AMDEmVocLtN5ji2gBY7BrmSHEyM5vt6TGszBbg4crMXg"
    assert trade.side is Side.BUY
    assert trade.token_units == 24_464_225_852_094
    assert trade.quote_units == 700_000_128 + 6_650_002 + 2_100_001 == 708_750_131
    assert trade.quote_mint is None


def test_cashback_is_taken_out_of_what_a_pool_sell_brings() -> None:
    assert len(E) == 376
    base = raw("7R4zU5pgHFxRQaNUhhCAPFXaSN6AWiheD6rRfkFJpump")
    pool = E[120:152]
    trade = trade_of(Builder().pool(E, base, raw(WSOL), pool=pool))
    assert text(trade.trader) == "DeSvhVxbNyjcQQ1oRPK7eGuSMujiNZw1gtZXYu8QFQMa"
    assert trade.mint == base
    assert trade.side is Side.SELL
    assert trade.token_units == 572_130_724_175
    assert trade.quote_units == 235_139_504 - 47_028 - 2_186_798 - 0 - 705_419 == 232_200_259
    assert trade.fee_units == 47_028 + 2_186_798 + 705_419
    assert trade.quote_mint is None


def test_selling_the_base_of_a_pool_whose_base_is_sol_buys_the_other_token() -> None:
    """The wallet's SOL fell by 96,623,111 and its tokens rose by 164,383,938,805."""
    token = raw("AXWMNeT96U246PqgxPyLp9SzFhzTmwA2eTHXw1C8pump")
    event = pool_sell_event(base=96_623_111, quote=164_878_574_530, received=164_383_938_805)
    trade = trade_of(Builder().pool(event[:360], raw(WSOL), token))
    assert trade.side is Side.BUY
    assert trade.mint == token
    assert trade.token_units == 164_383_938_805
    assert trade.lamports == 96_623_111
    assert trade.fee_units == 0


def test_an_old_sell_brings_exactly_what_the_wallet_gained() -> None:
    """Its wallet gained 210,573,226 lamports beside the network fee."""
    event = curve_event(sol=212_700_228, is_buy=False)[:129]
    trade = curve_trade(event)
    assert trade.fee_units == 2_127_002
    assert trade.lamports == 210_573_226


@pytest.mark.parametrize("event", [A, B, C[8:]])
def test_every_curve_vector_has_a_known_layout(event: bytes) -> None:
    assert decoded(Builder().curve(event).element()).unknown_layouts == 0


def test_the_pool_vector_has_a_known_layout() -> None:
    builder = Builder().pool(E, bytes(32), raw(WSOL), pool=E[120:152])
    assert decoded(builder.element()).unknown_layouts == 0


@pytest.mark.parametrize(("event", "time"), [(A, 1_734_616_564), (B, 1_770_648_704)])
def test_without_a_block_time_the_event_tells_it(event: bytes, time: int) -> None:
    element = Builder().curve(event).element(blockTime=None)
    assert decoded(element).trades[0].block_time == time
