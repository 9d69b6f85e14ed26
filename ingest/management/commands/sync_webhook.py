"""Makes the webhooks at Helius what they should be, and checks that they are."""

import sys
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest import waiting, webhooks
from ingest.helius.client import Helius, helius, is_configured
from ingest.helius.problems import HeliusProblem
from ingest.webhooks import Applied, Change

_EXAMPLES: Final = 5


class Command(BaseCommand):
    """Shows what would change, asks, applies, and reads every webhook again."""

    help = (
        "Register the watched wallets with webhooks of type raw that post successful transactions "
        "to PUBLIC_URL/webhooks/helius/. Exit code: 0 when Helius has what it should have, else 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to ask, and whether to do anything."""
        parser.add_argument("--yes", action="store_true", help="apply without asking")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")

    def handle(self, *args: Any, yes: bool, dry_run: bool, **options: Any) -> None:
        """Compare, show, ask, apply, compare again."""
        _check()
        try:
            with helius() as asked:
                right = self._sync(asked, yes=yes, dry_run=dry_run)
        except HeliusProblem as problem:
            raise CommandError(f"Helius: {problem}") from problem
        if not right:
            sys.exit(1)

    def _sync(self, asked: Helius, *, yes: bool, dry_run: bool) -> bool:
        changes = webhooks.plan(asked)
        for change in changes:
            self._show(change)
        if not changes:
            self.stdout.write("Nothing to change.")
        if dry_run:
            return True
        if changes and not (yes or _confirmed()):
            raise CommandError("Nothing was changed.")
        applied = [webhooks.apply(asked, change) for change in changes]
        exact = [self._is_exact(each) for each in applied]
        return self._ends_right(asked) and all(exact)

    def _show(self, change: Change) -> None:
        name = "a new webhook" if change.webhook is None else f"webhook {change.webhook.webhook_id}"
        self.stdout.write(f"{name}: +{len(change.added):,} −{len(change.removed):,} addresses")
        for sign, addresses in (("+", change.added), ("−", change.removed)):
            for address in addresses[:_EXAMPLES]:
                self.stdout.write(f"  {sign} {address}")
            if len(addresses) > _EXAMPLES:
                self.stdout.write(f"  {sign} … {len(addresses) - _EXAMPLES:,} more")
        for field in change.fields:
            self.stdout.write(f"  {field.name}: {field.before} → {field.after}")

    def _is_exact(self, applied: Applied) -> bool:
        if not (applied.missing or applied.unwanted):
            self.stdout.write(f"webhook {applied.webhook_id}: read back, as it should be.")
            return True
        self.stderr.write(
            f"webhook {applied.webhook_id}: Helius answered yes and has left out "
            f"{len(applied.missing):,} addresses and kept {len(applied.unwanted):,} unwanted ones"
        )
        return False

    def _ends_right(self, asked: Helius) -> bool:
        missing, unwanted = webhooks.report_drift(asked)
        if missing or unwanted:
            self.stderr.write(webhooks.drift_sentence(missing, unwanted))
            return False
        return True


def _check() -> None:
    """Refuse what Helius would refuse, and what would empty every webhook."""
    if not is_configured():
        raise CommandError("HELIUS_API_KEY is not set.")
    if not settings.HELIUS_WEBHOOK_SECRETS:
        raise CommandError("HELIUS_WEBHOOK_SECRETS is not set: anybody could post.")
    url = urlsplit(settings.PUBLIC_URL)
    if url.scheme != "https" or not url.hostname:
        raise CommandError(
            f"PUBLIC_URL must be where Helius reaches this site, https://your.host, "
            f"not {settings.PUBLIC_URL!r}."
        )
    if not waiting.watched().exists():
        raise CommandError("No wallet is watched: mark traders as watched in the admin first.")


def _confirmed() -> bool:
    try:
        return input("Apply? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
