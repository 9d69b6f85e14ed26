"""Tables for the tests that call the operations themselves."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from pytest_django.fixtures import Settings

from ingest.helius.client import Helius, helius
from leaderboard.models import Board, Period
from pnl import interning
from tests.flow.fake_helius import FakeHelius
from tests.flow.hasty import HASTY
from tests.flow.truth import Ask


@pytest.fixture
def ask(transactional_db: None) -> Ask:
    """Empty tables, really committed to; the answer to a query on them."""
    interning.forget()
    cache.clear()
    # Emptying the tables after an earlier test took away what the migrations had put there.
    Board.objects.bulk_create([Board(period=period) for period in Period], ignore_conflicts=True)

    def answer(query: str) -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    return answer


@pytest.fixture
def fake_helius(settings: Settings) -> Iterator[FakeHelius]:
    """A Helius of this test's own, and the settings that lead to it."""
    with FakeHelius.running() as fake:
        settings.HELIUS_API_KEY = fake.key
        settings.HELIUS_API_URL = settings.HELIUS_RPC_URL = fake.url
        settings.HELIUS_REQUESTS_PER_SECOND = 100_000
        settings.HELIUS_WEBHOOK_SECRETS = ["secret-of-the-webhook"]
        settings.PUBLIC_URL = "https://losers.example"
        yield fake


@pytest.fixture
def asked(fake_helius: FakeHelius) -> Iterator[Helius]:
    """A client of this Helius that does not wait for long."""
    with helius(HASTY) as opened:
        yield opened
