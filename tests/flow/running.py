"""The whole site in real processes, with a PostgreSQL and a Valkey of its own."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import psycopg
import requests

from pumploss.stack.commands import migrate
from pumploss.stack.environment import generated
from pumploss.stack.places import CLONE
from pumploss.stack.ports import free_port
from pumploss.stack.postgres import Postgres
from pumploss.stack.processes import PROC, last_lines, spawn
from pumploss.stack.procfile import commands_of, process_environ
from pumploss.stack.removal import remove
from pumploss.stack.site import answers
from pumploss.stack.valkey import Valkey

T = TypeVar("T")
START_PATIENCE = 60.0
STOP_PATIENCE = 20.0


class RunningStack:
    """Start it, break parts of it, look at what is left; nothing of it outlives `stop`."""

    def __init__(self, **settings: str) -> None:
        self._settings = settings
        self.directory = Path(tempfile.mkdtemp(prefix="pumploss-"))
        # The servers' user has to pass through the folder; it still cannot look into it.
        self.directory.chmod(0o711)
        self.postgres = Postgres(self.directory)
        self.valkey = Valkey(self.directory)
        self.port = free_port()
        self.environ: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def secret(self) -> str:
        return self.environ["HELIUS_WEBHOOK_SECRETS"].partition(",")[0]

    def start(self) -> None:
        """Servers, schema, every process of the Procfile; returns when the site answers."""
        urls = {"DATABASE_URL": self.postgres.start(), "REDIS_URL": self.valkey.start()}
        own = generated(self.directory) | urls | self._settings
        self.environ = process_environ(own, self.port, self.directory)
        migrate(self.environ)
        for name in commands_of():
            self.start_process(name)
        self.wait_until(self._is_up, START_PATIENCE)

    def stop(self) -> None:
        """Processes first, then the servers, then their folder."""
        for process in self._processes.values():
            _signal_group(process, signal.SIGTERM)
        for process in self._processes.values():
            _end_group(process)
        self._processes.clear()
        self.postgres.stop()
        self.valkey.stop()
        if self.directory.exists():
            remove(self.directory)

    def start_process(self, name: str) -> None:
        """One line of the Procfile; again after `kill`, with its log continued.

        `worker-2` is another process of the line `worker`.
        """
        line, _, number = name.partition("-")
        command = ["/bin/sh", "-c", commands_of()[line].replace(f"{line}@", f"{line}{number}@")]
        log = self._log(name)
        self._processes[name] = spawn(command, log=log, cwd=CLONE, environ=self.environ)

    def kill(self, name: str) -> None:
        """Ends the process and its children at once, without a chance to finish anything."""
        process = self._processes.pop(name)
        _signal_group(process, signal.SIGKILL)
        process.wait()

    def is_running(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def logs(self, name: str) -> str:
        return self._log(name).read_text(encoding="utf-8", errors="replace")

    def sql(self, query: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement, committed."""
        with psycopg.connect(self.postgres.url) as connection:
            cursor = connection.execute(query.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def sql_outside(self, statement: str) -> None:
        """A statement that no transaction may hold, such as one about a tablespace."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def post(self, body: bytes) -> int:
        """Delivers one webhook body as Helius would; the status of the answer."""
        headers = {"Authorization": self.secret, "Content-Type": "application/json"}
        door = f"{self.url}/webhooks/helius/"
        return requests.post(door, data=body, headers=headers, timeout=30).status_code

    def wait_until(self, condition: Callable[[], T], timeout: float = 15.0) -> T:
        """The first true answer; fails with what the processes said when none comes."""
        deadline = time.monotonic() + timeout
        while not (answer := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"Not within {timeout:.0f} s.\n{self.last_words()}")
            time.sleep(0.05)
        return answer

    def is_answering(self) -> bool:
        return answers(self.url)

    def _is_up(self) -> bool:
        """A process that falls while starting is told at once, not after the whole wait."""
        fallen = [name for name in self._processes if not self.is_running(name)]
        assert not fallen, f"{fallen} ended while starting.\n{self.last_words()}"
        return self.is_answering()

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def last_words(self) -> str:
        """The ends of the processes' logs."""
        names = [*commands_of(), *(name for name in self._processes if name not in commands_of())]
        names = [name for name in names if self._log(name).exists()]
        return "\n".join(f"{name}:\n{last_lines(self._log(name))}" for name in names)


def _signal_group(process: subprocess.Popen[bytes], signal_number: int) -> None:
    try:
        os.killpg(process.pid, signal_number)
    except ProcessLookupError:
        return


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def working_in(*folders: Path) -> list[int]:
    """The processes that have their working directory in one of the folders, as Linux tells."""
    found = []
    for entry in PROC.glob("[0-9]*/cwd"):
        try:
            place = entry.readlink()
        except OSError:
            continue
        if any(place.is_relative_to(folder) for folder in folders):
            found.append(int(entry.parts[2]))
    return found
