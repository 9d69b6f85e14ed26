"""An embedded PostgreSQL: its own folder, port and password, on 127.0.0.1 only."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from pumploss.stack.account import server_account
from pumploss.stack.binaries import postgres_programs
from pumploss.stack.cluster import ENVIRON, FOLDER, USER, check_usable, create, home_of
from pumploss.stack.keys import keys_of
from pumploss.stack.leftovers import end_leftover
from pumploss.stack.places import CLONE
from pumploss.stack.ports import LOCALHOST, is_free, remembered_port
from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import (
    end,
    last_lines,
    residents,
    signal_all,
    spawn,
    turn_over,
    wait_until,
)

DATABASE = "pumploss"
SETTINGS = {
    "listen_addresses": LOCALHOST,
    # A socket's path may have about 100 characters, a clone's may have more.
    "unix_socket_directories": "",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "off",
    # A checkpoint writes every page again that changes after it: under load they must be rare.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# The server's own share of the machine's memory, in MB: an eighth, and within these bounds.
BUFFERS_SHARE, BUFFERS_LEAST, BUFFERS_MOST = 8, 128, 2048
# A crashed server replays its log first, which may take a while on a slow disk.
START_PATIENCE = 120.0


class Postgres:
    """Starts and stops one server; `start` after `stop` or `kill` finds the same rows."""

    def __init__(self, directory: Path, root: Path = CLONE) -> None:
        self.directory = directory
        self.root = root
        self.log = directory / "postgres.log"
        self.created = False
        self._data: Path | None = None
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._url_of(DATABASE)

    def start(self) -> str:
        """Returns the address once the server answers under our password."""
        account = server_account()
        programs = postgres_programs(account, self.root)
        home = home_of(self.directory, account, programs, self.root)
        data = self._data = home / FOLDER
        if data.exists() or data.is_symlink():
            check_usable(data)
            end_leftover(data)
        else:
            create(data, programs, account, keys_of(self.directory).postgres_password)
            self.created = True
        config = _write_config(home)
        turn_over(self.log)
        self._launch([programs / "postgres", "-D", data, "-c", f"config_file={config}"], home)
        self._make_database()
        return self.url

    def stop(self) -> None:
        """Ends sessions and writes a checkpoint; safe to call twice."""
        if self._process is not None:
            end(self._process, (signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
            self._process = None

    def kill(self) -> None:
        """Ends the server and all its children at once, as a power cut would."""
        if self._process is None or self._data is None:
            return
        data = self._data
        signal_all([self._process.pid, *residents(data)], signal.SIGKILL)
        self._process.wait()
        wait_until(lambda: not residents(data), 10.0)
        self._process = None

    def _launch(self, command: list[str | Path], home: Path) -> None:
        account = server_account()
        for _ in range(3):
            self._port = remembered_port(self.directory, "postgres")
            self._process = spawn(
                [*command, "-p", str(self._port)],
                log=self.log,
                cwd=home,
                account=account,
                environ=ENVIRON,
                last_signal=signal.SIGINT,
            )
            if self._answers():
                return
            if is_free(self._port):
                break
        raise StackProblem(
            f"PostgreSQL does not start on {self._data}. If the folder is damaged, start afresh "
            f"with: make reset. The end of {self.log}:\n{last_lines(self.log)}"
        )

    def _answers(self) -> bool:
        """Waits for the first session; False when the server ended instead."""
        deadline = time.monotonic() + START_PATIENCE
        while self._process is not None and self._process.poll() is None:
            try:
                psycopg.connect(self._url_of("postgres"), connect_timeout=5).close()
                return True
            except psycopg.OperationalError as error:
                self._refuse_foreign_password(error)
            if time.monotonic() > deadline:
                self.stop()
                return False
            time.sleep(0.02)
        return False

    def _refuse_foreign_password(self, error: psycopg.OperationalError) -> None:
        if "password authentication failed" in str(error):
            self.stop()
            raise StackProblem(
                f"{self._data} was made with another password than the one in "
                f"{self.directory / 'secrets.json'}. Start afresh with: make reset"
            ) from None

    def _make_database(self) -> None:
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _url_of(self, database: str) -> str:
        if self._port is None:
            raise StackProblem("This PostgreSQL was not started.")
        password = keys_of(self.directory).postgres_password
        return f"postgresql://{USER}:{password}@{LOCALHOST}:{self._port}/{database}"


def _write_config(home: Path) -> Path:
    """Outside the data folder, where a file of root's is never written through a link."""
    path = home / "postgresql.conf"
    settings = SETTINGS | {"shared_buffers": f"{_buffers()}MB"}
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    path.unlink(missing_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    path.chmod(0o644)
    return path


def _buffers() -> int:
    """MB of memory that the server keeps pages in; the kernel gives them out as they are used."""
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(BUFFERS_LEAST, min(BUFFERS_MOST, megabytes // BUFFERS_SHARE))
