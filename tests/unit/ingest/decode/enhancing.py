"""Enhanced payloads for the decoder's tests: built from balances, or rendered from a raw body.

Nothing here uses the decoder. Unlike the keys of `building`, the people here can have keys: their
addresses lie on the curve of ed25519, those of programs beside it.
"""

import struct
from typing import Any

import based58

from tests.unit.ingest.decode.building import SIGNATURE, SLOT, WSOL, Json, key, text

TIME = 1_791_000_000
SYSTEM = "11111111111111111111111111111111"
MINT = "9svdK1bjBBuk1tqmeqSHrVSaD6M5wqLEsvFmG9SFpump"
CURVE = "D2rU4Yi2wkityNsHsLKJUmzJmWbM1Fforu94gHcdVUD2"  # of this mint
OTHER_MINT = "8sv4W4uQ9qML87Kr2XFkYBDwsiFEJVZZ1ScsM71Hpump"
ANN, BOB, PLATFORM = (text(key(number)) for number in (1, 3, 6))
POOL, VAULT, FEES, ANNS, WRAPPED = (text(key(number)) for number in (2, 4, 5, 7, 8))
OTHER_POOL = text(key(13))
TIP = "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5"
RENT = 2_074_080
NETWORK_FEE = 5_000
# System instructions that move lamports, by tag and length: a transfer, the making of an account.
MOVES = {(2, 12), (0, 52)}


class Parsed:
    """A payload in the making: who has more or less of what. Ann pays the network fee."""

    def __init__(self, source: str = "PUMP_FUN") -> None:
        self.source = source
        self.accounts: dict[str, Json] = {}
        self.transfers: list[Json] = []
        self.gain(ANN, -NETWORK_FEE)

    def gain(self, account: str, lamports: int) -> "Parsed":
        """So many lamports more without any transfer: a program paid them out."""
        self._account(account)["nativeBalanceChange"] += lamports
        return self

    def pay(self, source: str, target: str, lamports: int) -> "Parsed":
        """A transfer by the System program."""
        move = {"fromUserAccount": source, "toUserAccount": target, "amount": lamports}
        self.transfers.append(move)
        return self.gain(source, -lamports).gain(target, lamports)

    def hold(self, owner: str, account: str, units: int, mint: str = MINT) -> "Parsed":
        """So many units more in a token account; wrapped SOL lies there as lamports, too."""
        amount = {"tokenAmount": str(units), "decimals": 9 if mint == WSOL else 6}
        change = {"userAccount": owner, "tokenAccount": account, "mint": mint}
        entry = self._account(account)
        entry["tokenBalanceChanges"].append(change | {"rawTokenAmount": amount})
        return self.gain(account, units if mint == WSOL else 0)

    def element(self, **changes: Any) -> Json:
        """The payload as Helius posts it, without the programs' own words."""
        return {
            "description": "",
            "type": "SWAP",
            "source": self.source,
            "fee": NETWORK_FEE,
            "feePayer": ANN,
            "signature": text(SIGNATURE),
            "slot": SLOT,
            "timestamp": TIME,
            "nativeTransfers": self.transfers,
            "tokenTransfers": [],
            "accountData": list(self.accounts.values()),
            "transactionError": None,
            "instructions": [],
            "events": {},
        } | changes

    def _account(self, account: str) -> Json:
        fresh = {"account": account, "nativeBalanceChange": 0, "tokenBalanceChanges": []}
        return self.accounts.setdefault(account, fresh)


def curve_buy(sol: int, fees: int, units: int) -> Parsed:
    """Ann buys from the curve: fees to a program's account, a new token account, nothing else."""
    parsed = Parsed().pay(ANN, CURVE, sol).pay(ANN, FEES, fees).pay(ANN, ANNS, RENT)
    return parsed.hold(ANN, ANNS, units).hold(CURVE, VAULT, -units)


def curve_sell(sol: int, fees: int, units: int) -> Parsed:
    """Ann sells to the curve, which pays without a transfer."""
    parsed = Parsed().gain(CURVE, -sol).gain(ANN, sol - fees).gain(FEES, fees)
    return parsed.hold(ANN, ANNS, -units).hold(CURVE, VAULT, units)


