"""Alarms: what somebody must look at, kept until it is over, seen by staff, status and metrics."""

import logging

from django.db.models import F
from django.db.models.functions import Now

from pnl.models import Alarm

log = logging.getLogger(__name__)

DETAIL_CHARACTERS = 500


def sound(kind: str, detail: str) -> None:
    """Begin an alarm, or count and refresh one that stands; only its beginning is logged loudly.

    `kind` is a stable word, such as `webhook_disabled`; `detail` is a sentence for whoever looks.
    """
    detail = detail[:DETAIL_CHARACTERS]
    _, begins = Alarm.objects.get_or_create(kind=kind, defaults={"detail": detail})
    if begins:
        log.error("Alarm %s: %s", kind, detail)
        return
    Alarm.objects.filter(kind=kind).update(detail=detail, times=F("times") + 1, last_at=Now())


def clear(kind: str) -> None:
    """End an alarm, if it stands."""
    ended, _ = Alarm.objects.filter(kind=kind).delete()
    if ended:
        log.warning("Alarm %s is over.", kind)


def standing() -> list[Alarm]:
    """The alarms that stand, the oldest first."""
    return list(Alarm.objects.order_by("since", "kind"))
