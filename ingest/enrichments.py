"""Fetches the transactions of enhanced deliveries as raw ones, with their place in the block."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from django.db import transaction
from django.utils import timezone

from ingest import fetches, harvest
from ingest.fetches import Fetched
from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import BATCH_MAX, Rpc

# Not final yet, most likely: the chain needs about 13 seconds for that.
_PAUSE: Final = timedelta(seconds=60)
UNKNOWN: Final = "no node knows such a finalized transaction"


class Enrichments(Protocol):
    """A queue of signatures whose transactions came without logs, balances and place."""

    def waiting(self, limit: int) -> Sequence[str]:
        """Signatures that are due, base58; those that have waited longest first."""

    def enriched(self, signatures: Collection[str]) -> object:
        """These have been delivered as raw transactions."""

    def failed(self, signature: str, error: str, not_before: datetime) -> object:
        """The signature is to be asked for again, and when."""


def enrich(rpc: Rpc, queue: Enrichments) -> int:
    """Fetch one batch of what is due into the inbox; how many signatures were due."""
    signatures = queue.waiting(BATCH_MAX)
    if signatures:
        with transaction.atomic():
            _settle(queue, _fetched(rpc, signatures))
    return len(signatures)


def _fetched(rpc: Rpc, signatures: Sequence[str]) -> list[Fetched]:
    try:
        return fetches.fetch(rpc, signatures)
    except HeliusProblem as problem:
        return [Fetched(signature, None, str(problem)) for signature in signatures]


def _settle(queue: Enrichments, fetched: Sequence[Fetched]) -> None:
    """Deliver what came and put back what did not, together."""
    elements = [each.element for each in fetched if each.element is not None]
    harvest.deliver(elements)
    queue.enriched([each.signature for each in fetched if each.element is not None])
    for each in fetched:
        if each.element is None:
            queue.failed(each.signature, each.error or UNKNOWN, timezone.now() + _PAUSE)
