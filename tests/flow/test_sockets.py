"""A viewer who listens always holds the board that a fresh look would show."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pnl.engine.trades import Trade
from pumploss.stack.site import answers
from tests.flow.bodies import SOL, Chain, base58, body_of, wallet
from tests.flow.running import RunningStack
from tests.flow.truth import settle
from tests.flow.viewer import VERSION, Viewer, catch_up, fresh_look

PERIODS = ("24h", "7d", "30d", "all")
UNKNOWN_PERIOD = 4404
RESYNCS = 400
SAY = "UPDATE pnl_trader SET label = %s, kind = %s, hidden = %s WHERE address = %s RETURNING id"
TOUCH = "INSERT INTO pnl_touched (trader_id) VALUES (%s)"
# What a refresh does whose frame is lost on the way: the label changes, and nobody hears of it.
CHANGE_UNHEARD = """
WITH counted AS (UPDATE leaderboard_board SET version = version + 1 WHERE period = '30d')
UPDATE leaderboard_standing SET label = 'unheard' WHERE period = '30d' AND trader_id =
       (SELECT id FROM pnl_trader WHERE address = %s)
"""


def some_losses(name: str, count: int, lamports: int = 50 * SOL) -> list[Trade]:
    chain = Chain(name)
    return [t for n in range(count) for t in chain.loss(f"{name} {n}", lamports + n)]


def test_a_viewer_begins_with_the_whole_board(running_stack: RunningStack) -> None:
    running_stack.post(body_of(some_losses("begin", 3)))
    settle(running_stack)
    for period in PERIODS:
        with Viewer(running_stack.ws_url, period) as viewer:
            snapshot = viewer.hear()
        assert (snapshot["type"], snapshot["period"]) == ("snapshot", period)
        assert [snapshot["version"]] == [*running_stack.sql(VERSION, [period])[0]]
        assert snapshot["rows"] == viewer.board
        assert {base58(wallet(f"begin {n}")) for n in range(3)} <= viewer.rows.keys()


def test_every_delta_in_turn_makes_the_board_that_a_fresh_look_shows(
    running_stack: RunningStack,
) -> None:
    dice, stack = Random(5), running_stack
    viewers = {period: Viewer(stack.ws_url, period) for period in PERIODS}
    for number in range(12):
        chain = Chain(f"law {number}")
        losses = chain.loss(f"law {dice.randrange(5)}", dice.randrange(-SOL // 2, 60 * SOL))
        assert stack.post(body_of([*losses, *chain.at_random(dice, 9)])) == 200
        if number % 3 == 0:
            settle(stack)
    for period, viewer in viewers.items():
        with viewer:
            catch_up(viewer, stack, period)
            seen = fresh_look(stack, period)
            assert (viewer.version, viewer.board) == (seen.version, seen.board)
            assert "delta" in {frame["type"] for frame in viewer.frames}


def test_versions_count_up_one_by_one(running_stack: RunningStack) -> None:
    with Viewer(running_stack.ws_url) as viewer:
        first = viewer.hear()["version"]
        for number in range(5):
            running_stack.post(body_of(some_losses(f"count {number}", 1)))
            viewer.hear_of(base58(wallet(f"count {number} 0")))
        deltas = [frame["version"] for frame in viewer.frames if frame["type"] == "delta"]
    deltas = [version for version in deltas if version > first]
    assert deltas == list(range(first + 1, first + 1 + len(deltas)))
    assert len(deltas) >= 5


def test_a_viewer_who_asks_again_gets_the_board_again(running_stack: RunningStack) -> None:
    with Viewer(running_stack.ws_url) as viewer:
        viewer.hear()
        catch_up(viewer, running_stack)
        again = viewer.ask("resync", "snapshot")
    assert (again["version"], again["rows"]) == (viewer.version, viewer.board)


def test_a_board_that_does_not_exist_closes_the_socket(running_stack: RunningStack) -> None:
    with Viewer(running_stack.ws_url, "1h") as viewer, pytest.raises(ConnectionClosed) as closed:
        viewer.hear()
    received = closed.value.rcvd
    assert received
    assert received.code == UNKNOWN_PERIOD
    assert "1h" in received.reason


def test_a_ping_is_told_when_the_boards_were_last_looked_at(running_stack: RunningStack) -> None:
    with Viewer(running_stack.ws_url) as viewer:
        viewer.hear()

        def as_of() -> str:
            return viewer.ask("ping", "pong")["as_of"] or ""

        first = running_stack.wait_until(as_of)
        running_stack.wait_until(lambda: as_of() > first)
        catch_up(viewer, running_stack)
        pong = viewer.ask("ping", "pong")
    assert pong["version"] == viewer.version
    assert datetime.now(UTC) - datetime.fromisoformat(pong["as_of"]) < timedelta(seconds=20)


@pytest.mark.parametrize("said", ["", "no json", "[]", "null", '{"type": 7}', '{"type": "hack"}'])
def test_what_a_viewer_may_not_say_is_ignored(running_stack: RunningStack, said: str) -> None:
    with Viewer(running_stack.ws_url) as viewer:
        viewer.hear()
        viewer.socket.send(said)
        viewer.socket.send(said.encode())
        assert viewer.ask("ping", "pong")["period"] == "24h"


def test_what_staff_say_of_a_wallet_reaches_its_viewers(running_stack: RunningStack) -> None:
    stack, address = running_stack, base58(wallet("staff 0"))

    def say(label: str, kind: str, hidden: bool) -> None:
        rows = stack.sql(SAY, [label, kind, hidden, wallet("staff 0")])
        stack.sql(TOUCH, rows[0])

    with Viewer(stack.ws_url, "all") as viewer:
        stack.post(body_of(some_losses("staff", 1)))
        assert viewer.hear_of(address)["label"] is None
        say("Ann", "person", hidden=False)
        viewer.hear_until(lambda: viewer.rows[address]["label"] == "Ann")
        for kind, hidden in (("bot", False), ("person", True)):
            say("Ann", kind, hidden)
            viewer.hear_until(lambda: address not in viewer.rows)
            say("Ann", "person", hidden=False)
            viewer.hear_of(address)


def test_a_viewer_who_does_not_read_costs_the_others_nothing(running_stack: RunningStack) -> None:
    stack = running_stack
    stack.post(body_of(some_losses("crowd", 100)))
    settle(stack)
    with Viewer(stack.ws_url) as slow, Viewer(stack.ws_url) as quick:
        for _ in range(RESYNCS):
            slow.say("resync")
        for number in range(20):
            stack.post(body_of(some_losses(f"slow {number}", 1, 70 * SOL)))
            quick.hear_of(base58(wallet(f"slow {number} 0")), timeout=5)
        catch_up(slow, stack)
        catch_up(quick, stack)
        assert slow.board == quick.board
        stack.post(body_of(some_losses("last", 1, 80 * SOL)))
        slow.hear_of(base58(wallet("last 0")))
    # Most of what the slow one asked for was never written: only the latest is worth sending.
    assert len(slow.frames) < RESYNCS


def test_a_frame_that_was_lost_is_made_good_though_nothing_else_happens(
    running_stack: RunningStack,
) -> None:
    address = base58(wallet("lost frame 0"))
    with Viewer(running_stack.ws_url, "30d") as viewer:
        running_stack.post(body_of(some_losses("lost frame", 1, 95 * SOL)))
        viewer.hear_of(address)
        settle(running_stack)
        running_stack.sql(CHANGE_UNHEARD, [wallet("lost frame 0")])
        viewer.hear_until(lambda: viewer.rows[address]["label"] == "unheard")
        assert fresh_look(running_stack, "30d").board == viewer.board


def test_viewers_come_back_after_the_web_process_has_died(running_stack: RunningStack) -> None:
    stack = running_stack
    with Viewer(stack.ws_url) as before:
        before.hear()
        stack.post(body_of(some_losses("restart", 1, 90 * SOL)))
        before.hear_of(base58(wallet("restart 0")))
        stack.kill("web")
        with pytest.raises(ConnectionClosed):
            before.hear_until(never)
    stack.start_process("web")
    stack.wait_until(lambda: answers(stack.url), 60)
    with Viewer(stack.ws_url) as after:
        snapshot = after.hear()
        assert snapshot["version"] >= before.version
        assert base58(wallet("restart 0")) in after.rows
        stack.post(body_of(some_losses("restarted", 1, 90 * SOL)))
        after.hear_of(base58(wallet("restarted 0")))


def never() -> bool:
    return False


def test_a_question_that_no_parser_survives_costs_only_itself(running_stack: RunningStack) -> None:
    with connect(f"{running_stack.ws_url}/ws/leaderboards/24h/") as socket:
        socket.send("[" * 200_000)
        socket.send('{"type": "ping"}')
        heard = (json.loads(socket.recv(timeout=10))["type"] for _ in range(50))
        assert "pong" in heard
