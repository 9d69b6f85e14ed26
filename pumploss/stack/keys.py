"""The passwords and keys of one instance, generated once and kept from other users."""

import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pumploss.stack.records import read_record, write_record


@dataclass(frozen=True)
class Keys:
    """Every value is safe in a URL, so no address has to be quoted."""

    postgres_password: str
    valkey_password: str
    secret_key: str
    webhook_secret: str
    staff_password: str


def keys_of(directory: Path) -> Keys:
    """The keys kept in the folder; those that are missing are made now."""
    path = directory / "secrets.json"
    kept = read_record(path)
    names = [field.name for field in fields(Keys)]
    keys = Keys(**{name: kept.get(name) or _generated(name) for name in names})
    if asdict(keys) != kept:
        write_record(path, asdict(keys))
    return keys


def _generated(name: str) -> str:
    # The staff password is typed by a person, the others only by programs.
    return secrets.token_urlsafe(12 if name == "staff_password" else 48)
