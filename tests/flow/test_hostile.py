"""Whoever knows the secret and means harm: the door stays open for others, and nothing is lost."""

import gzip
import socket
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
import requests

from tests.flow.bodies import SOL, Chain, body_of
from tests.flow.mutations import harmed, own_bodies, recorded_bodies
from tests.flow.running import RunningStack
from tests.flow.truth import check_wallets, settle

PATH = "/webhooks/helius/"
OLD, NEW = "the-secret-that-is-going", "the-secret-that-is-coming"
BODY_SECONDS = 1
BODY_BYTES_MAX = 512 * 1024
READING_BYTES_MAX = 1024 * 1024
HARMED = 300
SEED = 20_261_124

KEPT = "SELECT count(*) FROM ingest_delivery"
UNEXPLAINED = """
SELECT id, error_kind, error FROM ingest_delivery
 WHERE processed_at IS NULL AND (set_aside_at IS NULL OR error = '' OR error_kind = '')
"""
FATE = "SELECT error_kind, error FROM ingest_delivery ORDER BY id DESC LIMIT 1"


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    limits = {
        "HELIUS_WEBHOOK_SECRETS": f"{NEW},{OLD}",
        "RECEIVER_BODY_SECONDS": str(BODY_SECONDS),
        "RECEIVER_MAX_BODY_BYTES": str(BODY_BYTES_MAX),
        "RECEIVER_READING_BYTES": str(READING_BYTES_MAX),
    }
    with RunningStack(**limits) as running:
        yield running


def head(*headers: str, secret: str = NEW) -> bytes:
    lines = [f"POST {PATH} HTTP/1.1", "Host: door", f"Authorization: {secret}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def dial(stack: RunningStack) -> socket.socket:
    return socket.create_connection(("127.0.0.1", stack.port), timeout=15)


def said(line: socket.socket) -> bytes:
    """All that the door says until it hangs up, or nothing when it hung up at once."""
    answer = b""
    try:
        while part := line.recv(65_536):
            answer += part
    except ConnectionResetError:
        return answer
    return answer


def knock(stack: RunningStack, body: bytes, secret: str = NEW, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(
        stack.url + PATH, data=body, headers={"Authorization": secret, **named}, timeout=30
    )


def kept(stack: RunningStack) -> int:
    return int(stack.sql(KEPT)[0][0])


def check_unharmed(stack: RunningStack, name: str) -> None:
    """The processes still run, and a sound delivery is kept and booked."""
    trades = Chain(name).loss(name, SOL)
    assert knock(stack, body_of(trades)).status_code == 200
    settle(stack)
    check_wallets(stack, trades)
    assert all(stack.is_running(process) for process in ("web", "worker", "board", "beat"))
    assert stack.sql(UNEXPLAINED) == []
    assert "Traceback" not in stack.logs("web")


def test_a_body_that_stops_halfway_is_answered_and_hung_up_on(stack: RunningStack) -> None:
    before = kept(stack)
    with dial(stack) as line:
        line.sendall(head("Content-Length: 100") + b"[" + b" " * 50)
        began = time.monotonic()
        answer = said(line)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert BODY_SECONDS * 0.9 < time.monotonic() - began < BODY_SECONDS + 5
    assert kept(stack) == before


def test_a_body_that_trickles_is_not_waited_for(stack: RunningStack) -> None:
    with dial(stack) as line:
        line.sendall(head("Transfer-Encoding: chunked"))
        began = time.monotonic()
        for _ in range(20 * BODY_SECONDS):
            try:
                line.sendall(b"1\r\n[\r\n")
            except OSError:
                break
            time.sleep(0.1)
        assert said(line).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < BODY_SECONDS + 5


def test_many_slow_bodies_fill_a_limit_of_their_own_and_then_make_room(stack: RunningStack) -> None:
    half = b"[" + b" " * (BODY_BYTES_MAX * 3 // 4)
    with ExitStack() as lines:
        slow = [lines.enter_context(dial(stack)) for _ in range(5)]
        for line in slow:
            line.sendall(head(f"Content-Length: {BODY_BYTES_MAX}", "Connection: close") + half)
        answers = [said(line) for line in slow]
    statuses = Counter(answer[9:12] for answer in answers)
    assert set(statuses) == {b"503", b"408"}
    full = next(answer for answer in answers if answer[9:12] == b"503")
    assert b"retry-after: 1" in full.lower()
    for _ in range(3):
        assert knock(stack, half[:-1] + b"]").status_code == 200
    check_unharmed(stack, "after slow ones")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"[" + b" " * 50_000_000 + b"]")),
        ("deflate", zlib.compress(b"[]")),
        ("br", b"[]"),
        ("gzip, identity", b"[]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_compressed_body_is_never_expanded(
    stack: RunningStack, encoding: str, body: bytes
) -> None:
    before = kept(stack)
    answer = knock(stack, body, content_encoding=encoding)
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.text
    assert kept(stack) == before
    assert knock(stack, b"[]", content_encoding="identity").status_code == 200


@pytest.mark.parametrize(
    ("headers", "body", "statuses"),
    [
        (["Content-Length: 2"], b"[] and more", {b"200", b"400"}),
        (["Content-Length: 90"], b"[]", {b"408"}),
        (["Content-Length: 2", "Content-Length: 3"], b"[ ]", {b"400"}),
        (["Content-Length: -1"], b"[]", {b"400"}),
        (["Content-Length: 0x2"], b"[]", {b"400"}),
        (["Content-Length: " + "9" * 5000], b"[]", {b"400", b"413"}),
        ([f"Content-Length: {BODY_BYTES_MAX + 1}"], b"", {b"413"}),
        (["Content-Length: 0"], b"", {b"400"}),
        (["Transfer-Encoding: chunked"], b"zz\r\n[]\r\n0\r\n\r\n", {b"400"}),
        (["Transfer-Encoding: chunked", "Content-Length: 2"], b"[]", {b"400"}),
    ],
    ids=range(10),
)
def test_a_length_that_lies_fools_nobody(
    stack: RunningStack, headers: list[str], body: bytes, statuses: set[bytes]
) -> None:
    with dial(stack) as line:
        line.sendall(head(*headers) + body)
        if statuses != {b"408"}:
            line.shutdown(socket.SHUT_WR)
        answer = said(line)
    assert answer[9:12] in statuses, answer
    assert stack.is_running("web")


def test_a_sender_that_hangs_up_halfway_leaves_nothing(stack: RunningStack) -> None:
    before = kept(stack)
    for _ in range(20):
        with dial(stack) as line:
            line.sendall(head("Content-Length: 1000") + b"[{}")
    check_unharmed(stack, "hung up")
    assert kept(stack) == before + 1


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'[{"a":' * 60_000 + b"1" + b"}]" * 60_000,
        b'[{"meta":' + b'{"err":' * 50_000 + b"null" + b"}" * 50_000 + b"}]",
        b"[" + b"9" * 400_000 + b"]",
        b'[{"slot": 1e999999}]',
        b'["' + b"\\ud800" * 60_000 + b'"]',
    ],
    ids=range(7),
)
def test_a_body_made_to_break_its_reader_is_set_aside_with_the_reason(
    stack: RunningStack, body: bytes
) -> None:
    assert knock(stack, body).status_code == 200
    settle(stack)
    kind, error = stack.sql(FATE)[0]
    assert kind in {"unreadable", "malformed"}
    assert error
    assert stack.is_running("worker")


