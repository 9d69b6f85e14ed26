"""What goes wrong between Helius and us, in a sentence that holds no key and no secret."""

import json
from typing import Final
from urllib.parse import quote

from django.conf import settings

EXCERPT_CHARACTERS: Final = 200


class HeliusProblem(Exception):
    """A call that brought nothing, after every attempt.

    `status` is the HTTP status, 0 if nobody answered; `retry_after_seconds` is how long Helius
    asked to be left alone, if it did.
    """

    def __init__(
        self, call: str, status: int, reason: str, *, retry_after_seconds: float | None = None
    ) -> None:
        self.call = call
        self.status = status
        self.reason = _clean(reason)
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{call}: {status or 'no answer'} {self.reason}")


def excerpt(content: bytes) -> str:
    """The first characters of an answer, on one line."""
    # Cleaned before it is cut: half a secret would not be found.
    text = " ".join(_clean(content.decode(errors="replace")).split())
    return text[:EXCERPT_CHARACTERS] or "(empty)"


def _clean(text: str) -> str:
    """The text without our key and the webhooks' secrets, as they are or as JSON or a URL has them.

    An answer may repeat what it was asked with, and errors end in logs and alarms.
    """
    secrets = filter(None, (settings.HELIUS_API_KEY, *settings.HELIUS_WEBHOOK_SECRETS))
    written = {form for each in secrets for form in (each, json.dumps(each)[1:-1], quote(each, ""))}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, "…")
    return text
