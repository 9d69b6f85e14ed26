"""A body posted over HTTP becomes a trade, a position, a result, a standing, a frame, an answer."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import based58
import pytest
import requests

from ingest.decode.programs import PUMP
from ingest.market.deliveries import Harm, deliver
from ingest.market.market import Market
from pnl.engine.pricing import USDC_BYTES
from pnl.engine.trades import Venue
from pumploss.stack.places import CLONE
from tests.flow.bodies import SOL, Chain, base58, body_of, elements_of, wallet
from tests.flow.running import RunningStack
from tests.flow.truth import answer, check_wallets, settle
from tests.flow.viewer import Viewer

LATEST = """
SELECT processed_at IS NOT NULL, set_aside_at IS NOT NULL, trades, error, dropped
  FROM ingest_delivery ORDER BY id DESC LIMIT 1
"""


def test_a_body_becomes_everything_that_follows_from_it(running_stack: RunningStack) -> None:
    trades = Chain("everything").loss("everything", 40 * SOL)
    address = base58(wallet("everything"))
    with Viewer(running_stack.ws_url) as viewer:
        first = viewer.hear()
        assert first["type"] == "snapshot"
        assert running_stack.post(body_of(trades)) == 200
        row = viewer.hear_of(address)
        brought = next(f for f in viewer.frames if address in str(f.get("upserts")))
    check_wallets(running_stack, trades)
    assert brought["type"] == "delta"
    assert brought["version"] > first["version"]
    assert row["realized_sol"] == "-40.000000000"
    assert (row["trades"], row["closed_positions"], row["losing_streak"]) == (2, 1, 1)


def test_every_door_tells_the_same_of_a_wallet(running_stack: RunningStack) -> None:
    trades = Chain("doors").loss("doors", 30 * SOL + 1)
    address = base58(wallet("doors"))
    with Viewer(running_stack.ws_url) as viewer:
        running_stack.post(body_of(trades))
        row = viewer.hear_of(address)
    settle(running_stack)
    board = answer(running_stack, "leaderboards/24h/?limit=99")
    assert [each for each in board["rows"] if each["address"] == address] == [row]
    totals = answer(running_stack, f"wallets/{address}/")["totals"]
    assert totals["realized_lamports"] == row["realized_lamports"] == str(-30 * SOL - 1)
    rank = answer(running_stack, f"leaderboards/24h/rank/{address}/")
    assert (rank["rank"], rank["realized_sol"]) == (row["rank"], "-30.000000001")


def test_the_pages_show_what_was_posted(running_stack: RunningStack) -> None:
    trades = Chain("pages").loss("pages", 20 * SOL + 123_456_789)
    address = base58(wallet("pages"))
    running_stack.post(body_of(trades))
    settle(running_stack)
    paths = {"/", "/leaderboards/7d/", "/leaderboards/all/", f"/wallets/{address}/"}

    def shown(path: str) -> bool:
        page = requests.get(running_stack.url + path, timeout=10)
        return page.status_code == 200 and "-20.123456789 SOL" in page.text

    # A page may be five seconds old.
    running_stack.wait_until(lambda: set(filter(shown, paths)) == paths)


def test_a_body_delivered_again_and_again_is_booked_once(running_stack: RunningStack) -> None:
    trades = Chain("again").at_random(Random(1), 40)
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(running_stack.post, [body_of(trades)] * 6))
    assert statuses == [200] * 6
    settle(running_stack)
    check_wallets(running_stack, trades)


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_arrival_changes_nothing(running_stack: RunningStack, seed: int) -> None:
    dice = Random(seed)
    trades = Chain(f"order {seed}", step=1).at_random(dice, 150)
    bodies = [body_of(trades[at : at + 3]) for at in range(0, len(trades), 3)]
    dice.shuffle(bodies)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(running_stack.post, bodies)) == {200}
    settle(running_stack)
    check_wallets(running_stack, trades)


def test_a_market_delivered_as_helius_does_is_booked_to_the_lamport(
    running_stack: RunningStack,
) -> None:
    start_ms = int(time.time() - 3600) * 1000
    market = Market(seed=77_001, traders=60, tokens=6, start_ms=start_ms)
    transactions = list(islice(market.play(rate=5), 900))
    harm = Harm(duplicates=0.2, late=0.3, batch_max=6)
    bodies = [delivery.body for delivery in deliver(transactions, harm, Random(77))]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(running_stack.post, bodies)) == {200}
    settle(running_stack)
    trades = [trade for transaction in transactions for trade in transaction.trades]
    assert {trade.venue for trade in trades} == {Venue.PUMP, Venue.PUMP_SWAP}
    check_wallets(running_stack, trades)


def _cut(element: dict[str, Any]) -> dict[str, Any]:
    event = element["meta"]["innerInstructions"][0]["instructions"][0]
    event["data"] = base58(based58.b58decode(event["data"].encode())[:60])
    return element


def test_dollars_that_were_posted_count_once_their_prices_are_imported(
    running_stack: RunningStack, tmp_path: Path
) -> None:
    chain = Chain("dollars", int(time.time()) // 60 * 60 - 600)
    in_sol = [chain.buy("dollars", "A", 10, 300 * 10**6), chain.sell("dollars", "A", 10, 10**8)]
    trades = [trade._replace(quote_mint=USDC_BYTES) for trade in in_sol]
    assert running_stack.post(body_of(trades)) == 200
    settle(running_stack)
    check_wallets(running_stack, trades)
    path = f"wallets/{base58(wallet('dollars'))}/"
    before = answer(running_stack, path)
    assert (before["flags"], before["realizations"]) == (["unpriced"], [])
    prices = tmp_path / "prices.csv"
    prices.write_text(f"minute,usd\n{chain.at},100.0\n")
    command = [sys.executable, "manage.py", "import_sol_prices", str(prices)]
    subprocess.run(command, cwd=CLONE, env=running_stack.environ, check=True)
    settle(running_stack)
    paid = [(trade, trade.quote_units * 10) for trade in trades]
    check_wallets(running_stack, [t._replace(priced_lamports=lamports) for t, lamports in paid])
    after = answer(running_stack, path)
    assert (after["flags"], after["totals"]["realized_sol"]) == ([], "-2.000000000")
    assert after["realizations"][0]["realized_usd"] == "-200.000000"
    assert after["periods"][0]["realized_sol"] == "-2.000000000"


BREAKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a slot that is no number": lambda element: element | {"slot": "soon"},
    "no message": lambda element: element | {"transaction": {"signatures": ["x"]}},
    "an event cut short": _cut,
    "no object at all": lambda _: 7,
}


@pytest.mark.parametrize("kind", BREAKS)
def test_a_malformed_transaction_costs_its_neighbours_nothing(
    running_stack: RunningStack, kind: str
) -> None:
    chain = Chain(kind)
    good = [*chain.loss(f"{kind} 1", 3 * SOL), *chain.loss(f"{kind} 2", 4 * SOL)]
    bad = chain.buy(f"{kind} 3", "bad", 5, SOL)
    elements = elements_of([*good[:3], bad, good[3]])
    elements[3] = BREAKS[kind](elements[3])
    assert running_stack.post(json.dumps(elements).encode()) == 200
    settle(running_stack)
    check_wallets(running_stack, good)
    processed, aside, trades, error, _ = running_stack.sql(LATEST)[0]
    assert (processed, aside, trades) == (False, True, 4)
    assert error.startswith("transaction 3")


def test_what_is_no_trade_is_dropped_with_its_reason(running_stack: RunningStack) -> None:
    chain = Chain("dropped")
    failed, empty, bought = elements_of(chain.buy("dropped", "A", 5, SOL) for _ in range(3))
    failed["meta"]["err"] = {"InstructionError": [0, {"Custom": 6002}]}
    log = [f"Program {PUMP} invoke [1]", f"Program {PUMP} success"]
    empty["meta"] |= {"innerInstructions": [], "logMessages": log}
    assert running_stack.post(json.dumps([failed, empty, bought]).encode()) == 200
    settle(running_stack)
    processed, aside, trades, error, dropped = running_stack.sql(LATEST)[0]
    assert (processed, aside, trades, error) == (True, False, 1, "")
    assert [each["reason"] for each in dropped] == ["failed", "no_trade"]


def test_a_delivery_set_aside_is_counted_where_alarms_look(running_stack: RunningStack) -> None:
    before = answer(running_stack, "status/")["inbox"]["set_aside"]
    running_stack.post(b"[broken")
    settle(running_stack)
    inbox = answer(running_stack, "status/")["inbox"]
    assert (inbox["pending"], inbox["set_aside"]) == (0, before + 1)
    metrics = requests.get(f"{running_stack.url}/metrics", timeout=10).text
    assert f"pumploss_inbox_set_aside {before + 1}\n" in metrics
