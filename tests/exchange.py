"""A price source on loopback: answers with what a test prepared, and remembers what was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TEMPLATE = "/klines?symbol=SOLUSDT&interval=1m&startTime={start_ms}&endTime={end_ms}"


@dataclass
class Answer:
    """One answer: its status, headers and body, and how long it takes to come."""

    status: int = 200
    body: bytes = b"[]"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0


class Exchange(ThreadingHTTPServer):
    """Gives the prepared answers one after the other, then the klines of its `prices`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.answers: list[Answer] = []
        self.prices: dict[int, str] = {}
        self.asked: list[tuple[int, int]] = []
        self.times: list[float] = []
        self.order: Callable[[list[object]], object] = sorted  # type: ignore[assignment]

    def handle_error(self, *_: object) -> None:
        """Nothing: who asked may hang up whenever they like."""

    @property
    def template(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{TEMPLATE}"

    def klines(self, start_ms: int, end_ms: int) -> bytes:
        """Those of the minutes that begin between the two, as exchanges give them."""
        found: list[object] = [
            [minute * 1000, "1.0", "1.0", "1.0", close, "7.5", minute * 1000 + 59_999]
            for minute, close in self.prices.items()
            if start_ms <= minute * 1000 <= end_ms
        ]
        return json.dumps(self.order(found)).encode()


class _Question(BaseHTTPRequestHandler):
    """One question to the exchange."""

    protocol_version = "HTTP/1.1"
    server: Exchange

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        start_ms, end_ms = int(query["startTime"][0]), int(query["endTime"][0])
        self.server.asked.append((start_ms, end_ms))
        self.server.times.append(time.monotonic())
        answer = Answer(body=self.server.klines(start_ms, end_ms))
        if self.server.answers:
            answer = self.server.answers.pop(0)
        time.sleep(answer.delay_s)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self._write(answer)

    def _write(self, answer: Answer) -> None:
        try:
            if not answer.drip_s:
                self.wfile.write(answer.body)
                return
            for byte in answer.body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(answer.drip_s)
        except OSError:
            # Whoever asked has lost patience, as they should.
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing: the test looks for itself."""


@contextmanager
def open_exchange() -> Iterator[Exchange]:
    """An exchange that answers until the end of the block."""
    with Exchange() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
