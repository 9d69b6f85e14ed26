"""A delivery that cannot be booked, or kills who tries, costs its neighbours little, and ends."""

import json
import math
import os
from collections.abc import Iterable
from contextlib import suppress

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from pytest_django.fixtures import Settings

import pnl.operations
from ingest import operations as inbox
from ingest import queries, readings, suspects
from ingest.bodies import packed
from ingest.decode.outcome import Outcome
from ingest.decode.pipeline import decode_body
from ingest.models import Delivery
from pnl.engine.trades import Trade
from tests.bench.aside import Aside
from tests.flow.bodies import SOL, Chain, body_of, elements_of
from tests.flow.truth import Ask, check

TOO_MUCH = 2**63
BATCH = 1000
POISONED = 3
MORTAL = b"[]  "


def filled(count: int, poisoned: Iterable[int] = ()) -> tuple[list[Trade], list[int]]:
    """So many deliveries, some with an amount that no column can hold: good trades, bad ids."""
    chain = Chain("filled")
    good: list[Trade] = []
    bad: list[int] = []
    for number in range(count):
        trade = chain.buy("ann", f"token {number % 7}", 5, SOL)
        if number in poisoned:
            bad.append(inbox.accept(body_of([trade._replace(quote_units=TOO_MUCH, fee_units=0)])))
        else:
            inbox.accept(body_of([trade]))
            good.append(trade)
    return good, bad


def attempts_until_quiet() -> int:
    """Work as a worker does; how many reports it took."""
    reports = 0
    while inbox.process_pending().deliveries:
        reports += 1
    return reports


def decoding(monkeypatch: pytest.MonkeyPatch, mortal: bytes, end: object) -> None:
    """From now on decoding this body ends badly."""

    def decode(body: bytes) -> Iterable[Outcome]:
        if body == mortal:
            assert callable(end)
            end()
        return decode_body(body)

    monkeypatch.setattr(readings, "decode_body", decode)


def die() -> None:
    """As the kernel ends a process that has taken all memory."""
    os._exit(137)


def killed() -> bool:
    """Whether a worker process that looks at the inbox until it is empty does not survive it."""
    with Aside(attempts_until_quiet) as worker:
        try:
            worker.result()
        except RuntimeError:
            return True
    return False


