"""A token of the simulated market: its keys, its curve or pool, and who holds it."""

from typing import Final

from ingest.market import chain, keys
from ingest.market.cast import Wallet
from ingest.market.curve import Curve
from ingest.market.keys import Key
from ingest.market.pool import Pool

# Of the 85 SOL that complete a curve.
_DEAR: Final = 45 * chain.LAMPORTS_PER_SOL


class Holding:
    """What one wallet holds of one token: units, and the lamports they cost on average."""

    __slots__ = ("cost", "denials", "opened", "token", "units", "wallet")

    def __init__(self, wallet: Wallet, token: "Token") -> None:
        self.wallet = wallet
        self.token = token
        self.units = 0
        self.cost = 0
        self.denials = 0  # how often the holder put off selling
        self.opened = False  # the token account exists

    def add(self, units: int, paid: int) -> None:
        """Book a buy."""
        self.units += units
        self.cost += paid

    def take(self, units: int) -> int:
        """Book a sale; the lamports that the sold part had cost."""
        cost = self.cost * units // self.units
        self.units -= units
        self.cost -= cost
        return cost


class Token:
    """One mint and everything that trades it."""

    __slots__ = (
        "born",
        "creator",
        "curve",
        "destined",
        "holdings",
        "keys",
        "names",
        "pool",
        "waiting",
    )

    def __init__(self, mint: Key, creator: Wallet, names: tuple[str, str, str]) -> None:
        self.creator = creator
        self.names = names
        self.curve = Curve()
        self.pool: Pool | None = None
        self.waiting = False  # complete, and not yet migrated
        self.born = False
        self.destined = False  # people believe in it all the way to the pool
        self.holdings: dict[int, Holding] = {}
        self.keys: dict[str, Key] = {"mint": mint}

    def key(self, name: str) -> Key:
        """The address of one of the token's accounts, derived when first needed."""
        found = self.keys.get(name)
        if found is None:
            found = self.keys[name] = keys.derive(name.encode(), self.keys["mint"].raw)
        return found

    def holding(self, wallet: Wallet) -> Holding:
        """The wallet's holding, begun if there is none."""
        found = self.holdings.get(wallet.number)
        if found is None:
            found = self.holdings[wallet.number] = Holding(wallet, self)
        return found

    def drop(self, holding: Holding) -> None:
        """Forget an emptied holding."""
        self.holdings.pop(holding.wallet.number, None)

    @property
    def shunned(self) -> bool:
        """On the curve, so dear already that nobody without belief comes in."""
        return self.pool is None and not self.destined and self.curve.real_sol > _DEAR

    @property
    def market(self) -> Curve | Pool:
        """Where it trades now."""
        return self.pool or self.curve


CURVE_ROLES: Final = ("mint", "curve", "vault", "creator_vault", "curve_extra")
POOL_ROLES: Final = ("mint", "pool", "pool_base", "pool_quote", "creator_account", "creator_vault")
RENTS: Final = {
    "mint": chain.MINT_RENT,
    "curve": chain.CURVE_RENT,
    "vault": chain.ACCOUNT_2022_RENT,
    "pool": chain.POOL_RENT,
    "lp_mint": chain.LP_MINT_RENT,
    "pool_base": chain.ACCOUNT_2022_RENT,
    "pool_quote": chain.ACCOUNT_RENT,
}
