"""What is not a swap: a token's birth and graduation, a plain transfer, another program's event."""

from typing import Final

from ingest.decode import programs
from ingest.market import chain
from ingest.market.calls import SAYS, Swap, emit, move, open_account, transfer
from ingest.market.scenes import Scene
from ingest.market.script import Call, TokenLine

_MINT_AUTHORITY: Final = "TSLvdd1pWpHVjahSpsvCXUbgwsL3JAcvokwaKt1eokM"
_WITHDRAW_AUTHORITY: Final = "39azUYFWPz3VHgKCf3VChUwbpURdCHRxjWVowf5jUJjg"
_MAYHEM_PARAMS: Final = "13ec7XdrjF3h3YcqBTFDSReRcUFwbCnJaAQspM4j6DDJ"


def create(number: int, user: int, token: int) -> Scene:
    """create_v2: a Token-2022 mint, its curve and the whole supply in the curve's account."""
    who = Swap(number, user, token, opens=False, closes=False, routed=False)
    mint, curve, vault = who.role("mint"), who.role("curve"), who.role("vault")
    accounts = (
        *(mint, _MINT_AUTHORITY, curve, vault, chain.PUMP_GLOBAL, who.owner, chain.SYSTEM),
        *(chain.SPL_2022, chain.ASSOCIATED, chain.MAYHEM, _MAYHEM_PARAMS),
        *(programs.PUMP_EVENT_AUTHORITY, programs.PUMP),
    )
    body = (
        f"{SAYS}CreateV2",
        Call(chain.SYSTEM, (who.owner, mint), "11114XtYk9gGfZoo968fyjNUYQJKf9gdmkGoaoBpz"),
        Call(chain.SPL_2022, (mint,), "2yyF8pZ5", (f"{SAYS}InitializeMint2",)),
        Call(chain.SYSTEM, (who.owner, curve), "11112nba6qLH4BKL4MW8GP9ayKApZeYn3LQKJdPdeSXbR"),
        open_account(who.owner, vault, curve, mint, chain.SPL_2022),
        Call(chain.SPL_2022, (mint, vault, _MINT_AUTHORITY), "6AuM4xMCPFhR", (f"{SAYS}MintTo",)),
        *emit(programs.PUMP, number),
    )
    call = Call(programs.PUMP, accounts, who.slot("args"), body)
    return Scene((call,), (TokenLine(vault, mint, curve, chain.SPL_2022, before=False),))


def migrate(number: int, user: int, token: int) -> Scene:
    """migrate: the curve's tokens and SOL become the canonical pool, by an inner create_pool."""
    who = Swap(number, user, token, opens=False, closes=False, routed=False)
    mint, curve, vault, pool = map(who.role, ("mint", "curve", "vault", "pool"))
    base, quote = who.role("pool_base"), who.role("pool_quote")
    shared = (chain.SYSTEM, chain.SPL_2022, chain.SPL, chain.ASSOCIATED)
    accounts = (
        *(chain.PUMP_GLOBAL, _WITHDRAW_AUTHORITY, mint, curve, vault, who.owner, chain.SYSTEM),
        *(chain.SPL, programs.PUMP_SWAP, pool, who.role("pool_authority")),
        *(chain.PUMP_SWAP_GLOBAL, programs.WSOL, who.role("lp_mint"), base, quote),
        *(chain.SPL_2022, chain.ASSOCIATED, programs.PUMP_SWAP_EVENT_AUTHORITY),
        *(programs.PUMP_EVENT_AUTHORITY, programs.PUMP, chain.RENT),
    )
    born = (pool, chain.PUMP_SWAP_GLOBAL, who.role("pool_authority"), mint, programs.WSOL)
    called = (programs.PUMP_SWAP_EVENT_AUTHORITY, programs.PUMP_SWAP)
    make = Call(
        programs.PUMP_SWAP,
        (*born, who.role("lp_mint"), base, quote, *shared, *called),
        who.slot("pool"),
        (
            f"{SAYS}CreatePool",
            move(chain.SPL_2022, vault, mint, base, curve, who.slot("units")),
            transfer(curve, quote, who.slot("sol")),
            *emit(programs.PUMP_SWAP, "pool"),
        ),
    )
    body = (f"{SAYS}Migrate", make, *emit(programs.PUMP, number))
    tokens = (
        TokenLine(vault, mint, curve, chain.SPL_2022, after=False),
        TokenLine(base, mint, pool, chain.SPL_2022, before=False),
        TokenLine(quote, programs.WSOL, pool, chain.SPL, before=False),
    )
    return Scene((Call(programs.PUMP, accounts, who.slot("args"), body),), tokens)


def wire() -> Scene:
    """SOL from one wallet to another: nothing a trade decoder should see."""
    return Scene((transfer("@user0", "@target", "%(args0)s"),))


def foreign(number: int) -> Scene:
    """Another launchpad's trade, whose event carries the very discriminator of Pump's."""
    body = (f"{SAYS}Buy", *emit(chain.MOONSHOT, number))
    return Scene((Call(chain.MOONSHOT, ("@user0", "@target"), f"%(args{number})s", body),))
