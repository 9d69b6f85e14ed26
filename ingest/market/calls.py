"""The small calls every swap is made of: transfers, token accounts, fee lookups, events.

Slots that leg number k fills: `args`k instruction data of the swap, `units`k and `sol`k, `fee`k,
`creator`k, `buyback`k, `platform`k of the transfers, `cpi`k and `log`k the event (base58 with the
event tag, base64 without).
"""

from typing import Final, NamedTuple

from ingest.decode import programs
from ingest.market import chain
from ingest.market.script import Call

GUARD: Final = "GuardSoEzGiKzTjX1BCXHKpWbnKzWnFDbaLMZbKDnZzq"
ROUTER: Final = "FLASHX8DrLbgeR8FcfNV1F5krxYcYMUdBkrP1EPBtxB9"
SWAPPERS: Final = frozenset({programs.PUMP, programs.PUMP_SWAP, ROUTER})
SAYS: Final = "Program log: Instruction: "
_EVENT_AUTHORITY: Final = {
    programs.PUMP: programs.PUMP_EVENT_AUTHORITY,
    programs.PUMP_SWAP: programs.PUMP_SWAP_EVENT_AUTHORITY,
    chain.MOONSHOT: chain.MOONSHOT,
}


class Swap(NamedTuple):
    """The numbers and options of one swap leg, and the role names they make."""

    number: int
    user: int
    token: int
    opens: bool
    closes: bool
    routed: bool

    def role(self, name: str) -> str:
        """A role of the token: "@curve0"."""
        return f"@{name}{self.token}"

    def slot(self, name: str) -> str:
        """A slot of the leg: "%(fee0)s"."""
        return f"%({name}{self.number})s"

    @property
    def owner(self) -> str:
        """The trader."""
        return f"@user{self.user}"

    @property
    def account(self) -> str:
        """The trader's token account."""
        return f"@ata{self.user}{self.token}"

    @property
    def wrapped(self) -> str:
        """The trader's wrapped SOL account, which lives for one transaction."""
        return f"@wsol{self.user}"


def budget() -> tuple[Call, ...]:
    """The unit limit and the unit price in front of every trade."""
    return (
        Call(chain.COMPUTE_BUDGET, (), "K1FDJ7"),
        Call(chain.COMPUTE_BUDGET, (), "3DdGGhkhJbjm"),
    )


def transfer(source: str, target: str, data: str) -> Call:
    """A System transfer; `data` is the slot of its instruction data."""
    return Call(chain.SYSTEM, (source, target), data)


def move(program: str, source: str, mint: str, target: str, owner: str, data: str) -> Call:
    """A TransferChecked of tokens."""
    body = (f"{SAYS}TransferChecked",)
    return Call(program, (source, mint, target, owner), data, body)


def fees(config: str, program: str) -> Call:
    """The swap asks the fee program what to take."""
    return Call(chain.PUMP_FEES, (config, program), "6E5CZKNB2G93HGrj", (f"{SAYS}GetFees",))


def emit(program: str, leg: int | str) -> tuple[Call | str, ...]:
    """An event: the log line, then the program calling itself with the same bytes."""
    event = Call(program, (_EVENT_AUTHORITY[program],), f"%(cpi{leg})s")
    return (f"Program data: %(log{leg})s", event)


def open_account(payer: str, account: str, owner: str, mint: str, program: str) -> Call:
    """The payer creates an associated token account and pays its rent."""
    accounts = (payer, account, owner, mint, chain.SYSTEM, program)
    body = (
        "Program log: CreateIdempotent",
        Call(chain.SYSTEM, (payer, account), "11119ExAoTptm6xKUTUcw2V69MKmyEdDmRins3j3b"),
        "Program log: Initialize the associated token account",
        Call(program, (account, mint), "6QgJ19R1XmsWBVuCrbgni9qPUth9efUZG7TtX8HY23X6N"),
    )
    return Call(chain.ASSOCIATED, accounts, "2", body)


def close_account(program: str, account: str, owner: str) -> Call:
    """The owner closes an empty token account and gets its rent back."""
    return Call(program, (account, owner, owner), "A", (f"{SAYS}CloseAccount",))


def opening(who: Swap) -> tuple[Call, ...]:
    """The trader's token account, if this swap is the first to need it."""
    if not who.opens:
        return ()
    made = open_account(who.owner, who.account, who.owner, who.role("mint"), chain.SPL_2022)
    return (made,)


def closing(who: Swap) -> tuple[Call, ...]:
    """The end of the trader's token account, if this swap emptied it."""
    if not who.closes:
        return ()
    return (close_account(chain.SPL_2022, who.account, who.owner),)


def wrapping(who: Swap) -> tuple[Call, ...]:
    """SOL into a fresh wrapped SOL account."""
    accounts = (who.owner, who.wrapped, who.owner, programs.WSOL, chain.SYSTEM, chain.SPL)
    return (
        Call(chain.ASSOCIATED, accounts, "2", ("Program log: CreateIdempotent",)),
        transfer(who.owner, who.wrapped, who.slot("wrap")),
        Call(chain.SPL, (who.wrapped,), "J", (f"{SAYS}SyncNative",)),
    )


def unwrapping(who: Swap) -> Call:
    """What is left in the wrapped SOL account goes back to the trader."""
    return close_account(chain.SPL, who.wrapped, who.owner)


def routed(who: Swap, swap: Call) -> Call:
    """The swap itself, or a terminal's call that makes it and takes its own fee."""
    if not who.routed:
        return swap
    fee = transfer(who.owner, "@platform", who.slot("platform"))
    return Call(ROUTER, (who.owner, "@platform", *swap.accounts), swap.data, (swap, fee))
