"""What a swap looks like on chain: its instructions, inner calls, logs and token accounts.

Account orders are those of the programs' interface descriptions, with the accounts that newer
deployments append.
"""

from typing import Final, NamedTuple

from ingest.decode import programs
from ingest.market import chain
from ingest.market.calls import (
    SAYS,
    Swap,
    closing,
    emit,
    fees,
    move,
    opening,
    routed,
    transfer,
    unwrapping,
    wrapping,
)
from ingest.market.script import Call, TokenLine

_FEE_CONFIG: Final = "8Wf5TiAheLUqBrKXeYg2JtAFFMWtKdG2BSFgqUcPVwTt"
_POOL_FEE_CONFIG: Final = "5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx"
_VOLUME: Final = "Hq2wp8uJ9jCPsYgNHex8RtqdvMPfVGoYwjvF1ATiwn2Y"
_POOL_VOLUME: Final = "C2aFPdENg4A2HQsmrd5rTw5TaYBX5Ku887cWjbFKtZpw"


class Scene(NamedTuple):
    """The calls of one leg and the token accounts it shows."""

    calls: tuple[Call, ...]
    tokens: tuple[TokenLine, ...] = ()


def curve_buy(who: Swap, named: str, completes: bool) -> Scene:
    """A buy on the curve: the buyer pays curve, creator and fee recipients by four transfers."""
    curve, vault, mint = who.role("curve"), who.role("vault"), who.role("mint")
    paid = (
        ("creator", who.role("creator_vault")),
        ("sol", curve),
        ("buyback", "@buyback"),
        ("fee", "@fee_recipient"),
    )
    give = move(chain.SPL_2022, vault, mint, who.account, curve, who.slot("units"))
    accounts = (
        *(chain.PUMP_GLOBAL, "@fee_recipient", mint, curve, vault, who.account, who.owner),
        *(chain.SYSTEM, chain.SPL_2022, who.role("creator_vault")),
        *(programs.PUMP_EVENT_AUTHORITY, programs.PUMP, _VOLUME, f"@volume{who.user}"),
        *(_FEE_CONFIG, chain.PUMP_FEES, who.role("curve_extra"), "@buyback"),
    )
    body = (
        *(f"{SAYS}{named}", fees(_FEE_CONFIG, programs.PUMP), give),
        *(transfer(who.owner, target, who.slot(name)) for name, target in paid),
        *emit(programs.PUMP, who.number),
        *(emit(programs.PUMP, "done") if completes else ()),
    )
    swap = Call(programs.PUMP, accounts, who.slot("args"), body)
    return Scene((*opening(who), routed(who, swap)), _curve_tokens(who))


def curve_sell(who: Swap) -> Scene:
    """A sell on the curve: the SOL moves by direct mutation, no transfer shows it."""
    curve, vault, mint = who.role("curve"), who.role("vault"), who.role("mint")
    take = move(chain.SPL_2022, who.account, mint, vault, who.owner, who.slot("units"))
    accounts = (
        *(chain.PUMP_GLOBAL, "@fee_recipient", mint, curve, vault, who.account, who.owner),
        *(chain.SYSTEM, who.role("creator_vault"), chain.SPL_2022),
        *(programs.PUMP_EVENT_AUTHORITY, programs.PUMP, _FEE_CONFIG, chain.PUMP_FEES),
        *(who.role("curve_extra"), "@buyback"),
    )
    event = emit(programs.PUMP, who.number)
    body = (f"{SAYS}Sell", fees(_FEE_CONFIG, programs.PUMP), take, *event)
    swap = Call(programs.PUMP, accounts, who.slot("args"), body)
    return Scene((routed(who, swap), *closing(who)), _curve_tokens(who))


def pool_buy(who: Swap, named: str) -> Scene:
    """A buy in the pool with SOL wrapped for the moment of the swap."""
    quote = (
        move(chain.SPL, who.wrapped, programs.WSOL, target, who.owner, who.slot(name))
        for name, target in (("sol", who.role("pool_quote")), *_fee_targets(who))
    )
    base = move(
        *(chain.SPL_2022, who.role("pool_base"), who.role("mint"), who.account),
        *(who.role("pool"), who.slot("units")),
    )
    extra = (_POOL_VOLUME, f"@pool_volume{who.user}")
    swap = _pool_call(who, named, extra, (*quote, base))
    calls = (*wrapping(who), *opening(who), routed(who, swap), unwrapping(who))
    return Scene(calls, _pool_tokens(who))


def pool_sell(who: Swap) -> Scene:
    """A sell in the pool; the proceeds are unwrapped at once."""
    base = move(
        *(chain.SPL_2022, who.account, who.role("mint"), who.role("pool_base")),
        *(who.owner, who.slot("units")),
    )
    pool, source = who.role("pool"), who.role("pool_quote")
    quote = (
        move(chain.SPL, source, programs.WSOL, target, pool, who.slot(name))
        for name, target in (("sol", who.wrapped), *_fee_targets(who))
    )
    swap = _pool_call(who, "Sell", (), (base, *quote))
    calls = (wrapping(who)[0], routed(who, swap), unwrapping(who), *closing(who))
    return Scene(calls, _pool_tokens(who))


def _pool_call(who: Swap, named: str, extra: tuple[str, ...], moves: tuple[Call, ...]) -> Call:
    accounts = (
        *(who.role("pool"), who.owner, chain.PUMP_SWAP_GLOBAL, who.role("mint"), programs.WSOL),
        *(who.account, who.wrapped, who.role("pool_base"), who.role("pool_quote")),
        *("@fee_recipient", "@fee_account", chain.SPL_2022, chain.SPL, chain.SYSTEM),
        *(chain.ASSOCIATED, programs.PUMP_SWAP_EVENT_AUTHORITY, programs.PUMP_SWAP),
        *(who.role("creator_account"), who.role("creator_vault"), *extra),
        *(_POOL_FEE_CONFIG, chain.PUMP_FEES),
    )
    asked = fees(_POOL_FEE_CONFIG, programs.PUMP_SWAP)
    body = (f"{SAYS}{named}", asked, *moves, *emit(programs.PUMP_SWAP, who.number))
    return Call(programs.PUMP_SWAP, accounts, who.slot("args"), body)


def _fee_targets(who: Swap) -> tuple[tuple[str, str], ...]:
    return (
        ("fee", "@fee_account"),
        ("creator", who.role("creator_account")),
    )


def _curve_tokens(who: Swap) -> tuple[TokenLine, ...]:
    mint, program = who.role("mint"), chain.SPL_2022
    return (
        TokenLine(who.role("vault"), mint, who.role("curve"), program),
        TokenLine(who.account, mint, who.owner, program, not who.opens, not who.closes),
    )


def _pool_tokens(who: Swap) -> tuple[TokenLine, ...]:
    mint, pool, wsol = who.role("mint"), who.role("pool"), programs.WSOL
    return (
        TokenLine(who.role("pool_base"), mint, pool, chain.SPL_2022),
        TokenLine(who.role("pool_quote"), wsol, pool, chain.SPL),
        TokenLine("@fee_account", wsol, "@fee_recipient", chain.SPL),
        TokenLine(who.role("creator_account"), wsol, who.role("creator_vault"), chain.SPL),
        TokenLine(who.account, mint, who.owner, chain.SPL_2022, not who.opens, not who.closes),
    )
