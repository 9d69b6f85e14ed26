"""A full disk shuts the door truthfully, and space opens it again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumploss.stack.account import server_account
from tests.flow.bodies import SOL, Chain, body_of
from tests.flow.faults.load import Sent, check, explained
from tests.flow.running import RunningStack

pytestmark = pytest.mark.faults

DISK_BYTES = 24 * 1024 * 1024
BALLAST_BYTES = 20 * 1024 * 1024
BODY_BYTES = 64 * 1024
DELIVERIES_MAX = 2000
MOVE = "ALTER TABLE ingest_delivery SET TABLESPACE small"
KEPT = "SELECT count(*) FROM ingest_delivery WHERE size_bytes > 1000"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of a few megabytes that PostgreSQL may write to."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("Only root can mount a small file system, and has to have `mount`.")
    folder = Path(tempfile.mkdtemp(prefix="pumploss-small-"))
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs"]
    mounted = subprocess.run([mount, *options, folder], capture_output=True, text=True, check=False)
    try:
        if mounted.returncode != 0:
            pytest.skip(f"No small file system can be mounted here: {mounted.stderr.strip()}")
        yield folder
    finally:
        subprocess.run([umount, "-l", folder], capture_output=True, check=False)
        folder.rmdir()


@pytest.fixture
def stack(small_disk: Path) -> Iterator[RunningStack]:
    """A site whose inbox lies on the small disk."""
    with RunningStack() as running:
        place = small_disk / "tablespace"
        place.mkdir(mode=0o700)
        if account := server_account():
            os.chown(place, account.uid, account.gid)
            os.chmod(small_disk, 0o711)  # noqa: S103
        running.sql_outside(f"CREATE TABLESPACE small LOCATION '{place}'")
        running.sql(MOVE)
        yield running


def padded(number: int) -> tuple[Sent, bytes]:
    """A delivery of two trades that is as large as a real one of many."""
    trades = Chain(f"full {number}").loss(f"wallet {number % 5}", SOL)
    body = body_of(trades)
    return Sent(trades, [], []), body[:-1] + b" " * (BODY_BYTES - len(body)) + b"]"


def post(stack: RunningStack, number: int, sent: Sent) -> int:
    """Deliver once, without another attempt; the status."""
    (trades, _, _), body = padded(number)
    status = stack.post(body)
    sent.posted.extend(trades)
    sent.statuses.append(status)
    if status == 200:
        sent.acknowledged.extend(trades)
    return status


def test_a_full_disk_is_never_answered_200_and_the_door_opens_again(
    stack: RunningStack, small_disk: Path
) -> None:
    sent = Sent([], [], [])
    ballast = small_disk / "ballast"
    with explained(stack):
        assert post(stack, 0, sent) == 200
        ballast.write_bytes(bytes(BALLAST_BYTES))
        numbers = iter(range(1, DELIVERIES_MAX))
        while post(stack, next(numbers), sent) == 200:
            continue
        refused = [post(stack, next(numbers), sent) for _ in range(5)]
        assert set(refused) | set(sent.statuses) == {200, 503}
        assert stack.sql(KEPT) == [(sent.statuses.count(200),)]
        assert stack.is_answering()
        ballast.unlink()
        assert [post(stack, next(numbers), sent) for _ in range(20)] == [200] * 20
        check(stack, sent)
        assert stack.sql(KEPT) == [(sent.statuses.count(200),)]
        assert all(stack.is_running(name) for name in ("web", "worker", "board", "beat"))
