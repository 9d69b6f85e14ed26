"""Asks the configured source what a SOL cost: patiently, politely, and never longer than it may."""

import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from string import Formatter
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ingest.answers import Overrun, whole_body
from ingest.decode.klines import Klines, read_klines
from ingest.decode.outcome import Unreadable
from ingest.punctual import PunctualSession
from pnl.engine.pricing import MINUTE_SECONDS

PLACEHOLDERS: Final = ("start_seconds", "end_seconds", "start_ms", "end_ms")
_BODY_BYTES_MAX: Final = 8 * 1024 * 1024
# Worth another attempt: the source is busy or broken for the moment. Everything else is an answer.
_MOMENTARY: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class Failed(NamedTuple):
    """The source gave no klines, and why."""

    reason: str


class Patience(NamedTuple):
    """How long one question may take in all, and one attempt of it; how waits grow in between."""

    total_s: float = 20.0
    attempt_s: float = 5.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 8.0


class _Attempt(NamedTuple):
    """What one attempt brought: a body, or what went wrong and whether and when to try again."""

    body: bytes = b""
    wrong: str = ""
    momentary: bool = False
    retry_after_s: float = 0.0


class PriceSource:
    """One source of minute klines. `template` is its URL with placeholders of PLACEHOLDERS."""

    def __init__(self, template: str, *, patience: Patience | None = None) -> None:
        self._template = template
        self._patience = patience or Patience()
        self._session = PunctualSession()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._session.close()

    @property
    def name(self) -> str:
        """The source as it is written down beside its prices: its host."""
        return host_of(self._template)

    def ask(self, first: int, last: int) -> Klines | Failed:
        """The prices of the minutes from `first` to `last` (Unix seconds of their starts).

        The times in the URL run from the start of the first minute to the end of the last.
        """
        url = self._template.format_map(times_of(first, last))
        body = self._fetch(url)
        if isinstance(body, Failed):
            return body
        klines = read_klines(body, first=first, last=last)
        return Failed(f"{self.name}: {klines.error}") if isinstance(klines, Unreadable) else klines

    def _fetch(self, url: str) -> bytes | Failed:
        """The body of the first good answer; after a momentary failure the next attempt waits."""
        deadline = time.monotonic() + self._patience.total_s
        wait_s = self._patience.first_wait_s
        attempts = 0
        while True:
            attempts += 1
            attempt = self._attempt(url, deadline)
            if not attempt.wrong:
                return attempt.body
            pause = max(attempt.retry_after_s, jittered(wait_s))
            if not attempt.momentary or time.monotonic() + pause >= deadline:
                return Failed(f"{self.name} {attempt.wrong} (attempts: {attempts})")
            time.sleep(pause)
            wait_s = min(2 * wait_s, self._patience.longest_wait_s)

    def _attempt(self, url: str, deadline: float) -> _Attempt:
        timeout = min(self._patience.attempt_s, max(0.05, deadline - time.monotonic()))
        until = self._session.until = time.monotonic() + timeout
        try:
            # Its host is written down beside the prices: it may not send us to another.
            with self._session.get(
                url, timeout=timeout, stream=True, allow_redirects=False
            ) as answer:
                return _judged(answer, until)
        except (requests.Timeout, ReadTimeoutError):
            return _Attempt(wrong="did not answer in time", momentary=True)
        except (requests.ConnectionError, HTTPError):
            return _Attempt(wrong="cannot be reached", momentary=True)
        except requests.RequestException as error:
            return _Attempt(wrong=f"cannot be asked: {type(error).__name__}")


def problems_of(template: str) -> list[str]:
    """Why no source can be asked by this URL; nothing if one can."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        scheme, host = urlsplit(template).scheme, host_of(template)
    except ValueError as error:
        return [f"it cannot be read: {error}"]
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    found = [f"{{{name}}} is no placeholder; there are {known}" for name in names - {*PLACEHOLDERS}]
    if scheme not in ("http", "https") or not host:
        found.append("it is no http:// or https:// address")
    if not any(name.startswith("start_") for name in names):
        found.append(f"it does not say from when prices are asked; there are {known}")
    return sorted(found)


def times_of(first: int, last: int) -> Mapping[str, int]:
    """What stands for the placeholders: the first minute's first moment, the last minute's last."""
    end = last + MINUTE_SECONDS
    return {
        "start_seconds": first,
        "end_seconds": end - 1,
        "start_ms": first * 1000,
        "end_ms": end * 1000 - 1,
    }


def host_of(url: str) -> str:
    """The host that a URL leads to."""
    return urlsplit(url).hostname or ""


def jittered(seconds: float) -> float:
    """Between half and the whole of a wait, so that many who wait do not return together."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - nobody's secret hangs on it


def retry_after(value: str | None) -> float:
    """The seconds that a Retry-After header asks for, as a number or a date; 0 without one."""
    if value is None:
        return 0.0
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _judged(answer: requests.Response, until: float) -> _Attempt:
    if answer.status_code == HTTPStatus.OK:
        return _read(answer, until)
    status = answer.status_code
    momentary = status in _MOMENTARY or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    after = retry_after(answer.headers.get("Retry-After"))
    asks = f" and asks to wait {after:.0f} s" if after else ""
    return _Attempt(b"", f"answered {status} {answer.reason}{asks}", momentary, after)


def _read(answer: requests.Response, until: float) -> _Attempt:
    body = whole_body(answer, until=until, bytes_max=_BODY_BYTES_MAX)
    match body:
        case Overrun.TOO_LARGE:
            return _Attempt(wrong=f"answered more than {_BODY_BYTES_MAX} bytes")
        case Overrun.TOO_SLOW:
            return _Attempt(wrong="did not finish its answer in time", momentary=True)
    return _Attempt(body)
