"""A pool's mints come from the instructions around its events."""

import pytest

from tests.unit.ingest.decode.building import (
    MINT,
    OTHER_MINT,
    OTHER_POOL,
    POOL,
    SWAP,
    SWAP_AUTHORITY,
    TAG,
    USER,
    WSOL,
    Builder,
    create_pool_event,
    key,
    pool_buy_event,
    pool_sell_event,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import error_of, trade_of, trades_of

SOL = raw(WSOL)
ROUTER = text(key(70))
MULTI_HOP = bytes.fromhex("2b644913e9f66f94") + bytes(16)


def swap_accounts(pool: bytes, base: bytes, quote: bytes = SOL) -> list[str]:
    return [text(key) for key in (pool, USER, key(21), base, quote, key(22))]


def multi_hop_accounts(*hops: tuple[bytes, bytes, bytes]) -> list[str]:
    fixed = [text(key(100 + at)) for at in range(16)]
    return fixed + [text(part) for hop in hops for part in (*hop, key(40), key(41))]


def test_an_outer_swap_tells() -> None:
    assert trade_of(Builder().pool(pool_buy_event(), MINT, SOL)).mint == MINT


def test_a_swap_that_a_router_called_tells() -> None:
    builder = Builder().call(ROUTER, []).cpi(SWAP, swap_accounts(POOL, MINT))
    assert trade_of(builder.emit(pool_buy_event(), SWAP)).mint == MINT


def test_each_pool_of_a_transaction_has_its_own_mints() -> None:
    builder = Builder().call(ROUTER, [])
    builder.cpi(SWAP, swap_accounts(POOL, MINT)).emit(pool_sell_event(), SWAP)
    builder.cpi(SWAP, swap_accounts(OTHER_POOL, OTHER_MINT))
    builder.emit(pool_buy_event(pool=OTHER_POOL), SWAP)
    assert [trade.mint for trade in trades_of(builder)] == [MINT, OTHER_MINT]


def test_the_nearest_instruction_before_the_event_decides() -> None:
    builder = Builder().call(SWAP, swap_accounts(POOL, OTHER_MINT))
    builder.pool(pool_buy_event(), MINT, SOL).call(SWAP, swap_accounts(POOL, OTHER_MINT))
    assert trade_of(builder).mint == MINT


def test_an_instruction_after_the_event_tells_if_none_before_does() -> None:
    builder = Builder().call(SWAP, []).emit(pool_buy_event(), SWAP)
    assert trade_of(builder.call(SWAP, swap_accounts(POOL, MINT))).mint == MINT


def test_the_creation_of_the_pool_tells() -> None:
    builder = Builder().call(SWAP, [text(key(60))])
    builder.emit(create_pool_event(MINT, SOL), SWAP).emit(pool_buy_event(), SWAP)
    assert trade_of(builder).mint == MINT


def test_a_route_through_several_pools_tells_each() -> None:
    hops = multi_hop_accounts((OTHER_MINT, SOL, OTHER_POOL), (MINT, OTHER_MINT, POOL))
    builder = Builder().call(SWAP, hops, MULTI_HOP)
    builder.emit(pool_buy_event(base=30_000, pool=OTHER_POOL), SWAP).emit(pool_buy_event(), SWAP)
    first, second = trades_of(builder)
    assert (first.mint, first.quote_mint) == (OTHER_MINT, None)
    assert (second.mint, second.quote_mint) == (MINT, None)


def test_an_administrative_instruction_tells_nothing() -> None:
    accounts = [text(POOL), text(key(1)), text(key(2)), SWAP_AUTHORITY, SWAP]
    builder = Builder().call(SWAP, accounts).emit(pool_buy_event(), SWAP)
    assert "no instruction tells" in error_of(builder.element())


@pytest.mark.parametrize("accounts", [[], [text(POOL)], multi_hop_accounts((MINT, SOL, POOL))])
def test_a_pool_that_nobody_tells_is_named_with_its_event(accounts: list[str]) -> None:
    element = Builder().call(SWAP, accounts).emit(pool_buy_event(), SWAP).element()
    place = "transaction 0, instruction 0.0"
    assert error_of(element) == f"{place}: no instruction tells the mints of pool {text(POOL)}"


def test_only_the_pool_program_tells() -> None:
    builder = Builder().call(ROUTER, swap_accounts(POOL, MINT)).emit(pool_buy_event(), SWAP)
    assert "no instruction tells" in error_of(builder.element())


def test_a_mint_that_is_no_address_is_malformed() -> None:
    builder = Builder().pool(pool_buy_event(), MINT, SOL)
    element = builder.element()
    keys = element["transaction"]["message"]["accountKeys"]
    keys[keys.index(text(MINT))] = "tooShort"
    assert "instruction 0: the address 'tooShort' has 6 bytes, 32 expected" in error_of(element)
    keys[keys.index("tooShort")] = "not base58"
    assert "instruction 0: the address 'not base58' is not base58" in error_of(element)


def test_a_creation_event_of_another_pool_tells_nothing() -> None:
    builder = Builder().call(SWAP, [SWAP_AUTHORITY], TAG)
    builder.emit(create_pool_event(MINT, SOL, OTHER_POOL), SWAP).emit(pool_buy_event(), SWAP)
    assert "no instruction tells" in error_of(builder.element())
