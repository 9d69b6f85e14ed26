"""Goes after what was never delivered: walks wallets' finalized transactions, or fetches a list."""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ingest import backfills, harvest, waiting
from ingest.helius.client import Helius, helius, is_configured
from ingest.helius.problems import HeliusProblem
from ingest.models import Backfill, BackfillSignature
from pnl.fields import ADDRESS_BYTES, SIGNATURE_BYTES, base58_bytes

_REASON_CHARACTERS: Final = 160


class BadLine(NamedTuple):
    """A line of the file that is no signature."""

    line: int
    reason: str


class Work(NamedTuple):
    """A run, the traders it walks, and whether every line of its file was good."""

    run: Backfill
    trader_ids: list[int]
    bad_lines: int = 0


class Command(BaseCommand):
    """Everything goes through the inbox; what fails stays queued; a second run goes on."""

    help = (
        "Fetch finalized transactions from Helius into the inbox, compare them with the ledger, "
        "and take back trades that the chain has dropped. Stopped or failed, it goes on where it "
        "was when it is run again, killed some minutes later; running workers go on with it, too. "
        "Exit code: 0, or 1 when lines were bad or something failed and stays queued."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose transactions, or which."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--trader", nargs="+", metavar="ADDRESS", help="these wallets")
        what.add_argument("--all", action="store_true", help="every watched wallet")
        what.add_argument("--signatures", type=Path, metavar="FILE",
            help="transactions by signature, one a line; # begins a comment")  # fmt: skip
        what.add_argument("--resume", action="store_true", help="only what is queued already")
        parser.add_argument("--from-slot", type=int, metavar="SLOT",
            help="begin here (default: a little below where the last walk ended, "
            "or HELIUS_HISTORY_DAYS ago)")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue, work the queue off, tell."""
        if not is_configured():
            raise CommandError("HELIUS_API_KEY is not set.")
        try:
            with helius() as asked:
                # A wrong key or a wrong URL is told at once, and not once a page.
                asked.rpc.finalized_slot()
                work = self._queue(options)
                self._work_off(asked, work)
        except HeliusProblem as problem:
            raise CommandError(f"Helius: {problem}") from problem
        if not self._tell(work) or work.bad_lines:
            sys.exit(1)

    def _queue(self, options: dict[str, Any]) -> Work:
        if options["signatures"] is not None:
            return self._queue_signatures(options["signatures"])
        if options["resume"]:
            return Work(backfills.start_queued("resumed by hand"), waiting.queued_trader_ids())
        if options["all"]:
            scope, ids = "all watched wallets", waiting.watched_ids()
            if not ids:
                raise CommandError("No wallet is watched: mark traders as watched in the admin.")
        else:
            scope, ids = f"{len(options['trader'])} wallets", _trader_ids(options["trader"])
        run = backfills.start(scope, ids, from_slot=options["from_slot"])
        return Work(run, ids)

    def _queue_signatures(self, path: Path) -> Work:
        try:
            lines = list(_lines(path))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error}") from error
        bad = [line for line in lines if isinstance(line, BadLine)]
        for line in bad:
            self.stderr.write(f"line {line.line}: {line.reason}")
        signatures = [line for line in lines if isinstance(line, str)]
        return Work(backfills.start_signatures(path.name, signatures), [], len(bad))

    def _work_off(self, asked: Helius, work: Work) -> None:
        """Until nothing is due; the bar counts wallets and signatures that are done."""
        total = _open(work)
        with tqdm(total=total, unit=" done", disable=None) as bar:
            while harvest.step(asked, work.trader_ids):
                bar.update(max(0, total - _open(work) - bar.n))
                bar.set_postfix(_progress(work.run))
        harvest.finish()

    def _tell(self, work: Work) -> bool:
        """What came of it, and whether nothing is left."""
        run = Backfill.objects.get(pk=work.run.pk)
        self.stdout.write(
            f"{run.pages} pages, {run.transactions} transactions, {run.gaps} of them missing "
            f"before, {run.dropped} dropped by the chain, {run.unknown} unknown to it, "
            f"{run.conflicts} at another place than in the ledger."
        )
        for unknown in BackfillSignature.objects.filter(backfill=run, is_unknown=True):
            self.stderr.write(f"unknown: {unknown}")
        left = waiting.left_of(run.pk, work.trader_ids)
        if left.pages or left.signatures:
            self.stderr.write(
                f"{left.pages} wallets and {left.signatures} signatures are still queued "
                f"({left.failed} of them failed, last: {run.error or 'being fetched elsewhere'}). "
                "Running workers try again; so does this command."
            )
        return not (left.pages or left.signatures)


def _open(work: Work) -> int:
    left = waiting.left_of(work.run.pk, work.trader_ids)
    return left.pages + left.signatures


def _progress(run: Backfill) -> dict[str, int]:
    names = ("pages", "transactions", "gaps", "failed_pages")
    found: dict[str, int] = Backfill.objects.filter(pk=run.pk).values(*names).get()
    return found


def _trader_ids(addresses: Collection[str]) -> list[int]:
    """The ids of wallets by address, new ones interned. Raises CommandError naming a bad one."""
    try:
        keys = {base58_bytes(address, ADDRESS_BYTES) for address in addresses}
    except ValueError as error:
        raise CommandError(f"--trader: {error}") from error
    return backfills.trader_ids(keys)


def _lines(path: Path) -> Iterator[str | BadLine]:
    """Signatures, and the lines that are none; blank lines and comments are passed over."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        try:
            base58_bytes(line, SIGNATURE_BYTES)
        except ValueError as error:
            yield BadLine(number, str(error)[:_REASON_CHARACTERS])
        else:
            yield line
