"""Plays a simulated market through the real webhook door, or into a file of bodies."""

import gzip
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ingest.courier import Courier, SecretRefused, paced
from ingest.market.deliveries import Delivery, Harm, deliver
from ingest.market.dice import dice
from ingest.market.exchange import Transaction
from ingest.market.market import Market

_DOOR: Final = "http://127.0.0.1:8000/webhooks/helius/"
_DAY_MS: Final = 86_400_000
# A sender that has fallen this far behind lets the market's clock catch up.
_LAG_MS: Final = 3_000


class Act(NamedTuple):
    """A part of the play: a rate, and when it ends (market time, or after so many trades)."""

    rate: float
    until_ms: int | None
    trades: int | None
    live: bool


class Tally:
    """What was delivered, for the progress bar and the last line."""

    def __init__(self, total: int | None) -> None:
        self.deliveries = self.transactions = self.trades = self.duplicates = self.late = 0
        self._bar = tqdm(total=total, unit=" trades", disable=not sys.stderr.isatty())

    def count(self, delivery: Delivery) -> None:
        """Add one body."""
        self.deliveries += 1
        self.duplicates += delivery.duplicate
        self.transactions += delivery.transactions
        self.late += 0 if delivery.duplicate else delivery.late
        self.trades += delivery.trades
        self._bar.update(0 if delivery.duplicate else delivery.trades)

    def line(self, statuses: Iterable[tuple[int, int]] = ()) -> str:
        """The one line that says everything."""
        self._bar.close()
        parts = [
            f"{self.deliveries} deliveries, {self.transactions} transactions, "
            f"{self.trades} trades, {self.duplicates} duplicates, {self.late} reordered"
        ]
        parts += [f"{status or 'no answer'}: {count}" for status, count in sorted(statuses)]
        return ", ".join(parts)


class Command(BaseCommand):
    """Creations, trades, graduations, failures: bodies as Helius sends them."""

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, how fast, how much, how badly ordered."""
        add = parser.add_argument
        add("--url", default=_DOOR, help="the webhook door")
        add("--secret", help="the Authorization header; default: the first known secret")
        add("--out", type=Path, metavar="FILE", help="write .jsonl or .jsonl.gz, a body a line")
        add("--rate", type=float, default=20.0, help="trades a second")
        add("--seed", type=int, default=1)
        add("--traders", type=int, default=20_000, help="how many wallets there are to meet")
        add("--tokens", type=int, default=20_000, help="how many tokens there can be")
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--trades", type=int, metavar="N", help="stop after so many trades")
        length.add_argument("--forever", action="store_true")
        add("--duplicates", type=float, default=0.05, help="share of bodies delivered twice")
        add("--reorder", type=float, default=0.1, help="share of transactions delivered late")
        add("--threads", type=int, default=4, help="bodies under way at once")
        add("--batch", type=int, default=1, metavar="N", help="most transactions in a body")
        add("--history-trades", type=int, default=0, metavar="N", help="about so many beforehand")
        add("--history-days", type=float, default=30.0, metavar="D", help="and over how many days")
        add("--history-marker", type=Path, metavar="PATH", help="made after the history; if it "
            "is there already, the history is left out")  # fmt: skip
        add("--start", type=int, metavar="UNIX_SECONDS", help="when the live part begins; "
            "for a file (default: now)")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the market to the end, or until Ctrl-C."""
        _check(options)
        show = _Show(options)
        if options["out"]:
            self.stdout.write(show.write(options["out"]))
            return
        secret = options["secret"] or settings.HELIUS_WEBHOOK_SECRETS[0]
        try:
            with closing(Courier(options["url"], secret, threads=options["threads"])) as courier:
                self.stdout.write(show.post(courier))
        except SecretRefused as refused:
            raise CommandError(str(refused)) from refused


def _check(options: dict[str, Any]) -> None:
    if not (options["trades"] or options["forever"] or options["history_trades"]):
        raise CommandError("say how long: --trades N, --forever, or only --history-trades N")
    if options["forever"] and options["out"]:
        raise CommandError("a file cannot be written for ever: use --trades")
    if options["start"] and not options["out"]:
        raise CommandError("--start is for files: a live market plays now")
    if options["rate"] <= 0 or options["batch"] < 1:
        raise CommandError("--rate and --batch must be above 0")
    for share in ("duplicates", "reorder"):
        if not 0 <= options[share] <= 1:
            raise CommandError(f"--{share} is a share between 0 and 1")


class _Show:
    """One market and how it is delivered."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._marker: Path | None = options["history_marker"]
        live_ms = (options["start"] or int(time.time())) * 1_000
        self._live_ms = live_ms
        self._acts = list(_acts(options, live_ms))
        past = any(not act.live for act in self._acts)
        begin_ms = live_ms - past * int(options["history_days"] * _DAY_MS)
        # A market without end is another one each time, or today's signatures were yesterday's.
        salt = str(live_ms) if options["forever"] else ""
        self._market = Market(
            options["seed"], options["traders"], options["tokens"], begin_ms, salt
        )
        self._dice = dice(options["seed"], salt, "deliveries")
        total = (options["trades"] or 0) + past * options["history_trades"]
        self._tally = Tally(None if options["forever"] else total)

    def write(self, path: Path) -> str:
        """Every body a line of the file."""
        with _opened(path) as lines, suppress(KeyboardInterrupt):
            for act in self._acts:
                self._market.jump(self._live_ms if act.live else 0)
                for delivery in self._deliveries(act):
                    lines.write(delivery.body + b"\n")
                    self._tally.count(delivery)
        return self._tally.line()

    def post(self, courier: Courier) -> str:
        """Every body through the door, at its time."""
        with suppress(KeyboardInterrupt):
            for act in self._acts:
                if act.live:
                    self._market.jump(int(time.time() * 1_000))
                courier.carry(paced(self._timed(act)))
                if not act.live and self._marker is not None:
                    self._marker.parent.mkdir(parents=True, exist_ok=True)
                    self._marker.touch()
        return self._tally.line(courier.statuses.items())

    def _timed(self, act: Act) -> Iterator[tuple[float, bytes]]:
        for delivery in self._deliveries(act):
            yield delivery.due_ms / 1_000 if act.live else 0.0, delivery.body
            # Asked for the next one: this one is on its way.
            self._tally.count(delivery)

    def _deliveries(self, act: Act) -> Iterator[Delivery]:
        options = self._options
        harm = Harm(options["duplicates"], options["reorder"], options["batch"])
        return deliver(self._played(act), harm, self._dice)

    def _played(self, act: Act) -> Iterator[Transaction]:
        trades = 0
        posting = act.live and not self._options["out"]
        for transaction in self._market.play(act.rate, act.until_ms):
            yield transaction
            trades += len(transaction.trades)
            if act.trades is not None and trades >= act.trades:
                return
            now_ms = int(time.time() * 1_000)
            if posting and now_ms - self._market.time_ms > _LAG_MS:
                self._market.jump(now_ms)


def _opened(path: Path) -> BinaryIO:
    if path.suffix != ".gz":
        return path.open("wb")
    # No time in the header: the same market is the same file.
    return cast(BinaryIO, gzip.GzipFile(path, "wb", compresslevel=3, mtime=0))


def _acts(options: dict[str, Any], live_ms: int) -> Iterator[Act]:
    marker, count = options["history_marker"], options["history_trades"]
    if count and not (marker is not None and marker.exists()):
        rate = count / (options["history_days"] * _DAY_MS / 1_000)
        yield Act(rate, live_ms, None, live=False)
    if options["trades"] or options["forever"]:
        yield Act(options["rate"], None, options["trades"], live=True)
