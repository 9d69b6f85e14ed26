"""What each leg of a transaction writes into its draft: accounts, movements, event bytes."""

import struct
from base64 import b64encode
from typing import Final, NamedTuple

from ingest.decode import programs
from ingest.market import base58, chain, events, keys
from ingest.market.cast import Wallet
from ingest.market.curve import POOL_RESERVE, CurveFill
from ingest.market.draft import Draft, move_slot, transfer_slot
from ingest.market.events import Graduation, Held, Parties
from ingest.market.keys import Key
from ingest.market.pool import PoolFill
from ingest.market.shapes import Kind, Leg
from ingest.market.tokens import CURVE_ROLES, POOL_ROLES, RENTS, Token

FEE_RECIPIENT: Final = keys.known("62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV")
BUYBACK: Final = keys.known("A7hAgCzFw14fejgCp387JUJRMNyz4j89JKnhtKU8piqW")
FEE_ACCOUNT: Final = keys.derive(b"fee account")
PLATFORM: Final = keys.derive(b"trading terminal")
WSOL: Final = keys.known(programs.WSOL)
PLATFORM_BPS: Final = 90
_TOKEN_PROGRAM: Final = keys.known(chain.SPL_2022)
_AUTHORITY: Final = keys.derive(b"pool authority")
_ARGS: Final = struct.Struct("<QQ")
MIGRATION_FEE: Final = 15_000_001


class Swap(NamedTuple):
    """One executed swap: who, what, how it was filled, and the units held before it."""

    leg: Leg
    wallet: Wallet
    token: Token
    fill: CurveFill | PoolFill
    had: int


def account_of(wallet: Wallet, token: Token) -> Key:
    """The wallet's account of the token."""
    return keys.derive(b"account", wallet.key.raw, token.key("mint").raw)


def post_swap(draft: Draft, number: int, swap: Swap, time: int) -> None:
    """Write a swap as leg `number` of the transaction."""
    leg, who = swap.leg, f"@user{swap.leg.user}"
    draft.name(who, swap.wallet.key.text)
    account = account_of(swap.wallet, swap.token)
    ata = f"@ata{leg.user}{leg.token}"
    draft.name(ata, account.text)
    draft.name("@fee_recipient", FEE_RECIPIENT.text)
    draft.name("@buyback", BUYBACK.text)
    _post_account(draft, swap, who, ata)
    if isinstance(swap.fill, CurveFill):
        _post_curve(draft, number, swap, swap.fill, time)
    else:
        _post_pool(draft, number, swap, swap.fill, account.raw, time)
    if leg.routed:
        _post_platform(draft, number, swap, who)


def _post_account(draft: Draft, swap: Swap, who: str, ata: str) -> None:
    fill, leg = swap.fill, swap.leg
    draft.count(ata, swap.had, swap.had + (fill.units if fill.is_buy else -fill.units))
    if leg.opens:
        draft.move(who, ata, chain.ACCOUNT_2022_RENT)
    if leg.closes:
        draft.move(ata, who, chain.ACCOUNT_2022_RENT)


def _post_platform(draft: Draft, number: int, swap: Swap, who: str) -> None:
    fee = swap.fill.paid * PLATFORM_BPS // 10_000
    draft.name("@platform", PLATFORM.text)
    draft.move(who, "@platform", fee)
    draft.slots[f"platform{number}"] = transfer_slot(fee)


def _post_curve(draft: Draft, number: int, swap: Swap, fill: CurveFill, time: int) -> None:
    leg, token = swap.leg, swap.token
    for name in CURVE_ROLES:
        draft.name(f"@{name}{leg.token}", token.key(name).text)
    draft.name(f"@volume{leg.user}", keys.derive(b"volume", swap.wallet.key.raw).text)
    vault = fill.real_units + POOL_RESERVE
    before = vault + fill.units if fill.is_buy else vault - fill.units
    draft.count(f"@vault{leg.token}", before, vault)
    _pay_curve(draft, number, leg, fill)
    who = Parties(
        swap.wallet.key.raw, token.key("mint").raw, token.creator.key.raw, FEE_RECIPIENT.raw
    )
    name = leg.kind.value
    _emit(draft, str(number), events.trade(fill, who, time, name, swap.wallet.volume))
    draft.slots[f"args{number}"] = _arguments(leg.kind, fill.units, fill.paid)


