"""An embedded Valkey: its own port and password, on 127.0.0.1 only, nothing kept on disk."""

import signal
import socket
import subprocess
from pathlib import Path

from pumploss.stack.binaries import valkey_program
from pumploss.stack.keys import keys_of
from pumploss.stack.ports import LOCALHOST, is_free, remembered_port
from pumploss.stack.problem import StackProblem
from pumploss.stack.processes import end, last_lines, spawn, turn_over, wait_until
from pumploss.stack.records import read_record

CONFIG = """\
bind {host}
port {port}
requirepass {password}
save ""
appendonly no
maxmemory 512mb
maxmemory-policy noeviction
daemonize no
"""
START_PATIENCE = 20.0


class Valkey:
    """Starts and stops one server; what it held is gone with it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "valkey.log"
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        if self._port is None:
            raise StackProblem("This Valkey was not started.")
        return f"redis://:{self._password}@{LOCALHOST}:{self._port}/0"

    @property
    def _password(self) -> str:
        return keys_of(self.directory).valkey_password

    def start(self) -> str:
        """Returns the address once the server answers under our password."""
        program = valkey_program()
        self._end_leftover()
        turn_over(self.log)
        for _ in range(3):
            self._port = remembered_port(self.directory, "valkey")
            command = [program, self._write_config(self._port)]
            self._process = spawn(command, log=self.log, cwd=self.directory)
            if self._comes_up(self._port):
                return self.url
            if is_free(self._port):
                break
        raise StackProblem(f"Valkey does not start. The end of {self.log}:\n{last_lines(self.log)}")

    def stop(self) -> None:
        """Safe to call twice."""
        if self._process is not None:
            end(self._process, (signal.SIGTERM, 10.0))
            self._process = None

    def kill(self) -> None:
        """Ends the server at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _write_config(self, port: int) -> Path:
        """The password stands in a file of ours, never on a command line others can read."""
        path = self.directory / "valkey.conf"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(CONFIG.format(host=LOCALHOST, port=port, password=self._password))
        return path

    def _comes_up(self, port: int) -> bool:
        process = self._process

        def settled() -> bool:
            ended = process is None or process.poll() is not None
            return ended or _ask(port, self._password, "PING") == b"+PONG"

        wait_until(settled, START_PATIENCE)
        return process is not None and process.poll() is None

    def _end_leftover(self) -> None:
        """Whoever answers on our last port under our password is ours from a killed run."""
        kept = read_record(self.directory / "ports.json").get("valkey", "")
        if kept.isdigit() and _ask(int(kept), self._password, "PING") == b"+PONG":
            _ask(int(kept), self._password, "SHUTDOWN NOSAVE")
            wait_until(lambda: is_free(int(kept)), 5.0)


def _ask(port: int, password: str, command: str) -> bytes:
    """The answer to one command, or nothing when nobody of ours is there."""
    try:
        with socket.create_connection((LOCALHOST, port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\n{command}\r\n".encode())
            stream = connection.makefile("rb")
            return stream.readline().strip() and stream.readline().strip()
    except OSError:
        return b""
