"""The market: people come to tokens, buy, hold, sell and chase, transaction after transaction.

Time is the market's own, in ms of the epoch; the same seed and the same calls give the same
transactions to the byte.
"""

from collections.abc import Iterator
from typing import Final

from ingest.market.agenda import HORIZON_MS, Act, Agenda, Pace
from ingest.market.cast import Cast, Kind, Wallet
from ingest.market.dice import dice
from ingest.market.exchange import Exchange, Order, Transaction
from ingest.market.plots import Story, arrivals, visitor
from ingest.market.shapes import Outcome
from ingest.market.tokens import Holding, Token
from ingest.market.universe import Universe

Acts = list[Transaction]

_MEAN_STAKE: Final = 900_000_000
_CURVE_STAKE_MAX: Final = 12_000_000_000
_LEAST_STAKE: Final = 10_000_000
_TICK_MS: Final = 1_000
_LONGEST_WAIT_MS: Final = 3_600_000
_FAILED: Final = 0.018  # of buys
_IRRELEVANT: Final = 0.012  # of buys
_BUNDLED: Final = 0.012  # of buys: two wallets in one transaction
_ROTATED: Final = 0.015  # of sells: into another token in the same transaction
_HALVED: Final = 0.12  # of sells: only half of the position


class Market:
    """A market in motion. `salt` tells apart markets of the same people (another day)."""

    def __init__(self, seed: int, traders: int, tokens: int, start_ms: int, salt: str = "") -> None:
        self._dice = dice(seed, salt, "market")
        self._agenda = Agenda(start_ms)
        self._cast = Cast(seed, traders)
        self._exchange = Exchange(self._dice)
        self._universe = Universe(self._dice, self._cast, tokens, self._exchange.lamports)
        self._now = start_ms
        self._ahead = 0  # by how much block times run ahead of market time
        self._trades = 0

    @property
    def time_ms(self) -> int:
        """The block time the market has come to."""
        return self._now + self._ahead

    def jump(self, time_ms: int) -> None:
        """Let the block times go on from here; what is under way stays under way."""
        self._ahead = max(self._ahead, time_ms - self._now)

    def play(self, rate: float, until_ms: int | None = None) -> Iterator[Transaction]:
        """Transactions at so many trades a second, for ever or until the block time."""
        pace = Pace(rate, self._now, self._trades)
        end = None if until_ms is None else until_ms - self._ahead
        tick = self._now
        while end is None or min(tick, self._agenda.first_at(tick)) < end:
            if tick <= self._agenda.first_at(tick):
                self._now = tick
                tick += self._recruit(pace)
                continue
            entry = self._agenda.next()
            self._now = entry.at
            for transaction in entry.act(*entry.args):
                self._trades += len(transaction.trades)
                yield transaction

    def _recruit(self, pace: Pace) -> int:
        """Begin as many stories as the pace needs; how many ms to look away after that."""
        missing = pace.due(self._now + HORIZON_MS) - self._trades - self._agenda.near(self._now)
        while missing > 0:
            missing -= self._begin()
        return min(max(_TICK_MS, pace.wait(-missing)), _LONGEST_WAIT_MS)

    def _begin(self) -> float:
        """Begin a story; roughly how many trades it makes within the horizon."""
        token, story = self._universe.cast_story()
        begin = self._now + int(self._dice.random() * _TICK_MS)
        ages = arrivals(story, self._dice)
        if self._universe.meets(token):
            self._agenda.add(begin, self._introduce, token)
        self._lead(token, story, begin, ages)
        for age in ages:
            self._agenda.add(begin + 400 + age, self._visit, token, story, age)
        return 1.2 * sum(age < HORIZON_MS for age in ages) + 1

    def _lead(self, token: Token, story: Story, begin: int, ages: list[int]) -> None:
        """Somebody is in before the others, and out while they still come."""
        share = 0.08 + 0.14 * self._dice.random()
        stake = int(share * len(ages) * _MEAN_STAKE) + _LEAST_STAKE
        dump = begin + 5_000 + ages[int(len(ages) * (0.6 + 0.3 * self._dice.random()))]
        if token.born:
            self._agenda.add(begin, self._follow, token, stake, dump)
        else:
            self._agenda.add(begin, self._launch, token, story, stake, dump)

    def _introduce(self, token: Token) -> Acts:
        return [self._exchange.introduce(self.time_ms, token)]

    def _launch(self, token: Token, story: Story, stake: int, dump: int) -> Acts:
        token.born = True
        self._universe.launched(token, story)
        holding = token.holding(token.creator)
        done = self._exchange.launch(self.time_ms, Order(holding, stake))
        self._agenda.add(dump, self._exit, holding, 1.0)
        return [done]

    def _follow(self, token: Token, stake: int, dump: int) -> Acts:
        if token.waiting or token.shunned:
            return []
        holding = token.holding(self._cast.pick(Kind.INSIDER, self._dice))
        order = Order(holding, self._affordable(token, stake))
        done = self._exchange.trade(self.time_ms, [order])
        self._agenda.add(dump, self._exit, holding, 1.0)
        self._graduate_if_complete(token)
        return [done]

    def _affordable(self, token: Token, stake: int) -> int:
        """Nobody buys up a whole curve without believing in it."""
        free = token.destined or token.pool is not None
        return stake if free else min(stake, _CURVE_STAKE_MAX)

    def _visit(self, token: Token, story: Story, age: int) -> Acts:
        wallet = self._cast.pick(visitor(age, self._dice), self._dice)
        return self._buy(token, wallet, self._stake(wallet), story.value.conviction)

    def _stake(self, wallet: Wallet) -> int:
        temper = wallet.kind.value
        lamports = temper.stake * self._dice.lognormvariate(0, temper.stake_spread)
        cents = min(max(1, round(lamports / 1e7)), 12_000)
        # Most people type round amounts, programs do not.
        noise = 0 if self._dice.random() < 0.6 else self._dice.randrange(9_999_999)
        return cents * 10_000_000 + noise

    def _buy(self, token: Token, wallet: Wallet, stake: int, conviction: float) -> Acts:
        if token.waiting:
            self._later(self._buy, token, wallet, stake, conviction)
            return []
        if token.shunned:
            return []
        stake = self._affordable(token, stake)
        acts = self._mishaps(token, wallet, stake)
        orders = [Order(token.holding(wallet), stake)]
        friend = self._cast.pick(wallet.kind, self._dice)
        # Where the first of two could buy the last unit, nobody comes in pairs.
        if self._dice.random() < _BUNDLED and friend is not wallet and not token.destined:
            orders.append(Order(token.holding(friend), min(stake, self._stake(friend))))
        acts.append(self._exchange.trade(self.time_ms, orders))
        for order in orders:
            self._plan_exit(order.holding, conviction)
        self._graduate_if_complete(token)
        return acts

    def _later(self, act: Act, *args: object) -> None:
        self._agenda.add(self._now + 2_000 + self._dice.randrange(6_000), act, *args)

    def _mishaps(self, token: Token, wallet: Wallet, stake: int) -> Acts:
        acts: Acts = []
        mark = self._dice.random()
        if mark < _FAILED:
            outcome = Outcome.SLIPPAGE if self._dice.random() < 0.5 else Outcome.REVERTED
            order = Order(token.holding(wallet), stake)
            acts.append(self._exchange.fail(self.time_ms, order, outcome))
        elif mark > 1 - _IRRELEVANT:
            acts.append(self._irrelevant(token, wallet))
        return acts

    def _irrelevant(self, token: Token, wallet: Wallet) -> Transaction:
        other = self._cast.pick(Kind.CASUAL, self._dice)
        if other is wallet or self._dice.random() < 0.5:
            return self._exchange.foreign(self.time_ms, wallet, token)
        return self._exchange.wire(self.time_ms, wallet, other, self._stake(other))

    def _plan_exit(self, holding: Holding, conviction: float) -> None:
        temper = holding.wallet.kind.value
        if self._dice.random() < temper.keep:
            return
        hold = temper.hold * conviction * self._dice.lognormvariate(0, temper.hold_spread)
        self._agenda.add(self._now + 400 + int(hold * 1_000), self._exit, holding, conviction)

    def _exit(self, holding: Holding, conviction: float) -> Acts:
        token, units = holding.token, holding.units
        if not units:
            return []
        if token.waiting:
            self._later(self._exit, holding, conviction)
            return []
        if self._denies(holding):
            self._plan_exit(holding, conviction)
            return []
        if token.market.worth_of(units) > 2 * _LEAST_STAKE and self._dice.random() < _HALVED:
            units //= 2
            self._plan_exit(holding, conviction)
        return self._sell(holding, units)

    def _denies(self, holding: Holding) -> bool:
        """Whether the holder, at a loss, would rather not know."""
        if holding.denials >= 2 or holding.token.market.worth_of(holding.units) >= holding.cost:
            return False
        holding.denials += 1
        return self._dice.random() < holding.wallet.kind.value.deny

    def _sell(self, holding: Holding, units: int) -> Acts:
        token, cost = holding.token, holding.cost
        orders = [Order(holding, units=units)]
        worth = token.market.worth_of(units)
        into = self._universe.hot() if self._dice.random() < _ROTATED else None
        if into is not None and into is not token and not (into.waiting or into.shunned):
            orders.append(Order(into.holding(holding.wallet), max(_LEAST_STAKE, worth * 9 // 10)))
        acts = [self._exchange.trade(self.time_ms, orders)]
        for order in orders[1:]:
            self._plan_exit(order.holding, 1.0)
            self._graduate_if_complete(order.holding.token)
        if not holding.units:
            self._exchange.forget(holding)
            self._come_back(holding.wallet, token, cost - worth)
        return acts

    def _come_back(self, wallet: Wallet, token: Token, loss: int) -> None:
        """Who loses may chase, a bot just goes on."""
        hot = self._universe.hot()
        if wallet.kind is Kind.BOT and self._dice.random() < 0.5:
            again = token if hot is None or self._dice.random() < 0.5 else hot
            wait = 1_000 + self._dice.randrange(30_000)
            self._agenda.add(self._now + wait, self._buy, again, wallet, self._stake(wallet), 1.0)
        elif hot is not None and loss > 0 and self._dice.random() < wallet.kind.value.chase:
            stake = int(self._stake(wallet) * (1.2 + self._dice.random()))
            wait = 4_000 + int(self._dice.expovariate(1 / 45_000))
            self._agenda.add(self._now + wait, self._buy, hot, wallet, stake, 1.0)

    def _graduate_if_complete(self, token: Token) -> None:
        if token.pool is None and token.curve.complete and not token.waiting:
            token.waiting = True
            wait = 2_000 + self._dice.randrange(6_000)
            self._agenda.add(self._now + wait, self._migrate, token)

    def _migrate(self, token: Token) -> Acts:
        token.waiting = False
        self._universe.graduated(token)
        return [self._exchange.migrate(self.time_ms, token, self._universe.migrator)]
