"""The shapes a transaction can take, and each shape's script."""

from enum import Enum
from functools import cache
from typing import Final, NamedTuple

from ingest.market import calls, chain, milestones, scenes
from ingest.market.script import Call, Script, TokenLine, slots, template


class Kind(Enum):
    """What one leg of a transaction does."""

    CREATE = "create"
    CURVE_BUY = "buy"
    CURVE_BUY_EXACT = "buy_exact_sol_in"
    CURVE_SELL = "sell"
    POOL_BUY = "pool buy"
    POOL_BUY_EXACT = "pool buy_exact_quote_in"
    POOL_SELL = "pool sell"
    MIGRATE = "migrate"
    TRANSFER = "transfer"
    FOREIGN = "foreign"


class Outcome(Enum):
    """How a transaction ended."""

    SUCCESS = "success"
    SLIPPAGE = "slippage"  # the swap itself fails: no event
    REVERTED = "reverted"  # a later instruction fails: the event is there and never happened


class Message(Enum):
    """How a transaction names its accounts."""

    LEGACY = "legacy"
    V0 = "v0"
    LOOKUP = "lookup"  # v0 with addresses from a lookup table


class Leg(NamedTuple):
    """One swap (or other act) of user number `user` in token number `token` of the transaction."""

    kind: Kind
    user: int = 0
    token: int = 0
    opens: bool = False  # creates the user's token account, which pays its rent
    closes: bool = False  # closes it, which returns the rent
    routed: bool = False  # called by a trading terminal, one level deeper
    completes: bool = False  # buys the last unit of the curve


class Shape(NamedTuple):
    """Everything about a transaction that is not a name or a number."""

    legs: tuple[Leg, ...]
    message: Message = Message.LEGACY
    tip: bool = False
    outcome: Outcome = Outcome.SUCCESS


class Place(NamedTuple):
    """The slots of one role, and the lamports its account holds if nobody has said otherwise."""

    role: str
    before: str
    after: str
    had: str
    has: str
    least: int
    wrapped: bool


class Form(NamedTuple):
    """A shape made ready: the JSON text with slots, and the roles whose balances it lists."""

    text: str
    places: tuple[Place, ...]
    signatures: int


_LEAST: Final = {
    "@volume": 1_844_400,
    "@pool_volume": 1_844_400,
    "@creator_vault": 890_880,
    "@creator_account": chain.ACCOUNT_RENT,
    "@curve_extra": 1_245_640,
    "@pool_authority": 890_880,
    "@fee_recipient": 6_190_000_000_000,
    "@buyback": 2_044_091_537,
    "@fee_account": 3_500_000_000_000,
    "@platform": 48_000_000_000,
    "@tip": 7_300_000_000,
    "@target": 1_000_000_000,
}
_WRAPPED: Final = frozenset({"@pool_quote", "@fee_account", "@creator_account"})

_ERRORS: Final = {
    Outcome.SUCCESS: "null",
    Outcome.SLIPPAGE: '{{"InstructionError":[{place},{{"Custom":6002}}]}}',
    Outcome.REVERTED: '{{"InstructionError":[{place},{{"Custom":6001}}]}}',
}


@cache
def form(shape: Shape) -> Form:
    """The form of a shape, compiled on first use; a market knows a few hundred."""
    script = _script(shape)
    return Form(template(script), tuple(map(_place, slots(script))), len(script.signers))


def _place(role: str) -> Place:
    base = role.rstrip("01")
    return Place(
        *(role, f"pre{role}", f"post{role}", f"had{role}", f"has{role}"),
        *(_LEAST.get(base, 0), base in _WRAPPED),
    )


def _script(shape: Shape) -> Script:
    acts = calls.budget()
    tokens: dict[str, TokenLine] = {}
    for number, leg in enumerate(shape.legs):
        scene = _scene(leg, number)
        acts += scene.calls
        for line in scene.tokens:
            known = tokens.get(line.account, line)
            tokens[line.account] = line._replace(before=known.before)
    if shape.tip:
        acts += (calls.transfer("@user0", "@tip", "%(tip)s"),)
    script = Script(
        signers=_signers(shape),
        calls=acts,
        tokens=tuple(tokens.values()),
        lookup=shape.message is Message.LOOKUP,
        version='"legacy"' if shape.message is Message.LEGACY else "0",
    )
    return script if shape.outcome is Outcome.SUCCESS else _failed(script, shape.outcome)


def _signers(shape: Shape) -> tuple[str, ...]:
    users = dict.fromkeys(f"@user{leg.user}" for leg in shape.legs)
    created = dict.fromkeys(f"@mint{leg.token}" for leg in shape.legs if leg.kind is Kind.CREATE)
    return (*users, *created)


def _scene(leg: Leg, number: int) -> scenes.Scene:
    match leg.kind:
        case Kind.CREATE:
            return milestones.create(number, leg.user, leg.token)
        case Kind.MIGRATE:
            return milestones.migrate(number, leg.user, leg.token)
        case Kind.TRANSFER:
            return milestones.wire()
        case Kind.FOREIGN:
            return milestones.foreign(number)
        case _:
            return _swap(leg, number)


def _swap(leg: Leg, number: int) -> scenes.Scene:
    who = calls.Swap(number, leg.user, leg.token, leg.opens, leg.closes, leg.routed)
    match leg.kind:
        case Kind.CURVE_BUY | Kind.CURVE_BUY_EXACT:
            named = "Buy" if leg.kind is Kind.CURVE_BUY else "BuyExactSolIn"
            return scenes.curve_buy(who, named, leg.completes)
        case Kind.CURVE_SELL:
            return scenes.curve_sell(who)
        case Kind.POOL_SELL:
            return scenes.pool_sell(who)
        case _:
            named = "Buy" if leg.kind is Kind.POOL_BUY else "BuyExactQuoteIn"
            return scenes.pool_buy(who, named)


def _failed(script: Script, outcome: Outcome) -> Script:
    if outcome is Outcome.REVERTED:
        guard = Call(calls.GUARD, ("@user0",), "2", ("Program log: profit below limit",))
        acts = (*script.calls, guard)
        ending = f"Program {calls.GUARD} failed: custom program error: 0x1771"
    else:
        acts = _cut(script.calls)
        ending = f"Program {acts[-1].program} failed: custom program error: 0x1772"
    error = _ERRORS[outcome].format(place=len(acts) - 1)
    tokens = tuple(line for line in script.tokens if line.before)
    kept = tuple(line._replace(after=True) for line in tokens)
    return script._replace(calls=acts, error=error, ending=(ending,), tokens=kept)


def _cut(acts: tuple[Call, ...]) -> tuple[Call, ...]:
    """The calls up to the swap, which fails before it calls anything."""
    place = next(place for place, call in enumerate(acts) if call.program in calls.SWAPPERS)
    swap = acts[place]
    says = tuple(item for item in swap.body if isinstance(item, str))[:1]
    slippage = "Program log: AnchorError thrown: TooMuchSolRequired. Error Number: 6002."
    return (*acts[:place], swap._replace(body=(*says, slippage)))