def _pay_curve(draft: Draft, number: int, leg: Leg, fill: CurveFill) -> None:
    curve, who = f"@curve{leg.token}", f"@user{leg.user}"
    source = who if fill.is_buy else curve
    parts = (
        ("sol", curve if fill.is_buy else who, fill.sol if fill.is_buy else fill.paid),
        ("creator", f"@creator_vault{leg.token}", fill.creator_fee),
        ("buyback", "@buyback", fill.buyback),
        ("fee", "@fee_recipient", fill.fee - fill.buyback),
    )
    for name, target, lamports in parts:
        draft.move(source, target, lamports)
        if fill.is_buy:
            draft.slots[f"{name}{number}"] = transfer_slot(lamports)
    draft.slots[f"units{number}"] = move_slot(fill.units, 6)


def _post_pool(
    draft: Draft, number: int, swap: Swap, fill: PoolFill, account: bytes, time: int
) -> None:
    leg, token = swap.leg, swap.token
    wrapped = keys.derive(b"wrapped", swap.wallet.key.raw)
    for name in POOL_ROLES:
        draft.name(f"@{name}{leg.token}", token.key(name).text)
    draft.name(f"@wsol{leg.user}", wrapped.text)
    draft.name(f"@pool_volume{leg.user}", keys.derive(b"pool volume", swap.wallet.key.raw).text)
    draft.name("@fee_account", FEE_ACCOUNT.text)
    after = fill.pool_units + (-fill.units if fill.is_buy else fill.units)
    draft.count(f"@pool_base{leg.token}", fill.pool_units, after)
    _pay_pool(draft, number, leg, fill)
    who = Parties(
        *(swap.wallet.key.raw, token.key("mint").raw, token.creator.key.raw, FEE_RECIPIENT.raw),
        *(token.key("pool").raw, account, wrapped.raw, FEE_ACCOUNT.raw),
    )
    _emit(draft, str(number), _pool_event(swap, fill, who, time))
    draft.slots[f"args{number}"] = _arguments(leg.kind, fill.units, fill.paid)


def _pool_event(swap: Swap, fill: PoolFill, who: Parties, time: int) -> bytes:
    limit = fill.paid + fill.paid // 10 if fill.is_buy else fill.paid - fill.paid // 10
    if fill.is_buy:
        return events.pool_buy(fill, who, Held(swap.had, limit, limit), time, swap.wallet.volume)
    return events.pool_sell(fill, who, Held(swap.had, 0, limit), time)


def _pay_pool(draft: Draft, number: int, leg: Leg, fill: PoolFill) -> None:
    pool, who = f"@pool_quote{leg.token}", f"@user{leg.user}"
    source = who if fill.is_buy else pool
    parts = (
        ("sol", pool if fill.is_buy else who, fill.with_lp if fill.is_buy else fill.paid),
        ("creator", f"@creator_account{leg.token}", fill.creator_fee),
        ("fee", "@fee_account", fill.protocol_fee),
    )
    for name, target, lamports in parts:
        draft.move(source, target, lamports)
        draft.slots[f"{name}{number}"] = move_slot(lamports, 9)
    draft.slots[f"units{number}"] = move_slot(fill.units, 6)
    draft.slots[f"wrap{number}"] = transfer_slot(fill.paid)


