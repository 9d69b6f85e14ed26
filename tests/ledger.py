"""A small language for ledgers: trades as rows of text, and what each of them must bring.

    check('''
        buy   100 for 1000 @10
        sell   40 for  300 @20 -> realized -100  cost 400
        holds  60 cost  600
        total  realized -100
    ''')

A trade is `buy` or `sell`, its token units, `for` its lamports (`usdc` after them prices it in
another quote) and `@` its place: a slot, `/` the transaction's index in the block where it is
known, `#` the event's ordinal where it is not the first. `by 7` names the signature, so that rows
of unknown index can be put in the order of their signatures. Rows stand in chain order; one that
begins with `late` reaches us after all the others.

After `->` stands what a sell must bring: `realized`, `cost`, `proceeds`, `matched`, `unmatched`
(units), `unpaid` (their lamports), `closes` (what the round trip realized) and `after` (seconds
since its first buy). What is not written is not asked, but for two: a sell that closes a round trip
or sells unseen units must say so. `unpriced` and `bought` stand alone.

The last rows say what the position must be: each is a field's word and its number, as in FIELDS.
Every ledger is folded as written, from a position that was already begun, and in 20 shuffles, each
row delivered twice; nothing may come out otherwise.
"""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from pnl.engine.booking import Booked, Bought, Realization, Unpriced
from pnl.engine.positions import Position
from pnl.engine.replay import extend, in_chain_order, replay
from pnl.engine.trades import Side, Trade, Venue

SHUFFLES = 20
TRADER, MINT, USDC = bytes(32), bytes([1]) * 32, bytes([2]) * 32
# Signatures above this number have 88 characters, so that their texts are in the numbers' order.
FIRST_SIGNATURE = 1 << 511

# What a sell brings, by the word after the arrow.
BRINGS = {
    "realized": "realized_lamports",
    "cost": "cost_lamports",
    "proceeds": "proceeds_lamports",
    "matched": "matched_units",
    "unmatched": "unmatched_units",
    "unpaid": "unmatched_lamports",
    "closes": "trip_lamports",
    "after": "hold_seconds",
}
# What a position is, by the first word of its row and the word before the number.
FIELDS = {
    ("holds", ""): "units",
    ("holds", "cost"): "cost_lamports",
    ("holds", "trip"): "trip_lamports",
    ("total", "realized"): "realized_lamports",
    ("total", "bought"): "bought_units",
    ("total", "spent"): "bought_lamports",
    ("total", "sold"): "sold_units",
    ("total", "brought"): "sold_lamports",
    ("total", "unmatched"): "unmatched_units",
    ("total", "unpaid"): "unmatched_lamports",
    ("count", "buys"): "buys",
    ("count", "sells"): "sells",
    ("count", "unpriced"): "unpriced",
    ("trips", ""): "closed",
    ("trips", "won"): "wins",
    ("trips", "lost"): "losses",
}


@dataclass(frozen=True)
class Row:
    """A trade, what it must bring, and whether it comes late."""

    text: str
    trade: Trade
    brings: dict[str, int] | None
    late: bool


@dataclass(frozen=True)
class Ledger:
    """The rows in chain order, and what the position must be after them."""

    rows: tuple[Row, ...]
    position: dict[str, int]

    @property
    def trades(self) -> list[Trade]:
        return [row.trade for row in self.rows]


def check(text: str) -> None:
    """Fold the ledger in every order it can arrive in, and hold the results against the text."""
    ledger = parse(text)
    assert in_chain_order(ledger.trades) == ledger.trades, "the rows are not in chain order"
    for delivery in deliveries(ledger):
        position, booked = replay(once(delivery))
        verify(ledger, position, booked)
    verify(ledger, *extended(ledger))


def deliveries(ledger: Ledger) -> Iterable[list[Trade]]:
    """The late rows last; then everything twice in 20 orders."""
    yield [row.trade for row in sorted(ledger.rows, key=lambda row: row.late)]
    for seed in range(SHUFFLES):
        doubled = ledger.trades * 2
        random.Random(seed).shuffle(doubled)
        yield doubled


def once(delivery: Iterable[Trade]) -> list[Trade]:
    """What a table with the trade's identity as its key would keep."""
    return list({(trade.signature, trade.event_index): trade for trade in delivery}.values())


