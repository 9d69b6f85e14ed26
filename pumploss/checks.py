"""System checks: a configuration that cannot work has an id and a hint."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from ingest import price_source

SECRET_LEAST_CHARACTERS = 16


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