def test_harmed_bodies_of_ours_are_answered_and_explained(stack: RunningStack) -> None:
    post_harmed(stack, own_bodies(Random(SEED)), "ours")


def test_harmed_recorded_bodies_are_answered_and_explained(
    stack: RunningStack, shared_folder: Path
) -> None:
    post_harmed(stack, recorded_bodies(shared_folder / "data"), "recorded")


def post_harmed(stack: RunningStack, sound: list[bytes], name: str) -> None:
    """Post damage from several sides, sound deliveries of others among it."""
    dice = Random(f"{SEED} {name}")
    good = Chain(f"among {name}").at_random(dice, 60)
    bodies = [*harmed(sound, dice, HARMED), *(body_of([trade]) for trade in good)]
    dice.shuffle(bodies)
    before = kept(stack)
    with ThreadPoolExecutor(6) as pool:
        statuses = Counter(pool.map(lambda body: knock(stack, body).status_code, bodies))
    assert set(statuses) <= {200, 400}, f"seed {SEED}: {statuses}"
    settle(stack)
    assert kept(stack) == before + statuses[200], f"seed {SEED}"
    check_wallets(stack, good)
    check_unharmed(stack, f"after {name}")


def test_an_old_secret_is_good_while_it_is_replaced_and_refused_afterwards(
    stack: RunningStack,
) -> None:
    def statuses() -> list[int]:
        return [knock(stack, b"[]", secret).status_code for secret in (OLD, NEW, "wrong", "")]

    assert statuses() == [200, 200, 401, 401]
    stack.environ["HELIUS_WEBHOOK_SECRETS"] = NEW
    stack.kill("web")
    stack.start_process("web")
    stack.wait_until(lambda: _answers(stack))
    assert statuses() == [401, 200, 401, 401]
    check_unharmed(stack, "rotated")


def _answers(stack: RunningStack) -> bool:
    try:
        return requests.get(f"{stack.url}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False
