"""Helius on this machine: a real HTTP server that behaves as documented, and as was observed."""

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from tests.flow.helius_chain import FakeChain

KEY = "key-of-nobody-0123456789"
ADDRESSES_MAX = 100_000
WEBHOOKS = "/v0/webhooks"
# What a PUT may leave out, and then loses.
OPTIONAL = ("transactionTypes", "accountAddresses", "authHeader", "txnStatus", "encoding")

# More than anybody waits for.
ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\n" + b"X-Byte: 0\r\n" * 90

Json = Any


class Fault(NamedTuple):
    """Instead of an answer: a status with headers, or nothing for a while before the answer.

    With `drip_seconds` the body comes byte by byte, so far apart; with `drips_head` the headers,
    which never end.
    """

    status: int = 0
    retry_after: str | None = None
    wait_seconds: float = 0.0
    body: str = '{"error":"something is wrong"}'
    drip_seconds: float = 0.0
    drips_head: bool = False


class Seen(NamedTuple):
    """One request as it came, and the answer that it got."""

    method: str
    path: str
    body: Json
    status: int
    answer: Json


@dataclass
class Rpc:
    """One JSON-RPC question."""

    method: str
    params: list[Json]


class Refused(Exception):
    """An answer that is none: an HTTP status and its sentence."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


class RpcRefused(Exception):
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass
class Behaviour:
    """How it differs from what it promises."""

    faults: list[Fault] = field(default_factory=list)
    # Questions that fail as long as this says so, whatever else is asked meanwhile.
    fails: Callable[[Rpc], bool] = lambda _rpc: False
    # Addresses above so many in one webhook are not registered, and nobody is told.
    registers_at_most: int | None = None
    refuses_to_switch: bool = False
    # HTTP methods of the webhook API that fail, alone or with the path of one webhook.
    refuses: frozenset[str] = frozenset()


class FakeHelius(ThreadingHTTPServer):
    """Webhooks over REST and a chain over JSON-RPC, on one loopback port."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.key = KEY
        self.chain = FakeChain()
        self.behaviour = Behaviour()
        self.webhooks: dict[str, dict[str, Json]] = {}
        self.seen: list[Seen] = []
        self.lock = threading.RLock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of what breaks here; who asked may hang up whenever they like."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Serve until the block ends."""
        with cls() as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()

    def calls(self, name: str) -> int:
        """How often an RPC method was asked, or a path with this HTTP method."""
        single = [seen.body for seen in self.seen if isinstance(seen.body, dict)]
        batches = [seen.body for seen in self.seen if isinstance(seen.body, list)]
        asked = [*single, *(each for batch in batches for each in batch)]
        by_rpc = sum(body.get("method") == name for body in asked)
        return by_rpc or sum(f"{seen.method} {seen.path}" == name for seen in self.seen)

    def rest(self, method: str, path: str, body: Json) -> Json:
        """One call of the webhook API."""
        if not self.behaviour.refuses.isdisjoint((method, f"{method} {path}")):
            raise Refused(503, "try again later")
        webhook_id = path.removeprefix(WEBHOOKS).strip("/")
        if not webhook_id:
            return list(self.webhooks.values()) if method == "GET" else self._create(body)
        if webhook_id not in self.webhooks:
            raise Refused(404, "webhook not found")
        return self._change(method, webhook_id, body)

    def rpc(self, asked: Rpc) -> Json:
        """One call of the node."""
        if self.behaviour.fails(asked):
            raise RpcRefused(-32603, "internal error")
        first = asked.params[0] if asked.params else None
        match asked.method:
            case "getSlot":
                return self.chain.finalized
            case "getTransactionsForAddress":
                return self.chain.page(str(first), asked.params[1])
            case "getTransaction":
                return self.chain.transaction(str(first))
            case "getBlock":
                return self._block(first)
            case "getSignatureStatuses":
                told = [self.chain.status(each) for each in first or []]
                return {"context": {"slot": self.chain.seen}, "value": told}
        raise RpcRefused(-32601, "Method not found")

    def _block(self, slot: Json) -> Json:
        block = self.chain.block(slot)
        if block is None:
            raise RpcRefused(-32007, f"Slot {slot} was skipped, or missing")
        return block

    def _create(self, body: Json) -> Json:
        webhook_id = str(uuid.uuid4())
        made = {"webhookID": webhook_id, "wallet": "wallet-of-nobody", "active": True}
        self.webhooks[webhook_id] = made
        return self._put(webhook_id, body)

    def _change(self, method: str, webhook_id: str, body: Json) -> Json:
        webhook = self.webhooks[webhook_id]
        if method == "PUT":
            return self._put(webhook_id, body)
        if method == "PATCH" and not self.behaviour.refuses_to_switch:
            webhook["active"] = bool(body["active"])
        if method == "DELETE":
            del self.webhooks[webhook_id]
        return webhook

    def _put(self, webhook_id: str, body: Json) -> Json:
        """The whole object: a field that is left out is gone."""
        addresses = body.get("accountAddresses", [])
        if len(addresses) > ADDRESSES_MAX:
            raise Refused(400, f"maximum of {ADDRESSES_MAX} addresses exceeded")
        if not body["webhookURL"].startswith("https://"):
            raise Refused(400, "webhookURL must be a public https URL")
        webhook = self.webhooks[webhook_id]
        for name in OPTIONAL:
            webhook.pop(name, None)
        webhook |= body
        kept = addresses[: self.behaviour.registers_at_most]
        webhook |= {"accountAddresses": kept, "transactionTypes": body.get("transactionTypes", [])}
        # The answer repeats what was asked for; only reading again tells what was kept.
        return {**webhook, "accountAddresses": addresses}


