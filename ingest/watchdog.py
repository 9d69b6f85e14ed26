"""Looks after the webhooks: switches them on again, and alarms about what it cannot mend.

Helius switches a webhook off when our door fails too often, and tells nobody.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.utils import timezone

from ingest import backfills, queries, webhooks
from ingest.helius.client import Helius, helius
from ingest.helius.pace import BRIEF
from ingest.helius.problems import HeliusProblem
from ingest.helius.shapes import Webhook
from ingest.models import Hearing
from pnl import alarms

UNREACHABLE: Final = "helius_unreachable"
MISSING: Final = "webhook_missing"
DISABLED: Final = "webhook_disabled"
SILENT: Final = "webhook_silent"


class _Tried(NamedTuple):
    """What became of switching one webhook on."""

    may_be_on: bool
    problem: HeliusProblem | None


def watch() -> None:
    """One look at our webhooks: on, complete, and bringing something. Costs 100 credits."""
    if not settings.PUBLIC_URL:
        alarms.sound(MISSING, "PUBLIC_URL is not set: nobody knows which webhooks are ours.")
        return
    try:
        with helius(BRIEF) as asked:
            _look(asked)
    except HeliusProblem as problem:
        alarms.sound(UNREACHABLE, f"The webhooks cannot be looked after: {problem}")
        return
    alarms.clear(UNREACHABLE)


def _look(asked: Helius) -> None:
    found = webhooks.ours(asked)
    if not found:
        alarms.sound(MISSING, f"No webhook posts to {webhooks.webhook_url()}: run sync_webhook.")
        return
    alarms.clear(MISSING)
    _look_for_drift(found)
    _look_for_silence(found)
    _switch_on(asked, [webhook for webhook in found if not webhook.active])


def _switch_on(asked: Helius, off: Sequence[Webhook]) -> None:
    if not off:
        alarms.clear(DISABLED)
        return
    names = ", ".join(webhook.webhook_id for webhook in off)
    alarms.sound(DISABLED, f"Helius has switched off {names}; it is being switched on again.")
    tried = [_tried(asked, webhook) for webhook in off]
    # One that stays off is tried again at the next look; walking for it each time would cost.
    if any(each.may_be_on for each in tried):
        backfills.start_watched(
            "a webhook was switched off", after_seconds=backfills.SETTLING_SECONDS
        )
    for each in tried:
        if each.problem is not None:
            raise each.problem


def _tried(asked: Helius, webhook: Webhook) -> _Tried:
    """One that fails must not cost the walk for another."""
    is_told = False
    try:
        asked.webhooks.switch(webhook.webhook_id, active=True)
        is_told = True
        return _Tried(asked.webhooks.read_one(webhook.webhook_id).active, None)
    except HeliusProblem as problem:
        # If it is on, the next look finds nothing to walk for.
        return _Tried(is_told, problem)


def _look_for_drift(found: Sequence[Webhook]) -> None:
    missing, unwanted = webhooks.drift(found)
    if missing or unwanted:
        alarms.sound(webhooks.DRIFT, webhooks.drift_sentence(missing, unwanted))
    else:
        alarms.clear(webhooks.DRIFT)


def _look_for_silence(found: Sequence[Webhook]) -> None:
    """Active, and nothing comes: the walks are asked what there was, once a silence."""
    minutes = settings.HELIUS_SILENCE_MINUTES
    heard = _hear()
    silent = timezone.now() - (heard.heard_at or heard.since)
    is_meant = not minutes or not any(webhook.active for webhook in found)
    if is_meant or silent < timedelta(minutes=minutes):
        alarms.clear(SILENT)
        return
    begins = all(alarm.kind != SILENT for alarm in alarms.standing())
    last = f"{heard.heard_at:%Y-%m-%d %H:%M} UTC" if heard.heard_at else "never"
    alarms.sound(SILENT, f"No delivery for {minutes} minutes; the last one came: {last}.")
    if begins:
        backfills.start_watched("the webhooks are silent")


def _hear() -> Hearing:
    """Remember the last delivery: those of the inbox move on within minutes."""
    heard, _ = Hearing.objects.get_or_create(url=webhooks.webhook_url())
    last_at = queries.last_webhook_delivery_at()
    if last_at is not None and (heard.heard_at is None or heard.heard_at < last_at):
        heard.heard_at = last_at
        heard.save()
    return heard