def pool_buy(sol: int, fees: int, units: int) -> Parsed:
    """Ann buys from a pool with SOL that she wraps, in an account that is gone afterwards."""
    total = sol + fees
    parsed = Parsed("PUMP_AMM").pay(ANN, WRAPPED, total + RENT)
    parsed.gain(WRAPPED, -total).pay(WRAPPED, ANN, RENT)
    parsed.hold(POOL, VAULT, sol, WSOL).hold(FEES, text(key(14)), fees, WSOL)
    return parsed.hold(ANN, ANNS, units).hold(POOL, text(key(15)), -units)


def rendered(raw: Json, *, with_events: bool) -> Json:
    """A raw element (json or jsonParsed) as the enhanced payload of the same transaction."""
    message, meta = raw["transaction"]["message"], raw["meta"]
    keys = [k if isinstance(k, str) else k["pubkey"] for k in message["accountKeys"]]
    if all(isinstance(k, str) for k in message["accountKeys"]):
        loaded = meta.get("loadedAddresses") or {"writable": [], "readonly": []}
        keys = keys + loaded["writable"] + loaded["readonly"]
    groups = {g["index"]: g["instructions"] for g in meta["innerInstructions"]}
    steps = [
        (step, groups.get(at, []) if with_events else [])
        for at, step in enumerate(message["instructions"])
    ]
    every = [s for at, o in enumerate(message["instructions"]) for s in (o, *groups.get(at, []))]
    return {
        "type": "UNKNOWN",
        "source": "UNKNOWN",
        "signature": raw["transaction"]["signatures"][0],
        "slot": raw["slot"],
        "timestamp": raw["blockTime"],
        "fee": meta["fee"],
        "feePayer": keys[0],
        "transactionError": meta["err"],
        "accountData": _account_data(keys, meta),
        "nativeTransfers": [t for step in every if (t := _transfer(step, keys)) is not None],
        "tokenTransfers": [],
        "instructions": [
            _named(step, keys) | {"innerInstructions": [_named(s, keys) for s in inner]}
            for step, inner in steps
        ],
        "events": {},
    }


def _named(step: Json, keys: list[str]) -> Json:
    """An instruction by addresses; one that the node has parsed lost its data."""
    program = step.get("programId") or keys[step["programIdIndex"]]
    accounts = [a if isinstance(a, str) else keys[a] for a in step.get("accounts", [])]
    return {"programId": program, "accounts": accounts, "data": step.get("data", "")}


def _transfer(step: Json, keys: list[str]) -> Json | None:
    """The lamports that a System instruction moves: a transfer, or the making of an account."""
    if "parsed" in step:
        if step["program"] != "system" or "lamports" not in step["parsed"]["info"]:
            return None
        told = step["parsed"]["info"]
        source, target = told["source"], told.get("destination") or told["newAccount"]
        return _move(source, target, told["lamports"])
    named = _named(step, keys)
    data = based58.b58decode(named["data"].encode())
    if named["programId"] != SYSTEM or (data[0], len(data)) not in MOVES:
        return None
    source, target = named["accounts"][:2]
    return _move(source, target, struct.unpack_from("<Q", data, 4)[0])


def _move(source: str, target: str, lamports: int) -> Json:
    return {"fromUserAccount": source, "toUserAccount": target, "amount": lamports}


def _account_data(keys: list[str], meta: Json) -> list[Json]:
    before, after = (_tokens(meta.get(f"{when}TokenBalances") or []) for when in ("pre", "post"))
    rows = []
    for at, account in enumerate(keys):
        changes = []
        owner, mint = (after.get(at) or before.get(at) or ("", "", 0))[:2]
        units = after.get(at, ("", "", 0))[2] - before.get(at, ("", "", 0))[2]
        if units:
            told = {"rawTokenAmount": {"tokenAmount": str(units), "decimals": 6}}
            changes = [{"userAccount": owner, "tokenAccount": account, "mint": mint} | told]
        change = meta["postBalances"][at] - meta["preBalances"][at]
        rows.append(
            {"account": account, "nativeBalanceChange": change, "tokenBalanceChanges": changes}
        )
    return rows


def _tokens(balances: list[Json]) -> dict[int, tuple[str, str, int]]:
    return {
        b["accountIndex"]: (b["owner"], b["mint"], int(b["uiTokenAmount"]["amount"]))
        for b in balances
    }
