"""Fetches the transactions of enhanced deliveries as raw ones, with their place in the block."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from ingest import fetches, harvest, operations, queries
from ingest.fetches import Fetched
from ingest.helius.client import helius
from ingest.helius.pace import BRIEF
from ingest.helius.problems import HeliusProblem
from ingest.helius.rpc import BATCH_MAX, Rpc
from ingest.queries import Wanted

# Not final yet, most likely: the chain needs about 13 seconds for that.
UNKNOWN: Final = "no node knows such a finalized transaction"
# After about two hours it never will be: the chain has dropped it.
UNKNOWN_ATTEMPTS: Final = 10
_FORGOTTEN_MAX: Final = 10_000


def work(*, seconds: float) -> None:
    """Fetch what is due until nothing is or the time is up; the next call goes on.

    Forgets what was fetched as long ago as bodies are kept.
    """
    until = time.monotonic() + seconds
    with helius(BRIEF) as asked:
        while time.monotonic() < until and enrich(asked.rpc):
            pass
    operations.forget_enrichments(limit=_FORGOTTEN_MAX)


def enrich(rpc: Rpc) -> int:
    """Fetch one batch of what is due into the inbox; how many transactions were due."""
    wanted = queries.waiting_enrichments(BATCH_MAX)
    if wanted:
        _settle(wanted, _fetched(rpc, [each.signature for each in wanted]))
        operations.wake()
    return len(wanted)


def _fetched(rpc: Rpc, signatures: Sequence[str]) -> list[Fetched]:
    try:
        return fetches.fetch(rpc, signatures)
    except HeliusProblem as problem:
        return [Fetched(signature, None, str(problem)) for signature in signatures]


def _settle(wanted: Sequence[Wanted], fetched: Sequence[Fetched]) -> None:
    """Deliver what came and put back what did not, together."""
    with transaction.atomic():
        harvest.deliver([each.element for each in fetched if each.element is not None])
        operations.enriched([each.signature for each in fetched if each.element is not None])
        for each, asked in zip(fetched, wanted, strict=True):
            if each.element is None:
                _put_back(each, asked.attempts)


def _put_back(each: Fetched, attempts: int) -> None:
    """Later, again; a Helius that fails is asked for ever, one that knows nothing is not."""
    if each.is_unknown and attempts + 1 >= UNKNOWN_ATTEMPTS:
        operations.enrichment_unknown(each.signature, UNKNOWN)
        return
    later = timezone.now() + timedelta(seconds=harvest.pause_seconds(attempts))
    operations.enrichment_failed(each.signature, each.error or UNKNOWN, later)
