"""Work in another process while this one does its own: a fork, and a pipe for the result."""

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Self

from django.db import connections

# A fork finds everything imported and set up; whatever is open is closed before, or not shared.
FORK: Final = multiprocessing.get_context("fork")


class Aside:
    """Starts at once; `result` waits. Killed at the end of the block if it is not done by then."""

    def __init__(self, work: Callable[..., Any], *arguments: object) -> None:
        # Two processes on one connection would each get the other's answers.
        connections.close_all()
        self._answer, writer = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=_run, args=(writer, work, arguments), daemon=True)
        self._process.start()
        writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._process.kill()
        self._process.join()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid or 0

    @property
    def is_running(self) -> bool:
        """Whether the work is still under way."""
        return self._process.is_alive() and not self._answer.poll()

    def result(self) -> Any:
        """What the work returned; what it raised is raised here."""
        try:
            outcome = self._answer.recv()
        except EOFError:
            raise RuntimeError("the process ended without an answer") from None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def _run(writer: Connection, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    # Ctrl-C is for the parent, which ends its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        writer.send(work(*arguments))
    except Exception as error:
        writer.send(error)
        raise
