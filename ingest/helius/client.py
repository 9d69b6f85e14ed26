"""One door to Helius, as the settings describe it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings

from ingest.helius.caller import Caller
from ingest.helius.pace import Patience, TokenBucket
from ingest.helius.rpc import Rpc
from ingest.helius.webhooks import WebhookApi


class Helius:
    """Both APIs over one session."""

    def __init__(self, caller: Caller, *, api_url: str, rpc_url: str) -> None:
        self.webhooks = WebhookApi(caller, api_url)
        self.rpc = Rpc(caller, rpc_url)


def is_configured() -> bool:
    """Whether there is a key to ask with."""
    return bool(settings.HELIUS_API_KEY)


@contextmanager
def helius(patience: Patience | None = None) -> Iterator[Helius]:
    """Helius, for as long as the block lasts."""
    bucket = _bucket(settings.HELIUS_REQUESTS_PER_SECOND)
    caller = Caller(settings.HELIUS_API_KEY, bucket, patience or Patience())
    try:
        yield Helius(caller, api_url=settings.HELIUS_API_URL, rpc_url=settings.HELIUS_RPC_URL)
    finally:
        caller.close()


@cache
def _bucket(per_second: int) -> TokenBucket:
    """The plan's limit is one for the whole process."""
    return TokenBucket(per_second)
