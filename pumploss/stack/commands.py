"""Decides which servers a Django command gets: none, the running ones, or its own."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pumploss.stack.environment import NAMES, SERVERS, attach, generated, given, running
from pumploss.stack.places import CLONE, instance_directory
from pumploss.stack.problem import StackProblem

INSTANCE = "demo"
SERVERLESS = {
    "check",
    "collectstatic",
    "compilemessages",
    "decode_payload",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "makemigrations",
    "spectacular",
    "startapp",
    "startproject",
    "version",
}
# These talk to a door, and need a server of ours only to learn its secret.
POSTING = {"replay_payloads", "simulate_market"}
HELP = {"-h", "--help", "--version"}
# Nobody listens on port 9: a command that asks these servers all the same fails at once.
NOWHERE = {
    "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:9/nothing",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "SECRET_KEY": "only-for-commands-that-sign-nothing-and-keep-nothing-at-all",
    "HELIUS_WEBHOOK_SECRETS": "only-for-commands-that-receive-nothing",
}


@contextmanager
def environment_of(arguments: Sequence[str]) -> Iterator[None]:
    """Completes `os.environ` for one command, and takes down what was started for it."""
    if all(name in given() for name in NAMES):
        yield
    elif needs_no_server(arguments):
        # `makemigrations` compares with the database when it can, and warns when it cannot.
        warnings.filterwarnings("ignore", message="Got an error checking a consistent migration")
        os.environ.update(NOWHERE | given())
        yield
    else:
        ours = "DATABASE_URL" not in given()
        with _servers() as environ:
            os.environ.update(environ)
            if ours and arguments[1] != "migrate":
                _migrate_when_empty()
            yield


def needs_no_server(arguments: Sequence[str]) -> bool:
    """Whether the command only reads code; `check --database` does read a database."""
    words = set(arguments[1:])
    if not words or words & HELP:
        return True
    if arguments[1] in POSTING:
        return any(word.startswith(("--out", "--secret")) for word in words)
    return arguments[1] in SERVERLESS and not any(word.startswith("--database") for word in words)


def migrate(environ: Mapping[str, str], root: Path = CLONE) -> None:
    """Brings the schema up to date in a process of its own."""
    command = [sys.executable, str(root / "manage.py"), "migrate", "--verbosity", "0"]
    if subprocess.run(command, check=False, cwd=root, env=environ).returncode != 0:
        raise StackProblem("The database could not be migrated; the reason stands above.")


@contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """Servers of somebody else's only lack the keys; ours are shared, or started and lent."""
    if all(name in given() for name in SERVERS):
        yield generated(instance_directory(INSTANCE)) | given()
    elif attached := attach(INSTANCE):
        yield attached
    else:
        with running(INSTANCE, lend=True) as environ:
            yield environ


def _migrate_when_empty() -> None:
    """The first command on a new clone finds its tables, whatever the command is."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
    if row == (None,):
        migrate(os.environ)
