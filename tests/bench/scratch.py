"""A database and a Valkey that exist for one bench only: nobody's rows, frames or tasks are met."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from psycopg import sql

from pnl import interning
from pumploss.stack.environment import generated
from pumploss.stack.valkey import Valkey


class Scratch(NamedTuple):
    """Where a bench may write, and what other processes must be told to write there, too."""

    folder: Path
    environ: dict[str, str]

    @property
    def secret(self) -> str:
        """What opens the webhook door."""
        return self.environ["HELIUS_WEBHOOK_SECRETS"]


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Leads this process to servers of its own for as long as the block lasts."""
    with TemporaryDirectory(prefix="pumploss-bench-") as name:
        folder = Path(name)
        with _valkey(folder) as redis_url, _database() as database_url:
            urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
            yield Scratch(folder, generated(folder) | urls)


@contextmanager
def _valkey(folder: Path) -> Iterator[str]:
    valkey = Valkey(folder)
    try:
        url = valkey.start()
        layer: dict[str, Any] = settings.CHANNEL_LAYERS["default"]
        config = layer["CONFIG"] | {"hosts": [url]}
        with override_settings(
            REDIS_URL=url,
            CACHES={"default": settings.CACHES["default"] | {"LOCATION": url}},
            CHANNEL_LAYERS={"default": layer | {"CONFIG": config}},
        ):
            yield url
    finally:
        valkey.stop()


@contextmanager
def _database() -> Iterator[str]:
    """A migrated database on the server of DATABASE_URL."""
    name = f"pumploss_bench_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    _on_the_server("CREATE DATABASE {}", name)
    try:
        _turn_to(name)
        call_command("migrate", verbosity=0, interactive=False)
        yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
    finally:
        _turn_to(before)
        _on_the_server("DROP DATABASE {} WITH (FORCE)", name)


def _turn_to(name: str) -> None:
    """Django's connection goes to this database from now on; what was interned is of another."""
    connection.close()
    connection.settings_dict["NAME"] = name
    interning.forget()


def _on_the_server(statement: str, name: str) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(sql.SQL(statement).format(sql.Identifier(name)))
