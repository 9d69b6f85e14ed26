"""The client asks as documented, waits as it is told, gives up in time and never tells its key."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
import requests
from pytest_django.fixtures import Settings

from ingest import walks
from ingest.helius import caller
from ingest.helius.client import Helius, helius
from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import Stretch
from ingest.helius.shapes import WebhookDraft, element_of
from tests.flow import helius_schemas as schemas
from tests.flow.bodies import SOL, Chain, base58, wallet
from tests.flow.fake_helius import KEY, FakeHelius, Fault, Seen
from tests.flow.hasty import HASTY

ANN = base58(wallet("ann"))
DRAFT = WebhookDraft(
    webhook_url="https://losers.example/webhooks/helius/",
    account_addresses=[ANN],
    auth_header="secret-of-the-webhook",
)
EVERYTHING = Stretch(0, 999_999_999)


def check_documented(seen: Seen) -> None:
    """Both what was asked and what was answered are as Helius documents them."""
    for question, answer in _calls(seen):
        if "result" in answer:
            assert answer["id"] == question["id"]
            jsonschema.validate(question["params"], schemas.PARAMS[question["method"]])
            jsonschema.validate(answer["result"], schemas.RESULTS[question["method"]])
    if seen.path.startswith("/v0/webhooks"):
        if seen.method in ("POST", "PUT"):
            jsonschema.validate(seen.body, schemas.DRAFT)
        if seen.method == "PATCH":
            jsonschema.validate(seen.body, schemas.SWITCH)
        for webhook in seen.answer if isinstance(seen.answer, list) else [seen.answer]:
            jsonschema.validate(webhook, schemas.WEBHOOK)


def _calls(seen: Seen) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    if isinstance(seen.body, list):
        yield from zip(seen.body, seen.answer, strict=True)
    elif isinstance(seen.body, dict) and "method" in seen.body:
        yield seen.body, seen.answer


def test_every_question_and_every_answer_is_as_documented(
    fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = Chain("shapes").loss("ann", SOL)
    fake_helius.chain.land(trades)
    fake_helius.chain.page_size = 1
    signatures = [base58(trade.signature) for trade in trades]
    made = asked.webhooks.create(DRAFT)
    asked.webhooks.put(made.webhook_id, DRAFT)
    asked.webhooks.switch(made.webhook_id, active=False)
    assert not asked.webhooks.read_one(made.webhook_id).active
    assert asked.webhooks.list_all()[0].account_addresses == [ANN]
    asked.webhooks.delete(made.webhook_id)
    page = asked.rpc.transactions_of(ANN, EVERYTHING)
    asked.rpc.transactions_of(ANN, EVERYTHING._replace(token=page.pagination_token or ""))
    assert asked.rpc.finalized_slot() == fake_helius.chain.finalized
    asked.rpc.transaction(signatures[0])
    asked.rpc.transactions([*signatures, base58(b"\7" * 64)])
    asked.rpc.block_signatures(trades[0].slot)
    asked.rpc.statuses([*signatures, base58(b"\7" * 64)], least_slot=7)
    assert len(fake_helius.seen) == 13
    for seen in fake_helius.seen:
        check_documented(seen)


def test_what_goes_into_the_inbox_is_a_raw_body(fake_helius: FakeHelius, asked: Helius) -> None:
    fake_helius.chain.land(Chain("raw").loss("ann", SOL))
    page = asked.rpc.transactions_of(ANN, EVERYTHING)
    body = json.loads(walks.body_of(element_of(transaction) for transaction in page.data))
    jsonschema.validate(body, schemas.RAW_BODY)
    assert [element["indexWithinBlock"] for element in body] == [1, 2]


def test_it_waits_as_long_as_it_is_told(fake_helius: FakeHelius, asked: Helius) -> None:
    fake_helius.behaviour.faults = [Fault(429, retry_after="1")]
    began = time.monotonic()
    assert asked.rpc.finalized_slot() == fake_helius.chain.finalized
    assert time.monotonic() - began >= 1


def test_it_waits_until_the_time_it_is_told(fake_helius: FakeHelius, asked: Helius) -> None:
    until = datetime.now(UTC) + timedelta(seconds=2)
    fake_helius.behaviour.faults = [Fault(429, retry_after=format_datetime(until, usegmt=True))]
    asked.rpc.finalized_slot()
    assert datetime.now(UTC) >= until.replace(microsecond=0)


def test_a_burst_of_refusals_is_got_through(fake_helius: FakeHelius, asked: Helius) -> None:
    fake_helius.behaviour.faults = [Fault(429, retry_after="0"), Fault(503)]
    assert asked.rpc.finalized_slot() == fake_helius.chain.finalized


def test_it_gives_up_after_its_attempts(fake_helius: FakeHelius, asked: Helius) -> None:
    fake_helius.behaviour.faults = [Fault(500, body="down\nfor now")] * 5
    with pytest.raises(HeliusProblem, match="getSlot: 500 down for now"):
        asked.rpc.finalized_slot()
    assert len(fake_helius.behaviour.faults) == 5 - HASTY.attempts


def test_a_pause_that_is_too_long_is_left_to_the_caller(
    fake_helius: FakeHelius, asked: Helius
) -> None:
    fake_helius.behaviour.faults = [Fault(429, retry_after="3600")]
    with pytest.raises(HeliusProblem) as raised:
        asked.rpc.finalized_slot()
    assert (raised.value.status, raised.value.retry_after_seconds) == (429, 3600)


def test_a_slow_answer_is_asked_for_again(fake_helius: FakeHelius, asked: Helius) -> None:
    fake_helius.behaviour.faults = [Fault(wait_seconds=1)]
    assert asked.rpc.finalized_slot() == fake_helius.chain.finalized


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_end_is_not_read_to_its_end(
    fake_helius: FakeHelius, asked: Helius, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(caller, "ANSWER_BYTES_MAX", 100_000)
    fake_helius.behaviour.faults = [Fault(status, body=" " * 1_000_000)]
    with pytest.raises(HeliusProblem, match=f"getSlot: {status} more than 100000 bytes"):
        asked.rpc.finalized_slot()


def test_nobody_at_home_is_a_problem_like_any_other(
    fake_helius: FakeHelius, settings: Settings
) -> None:
    settings.HELIUS_RPC_URL = "http://127.0.0.1:9"
    with helius(HASTY) as asked, pytest.raises(HeliusProblem, match="no answer ConnectionError"):
        asked.rpc.finalized_slot()


def test_a_plain_no_is_not_asked_again(fake_helius: FakeHelius, asked: Helius) -> None:
    fake_helius.key = "another"
    with pytest.raises(HeliusProblem, match=r"list webhooks: 401 .*invalid api key"):
        asked.webhooks.list_all()
    assert len(fake_helius.seen) == 1


def test_the_key_is_in_no_log_and_no_error(
    fake_helius: FakeHelius,
    asked: Helius,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    fake_helius.behaviour.faults = [Fault(400, body=f"no such key: {KEY}")]
    with pytest.raises(HeliusProblem) as raised:
        asked.rpc.finalized_slot()
    asked.rpc.finalized_slot()
    settings.HELIUS_RPC_URL = "http://127.0.0.1:9"
    with helius(HASTY) as nowhere, pytest.raises(HeliusProblem) as unreachable:
        nowhere.rpc.finalized_slot()
    told = [repr(problem.value) + str(problem.value) for problem in (raised, unreachable)]
    assert KEY not in caplog.text + "".join(told)


def test_a_webhook_that_is_not_as_documented_tells_no_secret(
    fake_helius: FakeHelius, asked: Helius
) -> None:
    of_others = "secret-of-somebody-else"
    webhook = f'{{"webhookID":"7","authHeader":"{of_others}","webhookType":null}}'
    fake_helius.behaviour.faults = [Fault(200, body=f"[{webhook}]"), Fault(200, body=webhook)]
    with pytest.raises(
        HeliusProblem, match=r"Expected `str`, got `null` - at `\$\[0\].webhook"
    ) as one:
        asked.webhooks.list_all()
    with pytest.raises(HeliusProblem, match="Expected `str`, got `null`") as two:
        asked.webhooks.read_one("7")
    assert of_others not in f"{one.value!r} {two.value!r}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{{"error":"no","asked":{{"authHeader":"{secret}"}}}}'),
        (400, "{padding}{secret}"),
        (200, '{{"id":1,"error":{{"code":1,"message":"{padding}{secret}"}}}}'),
        (200, '{{"id":1,"result":"{secret} {key}"}}'),
        (200, "<html>{secret} {key}"),
    ],
)
def test_no_secret_of_ours_is_in_an_error_however_it_is_written(
    fake_helius: FakeHelius, asked: Helius, settings: Settings, status: int, body: str
) -> None:
    """Nor the half of one that stands where an excerpt ends."""
    settings.HELIUS_WEBHOOK_SECRETS = ['hush-"hush"', "the-one-before"]
    written = ('hush-\\"hush\\"', "the-one-before")
    fake_helius.behaviour.faults = [
        Fault(status, body=body.format(secret=secret, key=KEY, padding="-" * 195))
        for secret in written
    ]
    for _ in written:
        with pytest.raises(HeliusProblem) as raised:
            asked.rpc.finalized_slot()
        assert not any(part in repr(raised.value) for part in ("hush", "the-", KEY))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("<html>gateway</html>", "not the documented answer, .*<html>gateway"),
        ('{"jsonrpc":"2.0","id":1}', "neither a result nor an error"),
        ('{"id":1,"result":"452"}', "not the documented answer, Expected `int`, got `str`"),
        ('{"id":1,"error":{"code":-32005,"message":"behind"}}', "error -32005 behind"),
        ("", "not the documented answer"),
    ],
)
def test_an_answer_of_another_shape_is_named(
    fake_helius: FakeHelius, asked: Helius, answer: str, told: str
) -> None:
    fake_helius.behaviour.faults = [Fault(200, body=answer)]
    with pytest.raises(HeliusProblem, match=f"getSlot: 200 {told}"):
        asked.rpc.finalized_slot()


def test_one_bad_answer_of_a_batch_does_not_cost_the_others(
    fake_helius: FakeHelius, asked: Helius
) -> None:
    trades = Chain("batch").loss("ann", SOL)
    fake_helius.chain.land(trades)
    good, bad = (base58(trade.signature) for trade in trades)
    fake_helius.behaviour.fails = lambda rpc: rpc.params[:1] == [bad]
    found = asked.rpc.transactions([good, bad, base58(b"\7" * 64)])
    assert [each.transaction is not None for each in found.values()] == [True, False, False]
    assert [each.error for each in found.values()] == [
        "",
        "getTransaction: 200 error -32603 internal error",
        "",
    ]


def test_a_slot_without_a_block_has_no_signatures(fake_helius: FakeHelius, asked: Helius) -> None:
    assert asked.rpc.block_signatures(7) == []


def test_the_fake_forgets_what_a_put_leaves_out(fake_helius: FakeHelius, asked: Helius) -> None:
    made = asked.webhooks.create(DRAFT)
    part = {"webhookURL": DRAFT.webhook_url, "webhookType": "raw"}
    url = f"{fake_helius.url}/v0/webhooks/{made.webhook_id}"
    requests.put(url, params={"api-key": KEY}, json=part, timeout=5)
    left = asked.webhooks.read_one(made.webhook_id)
    assert (left.account_addresses, left.auth_header, left.txn_status) == ([], None, None)


def test_more_addresses_than_a_webhook_has_room_for_are_refused(
    fake_helius: FakeHelius, asked: Helius
) -> None:
    many = msgspec.structs.replace(DRAFT, account_addresses=[ANN] * 100_001)
    with pytest.raises(HeliusProblem, match=r"400 .*maximum of 100000 addresses"):
        asked.webhooks.create(many)


def test_a_webhook_that_does_not_exist_is_a_problem(asked: Helius) -> None:
    with pytest.raises(HeliusProblem, match="read webhook: 404"):
        asked.webhooks.read_one("00000000-0000-4000-8000-000000000000")
