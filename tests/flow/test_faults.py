"""Whatever dies, and whenever: what was answered 200 is booked once, and the boards are right."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

import psycopg
import pytest
import requests
from websockets.exceptions import ConnectionClosed

from pnl.engine.trades import Trade
from tests.flow.bodies import SOL, Chain, base58, body_of, wallet
from tests.flow.running import RunningStack
from tests.flow.truth import answer, check_wallets, settle
from tests.flow.viewer import Viewer, catch_up, fresh_look

PROCESSES = ("web", "worker", "board", "errands", "beat")
SENDERS = 6
PATIENCE = 60.0
PENDING = """
SELECT count(*) FROM ingest_delivery WHERE processed_at IS NULL AND set_aside_at IS NULL
"""
STUCK = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
DELIVER = "INSERT INTO ingest_delivery (body, size_bytes) VALUES (%s, %s)"


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """A site that is broken again and again; small batches, so that there are many to break."""
    with RunningStack() as running:
        running.environ["INBOX_BATCH_DELIVERIES"] = "25"
        running.kill("worker")
        running.start_process("worker")
        yield running


class Sender:
    """Posts bodies as Helius does: in parallel, and again until they are acknowledged."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.until = time.monotonic() + PATIENCE
        self.acknowledged = 0
        self.refused = 0

    def send(self, body: bytes) -> None:
        self.stack.wait_until(lambda: self._sent(body), max(0.1, self.until - time.monotonic()))

    def send_all(self, bodies: Sequence[bytes], meanwhile: Callable[[], None]) -> None:
        """Send everything; `meanwhile` breaks something under way."""
        with ThreadPoolExecutor(SENDERS) as pool:
            sent = [pool.submit(self.send, body) for body in bodies]
            meanwhile()
            for each in sent:
                each.result()

    def wait_for(self, *, acknowledged: int = 0, refused: int = 0) -> None:
        """Until so many were; answers that are still under way are not waited for."""
        self.stack.wait_until(lambda: self.acknowledged >= acknowledged and self.refused >= refused)

    def _sent(self, body: bytes) -> bool:
        try:
            sent = self.stack.post(body) == 200
        except requests.RequestException:
            sent = False
        self.acknowledged += sent
        self.refused += not sent
        return sent


def shuffled_bodies(name: str, count: int) -> tuple[list[Trade], list[bytes]]:
    """Trades of one chain, and bodies of a few of them each, in no order."""
    dice = Random(name)
    trades = Chain(name, step=1).at_random(dice, count)
    bodies = [body_of(trades[at : at + 4]) for at in range(0, count, 4)]
    dice.shuffle(bodies)
    return trades, bodies


def wait_for_work(stack: RunningStack, left: int) -> None:
    """Until no more than so many deliveries wait."""
    stack.wait_until(lambda: stack.sql(PENDING)[0][0] <= left)


def check_alive(stack: RunningStack) -> None:
    """Every process is still the one that was started: nobody had to be restarted."""
    assert [name for name in PROCESSES if not stack.is_running(name)] == []


@contextmanager
def killed_while_writing(stack: RunningStack, process: str, table: str) -> Iterator[None]:
    """Let the process come as far as this table, kill it there, and start it again."""
    with psycopg.connect(stack.postgres.url) as holder:
        holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
        yield
        stack.wait_until(lambda: stack.sql(STUCK, [table]))
        stack.kill(process)
    stack.start_process(process)


def test_a_worker_killed_in_the_middle_of_a_batch_books_nothing_twice(stack: RunningStack) -> None:
    trades, bodies = shuffled_bodies("killed", 400)
    with killed_while_writing(stack, "worker", "pnl_realization"):
        Sender(stack).send_all(bodies, meanwhile=lambda: None)
    settle(stack)
    check_wallets(stack, trades)


def test_boards_whose_refresh_was_killed_are_refreshed_again(stack: RunningStack) -> None:
    trades, bodies = shuffled_bodies("refresh", 100)
    with killed_while_writing(stack, "board", "leaderboard_standing"):
        Sender(stack).send_all(bodies, meanwhile=lambda: None)
    settle(stack)
    check_wallets(stack, trades)


def test_a_delivery_that_nobody_was_woken_for_is_found(stack: RunningStack) -> None:
    trades = Chain("no kick").loss("no kick", SOL)
    body = body_of(trades)
    stack.sql(DELIVER, [body, len(body)])
    settle(stack)
    check_wallets(stack, trades)


def test_a_kick_is_enough_while_the_clock_is_dead(stack: RunningStack) -> None:
    trades = Chain("no clock").loss("no clock", SOL)
    stack.kill("beat")
    Sender(stack).send(body_of(trades))
    settle(stack)
    stack.start_process("beat")
    check_wallets(stack, trades)


