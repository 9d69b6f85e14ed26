"""Where trades happen: moves the reserves, writes the transaction, keeps everybody's balance."""

from collections.abc import Sequence
from copy import copy
from random import Random
from typing import Final, NamedTuple

from ingest.market import base58, chain, keys, postings
from ingest.market.blocks import Blocks, Landing
from ingest.market.cast import Wallet
from ingest.market.curve import Curve, CurveFill
from ingest.market.draft import Draft, transfer_slot
from ingest.market.pool import Pool, PoolFill
from ingest.market.postings import Swap
from ingest.market.shapes import Form, Kind, Leg, Message, Outcome, Shape, form
from ingest.market.tokens import Holding, Token
from pnl.engine.trades import Side, Trade, Venue

_TIPS: Final = (
    "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
    "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
    "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
    "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
)
_TABLES: Final = tuple(keys.derive(b"lookup table", bytes((n,))).text for n in range(16))
_MESSAGES: Final = (Message.LEGACY, Message.V0, Message.LOOKUP, Message.LOOKUP)


class Transaction(NamedTuple):
    """One transaction as Helius delivers it, and the trades a decoder must find in it.

    `at_ms` is when it happened; the block's time, in seconds, is its slot's.
    """

    json: str
    at_ms: int
    signature: bytes
    slot: int
    block_index: int
    block_time: int
    trades: tuple[Trade, ...]


class Order(NamedTuple):
    """What somebody wants: to spend lamports on a token, or to sell units of it."""

    holding: Holding
    spend: int = 0
    units: int = 0


class Exchange:
    """The one place where the market's money moves."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._blocks = Blocks(dice)
        self.lamports: dict[str, int] = {}

    def trade(self, now_ms: int, orders: Sequence[Order]) -> Transaction:
        """Execute one or two orders in one transaction."""
        landing, draft = self._blocks.land(now_ms), Draft(self.lamports)
        return self._settle(landing, draft, [], orders)

    def launch(self, now_ms: int, order: Order) -> Transaction:
        """Create the token of an order by its creator, who buys first."""
        landing, draft = self._blocks.land(now_ms), Draft(self.lamports)
        token = order.holding.token
        self._fund(token.creator, order.spend + chain.LAMPORTS_PER_SOL // 50)
        postings.post_create(draft, 0, token, landing.time)
        return self._settle(landing, draft, [Leg(Kind.CREATE)], [order])

    def introduce(self, now_ms: int, token: Token) -> Transaction:
        """Tell of a token that nobody saw created: its creation, without a buy."""
        landing, draft = self._blocks.land(now_ms), Draft(self.lamports)
        self._fund(token.creator, chain.LAMPORTS_PER_SOL // 50)
        postings.post_create(draft, 0, token, landing.time)
        return self._finish(landing, draft, self._shape([Leg(Kind.CREATE)]), ())

    def migrate(self, now_ms: int, token: Token, migrator: Wallet) -> Transaction:
        """Turn a complete curve into a pool."""
        landing, draft = self._blocks.land(now_ms), Draft(self.lamports)
        self._fund(migrator, 0)
        postings.post_migration(draft, migrator, token, landing.time)
        token.pool = Pool(token.curve.vault_units, token.curve.real_sol - postings.MIGRATION_FEE)
        return self._finish(landing, draft, Shape((Leg(Kind.MIGRATE),), Message.LOOKUP), ())

    def fail(self, now_ms: int, order: Order, outcome: Outcome) -> Transaction:
        """A trade that did not happen: only the network fee moves."""
        landing, draft = self._blocks.land(now_ms), Draft(self.lamports)
        holding = order.holding
        self._fund(holding.wallet, order.spend)
        market = copy(holding.token.market)
        fill = _fill(market, order, exact=False)
        leg = Leg(_kind(fill, exact=False), opens=not holding.opened)
        swap = Swap(leg, holding.wallet, holding.token, fill, holding.units)
        postings.post_swap(draft, 0, swap, landing.time)
        draft.revert()
        return self._finish(landing, draft, Shape((leg,), Message.V0, outcome=outcome), ())

    def wire(self, now_ms: int, source: Wallet, target: Wallet, lamports: int) -> Transaction:
        """SOL from one wallet to another."""
        landing, draft = self._blocks.land(now_ms), Draft(self.lamports)
        self._fund(source, lamports)
        postings.post_wire(draft, source, target, lamports)
        return self._finish(landing, draft, Shape((Leg(Kind.TRANSFER),)), ())

    def foreign(self, now_ms: int, source: Wallet, token: Token) -> Transaction:
        """A trade on another launchpad, whose event looks like Pump's."""
        landing, draft = self._blocks.land(now_ms), Draft(self.lamports)
        self._fund(source, 0)
        fill = copy(token.curve).buy_units(1_000_000)
        postings.post_foreign(draft, source, token, fill, landing.time)
        return self._finish(landing, draft, Shape((Leg(Kind.FOREIGN),)), ())

    def forget(self, holding: Holding) -> None:
        """A holding is over; an account left open is closed somewhere else, later."""
        holding.token.drop(holding)
        account = postings.account_of(holding.wallet, holding.token)
        self.lamports.pop(account.text, None)

    def _settle(
        self, landing: Landing, draft: Draft, legs: list[Leg], orders: Sequence[Order]
    ) -> Transaction:
        swaps: list[Swap] = []
        wallets, tokens = _numbers(orders)
        for order in orders:
            holding = order.holding
            self._fund(holding.wallet, order.spend)
            leg = Leg(Kind.CURVE_BUY, wallets[holding.wallet], tokens[holding.token])
            swap = self._execute(order, leg)
            postings.post_swap(draft, len(legs), swap, landing.time)
            legs.append(swap.leg)
            swaps.append(swap)
            if swap.leg.completes:
                postings.post_complete(draft, swap, landing.time)
        return self._finish(landing, draft, self._shape(legs), swaps)

    def _execute(self, order: Order, leg: Leg) -> Swap:
        holding, exact = order.holding, self._dice.random() < 0.5
        had, opens = holding.units, not holding.opened
        fill = _fill(holding.token.market, order, exact)
        closes = not fill.is_buy and fill.units == had and self._dice.random() < 0.6
        completes = fill.is_buy and isinstance(fill, CurveFill) and fill.real_units == 0
        if fill.is_buy:
            holding.add(fill.units, fill.paid)
        else:
            holding.take(fill.units)
        holding.opened = not closes
        holding.wallet.volume += fill.paid
        routed = self._dice.random() < 0.2
        done = leg._replace(
            kind=_kind(fill, exact), opens=opens, closes=closes, routed=routed, completes=completes
        )
        return Swap(done, holding.wallet, holding.token, fill, had)

    def _shape(self, legs: list[Leg]) -> Shape:
        tip = self._dice.random() < 0.3
        return Shape(tuple(legs), _MESSAGES[self._dice.randrange(4)], tip)

    def _fund(self, wallet: Wallet, spend: int) -> None:
        """See to it that the wallet can pay; deposits come from outside the market."""
        needed = spend + spend // 50 + chain.LAMPORTS_PER_SOL // 20
        if self.lamports.get(wallet.key.text, 0) < needed:
            own = int(self._dice.lognormvariate(0.5, 1.2) * chain.LAMPORTS_PER_SOL)
            self.lamports[wallet.key.text] = needed + own

    def _finish(
        self, landing: Landing, draft: Draft, shape: Shape, swaps: Sequence[Swap]
    ) -> Transaction:
        ready = form(shape)
        signature = self._dice.randbytes(64)
        self._close(landing, draft, ready, signature)
        if shape.tip:
            tip = int(self._dice.lognormvariate(13.5, 0.8))
            draft.name("@tip", _TIPS[self._dice.randrange(len(_TIPS))])
            draft.move("@user0", "@tip", tip)
            draft.slots["tip"] = transfer_slot(tip)
        trades = tuple(_trade(swap, signature, n, landing) for n, swap in enumerate(swaps))
        where = (landing.at_ms, signature, landing.slot, landing.block_index, landing.time)
        return Transaction(draft.json(ready), *where, trades)

    def _close(self, landing: Landing, draft: Draft, ready: Form, signature: bytes) -> None:
        others = (self._dice.randbytes(64) for _ in range(ready.signatures - 1))
        texts = [f'"{base58.encode(raw)}"' for raw in (signature, *others)]
        draft.pay_fee(chain.BASE_FEE * ready.signatures + int(self._dice.expovariate(1e-5)))
        draft.slots |= {
            "time": landing.time,
            "slot": landing.slot,
            "index": landing.block_index,
            "blockhash": landing.blockhash,
            "signatures": ",".join(texts),
            "table": _TABLES[signature[0] % len(_TABLES)],
        }


