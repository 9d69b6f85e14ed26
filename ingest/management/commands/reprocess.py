"""Puts deliveries back into the inbox; running workers book them, and what is booked stays."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from tqdm import tqdm

from ingest import operations
from ingest.queries import Selection, chosen


class Command(BaseCommand):
    """Chosen by id, time, state and kind of error; without a choice, all that was set aside."""

    help = (
        "Put deliveries back into the inbox: those that fulfil every condition given, or without "
        "any all that are set aside. Archived ones are brought back. Running workers book them; "
        "what is booked already changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The conditions."""
        add = parser.add_argument
        add("--id", type=int, action="append", default=[], metavar="N", help="again for more")
        add("--since", metavar="TIME", help="received then or later: 2026-11-24 or with T15:04[Z]")
        add("--until", metavar="TIME", help="received before then")
        add("--error-kind", default="", metavar="WORD", help="as the admin lists them")
        add("--state", choices=["set_aside", "processed"], help="default: set_aside, with --id any")
        add("--limit", type=int, metavar="N", help="the first so many")
        add("--dry-run", action="store_true", help="only say how many")

    def handle(self, *args: Any, limit: int | None, dry_run: bool, **options: Any) -> None:
        """Prints how many there were."""
        if limit is not None and limit < 1:
            raise CommandError(f"--limit must be 1 at least, not {limit}")
        found = chosen(selection_of(options))
        total = counted(found, limit)
        if dry_run:
            self.stdout.write(f"Deliveries that would be put back into the inbox: {total}.")
            return
        back = 0
        with tqdm(total=total, unit=" deliveries", disable=None) as bar:
            for count in operations.reprocess_all(found, limit=limit):
                back += count
                bar.update(count)
        self.stdout.write(f"Deliveries put back into the inbox: {back}.")


def selection_of(options: dict[str, Any]) -> Selection:
    """The conditions of the command line."""
    state = options["state"] or ("" if options["id"] else "set_aside")
    if state == "processed" and options["error_kind"]:
        raise CommandError("--error-kind: what was processed has no error")
    since, until = moment(options["since"], "--since"), moment(options["until"], "--until")
    return Selection(options["id"], since, until, options["error_kind"], state)


def moment(text: str | None, option: str) -> datetime | None:
    """A time in ISO 8601; in UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def counted(found: list[QuerySet[Any]], limit: int | None) -> int:
    """How many they are, the limit respected."""
    total = sum(each.count() for each in found)
    return total if limit is None else min(total, limit)
