"""HTTP sessions that read an answer up to a moment and no longer, its headers included.

A socket's timeout bounds each wait for the next bytes: who sends a byte now and then would be
listened to for ever.
"""

import http.client
import io
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Until = Callable[[], float]


class PunctualSession(requests.Session):
    """Reads each answer until `until`, a moment of the monotonic clock that is set before sending.

    What is not there by then is a read timeout. Neither a proxy nor a .netrc of whoever started us
    comes between. For one thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self.until = float("inf")
        self.trust_env = False
        adapter = _Adapter(lambda: self.until)
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)


class _Adapter(HTTPAdapter):
    """As usual, with connections whose answers know the moment."""

    def __init__(self, until: Until) -> None:
        self._until = until
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        answer = partial(_Answer, self._until)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, answer),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, answer),
        }


def _pool(pool: type, connection: type, answer: Callable[..., Any]) -> Any:
    punctual = type(connection.__name__, (connection,), {"response_class": answer})
    return type(pool.__name__, (pool,), {"ConnectionCls": punctual})


class _Answer(http.client.HTTPResponse):
    """An answer that is read through a reader with a deadline."""

    def __init__(self, until: Until, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Reader(sock, until))


class _Reader(io.RawIOBase):
    """What a socket brings until a moment; from then on TimeoutError."""

    def __init__(self, sock: socket.socket, until: Until) -> None:
        super().__init__()
        self._sock = sock
        self._incoming = sock.makefile("rb", buffering=0)
        self._pause_seconds = sock.gettimeout()
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until() - time.monotonic()
        if left <= 0:
            raise TimeoutError
        pause = self._pause_seconds
        self._sock.settimeout(left if pause is None else min(left, pause))
        return self._incoming.readinto(buffer)

    def close(self) -> None:
        self._incoming.close()
        super().close()
