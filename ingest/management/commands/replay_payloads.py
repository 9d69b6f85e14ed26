"""Sends recorded payloads through the real webhook door and tells what became of each file."""

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ingest.courier import Courier, SecretRefused, Verdict

_DOOR: Final = "http://127.0.0.1:8000/webhooks/helius/"
_REASONS_SHOWN: Final = 5


class Command(BaseCommand):
    """Raw webhook bodies, RPC answers, or files with a body a line."""

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The files and the door."""
        parser.add_argument(
            "files",
            nargs="+",
            type=Path,
            metavar="FILE",
            help=".json: one body, an RPC answer is wrapped as one; .jsonl: a body a line; .gz too",
        )
        parser.add_argument("--url", default=_DOOR, help="the webhook door")
        parser.add_argument(
            "--secret", help="the Authorization header; default: the first known secret"
        )
        parser.add_argument("--rate", type=float, help="bodies a second; default: no limit")

    def handle(self, *args: Any, **options: Any) -> None:
        """Post every file; exit code 1 if any body was refused."""
        for path in options["files"]:
            if not path.is_file():
                raise CommandError(f"there is no file {path}")
        secret = options["secret"] or settings.HELIUS_WEBHOOK_SECRETS[0]
        files, rate = options["files"], options["rate"]
        try:
            with closing(Courier(options["url"], secret)) as courier:
                accepted = [self._replay(courier, path, rate) for path in files]
        except (SecretRefused, ValueError, OSError) as problem:
            raise CommandError(str(problem)) from problem
        if not all(accepted):
            sys.exit(1)

    def _replay(self, courier: Courier, path: Path, rate: float | None) -> bool:
        verdicts: Counter[Verdict] = Counter()
        bar = tqdm(bodies_of(path), path.name, unit=" bodies", disable=not sys.stderr.isatty())
        for body in _steady(bar, rate):
            verdicts[courier.post(body)._replace(attempts=0)] += 1
        self.stdout.write(f"{path}: {_summary(verdicts)}")
        return all(verdict.accepted for verdict in verdicts)


def bodies_of(path: Path) -> Iterator[bytes]:
    """The bodies in a file. Raises ValueError, naming the file, on what is no JSON."""
    name = path.name.removesuffix(".gz")
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        if name.endswith(".jsonl"):
            yield from (line for raw in file if (line := raw.strip()))
        else:
            yield _webhook_body(file.read(), path)


def _webhook_body(body: bytes, path: Path) -> bytes:
    """The body itself, or what an RPC node answered made into one."""
    try:
        content = json.loads(body)
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if isinstance(content, dict) and "jsonrpc" in content:
        return json.dumps([content.get("result")]).encode()
    return body


def _steady(bodies: Iterable[bytes], rate: float | None) -> Iterator[bytes]:
    begin = time.monotonic()
    for place, body in enumerate(bodies):
        if rate:
            time.sleep(max(0.0, begin + place / rate - time.monotonic()))
        yield body


def _summary(verdicts: Counter[Verdict]) -> str:
    accepted = sum(count for verdict, count in verdicts.items() if verdict.accepted)
    refused = [(verdict, count) for verdict, count in verdicts.items() if not verdict.accepted]
    parts = [f"{accepted} accepted, {sum(count for _, count in refused)} refused"]
    for verdict, count in refused[:_REASONS_SHOWN]:
        parts.append(f"{count} × {verdict.status or 'no answer'} {verdict.reason}")
    return "; ".join(parts)
