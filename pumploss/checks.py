"""System checks: a configuration that cannot work has an id and a hint."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from ingest import price_source

SECRET_LEAST_CHARACTERS = 16
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@register(Tags.security)
def webhook_secrets(**_: Any) -> list[CheckMessage]:
    """The door needs a secret, or two while one is being replaced, and none to be guessed."""
    secrets = settings.HELIUS_WEBHOOK_SECRETS
    if not secrets:
        hint = "Set HELIUS_WEBHOOK_SECRETS to the authHeader of the webhook at Helius."
        return [Warning("No webhook secret: every delivery is refused.", hint, id="pumploss.W001")]
    if len(secrets) > 2:
        hint = "Keep the old one and the new one while rotating, then drop the old one."
        return [Error("More than two webhook secrets are valid.", hint, id="pumploss.E001")]
    if any(len(secret) < SECRET_LEAST_CHARACTERS for secret in secrets):
        hint = f"Use at least {SECRET_LEAST_CHARACTERS} random characters."
        return [Error("A webhook secret is too short.", hint, id="pumploss.E002")]
    return []


@register()
def price_source_url(**_: Any) -> list[CheckMessage]:
    """Prices of SOL are asked for by a URL that says from when to when, or not at all."""
    if not settings.SOL_PRICE_URL:
        return []
    hint = "See SOL_PRICE_URL in README.md, or leave it empty."
    problems = price_source.problems_of(settings.SOL_PRICE_URL)
    return [Error(f"SOL_PRICE_URL: {problem}.", hint, id="pumploss.E003") for problem in problems]


@register(Tags.security)
def helius_access(**_: Any) -> list[CheckMessage]:
    """Completeness needs a key to ask with, and the URL under which our webhooks are ours."""
    key, url = settings.HELIUS_API_KEY, urlsplit(settings.PUBLIC_URL)
    if settings.PUBLIC_URL and (url.scheme != "https" or not url.hostname or url.path):
        hint = "Set PUBLIC_URL to https://your.host: Helius posts to no other kind of address."
        return [Error("PUBLIC_URL is not an https:// address.", hint, id="pumploss.E004")]
    if key and not settings.PUBLIC_URL:
        hint = "Set PUBLIC_URL to https://your.host, or the webhooks cannot be looked after."
        return [Warning("HELIUS_API_KEY is set, PUBLIC_URL is not.", hint, id="pumploss.W003")]
    if settings.PUBLIC_URL and not key:
        hint = "Set HELIUS_API_KEY: what Helius never delivers is found by asking."
        return [Warning("Gaps are not looked for.", hint, id="pumploss.W002")]
    return [*_plain_http("HELIUS_API_URL"), *_plain_http("HELIUS_RPC_URL")]


def _plain_http(name: str) -> list[CheckMessage]:
    """The key travels in the URL: only to this machine without encryption."""
    url = urlsplit(getattr(settings, name))
    if url.scheme == "https" or url.hostname in LOCAL_HOSTS:
        return []
    return [Error(f"{name} is not an https:// address.", id="pumploss.E005")]
