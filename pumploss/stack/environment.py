"""The environment the application needs, with the servers behind it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pumploss.stack.instance import (
    borrow,
    endpoints_of,
    held,
    published,
    wait_for_borrowers,
)
from pumploss.stack.keys import keys_of
from pumploss.stack.places import CLONE, instance_directory
from pumploss.stack.postgres import Postgres
from pumploss.stack.valkey import Valkey

SERVERS = ("DATABASE_URL", "REDIS_URL")
NAMES = (*SERVERS, "SECRET_KEY", "HELIUS_WEBHOOK_SECRETS")


def given() -> dict[str, str]:
    """What the real environment already says; it always wins."""
    return {name: os.environ[name] for name in NAMES if os.environ.get(name)}


def generated(directory: Path) -> dict[str, str]:
    """What the application needs besides servers; the same in every run of the instance."""
    keys = keys_of(directory)
    return {"SECRET_KEY": keys.secret_key, "HELIUS_WEBHOOK_SECRETS": keys.webhook_secret}


@contextmanager
def running(
    instance: str, root: Path = CLONE, *, web_url: str = "", lend: bool = False
) -> Iterator[dict[str, str]]:
    """Runs the servers that the environment lacks, for as long as the block lasts.

    With `lend`, the servers stay up until the last command that attached to them has ended.
    """
    directory = instance_directory(instance, root)
    with held(directory), ExitStack() as stack:
        environ = generated(directory)
        if "DATABASE_URL" not in given():
            postgres = Postgres(directory, root)
            stack.callback(postgres.stop)
            environ["DATABASE_URL"] = postgres.start()
        if "REDIS_URL" not in given():
            valkey = Valkey(directory)
            stack.callback(valkey.stop)
            environ["REDIS_URL"] = valkey.start()
        environ |= given()
        if lend:
            stack.callback(wait_for_borrowers, directory)
        stack.enter_context(published(directory, environ | {"WEB_URL": web_url}))
        yield environ


def attach(instance: str, root: Path = CLONE) -> dict[str, str] | None:
    """The environment of servers that already run here, or None; they outlive this process."""
    directory = instance_directory(instance, root)
    endpoints = endpoints_of(directory)
    if endpoints is None:
        return None
    borrow(directory)
    return {name: endpoints[name] for name in NAMES if name in endpoints} | given()
