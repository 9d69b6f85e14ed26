"""The door keeps what it acknowledges, and lets in nobody else."""

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import requests

from ingest.bodies import packed, unpacked
from pumploss.stack.commands import migrate
from pumploss.stack.environment import generated
from pumploss.stack.procfile import process_environ
from pumploss.stack.site import answers
from tests.flow.bodies import SOL, Chain, body_of
from tests.flow.running import START_PATIENCE, RunningStack

PATH = "/webhooks/helius/"
OLD, NEW = "the-secret-that-is-going", "the-secret-that-is-coming"
BYTES_MAX = 64 * 1024
NOWHERE = "redis://127.0.0.1:9/0"

LATEST = "SELECT body FROM ingest_delivery ORDER BY id DESC LIMIT 1"
COUNT = "SELECT count(*) FROM ingest_delivery"
COMMITS = "SELECT count(DISTINCT xmin::text), count(*) FROM ingest_delivery WHERE size_bytes = %s"
BLOCKED = """
SELECT 1 FROM pg_stat_activity
 WHERE application_name = 'pumploss receiver' AND wait_event_type = 'Lock'
"""


class Door(RunningStack):
    """The web process alone: two secrets, a small limit, and no broker to be found."""

    def start(self) -> None:
        own = generated(self.directory) | {
            "DATABASE_URL": self.postgres.start(),
            "REDIS_URL": NOWHERE,
            "HELIUS_WEBHOOK_SECRETS": f"{OLD},{NEW}",
            "RECEIVER_MAX_BODY_BYTES": str(BYTES_MAX),
        }
        self.environ = process_environ(own, self.port, self.directory)
        migrate(self.environ)
        self.start_process("web")
        self.wait_until(lambda: answers(self.url), START_PATIENCE)

    def knock(
        self, body: Any = b"[]", *, secret: str | None = NEW, method: str = "POST"
    ) -> requests.Response:
        headers = {} if secret is None else {"Authorization": secret}
        return requests.request(method, self.url + PATH, data=body, headers=headers, timeout=30)

    def latest(self) -> bytes:
        """The last body, as it came."""
        return unpacked(self.sql(LATEST)[0][0])

    def kept(self) -> int:
        return int(self.sql(COUNT)[0][0])


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with Door() as opened:
        yield opened


