"""Carries webhook bodies to a door as Helius does: in parallel, with its secret, trying again."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from http import HTTPStatus
from typing import Final, NamedTuple

import requests

_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 0.2  # between attempts while the door must open in the end
# Worth another attempt: the door is shut for the moment. Everything else is an answer.
_MOMENTARY: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
UNREACHABLE: Final = 0


class SecretRefused(Exception):
    """The door does not know the secret: no body will ever get in."""


class Verdict(NamedTuple):
    """What became of one body. `status` is the last answer's, 0 if nobody answered."""

    status: int
    reason: str
    attempts: int

    @property
    def accepted(self) -> bool:
        """The door has said that it keeps the body."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class Persistence(NamedTuple):
    """How often to try again, and how long to wait in between. Helius: 3 times, 1 s apart."""

    retries: int = 3
    wait_s: float = 1.0
    until_accepted: bool = False


class Courier:
    """Posts bodies to one URL; `statuses` counts the last status of each."""

    def __init__(
        self, url: str, secret: str, *, threads: int = 4, persistence: Persistence | None = None
    ) -> None:
        self._url = url
        self._headers = {"Authorization": secret, "Content-Type": "application/json"}
        self._persistence = persistence or Persistence()
        self._threads = threads
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._closing = threading.Event()
        self._counting = threading.Lock()
        self.statuses: Counter[int] = Counter()

    def post(self, body: bytes) -> Verdict:
        """Deliver one body. Raises SecretRefused on 401."""
        attempts = 0
        while True:
            attempts += 1
            status, reason = self._attempt(body)
            if status == HTTPStatus.UNAUTHORIZED:
                raise SecretRefused(f"the secret was refused: {self._url} answered 401 {reason}")
            if not self._tries_again(status, attempts):
                with self._counting:
                    self.statuses[status] += 1
                return Verdict(status, reason, attempts)

    def carry(self, bodies: Iterable[bytes]) -> None:
        """Deliver bodies as the iterable yields them, so many at once as there are threads.

        The iterable sets the pace: it is not read far ahead of the threads. A refused secret and
        Ctrl-C stop the round; what is under way is finished first, without further attempts.
        """
        self._closing.clear()
        under_way: set[Future[Verdict]] = set()
        with ThreadPoolExecutor(self._threads) as pool:
            try:
                for body in bodies:
                    under_way.add(pool.submit(self.post, body))
                    if len(under_way) >= 2 * self._threads:
                        under_way = _freed(under_way)
                while under_way:
                    under_way = _freed(under_way)
            except BaseException:
                self._closing.set()
                raise

    def _attempt(self, body: bytes) -> tuple[int, str]:
        try:
            answer = self._session().post(
                self._url, data=body, headers=self._headers, timeout=_TIMEOUT_S
            )
        except requests.RequestException as error:
            return UNREACHABLE, type(error).__name__
        return answer.status_code, answer.text.strip()[:200] or answer.reason

    def _tries_again(self, status: int, attempts: int) -> bool:
        """Wait and say yes, if another attempt may end differently."""
        shut = status == UNREACHABLE or status in _MOMENTARY or status >= 500
        patience = self._persistence
        if not shut or not (patience.until_accepted or attempts <= patience.retries):
            return False
        # While closing nobody waits for a door that may never open.
        return not self._closing.wait(_PATIENCE_S if patience.until_accepted else patience.wait_s)

    def _session(self) -> requests.Session:
        # A session is not thread-safe; one per thread keeps its connection alive.
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # Neither a proxy nor a .netrc may come between the body, its secret and the door.
            session.trust_env = False
            with self._counting:
                self._sessions.append(session)
        return session

    def close(self) -> None:
        """Hang up every connection."""
        for session in self._sessions:
            session.close()


def _freed(under_way: set[Future[Verdict]]) -> set[Future[Verdict]]:
    """Wait until something is delivered; what is still under way."""
    done, rest = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return rest


def paced(times: Iterable[tuple[float, bytes]]) -> Iterator[bytes]:
    """Bodies at their times (seconds of the epoch); a time that has passed means at once."""
    for due, body in times:
        delay = due - time.time()
        if delay > 0:
            time.sleep(delay)
        yield body