def _arguments(kind: Kind, units: int, paid: int) -> str:
    """Instruction data: discriminator, what is exact, and the limit the user set."""
    match kind:
        case Kind.CURVE_SELL | Kind.POOL_SELL:
            return base58.encode(chain.SELL + _ARGS.pack(units, paid - paid // 10))
        case Kind.CURVE_BUY_EXACT:
            return base58.encode(
                chain.BUY_EXACT_SOL_IN + _ARGS.pack(paid, units - units // 10) + b"\x00"
            )
        case Kind.POOL_BUY_EXACT:
            return base58.encode(
                chain.BUY_EXACT_QUOTE_IN + _ARGS.pack(paid, units - units // 10) + b"\x01"
            )
        case _:
            return base58.encode(chain.BUY + _ARGS.pack(units, paid + paid // 10) + b"\x01")


def _emit(draft: Draft, leg: str, event: bytes) -> None:
    draft.slots["cpi" + leg] = base58.encode_long(programs.EVENT_TAG + event)
    draft.slots["log" + leg] = b64encode(event).decode()


def post_complete(draft: Draft, swap: Swap, time: int) -> None:
    """Write the CompleteEvent behind the buy that took the last unit."""
    mint, curve = swap.token.key("mint").raw, swap.token.key("curve").raw
    _emit(draft, "done", events.complete(swap.wallet.key.raw, mint, curve, time))


def post_create(draft: Draft, number: int, token: Token, time: int) -> None:
    """Write the birth of a token by its creator, who is user 0."""
    mint, creator = token.key("mint"), token.creator.key
    draft.name("@user0", creator.text)
    for name in ("mint", "curve", "vault"):
        draft.name(f"@{name}0", token.key(name).text)
        draft.move("@user0", f"@{name}0", RENTS[name])
    draft.count("@vault0", 0, token.curve.vault_units)
    curve = token.key("curve").raw
    event = events.create(token.names, mint.raw, curve, creator.raw, time, _TOKEN_PROGRAM.raw)
    _emit(draft, str(number), event)
    names = b"".join(events.text(name) for name in token.names)
    arguments = chain.CREATE_V2 + names + creator.raw + b"\x00\x00"
    draft.slots[f"args{number}"] = base58.encode_long(arguments)


def post_migration(draft: Draft, migrator: Wallet, token: Token, time: int) -> None:
    """Write the graduation of a token whose curve is complete."""
    units, sol = token.curve.vault_units, token.curve.real_sol
    quote = sol - MIGRATION_FEE
    draft.name("@user0", migrator.key.text)
    draft.name("@pool_authority0", _AUTHORITY.text)
    for name in ("mint", "curve", "vault", "pool", "lp_mint", "pool_base", "pool_quote"):
        draft.name(f"@{name}0", token.key(name).text)
    for name in ("pool", "lp_mint", "pool_base", "pool_quote"):
        draft.move("@user0", f"@{name}0", RENTS[name])
    draft.move("@curve0", "@pool_quote0", quote)
    draft.move("@curve0", "@user0", MIGRATION_FEE)
    draft.move("@vault0", "@user0", RENTS["vault"])
    draft.count("@vault0", units, 0)
    draft.count("@pool_base0", 0, units)
    born = Graduation(
        *(migrator.key.raw, token.key("mint").raw, token.key("curve").raw, token.creator.key.raw),
        *(_AUTHORITY.raw, token.key("pool").raw, token.key("lp_mint").raw),
        *(token.key("pool_base").raw, token.key("pool_quote").raw, WSOL.raw),
        *(units, quote, MIGRATION_FEE, time),
    )
    _emit(draft, "pool", events.create_pool(born))
    _emit(draft, "0", events.migration(born))
    arguments = chain.CREATE_POOL + struct.pack("<HQQ", 0, units, quote) + token.creator.key.raw
    draft.slots |= {
        "args0": base58.encode(chain.MIGRATE),
        "pool0": base58.encode_long(arguments + b"\x00\x00"),
        "units0": move_slot(units, 6),
        "sol0": transfer_slot(quote),
    }


def post_wire(draft: Draft, source: Wallet, target: Wallet, lamports: int) -> None:
    """Write a plain transfer of SOL."""
    draft.name("@user0", source.key.text)
    draft.name("@target", target.key.text)
    draft.move("@user0", "@target", lamports)
    draft.slots["args0"] = transfer_slot(lamports)


def post_foreign(draft: Draft, source: Wallet, token: Token, fill: CurveFill, time: int) -> None:
    """Write another program's event with the bytes of a Pump trade."""
    draft.name("@user0", source.key.text)
    draft.name("@target", token.creator.key.text)
    who = Parties(source.key.raw, token.key("mint").raw, token.creator.key.raw, FEE_RECIPIENT.raw)
    _emit(draft, "0", events.trade(fill, who, time, "buy", 0))
    draft.slots["args0"] = base58.encode(chain.BUY)