class Visit(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: FakeHelius

    def do_any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        with self.server.lock:
            faults = self.server.behaviour.faults
            fault = faults.pop(0) if faults else None
        if fault is not None and fault.wait_seconds:
            time.sleep(fault.wait_seconds)
        if fault is not None and fault.drips_head:
            self._write(ENDLESS_HEAD, fault.drip_seconds)
            self.close_connection = True
            return
        if fault is not None and fault.status:
            self._head(fault.status, len(fault.body.encode()), fault.retry_after)
            self._write(fault.body.encode(), fault.drip_seconds)
            return
        with self.server.lock:
            status, answer = self._answer(body)
            path = urlsplit(self.path).path
            self.server.seen.append(Seen(self.command, path, body, status, answer))
        content = json.dumps(answer).encode()
        self._head(status, len(content))
        self._write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any

    def _answer(self, body: Json) -> tuple[int, Json]:
        url = urlsplit(self.path)
        if parse_qs(url.query).get("api-key") != [self.server.key]:
            return 401, {"jsonrpc": "2.0", "error": {"code": -32401, "message": "invalid api key"}}
        try:
            if url.path.startswith(WEBHOOKS):
                return 200, self.server.rest(self.command, url.path, body)
            if isinstance(body, list):
                return 200, [self._rpc(each) for each in body]
            return 200, self._rpc(body)
        except Refused as refused:
            return refused.status, {"error": str(refused)}

    def _rpc(self, body: Json) -> Json:
        head = {"jsonrpc": "2.0", "id": body["id"]}
        try:
            return head | {"result": self.server.rpc(Rpc(body["method"], body["params"]))}
        except RpcRefused as refused:
            return head | {"error": {"code": refused.code, "message": str(refused)}}

    def _head(self, status: int, size_bytes: int, retry_after: str | None = None) -> None:
        self.send_response(status)
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(size_bytes))
        self.end_headers()

    def _write(self, content: bytes, drip_seconds: float = 0.0) -> None:
        size = 1 if drip_seconds else len(content) or 1
        try:
            for at in range(0, len(content), size):
                self.wfile.write(content[at : at + size])
                time.sleep(drip_seconds)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing: the tests look for themselves."""
