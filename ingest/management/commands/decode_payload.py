"""Shows what the decoder makes of saved payloads, without booking anything."""

import gzip
import json
import sys
import zlib
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError

from ingest.decode.outcome import Outcome
from ingest.decode.pipeline import decode_body
from ingest.decode.rendering import as_json, as_text, is_error


class Shown(NamedTuple):
    """An outcome and where it came from; `line` counts from 1 in files of one body a line."""

    file: Path
    line: int | None
    outcome: Outcome

    @property
    def place(self) -> str:
        """The file, and the line in it, as editors write it."""
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"


class Command(BaseCommand):
    """`decode_payload FILE… [--json]`; exit code 1 when something could not be read."""

    help = "Decodes saved payloads (.json, .jsonl, and either as .gz) and shows their trades."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files, and the form of the answer."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="one JSON array of all outcomes")

    def handle(self, *, files: list[Path], **options: Any) -> None:
        """Shows every outcome of every file, in order."""
        for file in files:
            if not file.is_file():
                raise CommandError(f"{file}: there is no such file")
        shown = (item for file in files for item in _outcomes(file))
        show = self._show_json if options["json"] else self._show_text
        if show(shown):
            sys.exit(1)

    def _show_text(self, shown: Iterable[Shown]) -> int:
        errors = 0
        for item in shown:
            self.stdout.write(f"{item.place} {as_text(item.outcome)}")
            errors += is_error(item.outcome)
        return errors

    def _show_json(self, shown: Iterable[Shown]) -> int:
        """Writes as it decodes: an archive of a day does not fit into memory."""
        errors = 0
        separator = "["
        for item in shown:
            self.stdout.write(separator + json.dumps(_row(item)), ending="")
            separator = ",\n"
            errors += is_error(item.outcome)
        self.stdout.write("]" if separator != "[" else "[]")
        return errors


def _row(item: Shown) -> dict[str, Any]:
    place = {"file": str(item.file)} | ({} if item.line is None else {"line": item.line})
    return place | as_json(item.outcome)


def _outcomes(file: Path) -> Iterator[Shown]:
    for line, body in _bodies(file):
        for outcome in decode_body(body):
            yield Shown(file, line, outcome)


def _bodies(file: Path) -> Iterator[tuple[int | None, bytes]]:
    """The bodies of a file, each with its line number if the file holds one body a line."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            if not file.name.removesuffix(".gz").endswith(".jsonl"):
                yield None, stream.read()
                return
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise CommandError(f"{file}: {error}") from error
