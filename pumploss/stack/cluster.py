"""The data folder of PostgreSQL: made whole or not at all, and refused when it is not ours."""

import os
import shutil
from pathlib import Path

from pumploss.stack.account import Account
from pumploss.stack.binaries import POSTGRES_MAJOR
from pumploss.stack.leftovers import end_leftover
from pumploss.stack.places import make_refuge, reaches, refuge_of
from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import run

FOLDER = "postgres"
USER = "pumploss"
# Nothing of the caller's environment (PGOPTIONS, LD_LIBRARY_PATH, …) may bend the server.
ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def home_of(directory: Path, account: Account | None, programs: Path, root: Path) -> Path:
    """The folder around the data folder: the instance's own, or its refuge outside the clone."""
    link, away = directory / FOLDER, refuge_of(directory, root)
    if link.is_symlink():
        if link.readlink() != away / FOLDER:
            raise StackProblem(f"{link} leads to the data of another clone. Run: make reset")
        make_refuge(away)
        return away
    if reaches(account, programs / "initdb", directory):
        return directory
    if link.exists():
        raise StackProblem(
            f"PostgreSQL's user cannot reach {link} any more, because a folder above it was "
            "closed to others. Open it again, or start afresh with: make reset"
        )
    return _moved_out(link, away)


def _moved_out(link: Path, away: Path) -> Path:
    make_refuge(away)
    if (away / FOLDER).exists():
        # The clone it belonged to is gone: its link, and with it the password, no longer exist.
        end_leftover(away / FOLDER)
        shutil.rmtree(away / FOLDER)
    link.symlink_to(away / FOLDER)
    return away


def check_usable(data: Path) -> None:
    """Says what is wrong with the folder instead of letting PostgreSQL guess."""
    advice = "Move it away, or start afresh with: make reset"
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise StackProblem(
            f"{data} is not a usable PostgreSQL folder ({error.strerror}: PG_VERSION). {advice}"
        ) from None
    if version != POSTGRES_MAJOR:
        raise StackProblem(
            f"{data} was made by PostgreSQL {version}, this is PostgreSQL {POSTGRES_MAJOR}. "
            f"{advice}"
        )


def create(data: Path, programs: Path, account: Account | None, password: str) -> None:
    """Fills a folder aside and renames it, so that a half-written one is never used."""
    draft, secret = data.with_name(f"{FOLDER}.new"), data.with_name(f"{FOLDER}.password")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    secret.unlink(missing_ok=True)
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as output:
        output.write(password)
    if account:
        for path in (draft, secret):
            os.chown(path, account.uid, account.gid)
    try:
        _initdb(draft, secret, programs, account)
    finally:
        secret.unlink()
    draft.rename(data)


def _initdb(draft: Path, secret: Path, programs: Path, account: Account | None) -> None:
    # The built-in provider gives the same order on every system, and compares bytes quickly.
    locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = ["-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}"]
    program: list[str | Path] = [programs / "initdb", "-D", draft, "-E", "UTF8"]
    command = [*program, "--no-instructions", *locale, *access]
    ended = run(command, cwd=draft.parent, account=account, environ=ENVIRON)
    if ended.returncode != 0:
        raise StackProblem(f"PostgreSQL could not be set up in {draft.parent}:\n{ended.stderr}")
