"""A finalized chain as nodes tell it: transactions at their places."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pnl.engine.trades import Trade
from tests.flow.bodies import base58, elements_of

Json = Any
Place = tuple[int, int]


@dataclass
class Landed:
    """A transaction at its place in the chain."""

    element: dict[str, Any]
    index: int
    # Wallets that a walk finds it under; a router's transaction need not have its user in the keys.
    found_under: set[str]

    @property
    def slot(self) -> int:
        return int(self.element["slot"])

    @property
    def place(self) -> Place:
        return self.slot, self.index

    @property
    def signature(self) -> str:
        return str(self.element["transaction"]["signatures"][0])

    @property
    def has_failed(self) -> bool:
        return self.element["meta"]["err"] is not None

    def told(self, *, with_index: bool) -> dict[str, Any]:
        """As getTransaction answers, or with its index as getTransactionsForAddress does."""
        names = ("slot", "blockTime", "meta", "transaction", "version")
        index = {"transactionIndex": self.index} if with_index else {}
        return {name: self.element[name] for name in names} | index


@dataclass
class FakeChain:
    """What has landed, and how far it is final; pages as small as a test likes them."""

    finalized: int = 453_000_000
    page_size: int = 100
    backwards: bool = False
    forgets_statuses: bool = False
    # A node that is behind: it answers null to getTransaction, whatever the statuses say.
    forgets_transactions: bool = False
    # How far the node that answers is behind the others.
    behind_slots: int = 0
    landed: list[Landed] = field(default_factory=list)

    def land(self, trades: Iterable[Trade], *, found_under: Iterable[bytes] = ()) -> None:
        """Put the trades' transactions where the trades say."""
        told = list(trades)
        wallets = {base58(wallet) for wallet in found_under}
        for element in elements_of(told):
            signature = element["transaction"]["signatures"][0]
            mine = [trade for trade in told if base58(trade.signature) == signature]
            index = element.pop("indexWithinBlock", None)
            owners = wallets or {base58(trade.trader) for trade in mine}
            self.landed.append(Landed(_whole(element), index or 0, owners))

    @property
    def seen(self) -> int:
        """The newest slot of the node that answers."""
        return self.finalized + 32 - self.behind_slots

    def fail(self, trade: Trade) -> None:
        """Let the transaction have had no effect."""
        found = self.find(base58(trade.signature))
        assert found is not None
        found.element["meta"]["err"] = {"InstructionError": [0, "Custom"]}

    def find(self, signature: str) -> Landed | None:
        return next((each for each in self.landed if each.signature == signature), None)

    def transaction(self, signature: str) -> Json:
        """getTransaction: null for what is unknown or not final."""
        found = self.find(signature)
        if found is None or found.slot > self.finalized or self.forgets_transactions:
            return None
        return found.told(with_index=False)

    def status(self, signature: str) -> Json:
        """One entry of getSignatureStatuses."""
        found = self.find(signature)
        if found is None or self.forgets_statuses:
            return None
        final = found.slot <= self.finalized
        return {
            "slot": found.slot,
            "confirmations": None if final else 3,
            "err": found.element["meta"]["err"],
            "confirmationStatus": "finalized" if final else "confirmed",
        }

    def block(self, slot: int) -> Json:
        """getBlock with signatures: other people's fill the places that nobody here has."""
        inside = {each.index: each.signature for each in self.landed if each.slot == slot}
        if not inside or slot > self.finalized:
            return None
        places = range(max(inside) + 2)
        return {
            "blockhash": base58(hashlib.sha256(str(slot).encode()).digest()),
            "blockHeight": slot - 20_000_000,
            "blockTime": 1_790_000_000,
            "parentSlot": slot - 1,
            "previousBlockhash": base58(hashlib.sha256(str(slot - 1).encode()).digest()),
            "signatures": [inside.get(place, _stranger(slot, place)) for place in places],
        }

    def page(self, address: str, options: Json) -> Json:
        """getTransactionsForAddress, oldest first."""
        assert options["sortOrder"] == "asc"
        found = sorted(self._matching(address, options["filters"]), key=lambda each: each.place)
        if token := options.get("paginationToken"):
            slot, position = token.split(":")
            found = [each for each in found if each.place > (int(slot), int(position))]
        size = min(self.page_size, options["limit"])
        chosen = found[:size]
        told = [each.told(with_index=True) for each in chosen]
        last = chosen[-1].place if len(found) > size else None
        token = f"{last[0]}:{last[1]}" if last else None
        return {"data": told[::-1] if self.backwards else told, "paginationToken": token}

    def _matching(self, address: str, filters: Json) -> Iterator[Landed]:
        slots = filters["slot"]
        for each in self.landed:
            inside = slots["gte"] <= each.slot <= min(slots["lte"], self.finalized)
            wanted = filters["status"] == "any" or not each.has_failed
            if inside and wanted and address in each.found_under:
                yield each


def _stranger(slot: int, place: int) -> str:
    return base58(hashlib.sha512(f"stranger {slot} {place}".encode()).digest())


def _whole(element: dict[str, Any]) -> dict[str, Any]:
    """All the documented fields of a transaction."""
    message = element["transaction"]["message"]
    keys = len(message["accountKeys"])
    meta = {
        "fee": 5000,
        "loadedAddresses": {"writable": [], "readonly": []},
        "logMessages": [],
        "preBalances": [10_000_000] * keys,
        "postBalances": [10_000_000] * keys,
        "preTokenBalances": [],
        "postTokenBalances": [],
        "rewards": [],
        **element["meta"],
    }
    whole = {
        "header": {
            "numRequiredSignatures": 1,
            "numReadonlySignedAccounts": 0,
            "numReadonlyUnsignedAccounts": 2,
        },
        "recentBlockhash": base58(hashlib.sha256(b"recent").digest()),
        **message,
    }
    transaction = {**element["transaction"], "message": whole}
    return {**element, "meta": meta, "transaction": transaction}
