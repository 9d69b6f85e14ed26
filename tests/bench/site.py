"""Real processes of the Procfile, on servers of a bench's own."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import requests

from pumploss.stack.places import CLONE
from pumploss.stack.ports import LOCALHOST, free_port
from pumploss.stack.processes import end, last_lines, spawn, wait_until
from pumploss.stack.procfile import commands_of, process_environ
from tests.bench.scratch import Scratch

DOOR: Final = "/webhooks/helius/"
PRODUCT: Final = "pumploss.asgi:application"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0


@contextmanager
def web(place: Scratch, application: str = PRODUCT) -> Iterator[int]:
    """The port of a web process that answers, with this application in the place of ours."""
    port = free_port()
    command = commands_of(CLONE)["web"].replace(PRODUCT, application)
    with _process(place, f"web-{port}", command, port) as process:
        if not wait_until(lambda: _answers(port) or process.poll() is not None, START_SECONDS):
            raise TimeoutError(f"{application} does not answer")
        if process.poll() is not None:
            raise RuntimeError(last_lines(place.folder / f"web-{port}.log"))
        yield port


@contextmanager
def worker(place: Scratch) -> Iterator[None]:
    """The worker of the Procfile and the clock that wakes it."""
    with ExitStack() as stack:
        for name in ("worker", "beat"):
            stack.enter_context(_process(place, name, commands_of(CLONE)[name], 0))
        yield


@contextmanager
def site(place: Scratch) -> Iterator[int]:
    """The port of the whole site: every process of the Procfile."""
    with ExitStack() as stack:
        port = stack.enter_context(web(place))
        for name, command in commands_of(CLONE).items():
            if name != "web":
                stack.enter_context(_process(place, name, command, port))
        yield port


@contextmanager
def _process(
    place: Scratch, name: str, command: str, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    process = spawn(
        ["/bin/sh", "-c", command],
        log=place.folder / f"{name}.log",
        cwd=CLONE,
        environ=process_environ(place.environ, port, place.folder),
    )
    try:
        yield process
    finally:
        end(process, (signal.SIGTERM, STOP_SECONDS))


def _answers(port: int) -> bool:
    """Any answer will do: the door says 405 to a GET, the baseline says 200."""
    try:
        requests.get(f"http://{LOCALHOST}:{port}{DOOR}", timeout=5)
    except requests.RequestException:
        return False
    return True
