"""A broker that delivers twice: a proxy in front of Valkey that repeats every push to a queue."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self
from urllib.parse import urlsplit

import redis

from pumploss.stack.ports import LOCALHOST

PIECE = 65_536


class DoublingBroker:
    """Everything passes through unchanged; what an LPUSH brought is pushed once more."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._own = redis.Redis.from_url(url)
        self._door = socket.create_server((LOCALHOST, 0))
        self.doubled = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._door.close()
        self._own.close()

    @property
    def url(self) -> str:
        """The way through it."""
        place = f":{self._target.password}@{LOCALHOST}:{self._door.getsockname()[1]}"
        return self._target._replace(netloc=place).geturl()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection((LOCALHOST, self._target.port or 0))
                for work in (self._forward, self._answer):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with ended(client, server):
            while piece := server.recv(PIECE):
                client.sendall(piece)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        unread = b""
        with ended(client, server):
            while piece := client.recv(PIECE):
                server.sendall(piece)
                unread += piece
                while (parsed := command_in(unread)) is not None:
                    words, unread = parsed
                    self._double(words)

    def _double(self, words: list[bytes]) -> None:
        if words and words[0].upper() == b"LPUSH":
            self._own.lpush(words[1], *words[2:])
            self.doubled += 1


@contextmanager
def ended(*ends: socket.socket) -> Iterator[None]:
    """When one side hangs up, so does the other."""
    try:
        with suppress(OSError, redis.ConnectionError):
            yield
    finally:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def command_in(stream: bytes) -> tuple[list[bytes], bytes] | None:
    """The first whole command of a RESP stream and what follows; None while it is incomplete."""
    line, end, rest = stream.partition(b"\r\n")
    if not end:
        return None
    words = []
    for _ in range(int(line[1:])):
        size, end, rest = rest.partition(b"\r\n")
        length = int(size[1:]) if end else 0
        if not end or len(rest) < length + 2:
            return None
        words.append(rest[:length])
        rest = rest[length + 2 :]
    return words, rest
