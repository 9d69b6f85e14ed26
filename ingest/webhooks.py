"""Keeps our webhooks at Helius as they should be: one wanted state, compared, applied, read back.

Ours are those that post to our URL. Addresses stay in the webhook they are in; what is new fills
the room that is left, and then new webhooks.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from django.conf import settings
from msgspec import UNSET

from ingest import waiting
from ingest.helius.client import Helius
from ingest.helius.shapes import ANY, WEBHOOK_TYPE, Webhook, WebhookDraft
from pnl import alarms

PATH: Final = "/webhooks/helius/"
DRIFT: Final = "webhook_addresses"
_EXAMPLES: Final = 3


class FieldChange(NamedTuple):
    """A field that is not as it should be; a secret's values are left out."""

    name: str
    before: str
    after: str


class Change(NamedTuple):
    """What is to be done to one webhook: made if there is none, removed if it has no addresses."""

    webhook: Webhook | None
    draft: WebhookDraft | None
    added: list[str]
    removed: list[str]
    fields: list[FieldChange]

    @property
    def is_needed(self) -> bool:
        """Whether Helius must be told at all."""
        return bool(self.added or self.removed or self.fields)


class Applied(NamedTuple):
    """One change that was made, and what Helius has of its addresses: both empty is right."""

    webhook_id: str
    missing: list[str]
    unwanted: list[str]


def webhook_url() -> str:
    """Where Helius is to post."""
    return f"{settings.PUBLIC_URL}{PATH}"


def ours(helius: Helius) -> list[Webhook]:
    """The webhooks that post to us, in a lasting order."""
    url = webhook_url().rstrip("/")
    found = [each for each in helius.webhooks.list_all() if each.webhook_url.rstrip("/") == url]
    return sorted(found, key=lambda webhook: webhook.webhook_id)


def drift(webhooks: Collection[Webhook]) -> tuple[list[str], list[str]]:
    """Watched addresses that no webhook has, and addresses of webhooks that nobody watches."""
    wanted = set(waiting.watched_addresses())
    registered = {address for webhook in webhooks for address in webhook.account_addresses}
    return sorted(wanted - registered), sorted(registered - wanted)


def drift_sentence(missing: Sequence[str], unwanted: Sequence[str]) -> str:
    """The drift as an alarm tells it."""
    return (
        f"{len(missing)} watched wallets are not registered{_such_as(missing)}, "
        f"{len(unwanted)} registered ones are not watched{_such_as(unwanted)}. "
        "Run manage.py sync_webhook."
    )


def plan(helius: Helius) -> list[Change]:
    """What must be done so that every watched address is registered once."""
    wanted = waiting.watched_addresses()
    webhooks = ours(helius)
    shares = list(_shares(webhooks, wanted))
    spare = [*webhooks, *[None] * (len(shares) - len(webhooks))]
    changes = [_change(webhook, share) for webhook, share in zip(spare, shares, strict=True)]
    return [change for change in changes if change.is_needed]


def apply(helius: Helius, change: Change) -> Applied:
    """Tell Helius, read the webhook again and compare: a 200 does not mean that it listened."""
    match change:
        case Change(webhook=None, draft=WebhookDraft() as draft):
            return _compared(helius, helius.webhooks.create(draft).webhook_id, draft)
        case Change(webhook=Webhook() as webhook, draft=WebhookDraft() as draft):
            helius.webhooks.put(webhook.webhook_id, draft)
            return _compared(helius, webhook.webhook_id, draft)
        case Change(webhook=Webhook() as webhook):
            return _removed(helius, webhook)
    raise ValueError("a change of no webhook into none")


def report_drift(helius: Helius) -> tuple[list[str], list[str]]:
    """Compare all that is registered with what is watched; sound or end the alarm about it."""
    missing, unwanted = drift(ours(helius))
    if missing or unwanted:
        alarms.sound(DRIFT, drift_sentence(missing, unwanted))
    else:
        alarms.clear(DRIFT)
    return missing, unwanted


def _compared(helius: Helius, webhook_id: str, draft: WebhookDraft) -> Applied:
    registered = set(helius.webhooks.read_one(webhook_id).account_addresses)
    wanted = set(draft.account_addresses)
    return Applied(webhook_id, sorted(wanted - registered), sorted(registered - wanted))


def _removed(helius: Helius, webhook: Webhook) -> Applied:
    helius.webhooks.delete(webhook.webhook_id)
    is_left = any(each.webhook_id == webhook.webhook_id for each in helius.webhooks.list_all())
    return Applied(webhook.webhook_id, [], webhook.account_addresses if is_left else [])


def _shares(webhooks: Sequence[Webhook], wanted: Sequence[str]) -> Iterator[list[str]]:
    """The addresses of each webhook, then those of new ones."""
    room = settings.HELIUS_ADDRESSES_PER_WEBHOOK
    left = dict.fromkeys(wanted)
    kept = []
    for webhook in webhooks:
        mine = [each for each in dict.fromkeys(webhook.account_addresses) if each in left][:room]
        for address in mine:
            del left[address]
        kept.append(mine)
    rest = list(left)
    for mine in kept:
        more, rest = rest[: room - len(mine)], rest[room - len(mine) :]
        yield [*mine, *more]
    yield from (rest[at : at + room] for at in range(0, len(rest), room))


def _change(webhook: Webhook | None, share: list[str]) -> Change:
    registered = set() if webhook is None else set(webhook.account_addresses)
    added, removed = sorted(set(share) - registered), sorted(registered - set(share))
    if not share:
        return Change(webhook, None, added, removed, [FieldChange("webhook", "kept", "deleted")])
    draft = WebhookDraft(
        webhook_url=webhook_url(),
        account_addresses=share,
        auth_header=settings.HELIUS_WEBHOOK_SECRETS[0],
        # Whoever chose an encoding meant it, and the decoder reads them all.
        encoding=UNSET if webhook is None or not webhook.encoding else webhook.encoding,
    )
    return Change(webhook, draft, added, removed, list(_field_changes(webhook, draft)))


def _field_changes(webhook: Webhook | None, draft: WebhookDraft) -> Iterator[FieldChange]:
    if webhook is None:
        return
    if webhook.webhook_url != draft.webhook_url:
        yield FieldChange("webhookURL", webhook.webhook_url, draft.webhook_url)
    if webhook.webhook_type != draft.webhook_type:
        yield FieldChange("webhookType", webhook.webhook_type, WEBHOOK_TYPE)
    # Raw webhooks ignore the types; a webhook that was of another type must lose its own.
    if webhook.transaction_types not in ([], [ANY]):
        yield FieldChange("transactionTypes", ", ".join(webhook.transaction_types), ANY)
    if (webhook.txn_status or "all") != draft.txn_status:
        yield FieldChange("txnStatus", webhook.txn_status or "all", draft.txn_status)
    if webhook.auth_header != draft.auth_header:
        yield FieldChange("authHeader", "another or none", "the first of HELIUS_WEBHOOK_SECRETS")


def _such_as(addresses: Sequence[str]) -> str:
    return f" (such as {', '.join(addresses[:_EXAMPLES])})" if addresses else ""
