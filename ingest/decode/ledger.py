"""By how much a transaction changed what everybody holds, as an enhanced payload tells it."""

from collections import Counter
from collections.abc import Iterator

from ingest.decode.addresses import has_a_key
from ingest.decode.costs import RENTS, TIP_ACCOUNTS
from ingest.decode.enhanced import Enhanced, TokenChange
from ingest.decode.execution import address_bytes
from ingest.decode.programs import WSOL


class Ledger:
    """Changes of balances in lamports and raw token units, by account and by owner.

    Wrapped SOL lies as lamports in its token account, so the two changes of such an account are
    one: what an owner holds in SOL is counted by accounts and never by transfers.
    """

    def __init__(self, payload: Enhanced) -> None:
        self._fee = payload.fee or 0
        self._payer = payload.fee_payer
        self.lamports: Counter[str] = Counter()
        self._changes: list[TokenChange] = []
        for account in payload.account_data or ():
            self.lamports[account.account] += account.native_balance_change
            self._changes += account.token_balance_changes or ()
        self._held: Counter[tuple[str, str]] = Counter()
        for change in self._changes:
            self._held[change.user_account, change.mint] += change.units
        self._paid = _payments(payload)
        self._is_paid_visible = bool(payload.native_transfers)
        self._accounts = _token_accounts(payload, self._changes)

    def mints(self) -> set[str]:
        """The tokens of which somebody has more or less, wrapped SOL left aside."""
        return {mint for (_, mint), units in self._held.items() if units and mint != WSOL}

    def units(self, owner: str, mint: str) -> int:
        """By how much an owner's holding of a token changed."""
        return self._held[owner, mint]

    def owners(self, mint: str) -> list[str]:
        """Whose holding of a token changed."""
        return [owner for (owner, held), units in self._held.items() if held == mint and units]

    def lamports_of_market(self, market: str) -> int | None:
        """By how much the SOL of a curve or pool changed, wrapped or not; None where not shown."""
        if market not in self.lamports and (market, WSOL) not in self._held:
            return None
        return self.lamports[market] + self._held[market, WSOL]

    def payments(self, source: str, target: str) -> list[int]:
        """What one account paid another by transfers, each in lamports."""
        return self._paid.get((source, target), [])

    def spent(self, trader: str, market: str | None) -> int:
        """What a trader gave for the swap in lamports, negative for what the swap brought.

        Everything the trader parted with, less what the payload shows to be something else: the
        network fee, the rents of accounts, tips, and what went to a platform's wallet.
        """
        wealth = self.lamports[trader] + sum(self._in_accounts_of(trader))
        fee = self._fee if trader == self._payer else 0
        return -wealth - fee - self._rents(trader, market) - self._elsewhere(trader, market)

    def wrapped_by_programs(self, trader: str, market: str | None) -> int:
        """The wrapped SOL that program accounts other than the market gained: its swap's fees."""
        return sum(
            units
            for (owner, mint), units in self._held.items()
            if mint == WSOL and units > 0 and owner not in (trader, market) and not _person(owner)
        )

    def _in_accounts_of(self, trader: str) -> Iterator[int]:
        """The lamports in the trader's token accounts; a rent that another paid is not his."""
        for change in self._changes:
            if change.user_account != trader:
                continue
            # A wrapped account that is shown without its lamports has them all the same.
            wrapped = change.units if change.mint == WSOL else 0
            lamports = self.lamports[change.token_account] or wrapped
            yield 0 if trader != self._payer and lamports in RENTS else lamports

    def _rents(self, trader: str, market: str | None) -> int:
        """What the fee payer put into new accounts of others, less what closed ones returned."""
        if trader != self._payer:
            return 0
        own = {change.token_account for change in self._changes if change.user_account == trader}
        return sum(
            lamports
            for account, lamports in self.lamports.items()
            if abs(lamports) in RENTS and account not in {trader, market, *own}
        )

    def _elsewhere(self, trader: str, market: str | None) -> int:
        """What went to tips and platforms: to people who are neither side of the swap."""
        own = self._accounts.get(trader, set())
        native = sum(
            gain
            for account in self._paid_by(trader) - {trader, market} - own
            if (gain := self._gain(trader, account)) > 0 and _keeps_it(account, gain)
        )
        wrapped = sum(
            units
            for (owner, mint), units in self._held.items()
            if mint == WSOL and units > 0 and owner != trader and _person(owner)
        )
        return native + wrapped

    def _paid_by(self, trader: str) -> set[str]:
        """Whom the trader paid; where no transfer is shown, whoever gained and owns no tokens."""
        if self._is_paid_visible:
            return {target for source, target in self._paid if source == trader}
        everywhere = {account for accounts in self._accounts.values() for account in accounts}
        return set(self.lamports) - everywhere

    def _gain(self, trader: str, account: str) -> int:
        """What an account kept of the trader's payments: a wrapped one passes all of it on."""
        if not self._is_paid_visible:
            return self.lamports[account]
        net = sum(self.payments(trader, account)) - sum(self.payments(account, trader))
        return min(net, self.lamports[account]) if account in self.lamports else net


def _payments(payload: Enhanced) -> dict[tuple[str, str], list[int]]:
    paid: dict[tuple[str, str], list[int]] = {}
    for move in payload.native_transfers or ():
        if move.from_user_account and move.to_user_account:
            paid.setdefault((move.from_user_account, move.to_user_account), []).append(move.amount)
    return paid


def _token_accounts(payload: Enhanced, changes: list[TokenChange]) -> dict[str, set[str]]:
    """The token accounts that are known to be somebody's, by owner."""
    pairs = [(change.user_account, change.token_account) for change in changes]
    for move in payload.token_transfers or ():
        pairs.append((move.from_user_account or "", move.from_token_account or ""))
        pairs.append((move.to_user_account or "", move.to_token_account or ""))
    known: dict[str, set[str]] = {}
    for owner, account in pairs:
        known.setdefault(owner, set()).add(account)
    return known


def _person(owner: str) -> bool:
    return has_a_key(address_bytes(owner))


def _keeps_it(account: str, lamports: int) -> bool:
    """Whether a payment is a tip or a platform's; what programs keep may be the swap's own fees."""
    return lamports not in RENTS and (account in TIP_ACCOUNTS or _person(account))
