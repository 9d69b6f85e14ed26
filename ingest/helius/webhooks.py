"""The calls that list, make, change and switch webhooks; each costs 100 credits."""

import msgspec

from ingest.helius.caller import Caller, Request
from ingest.helius.shapes import Active, Webhook, WebhookDraft, read


class WebhookApi:
    """Helius' REST API of webhooks. Every call raises HeliusProblem when it fails."""

    def __init__(self, caller: Caller, url: str) -> None:
        self._caller = caller
        self._base = f"{url.rstrip('/')}/v0/webhooks"

    def list_all(self) -> list[Webhook]:
        """Every webhook of the key, those of others among them."""
        content = self._call("list webhooks", "GET", "")
        # Neither here nor below is any of it quoted: each webhook has its secret in it.
        return read("list webhooks", content, list[Webhook], quotes=False)

    def read_one(self, webhook_id: str) -> Webhook:
        """One webhook as Helius has it."""
        return self._webhook("read webhook", "GET", webhook_id)

    def create(self, draft: WebhookDraft) -> Webhook:
        """Make a webhook; it takes Helius up to a minute to begin."""
        return self._webhook("create webhook", "POST", "", msgspec.json.encode(draft))

    def put(self, webhook_id: str, draft: WebhookDraft) -> Webhook:
        """Replace a webhook whole."""
        return self._webhook("edit webhook", "PUT", webhook_id, msgspec.json.encode(draft))

    def switch(self, webhook_id: str, *, active: bool) -> None:
        """Switch a webhook on or off."""
        body = msgspec.json.encode(Active(active))
        self._call("switch webhook", "PATCH", webhook_id, body)

    def delete(self, webhook_id: str) -> None:
        """Remove a webhook."""
        self._call("delete webhook", "DELETE", webhook_id)

    def _webhook(
        self, call: str, method: str, webhook_id: str, body: bytes | None = None
    ) -> Webhook:
        content = self._call(call, method, webhook_id, body)
        return read(call, content, Webhook, quotes=False)

    def _call(self, call: str, method: str, webhook_id: str, body: bytes | None = None) -> bytes:
        base = f"{self._base}/{webhook_id}" if webhook_id else self._base
        return self._caller.call(Request(call, method, base, body))