BODIES = [
    b"[]",
    b' \r\n\t[{"a": 1}]\n ',
    '{"snowman": "☃", "escaped": "\\u2603"}'.encode(),
    b'[{"bytes": "\xff\xfe\x00"}]',
    b"[" + b" " * (BYTES_MAX - 2) + b"]",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_it_keeps_every_byte_of_a_body(door: Door, body: bytes) -> None:
    assert door.knock(body).status_code == 200
    assert door.latest() == body


def test_it_answers_only_after_the_commit(door: Door) -> None:
    with ThreadPoolExecutor(1) as pool, psycopg.connect(door.postgres.url) as holder:
        holder.execute("LOCK TABLE ingest_delivery IN EXCLUSIVE MODE")
        answer = pool.submit(door.knock, b'["waits"]')
        door.wait_until(lambda: door.sql(BLOCKED))
        assert not answer.done()
        holder.rollback()
        assert answer.result().status_code == 200
    assert door.latest() == b'["waits"]'


@pytest.mark.parametrize(
    "secret", [None, "", "wrong", OLD[:-1], f"{NEW}x", f"{OLD},{NEW}", f"Bearer {NEW}", "é"]
)
def test_it_refuses_whoever_does_not_know_the_secret(door: Door, secret: str | None) -> None:
    before = door.kept()
    assert door.knock(secret=secret).status_code == 401
    assert door.kept() == before


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_both_secrets_are_good_while_one_replaces_the_other(door: Door, secret: str) -> None:
    assert door.knock(secret=secret).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_it_answers_only_posts(door: Door, method: str) -> None:
    answer = door.knock(None, method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("body", [b"", b" \r\n\t ", b"hello", b"<xml/>", b"\xef\xbb\xbf[]", b"1"])
def test_it_refuses_what_cannot_be_json(door: Door, body: bytes) -> None:
    before = door.kept()
    answer = door.knock(body)
    assert (answer.status_code, door.kept()) == (400, before)
    assert answer.text.startswith("the body ")


def test_it_refuses_a_body_that_announces_too_much(door: Door) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=10)
    connection.putrequest("POST", PATH)
    connection.putheader("Authorization", NEW)
    connection.putheader("Content-Length", str(BYTES_MAX + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_it_refuses_a_stream_that_grows_too_long(door: Door) -> None:
    before = door.kept()
    chunks = iter([b"[" + b" " * (BYTES_MAX // 2), b" " * (BYTES_MAX // 2), b"]"])
    assert door.knock(chunks).status_code == 413
    assert door.kept() == before


def test_it_takes_a_body_in_chunks(door: Door) -> None:
    assert door.knock(iter([b"[", b"  ", b"]"])).status_code == 200
    assert door.latest() == b"[  ]"


def test_bodies_that_come_at_once_share_a_commit(door: Door) -> None:
    bodies = [json.dumps([f"{number:015d}"]).encode() for number in range(400)]
    with psycopg.connect(door.postgres.url) as other:
        other.execute("LOCK TABLE ingest_delivery IN SHARE MODE")
        statuses = asyncio.run(_all_at_once(door, bodies, other.rollback))
    assert statuses == [b"HTTP/1.1 200 OK"] * len(bodies)
    commits, kept = door.sql(COMMITS, [len(bodies[0])])[0]
    assert kept == len(bodies)
    assert commits <= len(bodies) // 10


async def _all_at_once(door: Door, bodies: list[bytes], let_go: Callable[[], None]) -> list[bytes]:
    """Every body on a connection of its own, and all of them read before the first can be kept."""
    opened = [await asyncio.open_connection("127.0.0.1", door.port) for _ in bodies]
    for (_, writer), body in zip(opened, bodies, strict=True):
        head = f"POST {PATH} HTTP/1.1\r\nHost: door\r\nAuthorization: {NEW}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
    # The same loop reads the bodies and answers this, which was asked after all of them.
    assert await asyncio.to_thread(answers, door.url)
    let_go()
    statuses = [(await reader.readline()).strip() for reader, _ in opened]
    for _, writer in opened:
        writer.close()
        await writer.wait_closed()
    return statuses


SLOW = b'["slow"]'
WAIT_FOR_US = f"""
CREATE FUNCTION wait_for_us() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size_bytes = {len(SLOW)} THEN PERFORM pg_advisory_xact_lock(77); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wait_for_us BEFORE INSERT ON ingest_delivery
   FOR EACH ROW EXECUTE FUNCTION wait_for_us();
"""


def test_a_commit_that_takes_long_holds_nobody_else_up(door: Door) -> None:
    door.sql(WAIT_FOR_US)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(door.postgres.url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(77)")
        slow = pool.submit(door.knock, SLOW)
        door.wait_until(lambda: door.sql(BLOCKED))
        assert door.knock(b'["not slow"]').status_code == 200
        assert not slow.done()
        holder.rollback()
        assert slow.result().status_code == 200
    door.sql("DROP FUNCTION wait_for_us() CASCADE")


def test_it_says_come_again_while_the_database_is_down(door: Door) -> None:
    before = door.kept()
    door.postgres.kill()
    try:
        answer = door.knock(b'["down"]')
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    finally:
        door.postgres.start()
    assert door.knock(b'["back"]').status_code == 200
    assert (door.latest(), door.kept()) == (b'["back"]', before + 1)


STATE = """
SELECT processed_at IS NOT NULL, set_aside_at IS NOT NULL, attempts, error
  FROM ingest_delivery WHERE body = %s
"""


def test_a_broken_body_is_kept_and_set_aside_with_the_reason(running_stack: RunningStack) -> None:
    stack, body = running_stack, b'[{"slot": 1,'
    assert stack.post(body) == 200
    processed, aside, attempts, error = stack.wait_until(
        lambda: [row for row in stack.sql(STATE, [packed(body)]) if row[2]]
    )[0]
    assert (processed, aside, attempts) == (False, True, 1)
    assert error.startswith("not JSON: ")


def test_a_body_set_aside_costs_the_ones_behind_it_nothing(running_stack: RunningStack) -> None:
    stack, body = running_stack, body_of(Chain("behind").loss("behind", SOL))
    assert [stack.post(b"[oops"), stack.post(body)] == [200, 200]
    states = stack.wait_until(lambda: [row for row in stack.sql(STATE, [packed(body)]) if row[2]])
    assert states == [(True, False, 1, "")]
