"""The courier delivers like Helius: with the secret, in parallel, trying again, giving up."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest.courier import Courier, Persistence, SecretRefused, paced

SECRET = "a secret with spaces"
HASTY = Persistence(retries=3, wait_s=0.01)


class Door(ThreadingHTTPServer):
    """Answers with the given statuses one after the other, then 200; remembers what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.answers: list[int] = []
        self.bodies: list[bytes] = []
        self.secrets: set[str] = set()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/webhooks/helius/"


class Visit(BaseHTTPRequestHandler):
    """One request to the door."""

    protocol_version = "HTTP/1.1"
    server: Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            status = self.server.answers.pop(0) if self.server.answers else 200
            self.server.bodies.append(body)
            self.server.secrets.add(self.headers["Authorization"])
        self.send_response(status)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"said")

    def log_message(self, *args: object) -> None:
        """Nothing: the test looks for itself."""


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def courier(door: Door) -> Iterator[Courier]:
    made = Courier(door.url, SECRET, persistence=HASTY)
    yield made
    made.close()


def test_it_brings_the_body_and_the_secret_as_they_are(door: Door, courier: Courier) -> None:
    verdict = courier.post(b'[{"slot":1}]')
    assert verdict.accepted
    assert (verdict.status, verdict.attempts) == (200, 1)
    assert (door.bodies, door.secrets) == ([b'[{"slot":1}]'], {SECRET})


def test_it_tries_again_while_the_door_is_shut(door: Door, courier: Courier) -> None:
    door.answers = [503, 500, 429]
    assert courier.post(b"[]").attempts == 4
    assert courier.statuses == {200: 1}


def test_it_gives_up_after_three_more_attempts_as_helius_does(door: Door, courier: Courier) -> None:
    door.answers = [503] * 9
    verdict = courier.post(b"[]")
    assert (verdict.status, verdict.attempts, verdict.accepted) == (503, 4, False)
    assert len(door.bodies) == 4


def test_a_plain_no_is_an_answer(door: Door, courier: Courier) -> None:
    door.answers = [413]
    verdict = courier.post(b"[]")
    assert (verdict.status, verdict.reason, verdict.attempts) == (413, "said", 1)


def test_a_refused_secret_ends_the_round_at_once(door: Door, courier: Courier) -> None:
    door.answers = [200, 401]
    with pytest.raises(SecretRefused, match="the secret was refused"):
        courier.carry(b"[]" for _ in range(1_000))
    assert len(door.bodies) < 50


def test_nobody_at_home_is_told_apart(door: Door) -> None:
    nowhere = Courier("http://127.0.0.1:9/", SECRET, persistence=Persistence(1, 0.01))
    verdict = nowhere.post(b"[]")
    nowhere.close()
    assert (verdict.status, verdict.attempts) == (0, 2)
    assert verdict.reason == "ConnectionError"


def test_it_can_insist_until_the_door_opens(door: Door) -> None:
    insisting = Courier(door.url, SECRET, persistence=Persistence(0, 0.0, until_accepted=True))
    door.answers = [503, 500, 503, 500, 502, 503]
    verdict = insisting.post(b"[]")
    insisting.close()
    assert (verdict.status, verdict.attempts) == (200, 7)


def test_it_carries_everything_and_counts_the_answers(door: Door, courier: Courier) -> None:
    door.answers = [413]
    courier.carry(str(n).encode() for n in range(60))
    assert sorted(door.bodies, key=int) == [str(n).encode() for n in range(60)]
    assert courier.statuses == {200: 59, 413: 1}


def test_it_does_not_read_far_ahead_of_the_door(door: Door, courier: Courier) -> None:
    ahead = []
    begun = 0

    def bodies() -> Iterator[bytes]:
        nonlocal begun
        for _ in range(40):
            begun += 1
            ahead.append(begun - len(door.bodies))
            yield b"[]"

    courier.carry(bodies())
    assert max(ahead) <= 9


def test_what_is_under_way_at_ctrl_c_is_finished_and_counted(door: Door, courier: Courier) -> None:
    def bodies() -> Iterator[bytes]:
        yield from (b"[]" for _ in range(5))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        courier.carry(bodies())
    assert courier.statuses.total() == 5


def test_bodies_wait_for_their_time_and_never_for_the_past() -> None:
    now = time.time()
    order = list(paced([(now - 100, b"late"), (now + 0.05, b"soon"), (0.0, b"whenever")]))
    assert order == [b"late", b"soon", b"whenever"]
    assert 0.05 <= time.time() - now < 1
