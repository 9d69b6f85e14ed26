"""As whom PostgreSQL runs when the launcher is root."""

import os
import pwd
from dataclasses import dataclass

from pumploss.stack.problem import StackProblem


@dataclass(frozen=True)
class Account:
    """The unprivileged user PostgreSQL runs as when the launcher is root."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """PostgreSQL refuses root; for everybody else the servers run as their own user."""
    if os.geteuid() != 0:
        _check_named(os.geteuid())
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise StackProblem(
            "PostgreSQL refuses to run as root and this machine has no user 'nobody'. "
            "Run as another user, or set DATABASE_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def _check_named(uid: int) -> None:
    """A container may run as a bare number, which PostgreSQL's programs do not accept."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise StackProblem(
            f"The user with the number {uid} has no entry in /etc/passwd, and PostgreSQL does "
            "not start without one. Add an entry, or set DATABASE_URL."
        ) from None
