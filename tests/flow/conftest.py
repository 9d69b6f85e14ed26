"""Tables for the tests that call the operations themselves."""

import pytest
from django.core.cache import cache
from django.db import connection

from leaderboard.models import Board, Period
from pnl import interning
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
