"""One token's whole life: launched, bought up, graduated, traded in its pool."""

from ingest.decode.pipeline import decode_body
from ingest.market.cast import Cast, Kind
from ingest.market.dice import dice
from ingest.market.exchange import Exchange, Order, Transaction
from ingest.market.keys import derive
from ingest.market.tokens import Token
from pnl.engine.trades import Side, Venue
from tests.unit.ingest.market.stage import PUMP, PUMP_SWAP, START_S, Reading, number, read

SOL = 1_000_000_000
CHANCE = dice(5)
CAST = Cast(5, 1_000)


def life() -> tuple[Token, list[Transaction]]:
    exchange = Exchange(CHANCE)
    creator, whale = CAST.pick(Kind.INSIDER, CHANCE), CAST.pick(Kind.WHALE, CHANCE)
    token = Token(derive(b"a mint"), creator, ("Lucky Duck", "LUDUC", "https://meta.example/1"))
    mine, theirs = token.holding(creator), token.holding(whale)
    now = START_S * 1_000
    acts = [exchange.launch(now, Order(mine, 2 * SOL))]
    acts += [exchange.trade(now + n * 400, [Order(theirs, 30 * SOL)]) for n in (1, 2, 3)]
    acts.append(exchange.migrate(now + 2_000, token, CAST.pick(Kind.BOT, CHANCE)))
    acts.append(exchange.trade(now + 3_000, [Order(theirs, SOL)]))
    both = [Order(mine, units=mine.units), Order(theirs, units=theirs.units // 2)]
    acts.append(exchange.trade(now + 4_000, both))
    return token, acts


def payload(reading: Reading, program: str, tag: str) -> bytes:
    (found,) = [
        event
        for caller, event in reading.events
        if caller == program and event.hex().startswith(tag)
    ]
    return found


def test_the_creation_brings_mint_curve_and_first_buy() -> None:
    token, acts = life()
    reading = read(acts[0])
    created = payload(reading, PUMP, "1b72a94ddeeb6376")
    assert created[8:12] == (10).to_bytes(4, "little")
    assert b"Lucky Duck" in created
    assert token.key("mint").raw in created
    assert [trade.side for trade in acts[0].trades] == [Side.BUY]
    assert reading.keys[:2] == [token.creator.key.text, token.key("mint").text]
    assert len(reading.raw["transaction"]["signatures"]) == 2


def test_the_last_buy_completes_the_curve() -> None:
    token, acts = life()
    assert token.curve.complete
    reading = read(acts[3])
    assert token.key("mint").raw in payload(reading, PUMP, "5f72619cd42e9808")
    assert number(payload(reading, PUMP, "bddb7fd34ee661ee"), 121) == 0


def test_the_graduation_moves_everything_into_the_pool() -> None:
    token, acts = life()
    reading = read(acts[4])
    moved = payload(reading, PUMP, "bde95db95c94ea94")
    units, sol, fee = (number(moved, at) for at in (72, 80, 88))
    assert (units, fee) == (206_900_000_000_000, 15_000_001)
    assert sol == token.curve.real_sol - fee
    born = payload(reading, PUMP_SWAP, "b1310cd2a076a774")
    assert token.key("pool").raw in born
    assert sum(reading.lamports) == -reading.fee
    assert not acts[4].trades


def test_the_pool_trades_go_on_with_the_same_mint() -> None:
    token, acts = life()
    venues = [[trade.venue for trade in act.trades] for act in acts]
    assert venues == [*[[Venue.PUMP]] * 4, [], [Venue.PUMP_SWAP], [Venue.PUMP_SWAP] * 2]
    assert {trade.mint for act in acts for trade in act.trades} == {token.key("mint").raw}


def test_everything_of_it_decodes() -> None:
    _, acts = life()
    body = f"[{','.join(act.json for act in acts)}]".encode()
    found = [getattr(outcome, "trades", ()) for outcome in decode_body(body)]
    assert found == [act.trades for act in acts]


def test_two_traders_of_one_transaction_both_sign() -> None:
    _, acts = life()
    reading = read(acts[-1])
    assert len(reading.raw["transaction"]["signatures"]) == 2
    assert sum(reading.lamports) == -reading.fee
