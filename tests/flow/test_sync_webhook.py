"""The webhooks become what they should be, piece by piece, and are read back to be sure."""

from collections.abc import Sequence
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from ingest import backfills
from pnl import alarms
from pnl.models import Trader
from tests.flow.bodies import base58, wallet
from tests.flow.fake_helius import KEY, FakeHelius, Fault
from tests.flow.test_webhook_watchdog import register
from tests.flow.truth import Ask

SECRET = "secret-of-the-webhook"
CHOSEN = {
    "webhookURL": "https://losers.example/webhooks/helius/",
    "webhookType": "raw",
    "transactionTypes": ["ANY"],
    "txnStatus": "success",
    "authHeader": SECRET,
    "active": True,
}


def watch(*names: str) -> list[str]:
    """Let these wallets, and no others, be watched; their addresses."""
    Trader.objects.update(watched=False)
    ids = backfills.trader_ids([wallet(name) for name in names])
    Trader.objects.filter(pk__in=ids).update(watched=True)
    return [base58(wallet(name)) for name in names]


def sync(*arguments: str, code: int = 0) -> str:
    out = StringIO()
    if code:
        with pytest.raises(SystemExit, match=str(code)):
            call_command("sync_webhook", *arguments, stdout=out, stderr=out)
    else:
        call_command("sync_webhook", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def registered(fake: FakeHelius) -> list[list[str]]:
    """The addresses of every webhook, the longest list first."""
    lists = [sorted(webhook["accountAddresses"]) for webhook in fake.webhooks.values()]
    return sorted(lists, key=lambda addresses: (-len(addresses), addresses))


def homes(fake: FakeHelius) -> dict[str, str]:
    """In which webhook each address is."""
    found = fake.webhooks.items()
    return {address: key for key, webhook in found for address in webhook["accountAddresses"]}


def written(fake: FakeHelius) -> list[str]:
    return [seen.method for seen in fake.seen if seen.method != "GET"]


def test_the_first_sync_makes_the_webhook(ask: Ask, fake_helius: FakeHelius) -> None:
    addresses = watch("ann", "bob")
    told = sync("--yes")
    assert "a new webhook: +2 −0 addresses" in told
    assert "read back, as it should be" in told
    (webhook,) = fake_helius.webhooks.values()
    assert {name: webhook[name] for name in CHOSEN} == CHOSEN
    assert sorted(webhook["accountAddresses"]) == sorted(addresses)


def test_a_second_sync_changes_nothing(ask: Ask, fake_helius: FakeHelius) -> None:
    watch("ann", "bob")
    sync("--yes")
    assert "Nothing to change." in sync("--yes")
    assert written(fake_helius) == ["POST"]


def test_a_dry_run_shows_and_does_nothing(ask: Ask, fake_helius: FakeHelius) -> None:
    (ann,) = watch("ann")
    assert f"+ {ann}" in sync("--dry-run")
    assert fake_helius.webhooks == {}


@pytest.mark.parametrize(("typed", "applied"), [("y", True), ("n", False), ("", False)])
def test_it_asks_before_it_changes_anything(
    ask: Ask, fake_helius: FakeHelius, monkeypatch: pytest.MonkeyPatch, typed: str, applied: bool
) -> None:
    watch("ann")
    monkeypatch.setattr("builtins.input", lambda _prompt: typed)
    if applied:
        sync()
    else:
        with pytest.raises(CommandError, match="Nothing was changed"):
            sync()
    assert bool(fake_helius.webhooks) is applied


def test_a_put_keeps_every_field_and_shows_those_that_change(
    ask: Ask, fake_helius: FakeHelius
) -> None:
    ann, bob = watch("ann", "bob")
    old = base58(wallet("old"))
    webhook_id = register(
        fake_helius,
        [old, ann],
        webhookType="enhanced",
        transactionTypes=["SWAP"],
        authHeader="another-secret-of-old",
        encoding="jsonParsed",
    )
    told = sync("--yes")
    assert f"webhook {webhook_id}: +1 −1 addresses" in told
    assert f"+ {bob}" in told
    assert f"− {old}" in told
    assert "webhookType: enhanced → raw" in told
    assert "transactionTypes: SWAP → ANY" in told
    assert "txnStatus: all → success" in told
    assert "authHeader: another or none → the first of HELIUS_WEBHOOK_SECRETS" in told
    webhook = fake_helius.webhooks[webhook_id]
    assert {name: webhook[name] for name in CHOSEN} == CHOSEN
    assert webhook["encoding"] == "jsonParsed"
    assert sorted(webhook["accountAddresses"]) == sorted([ann, bob])


def test_no_secret_is_printed(ask: Ask, fake_helius: FakeHelius) -> None:
    watch("ann")
    register(fake_helius, [], authHeader="another-secret-of-old")
    told = sync("--yes")
    assert not [word for word in (SECRET, "another-secret-of-old", KEY) if word in told]


def test_many_addresses_are_spread_over_several_webhooks(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    settings.HELIUS_ADDRESSES_PER_WEBHOOK = 3
    names = [f"wallet {number}" for number in range(8)]
    addresses = watch(*names)
    sync("--yes")
    lists = registered(fake_helius)
    assert [len(each) for each in lists] == [3, 3, 2]
    assert sorted(address for each in lists for address in each) == sorted(addresses)
    watch(*names[1:], "late", "later")
    before = homes(fake_helius)
    sync("--yes")
    assert [len(each) for each in registered(fake_helius)] == [3, 3, 3]
    after = homes(fake_helius)
    assert {address: before[address] for address in addresses[1:]}.items() <= after.items()
    assert "PUT" in written(fake_helius)


def test_a_webhook_that_nothing_is_left_for_is_removed(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    settings.HELIUS_ADDRESSES_PER_WEBHOOK = 2
    watch("ann", "bob", "carl")
    sync("--yes")
    (kept,) = watch("ann")
    told = sync("--yes")
    assert "webhook: kept → deleted" in told
    assert registered(fake_helius) == [[kept]]


def test_the_webhooks_of_others_are_left_alone(ask: Ask, fake_helius: FakeHelius) -> None:
    foreign = register(fake_helius, ["x"], webhookURL="https://other.example/webhooks/helius/")
    before = dict(fake_helius.webhooks[foreign])
    watch("ann")
    sync("--yes")
    assert fake_helius.webhooks[foreign] == before
    assert len(fake_helius.webhooks) == 2


def test_addresses_that_helius_swallows_are_noticed(ask: Ask, fake_helius: FakeHelius) -> None:
    addresses = watch("ann", "bob", "carl")
    fake_helius.behaviour.registers_at_most = 2
    told = sync("--yes", code=1)
    assert "has left out 1 addresses" in told
    (alarm,) = alarms.standing()
    assert alarm.kind == "webhook_addresses"
    assert any(address in alarm.detail for address in addresses)
    fake_helius.behaviour.registers_at_most = None
    sync("--yes")
    assert alarms.standing() == []


def test_a_limit_that_helius_refuses_is_told(
    ask: Ask, fake_helius: FakeHelius, settings: Settings
) -> None:
    watch("ann")
    fake_helius.behaviour.faults = [Fault(), Fault(400, body="maximum exceeded")]
    with pytest.raises(CommandError, match="create webhook: 400 maximum exceeded"):
        sync("--yes")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"HELIUS_API_KEY": ""}, "HELIUS_API_KEY is not set"),
        ({"HELIUS_WEBHOOK_SECRETS": []}, "HELIUS_WEBHOOK_SECRETS is not set"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "http://losers.example"}, "PUBLIC_URL must be"),
        ({}, "No wallet is watched"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_asked(
    ask: Ask,
    fake_helius: FakeHelius,
    settings: Settings,
    changed: dict[str, Sequence[str]],
    told: str,
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match=told):
        sync("--yes")
    assert fake_helius.seen == []
