"""All tokens of a market: the ones that were there before, the ones still to be launched."""

from collections import deque
from random import Random
from typing import Final

from ingest.market import chain, keys
from ingest.market.cast import Cast, Kind
from ingest.market.names import christen
from ingest.market.plots import Story
from ingest.market.pool import Pool
from ingest.market.tokens import RENTS, Token

_LAUNCHED: Final = 0.64  # of stories, while there are tokens to launch
_POOLED: Final = 0.24
_RUNNERS: Final = 0.015  # of launches
_DUDS: Final = 0.50
_HOT: Final = 60
# What a canonical pool begins with; its product stays, whatever the price became since.
_PRODUCT: Final = 206_900_000_000_000 * 85_000_000_000


class Universe:
    """Decides which token the next story is about."""

    def __init__(self, dice: Random, cast: Cast, size: int, lamports: dict[str, int]) -> None:
        self._dice = dice
        self._cast = cast
        self._lamports = lamports
        self._unborn = size
        self._curves: list[Token] = []
        self._pools: list[Token] = []
        self._hot: deque[Token] = deque(maxlen=_HOT)
        self.migrator = cast.pick(Kind.BOT, dice)
        for _ in range(min(max(1, size // 100), 60)):
            self._pools.append(self._old_pool())
        self._strangers = set(self._pools)

    def cast_story(self) -> tuple[Token, Story]:
        """A token and what happens to it next."""
        mark = self._dice.random()
        if self._unborn and mark < _LAUNCHED:
            return self._conceived()
        if not self._curves or mark < _LAUNCHED + _POOLED:
            token, story = self._dice.choice(self._pools), Story.POOL
        else:
            token, story = self._dice.choice(self._curves), Story.REVIVAL
        self._hot.append(token)
        return token, story

    def meets(self, token: Token) -> bool:
        """Whether the token is older than the market, and this is the first story about it."""
        if token not in self._strangers:
            return False
        self._strangers.remove(token)
        return True

    def hot(self) -> Token | None:
        """A token people talk about."""
        return self._dice.choice(self._hot) if self._hot else None

    def launched(self, token: Token, story: Story) -> None:
        """The token exists now; if anything is to happen with it, people hear of it."""
        self._curves.append(token)
        if story is not Story.DUD:
            self._hot.append(token)

    def graduated(self, token: Token) -> None:
        """The token's curve became a pool."""
        self._pools.append(token)
        self._curves.remove(token)

    def _conceived(self) -> tuple[Token, Story]:
        mark = self._dice.random()
        story = Story.PUMP
        if mark < _RUNNERS:
            story = Story.RUNNER
        elif mark > 1 - _DUDS:
            story = Story.DUD
        token = self._mint()
        token.destined = story is Story.RUNNER
        return token, story

    def _mint(self) -> Token:
        self._unborn -= 1
        mint = keys.derive(b"mint", self._dice.randbytes(16))
        return Token(mint, self._cast.pick(Kind.INSIDER, self._dice), christen(self._dice))

    def _old_pool(self) -> Token:
        """A token that graduated before anybody looked."""
        token = self._mint()
        token.born = True
        quote = int(self._dice.lognormvariate(5.2, 0.9) * chain.LAMPORTS_PER_SOL)
        token.pool = Pool(_PRODUCT // quote, quote)
        for name in ("pool", "pool_base", "pool_quote"):
            self._lamports[token.key(name).text] = RENTS[name]
        self._lamports[token.key("pool_quote").text] += quote
        return token
