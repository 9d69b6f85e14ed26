"""Makes the calls: one session, timeouts, bounded attempts, a pace, and no key in any text."""

import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple

import requests
from urllib3.exceptions import HTTPError

from ingest.answers import Overrun, whole_body
from ingest.helius.pace import Patience, TokenBucket, asked_pause_seconds
from ingest.helius.problems import HeliusProblem, excerpt
from ingest.punctual import PunctualSession

_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "pumploss"}
_NO_ANSWER: Final = 0
# A webhook with all the addresses that it has room for is 5 MB, and a list has them all.
ANSWER_BYTES_MAX: Final = 128 * 1024 * 1024


class Request(NamedTuple):
    """One request. `call` names it where people read; `base` is a URL without its key."""

    call: str
    method: str
    base: str
    body: bytes | None = None


class _Answer(NamedTuple):
    """A status, 0 for none at all, the body or the reason, and the pause that was asked for."""

    status: int
    content: bytes
    asked_seconds: float | None

    @property
    def is_momentary(self) -> bool:
        """Whether another attempt may end differently."""
        refused = self.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)
        return self.status == _NO_ANSWER or refused or self.status >= 500


_TOO_SLOW: Final = _Answer(_NO_ANSWER, b"that ended in time", None)


class Caller:
    """Sends requests with the key in their query, where Helius wants it."""

    def __init__(
        self,
        api_key: str,
        bucket: TokenBucket,
        patience: Patience,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api_key = api_key
        self._bucket = bucket
        self._patience = patience
        self._sleep = sleep
        self._session = PunctualSession()
        self._session.headers.update(_HEADERS)

    def call(self, request: Request) -> bytes:
        """The body of a good answer. Raises HeliusProblem when every attempt failed."""
        attempt = 1
        while True:
            answer = self._attempt(request)
            if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return answer.content
            if attempt >= self._patience.attempts or not self._pauses(answer, attempt):
                raise _problem(request, answer)
            attempt += 1

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _attempt(self, request: Request) -> _Answer:
        self._bucket.take()
        until = self._session.until = time.monotonic() + self._patience.answer_seconds
        try:
            with self._send(request) as answer:
                return _read(request, answer, until)
        # Its own text would tell the URL, and with it the key.
        except (requests.RequestException, HTTPError) as error:
            if time.monotonic() >= until:
                return _TOO_SLOW
            return _Answer(_NO_ANSWER, type(error).__name__.encode(), None)

    def _send(self, request: Request) -> requests.Response:
        return self._session.request(
            request.method,
            request.base,
            params={"api-key": self._api_key},
            data=request.body,
            timeout=(self._patience.connect_seconds, self._patience.read_seconds),
            # None may carry the key away.
            allow_redirects=False,
            stream=True,
        )

    def _pauses(self, answer: _Answer, attempt: int) -> bool:
        """Wait before another attempt and say yes, if one may end differently soon enough."""
        if not answer.is_momentary:
            return False
        ceiling = self._patience.pause_ceiling(attempt)
        if answer.asked_seconds is not None:
            if answer.asked_seconds > self._patience.pause_seconds_max:
                return False
            self._sleep(answer.asked_seconds)
            return True
        # Full jitter: callers that failed together do not come back together.
        self._sleep(random.uniform(0, ceiling))  # noqa: S311
        return True


def _read(request: Request, answer: requests.Response, until: float) -> _Answer:
    body = whole_body(answer, until=until, bytes_max=ANSWER_BYTES_MAX)
    match body:
        case Overrun.TOO_LARGE:
            # Asked again, it would be no smaller.
            reason = f"more than {ANSWER_BYTES_MAX} bytes"
            raise HeliusProblem(request.call, answer.status_code, reason)
        case Overrun.TOO_SLOW:
            return _TOO_SLOW
    asked = asked_pause_seconds(answer.headers.get("Retry-After"))
    return _Answer(answer.status_code, body, asked)


def _problem(request: Request, answer: _Answer) -> HeliusProblem:
    return HeliusProblem(
        request.call,
        answer.status,
        excerpt(answer.content),
        retry_after_seconds=answer.asked_seconds,
    )
