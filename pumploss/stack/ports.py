"""Free ports: remembered between runs, and never fought over."""

import os
import socket
from pathlib import Path

from pumploss.stack.problem import StackProblem
from pumploss.stack.records import read_record, write_record

LOCALHOST = "127.0.0.1"
PROC = Path("/proc")
LISTENING = "0A"


def is_free(port: int, host: str = LOCALHOST) -> bool:
    """Asks the way a server does: binds, allowing for connections that are just closing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Any port nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOCALHOST, 0))
        port: int = probe.getsockname()[1]
    return port


def remembered_port(directory: Path, server: str) -> int:
    """The port of the last run when it is still free, else another one from now on."""
    path = directory / "ports.json"
    ports = read_record(path)
    kept = ports.get(server, "")
    if kept.isdigit() and is_free(int(kept)):
        return int(kept)
    port = free_port()
    write_record(path, ports | {server: str(port)})
    return port


def web_port(command: str) -> int:
    """The port of the pages: PORT or 8000; a taken one is the user's to settle."""
    asked = os.environ.get("PORT") or "8000"
    if not asked.isdigit() or not 0 < int(asked) < 65536:
        raise StackProblem(f"PORT={asked} is no port. Run for example: {command} PORT=8001")
    port = int(asked)
    if is_free(port, os.environ.get("HOST") or LOCALHOST):
        return port
    owner = owner_of(port)
    by = f" (by {owner})" if owner else ""
    raise StackProblem(f"Port {port} is taken{by}. Run: {command} PORT={_next_free(port)}")


def owner_of(port: int) -> str | None:
    """Name and id of the process that listens there, where Linux lets us see it."""
    inodes = _listening_inodes(port)
    for descriptor in PROC.glob("[0-9]*/fd/*") if inodes else ():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target in inodes:
            process = descriptor.parts[2]
            name = (PROC / process / "comm").read_text().strip()
            return f"{name}, process {process}"
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        path = PROC / "net" / table
        lines = path.read_text().splitlines()[1:] if path.exists() else []
        for columns in map(str.split, lines):
            if columns[3] == LISTENING and int(columns[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{columns[9]}]")
    return inodes


def _next_free(port: int) -> int:
    candidates = range(port + 1, min(port + 100, 65536))
    return next((candidate for candidate in candidates if is_free(candidate)), free_port())