def extended(ledger: Ledger) -> tuple[Position, list[tuple[Trade, Booked]]]:
    """Fold the second half onto a position that has seen the first."""
    half = len(ledger.rows) // 2
    position, booked = replay(ledger.trades[:half])
    rest = ledger.trades[half:]
    return position, [*booked, *zip(rest, extend(position, rest), strict=True)]


def verify(ledger: Ledger, position: Position, booked: Sequence[tuple[Trade, Booked]]) -> None:
    """Hold the results against what is written."""
    assert [trade for trade, _ in booked] == ledger.trades
    for row, (_, outcome) in zip(ledger.rows, booked, strict=True):
        assert asked(row, outcome) == (row.brings or {}), row.text
    state = asdict(position)
    assert {field: state[field] for field in ledger.position} == ledger.position


def asked(row: Row, outcome: Booked) -> dict[str, int]:
    """What came out, as far as the row speaks of it, and what it should have spoken of."""
    if isinstance(outcome, Unpriced):
        return {"unpriced": outcome.units}
    if isinstance(outcome, Bought):
        return {"bought": outcome.units} if row.brings else {}
    if row.brings is None:
        return {}
    found = {word: getattr(outcome, field) for word, field in BRINGS.items()}
    return {word: found[word] for word in found if word in row.brings or telling(word, outcome)}


def telling(word: str, realization: Realization) -> bool:
    """Whether a row that says anything must say this."""
    if word == "closes":
        return realization.closes
    return word == "unmatched" and realization.unmatched_units > 0


def parse(text: str) -> Ledger:
    """Read a ledger."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    rows = [row_of(line) for line in lines if line.split()[0] in ("buy", "sell", "late")]
    finals = [line for line in lines if line.split()[0] not in ("buy", "sell", "late")]
    position = {field: value for line in finals for field, value in state_of(line).items()}
    return Ledger(tuple(rows), position)


def row_of(line: str) -> Row:
    """`late sell 40 for 300 usdc @20/3#1 by 7 -> realized -100` as a row."""
    left, arrow, right = line.partition("->")
    words = left.split()
    late = words[0] == "late"
    trade = trade_of(words[1:] if late else words, line)
    return Row(line, trade, brings_of(right.split(), trade) if arrow else None, late)


def trade_of(words: Sequence[str], line: str) -> Trade:
    """The trade of a row's left side."""
    side, units, preposition, amount, *rest = words
    assert preposition == "for", line
    quote = USDC if rest[0] == "usdc" else None
    place = next(word for word in rest if word.startswith("@"))
    slot, index, event = place_of(place)
    named = int(rest[rest.index("by") + 1]) if "by" in rest else None
    return Trade(
        signature=signature_of(named, f"{slot}/{index}" if index is not None else line),
        event_index=event,
        slot=slot,
        block_index=index,
        block_time=slot,
        trader=TRADER,
        mint=MINT,
        side=Side[side.upper()],
        token_units=int(units),
        quote_mint=quote,
        quote_units=int(amount),
        fee_units=0,
        venue=Venue.PUMP,
    )


def place_of(word: str) -> tuple[int, int | None, int]:
    """`@20/3#1` as slot, index in the block, ordinal of the event."""
    place, _, event = word.removeprefix("@").partition("#")
    slot, _, index = place.partition("/")
    return int(slot), int(index) if index else None, int(event or 0)


def signature_of(number: int | None, seed: str) -> bytes:
    """The numbered signature, or one of its own: a known place in a block is one transaction."""
    if number is None:
        return hashlib.sha512(seed.encode()).digest()
    return (FIRST_SIGNATURE + number).to_bytes(64)


def brings_of(words: Sequence[str], trade: Trade) -> dict[str, int]:
    """The right side of an arrow."""
    if words in (["unpriced"], ["bought"]):
        return {words[0]: trade.token_units}
    pairs = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert pairs.keys() <= BRINGS.keys(), f"unknown words: {pairs.keys() - BRINGS.keys()}"
    return pairs


def state_of(line: str) -> dict[str, int]:
    """`holds 60 cost 600` as the position's fields."""
    subject, *words = line.split()
    if (subject, "") in FIELDS:
        words.insert(0, "")
    pairs = zip(words[::2], map(int, words[1::2]), strict=True)
    return {FIELDS[subject, word]: number for word, number in pairs}