def test_a_worker_killed_again_and_again_books_everything_once(stack: RunningStack) -> None:
    trades, bodies = shuffled_bodies("again and again", 1200)
    stack.kill("worker")
    Sender(stack).send_all(bodies, meanwhile=lambda: None)
    for left in (len(bodies) - 1, len(bodies) // 2):
        stack.start_process("worker")
        wait_for_work(stack, left)
        stack.kill("worker")
    stack.start_process("worker")
    settle(stack)
    check_wallets(stack, trades)


def test_a_database_that_crashes_under_way_loses_nothing_acknowledged(stack: RunningStack) -> None:
    trades, bodies = shuffled_bodies("crashed", 1600)
    sender = Sender(stack)

    def crash_twice() -> None:
        for part in (len(bodies) // 5, len(bodies) // 2):
            sender.wait_for(acknowledged=part)
            stack.postgres.kill()
            sender.wait_for(refused=sender.refused + 1)
            stack.postgres.start()

    sender.send_all(bodies, crash_twice)
    settle(stack)
    check_wallets(stack, trades)
    check_alive(stack)


def test_viewers_are_served_by_a_process_whose_database_has_crashed(stack: RunningStack) -> None:
    with Viewer(stack.ws_url) as viewer:
        viewer.hear()
        stack.postgres.kill()
        stack.postgres.start()
        for number in range(3):
            name = f"viewer {number}"
            Sender(stack).send(body_of(Chain(name).loss(name, 8000 * SOL)))
            viewer.hear_of(base58(wallet(name)))
            assert viewer.ask("resync", "snapshot")["rows"] == viewer.board
            assert fresh_look(stack, "24h").board == viewer.board


def test_viewers_are_asked_to_come_back_while_there_is_no_database(stack: RunningStack) -> None:
    with Viewer(stack.ws_url, "7d") as there:
        there.hear()
        stack.postgres.kill()
        try:
            with Viewer(stack.ws_url, "30d") as late, pytest.raises(ConnectionClosed, match="1013"):
                late.hear()
            assert there.ask("ping", "pong")["version"] == there.version
        finally:
            stack.postgres.start()
    assert fresh_look(stack, "30d").version >= 0


def test_a_dead_broker_never_changes_the_answer_of_the_door(stack: RunningStack) -> None:
    trades, bodies = shuffled_bodies("no broker", 800)
    lost = Chain("unseen").loss("unseen", 9000 * SOL)
    # After a crash of the database the first body meets a connection that is no more.
    Sender(stack).send(bodies.pop())
    sender = Sender(stack)
    with Viewer(stack.ws_url) as viewer:
        viewer.hear()
        with broker_away(stack, sender, bodies):
            sender.send(body_of(lost))
        assert sender.refused == 0
        settle(stack)
        check_wallets(stack, [*trades, *lost])
        catch_up(viewer, stack)
        assert viewer.board == fresh_look(stack, "24h").board
        assert viewer.board[0]["address"] == base58(wallet("unseen"))
    check_alive(stack)


@contextmanager
def broker_away(stack: RunningStack, sender: Sender, bodies: Sequence[bytes]) -> Iterator[None]:
    """Send bodies while the broker dies; it comes back empty."""
    sender.send_all(bodies, stack.valkey.kill)
    try:
        yield
    finally:
        stack.valkey.start()


def test_boards_are_right_while_redis_is_gone(stack: RunningStack) -> None:
    lost = Chain("gone").loss("gone", 9900 * SOL)
    Sender(stack).send(body_of(lost))
    settle(stack)
    stack.valkey.kill()
    try:
        rows = answer(stack, "leaderboards/24h/")["rows"]
        page = requests.get(f"{stack.url}/leaderboards/24h/", timeout=20)
        ready = requests.get(f"{stack.url}/readyz", timeout=20)
    finally:
        stack.valkey.start()
    assert rows[0]["address"] == base58(wallet("gone"))
    assert (page.status_code, ready.status_code) == (200, 200)
    assert page.text.count("-9900.000000000 SOL") > 0


def test_a_site_that_lost_everything_but_its_database_comes_back(stack: RunningStack) -> None:
    trades, bodies = shuffled_bodies("everything", 400)
    sender = Sender(stack)

    def break_everything() -> None:
        for name in PROCESSES:
            stack.kill(name)
        stack.valkey.kill()
        stack.postgres.kill()
        stack.postgres.start()
        stack.valkey.start()
        for name in PROCESSES:
            stack.start_process(name)

    sender.send_all(bodies, break_everything)
    settle(stack)
    check_wallets(stack, trades)