def test_poison_costs_a_few_small_transactions_each(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.INBOX_BATCH_DELIVERIES = BATCH
    good, bad = filled(BATCH, poisoned=(3, 500, 997))
    claimed: list[int] = []
    claim = queries.claim

    def counted(**options: object) -> list[queries.Waiting]:
        claimed.append(1)
        return claim(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(queries, "claim", counted)
    report = inbox.process_pending()
    assert report == inbox.Report(BATCH, BATCH - POISONED, 0, POISONED)
    assert len(claimed) <= 2 * POISONED * math.log2(BATCH)
    assert {each.pk for each in Delivery.objects.set_aside()} == set(bad)
    assert inbox.process_pending() == inbox.NOTHING
    check(ask, good)


def test_a_body_that_cannot_be_decoded_takes_no_batch_apart(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, _ = filled(20)
    broken = inbox.accept(MORTAL)
    decoding(monkeypatch, MORTAL, {}.popitem)
    assert inbox.process_pending() == inbox.Report(21, 20, 0, 1)
    assert "taken apart" not in caplog.text
    kept = Delivery.objects.set_aside().get()
    assert (kept.pk, kept.error_kind, kept.attempts) == (broken, "KeyError", 1)
    assert "popitem" in kept.error
    assert "Traceback" in kept.traceback
    check(ask, good)


def test_a_delivery_that_kills_its_worker_is_set_aside_after_a_few_attempts(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, _ = filled(60)
    mortal = inbox.accept(MORTAL)
    decoding(monkeypatch, MORTAL, die)
    deaths = 0
    while killed():
        deaths += 1
        assert deaths <= suspects.ATTEMPTS_MAX + 1
    kept = Delivery.objects.set_aside().get()
    assert (kept.pk, kept.error_kind) == (mortal, suspects.KILLER_KIND)
    assert (kept.attempts, kept.unfinished) == (suspects.ATTEMPTS_MAX, 0)
    assert deaths == suspects.ATTEMPTS_MAX + 1
    assert set(Delivery.objects.processed().values_list("attempts", flat=True)) <= {1, 2, 3}
    assert not Delivery.objects.exclude(unfinished=0).exists()
    check(ask, good)


def test_what_comes_after_a_killer_is_booked_while_it_is_being_found(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.accept(MORTAL)
    decoding(monkeypatch, MORTAL, die)
    assert killed()
    later, _ = filled(5)
    assert killed()
    check(ask, later)


def test_only_a_claim_that_was_given_up_leaves_a_trace(ask: Ask) -> None:
    filled(2)
    with suppress(ZeroDivisionError), transaction.atomic():
        assert [each.is_suspect for each in queries.claim(limit=1)] == [False]
        raise ZeroDivisionError
    with transaction.atomic():
        assert [each.is_suspect for each in queries.claim(limit=9)] == [True, False]


def test_an_attempt_that_the_database_ended_does_not_count(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, _ = filled(3)

    def deadlock(*_: object, **__: object) -> None:
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as patch:
        patch.setattr(pnl.operations, "book_trades", deadlock)
        for _ in range(suspects.ATTEMPTS_MAX + 2):
            with pytest.raises(OperationalError):
                inbox.process_pending()
    states = set(Delivery.objects.values_list("attempts", "unfinished"))
    assert states == {(0, 0)}
    assert attempts_until_quiet() == 1
    assert set(Delivery.objects.values_list("attempts", "set_aside_at")) == {(1, None)}
    check(ask, good)


def test_an_attempt_that_cannot_be_taken_back_at_once_is_taken_back_later(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(1)
    mortal = Delivery.objects.get().pk
    assert suspects.begin([mortal], limit=10) == suspects.Trial([mortal], 0)
    with monkeypatch.context() as patch:
        patch.setattr(suspects, "_pay", lambda: (_ for _ in ()).throw(OperationalError("away")))
        with suppress(OperationalError):
            suspects.forgive([mortal])
    assert Delivery.objects.get().unfinished == 1
    assert suspects.begin([mortal], limit=10) == suspects.Trial([mortal], 0)
    assert Delivery.objects.get().unfinished == 1


def test_contents_beyond_a_limit_of_the_server_are_not_tried_for_ever(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, _ = filled(8)
    beyond = Chain("beyond").loss("bob", SOL)
    inbox.accept(body_of(beyond))
    book = pnl.operations.book_trades

    def limited(trades: Iterable[Trade], **_: object) -> pnl.operations.Booking:
        offered = list(trades)
        if beyond[0] in offered:
            with connection.cursor() as cursor:
                cursor.execute("SELECT " + ", ".join("1" * 1665))
        return book(offered)

    monkeypatch.setattr(pnl.operations, "book_trades", limited)
    assert inbox.process_pending() == inbox.Report(9, 8, 0, 1)
    assert Delivery.objects.set_aside().get().error_kind == "OperationalError"
    check(ask, good)


def test_one_worker_at_a_time_looks_at_suspects_and_the_other_goes_on(ask: Ask) -> None:
    filled(3)
    Delivery.objects.update(unfinished=1)
    fresh = Chain("fresh").loss("bob", SOL)
    inbox.accept(body_of(fresh))
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [suspects.LOCK])
        assert inbox.process_pending() == inbox.Report(1, 2, 0, 0)
        assert inbox.process_pending() == inbox.NOTHING
    check(ask, fresh)
    attempts_until_quiet()
    assert not Delivery.objects.pending().exists()


def test_every_kind_of_fault_has_its_word(ask: Ask) -> None:
    good = Chain("good").loss("ann", SOL)
    broken = elements_of(Chain("bad").loss("bob", SOL))[0] | {"slot": "soon"}
    bodies = {
        b"[oops": readings.UNREADABLE,
        json.dumps([broken]).encode(): readings.MALFORMED,
        json.dumps([*elements_of(good), broken]).encode(): readings.MALFORMED_ONLY_IN_PART,
    }
    for body in bodies:
        inbox.accept(body)
    filled(1, poisoned=[0])
    inbox.process_pending()
    assert queries.error_kinds() == sorted([*bodies.values(), "ValueError"])
    for body, kind in bodies.items():
        assert Delivery.objects.get(body=packed(body)).error_kind == kind
    check(ask, good)


def test_text_that_postgres_cannot_hold_costs_no_trade(ask: Ask) -> None:
    good = Chain("good").loss("ann", SOL)
    failed = elements_of(Chain("failed").loss("bob", SOL))[0]
    failed["transaction"]["signatures"] = ["NUL"]
    failed["meta"]["err"] = {"NUL": "NUL"}
    broken = elements_of(Chain("bad").loss("bob", SOL))[0] | {"slot": "NUL"}
    broken["transaction"]["signatures"] = ["NUL"]
    body = json.dumps([*elements_of(good), failed, broken]).replace("NUL", "\\u0000").encode()
    inbox.accept(body)
    report = inbox.process_pending()
    assert (report.booked, report.set_aside) == (2, 1)
    assert Delivery.objects.get().error_kind == readings.MALFORMED_ONLY_IN_PART
    check(ask, good)


def test_half_a_character_is_replaced_like_a_nul() -> None:
    assert readings.storable("a\0b\ud800c") == "a\N{REPLACEMENT CHARACTER}b?c"
