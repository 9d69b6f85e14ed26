"""A claim locks what it will book and nothing else, and leaves to others what is theirs."""

import psycopg
import pytest
from django.db import connection, transaction

from ingest import operations as inbox
from ingest import queries, suspects
from ingest.models import Delivery
from tests.flow.test_poison import filled
from tests.flow.truth import Ask, check


def test_what_does_not_fit_into_a_batch_is_not_taken_for_given_up(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, _ = filled(9)
    first, second = Delivery.objects.order_by("pk").values_list("size_bytes", flat=True)[:2]
    monkeypatch.setattr(queries, "BATCH_BYTES_MAX", first + second)
    assert inbox.process_pending().deliveries == 2
    with transaction.atomic():
        rest = queries.claim_among(list(Delivery.objects.values_list("pk", flat=True)))
    assert [each.is_suspect for each in rest] == [False] * 7
    monkeypatch.setattr(queries, "BATCH_BYTES_MAX", 1)
    assert inbox.process_pending().deliveries == 1
    check(ask, good[:3])


def test_no_attempt_is_counted_that_would_not_fit_into_a_batch(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(3)
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    monkeypatch.setattr(queries, "BATCH_BYTES_MAX", 1)
    assert suspects.begin(ids, limit=10) == suspects.Trial(ids[:1], 0)
    assert Delivery.objects.filter(attempts=0, unfinished=0).count() == 2


def test_workers_beside_each_other_fill_their_batches_from_what_is_left(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(9)
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    sizes = list(Delivery.objects.order_by("pk").values_list("size_bytes", flat=True))
    monkeypatch.setattr(queries, "BATCH_BYTES_MAX", max(sizes) * 3)
    with psycopg.connect(**connection.get_connection_params()) as other:
        taken = [*ids[:4], ids[5]]
        other.execute("SELECT 1 FROM ingest_delivery WHERE id = ANY(%s) FOR UPDATE", [taken])
        with transaction.atomic():
            found = [each.id for each in queries.claim(limit=9)]
            assert found == [ids[place] for place in (4, 6, 7)]
        with transaction.atomic():
            assert [each.id for each in queries.claim(limit=2)] == found[:2]
