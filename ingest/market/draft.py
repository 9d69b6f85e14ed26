"""A transaction being drawn up: who takes part, which lamports and tokens move, what it says."""

from ingest.market import base58, chain
from ingest.market.shapes import Form, Place


class Draft:
    """Collects what a form needs, then turns into JSON and books the lamports.

    `lamports` is the book of all balances by address; every movement is between two accounts of
    the draft, so what goes in comes out, less the network fee.
    """

    __slots__ = ("_changes", "_lamports", "_roles", "_units", "slots")

    def __init__(self, lamports: dict[str, int]) -> None:
        self._lamports = lamports
        self._roles: dict[str, str] = {}
        self._changes: dict[str, int] = {}
        self._units: dict[str, tuple[int, int]] = {}
        self.slots: dict[str, object] = {}

    def name(self, role: str, address: str) -> None:
        """Give a role its address."""
        self._roles[role] = address

    def move(self, source: str, target: str, lamports: int) -> None:
        """Lamports from one role to another."""
        changes = self._changes
        changes[source] = changes.get(source, 0) - lamports
        changes[target] = changes.get(target, 0) + lamports

    def count(self, role: str, before: int, after: int) -> None:
        """Token units in an account before and after; a second leg keeps the first `before`."""
        known = self._units.get(role)
        self._units[role] = (before if known is None else known[0], after)

    def pay_fee(self, lamports: int) -> None:
        """The network fee, which the first signer pays and nobody in the transaction gets."""
        self._changes["@user0"] = self._changes.get("@user0", 0) - lamports
        self.slots["fee"] = lamports

    def revert(self) -> None:
        """Undo every movement: the transaction fails."""
        self._changes.clear()
        self._units = {role: (before, before) for role, (before, _) in self._units.items()}

    def json(self, form: Form) -> str:
        """The transaction's JSON; the balances of its accounts are booked."""
        values = self.slots
        for place in form.places:
            self._balance(place, values)
        for role, (before, after) in self._units.items():
            values["had" + role] = ui_amount(before, 6)
            values["has" + role] = ui_amount(after, 6)
        return form.text % values

    def _balance(self, place: Place, values: dict[str, object]) -> None:
        address = self._roles[place.role]
        change = self._changes.get(place.role, 0)
        before = self._lamports.get(address, place.least)
        after = before + change
        if change:
            self._lamports[address] = after
        values[place.role] = address
        values[place.before] = before
        values[place.after] = after
        if place.wrapped:
            values[place.had] = ui_amount(max(0, before - chain.ACCOUNT_RENT), 9)
            values[place.has] = ui_amount(max(0, after - chain.ACCOUNT_RENT), 9)


def ui_amount(amount: int, decimals: int) -> str:
    """The `uiTokenAmount` object of a token balance, with its redundant forms as nodes print it."""
    whole, part = divmod(amount, 10**decimals)
    shown = f"{whole}.{part:0{decimals}d}".rstrip("0").rstrip(".")
    number = shown if "." in shown else f"{shown}.0"
    return (
        f'{{"amount":"{amount}","decimals":{decimals},'
        f'"uiAmount":{number if amount else "null"},"uiAmountString":"{shown}"}}'
    )


def transfer_slot(lamports: int) -> str:
    """Instruction data of a System transfer."""
    return base58.encode(b"\x02\x00\x00\x00" + lamports.to_bytes(8, "little"))


def move_slot(amount: int, decimals: int) -> str:
    """Instruction data of a TransferChecked."""
    return base58.encode(b"\x0c" + amount.to_bytes(8, "little") + bytes((decimals,)))
