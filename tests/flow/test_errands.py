"""The process for errands fetches what is queued while the others go on."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from pumploss.stack.places import CLONE
from tests.flow.bodies import SOL, Chain, body_of, wallet
from tests.flow.fake_helius import FakeHelius
from tests.flow.running import RunningStack
from tests.flow.truth import check_wallets, settle

WATCH = """
INSERT INTO pnl_trader (address, kind, watched) VALUES (%s, 'person', true)
"""
QUEUED = "SELECT count(*) FROM ingest_backfillpage"
ALARMS = "SELECT kind FROM pnl_alarm ORDER BY kind"
PERIOD = 15.0


@pytest.fixture
def stack(fresh_stack: RunningStack) -> Iterator[tuple[RunningStack, FakeHelius]]:
    """A site whose clock and errands know a Helius."""
    with FakeHelius.running() as fake:
        fresh_stack.environ |= {
            "HELIUS_API_KEY": fake.key,
            "HELIUS_API_URL": fake.url,
            "HELIUS_RPC_URL": fake.url,
            "PUBLIC_URL": "https://losers.example",
        }
        for name in ("errands", "beat"):
            fresh_stack.kill(name)
            fresh_stack.start_process(name)
        yield fresh_stack, fake


def call(stack: RunningStack, task: str) -> None:
    """Send the task as the clock would, without waiting for its period."""
    command = [sys.executable, "-m", "celery", "-A", "pumploss", "call", f"ingest.tasks.{task}"]
    subprocess.run(command, cwd=CLONE, env=stack.environ, check=True, capture_output=True)


def test_it_walks_watched_wallets_and_looks_after_the_webhooks(
    stack: tuple[RunningStack, FakeHelius],
) -> None:
    site, fake = stack
    chain = Chain("errands", step=1)
    trades = [trade for _ in range(5) for trade in chain.loss("ann", SOL)]
    fake.chain.land(trades)
    fake.chain.page_size = 2
    site.sql(WATCH, [wallet("ann")])
    assert site.post(body_of(trades[:1])) == 200
    call(site, "queue_due_backfills")
    site.wait_until(lambda: fake.calls("getTransactionsForAddress") >= 1, 2 * PERIOD)
    site.wait_until(lambda: site.sql(QUEUED) == [(0,)])
    settle(site)
    check_wallets(site, trades)
    call(site, "watch_webhooks")
    site.wait_until(lambda: ("webhook_missing",) in site.sql(ALARMS))