def _numbers(orders: Sequence[Order]) -> tuple[dict[Wallet, int], dict[Token, int]]:
    wallets = dict.fromkeys(order.holding.wallet for order in orders)
    tokens = dict.fromkeys(order.holding.token for order in orders)
    return (
        {wallet: number for number, wallet in enumerate(wallets)},
        {token: number for number, token in enumerate(tokens)},
    )


def _fill(market: Curve | Pool, order: Order, exact: bool) -> CurveFill | PoolFill:
    if order.units:
        return market.sell(order.units)
    if exact:
        return market.buy_with(order.spend)
    units = market.units_for(order.spend * 98 // 100)
    return market.buy_units(max(1, units))


def _kind(fill: CurveFill | PoolFill, exact: bool) -> Kind:
    if isinstance(fill, CurveFill):
        buy = Kind.CURVE_BUY_EXACT if exact else Kind.CURVE_BUY
        return buy if fill.is_buy else Kind.CURVE_SELL
    buy = Kind.POOL_BUY_EXACT if exact else Kind.POOL_BUY
    return buy if fill.is_buy else Kind.POOL_SELL


def _trade(swap: Swap, signature: bytes, number: int, landing: Landing) -> Trade:
    fill = swap.fill
    return Trade(
        signature=signature,
        event_index=number,
        slot=landing.slot,
        block_index=landing.block_index,
        block_time=landing.time,
        trader=swap.wallet.key.raw,
        mint=swap.token.key("mint").raw,
        side=Side.BUY if fill.is_buy else Side.SELL,
        token_units=fill.units,
        quote_mint=None,
        quote_units=fill.paid,
        fee_units=fill.fees,
        venue=Venue.PUMP if isinstance(fill, CurveFill) else Venue.PUMP_SWAP,
    )
