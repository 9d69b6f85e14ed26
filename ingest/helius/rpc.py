"""The calls that ask the chain, over JSON-RPC."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw

from ingest.helius.caller import Caller, Request
from ingest.helius.problems import HeliusProblem, excerpt
from ingest.helius.shapes import (
    AddressPage,
    Asked,
    Block,
    ChainTransaction,
    RpcAnswer,
    RpcError,
    RpcRequest,
    SignatureStatus,
    SignatureStatuses,
    read,
    read_known,
)

FINALIZED: Final = "finalized"
# The oldest text of the documentation allows so many whole transactions, newer ones allow more.
PAGE_TRANSACTIONS_MAX: Final = 100
BATCH_MAX: Final = 100
STATUSES_MAX: Final = 256

_VERSIONED: Final = {"commitment": FINALIZED, "maxSupportedTransactionVersion": 0}
_AS_JSON: Final = {**_VERSIONED, "encoding": "json"}
# A slot without a block, or one that the node no longer keeps: an answer like any other.
_NO_BLOCK: Final = frozenset({-32007, -32009})


class Stretch(NamedTuple):
    """The slots of a walk, both ends in it, and where it goes on; no token is the beginning."""

    from_slot: int
    until_slot: int
    token: str = ""


class Rpc:
    """Solana as Helius' nodes tell it, always finalized. Calls raise HeliusProblem on failure."""

    def __init__(self, caller: Caller, url: str) -> None:
        self._caller = caller
        self._url = url

    def finalized_slot(self) -> int:
        """The newest slot that nothing can undo."""
        return read("getSlot", self._result("getSlot", [{"commitment": FINALIZED}]), int)

    def transactions_of(self, address: str, stretch: Stretch) -> AddressPage:
        """A page of an address's successful transactions in chain order, each with its index.

        Those of token accounts it owns are among them. A page costs 100 credits.
        """
        options: dict[str, Any] = {
            **_AS_JSON,
            "transactionDetails": "full",
            "sortOrder": "asc",
            "limit": PAGE_TRANSACTIONS_MAX,
            # A node that is behind would end the walk too early.
            "minContextSlot": stretch.until_slot,
            "filters": {
                "slot": {"gte": stretch.from_slot, "lte": stretch.until_slot},
                "status": "succeeded",
                "tokenAccounts": "balanceChanged",
            },
        }
        if stretch.token:
            options["paginationToken"] = stretch.token
        call = "getTransactionsForAddress"
        return read(call, self._result(call, [address, options]), AddressPage)

    def transaction(self, signature: str) -> ChainTransaction | None:
        """A transaction by its signature, or None when the node knows no such finalized one."""
        result = self._result("getTransaction", [signature, _AS_JSON])
        return read_known("getTransaction", result, ChainTransaction)

    def transactions(self, signatures: Sequence[str]) -> dict[str, Asked]:
        """Up to BATCH_MAX transactions in one request; each has its own answer."""
        call = "getTransaction batch"
        asked = [
            RpcRequest(number, "getTransaction", [signature, _AS_JSON])
            for number, signature in enumerate(signatures)
        ]
        content = self._caller.call(Request(call, "POST", self._url, msgspec.json.encode(asked)))
        answers = {answer.id: answer for answer in self._batch(call, content)}
        return {
            signature: _asked(answers.get(number)) for number, signature in enumerate(signatures)
        }

    def block_signatures(self, slot: int) -> list[str]:
        """The signatures of a block in its order; none where the slot has no block."""
        options = {**_VERSIONED, "transactionDetails": "signatures", "rewards": False}
        answer = self._answer("getBlock", [slot, options])
        if answer.error is not None and answer.error.code in _NO_BLOCK:
            return []
        result = _result_of("getBlock", answer)
        block = read_known("getBlock", result, Block)
        return [] if block is None else block.signatures

    def statuses(
        self, signatures: Sequence[str], *, least_slot: int
    ) -> list[SignatureStatus | None]:
        """Where up to STATUSES_MAX signatures landed, however long ago; in their order.

        A node that has not seen the chain up to `least_slot` is no witness: HeliusProblem.
        """
        call = "getSignatureStatuses"
        params = [list(signatures), {"searchTransactionHistory": True}]
        told = read(call, self._result(call, params), SignatureStatuses)
        if told.context.slot < least_slot:
            raise HeliusProblem(
                call, 200, f"a node at slot {told.context.slot}, {least_slot} asked"
            )
        if len(told.value) != len(signatures):
            reason = f"{len(told.value)} statuses for {len(signatures)} signatures"
            raise HeliusProblem(call, 200, reason)
        return told.value

    def _result(self, call: str, params: list[Any]) -> Raw:
        return _result_of(call, self._answer(call, params))

    def _answer(self, call: str, params: list[Any]) -> RpcAnswer:
        body = msgspec.json.encode(RpcRequest(1, call, params))
        return read(call, self._caller.call(Request(call, "POST", self._url, body)), RpcAnswer)

    def _batch(self, call: str, content: bytes) -> list[RpcAnswer]:
        if content.lstrip()[:1] != b"{":
            return read(call, content, list[RpcAnswer])
        # One answer to a whole batch is a refusal of it.
        _result_of(call, read(call, content, RpcAnswer))
        raise HeliusProblem(call, 200, excerpt(content))


def _result_of(call: str, answer: RpcAnswer) -> Raw:
    if answer.error is not None:
        raise HeliusProblem(call, 200, _told(answer.error))
    if answer.result is UNSET:
        raise HeliusProblem(call, 200, "neither a result nor an error")
    return answer.result


def _asked(answer: RpcAnswer | None) -> Asked:
    if answer is None:
        return Asked(None, "the batch has no answer to it")
    try:
        result = _result_of("getTransaction", answer)
        found = read_known("getTransaction", result, ChainTransaction)
    except HeliusProblem as problem:
        return Asked(None, str(problem))
    return Asked(found)


def _told(error: RpcError) -> str:
    told = excerpt(error.message.encode()) if error.message else ""
    return f"error {error.code} {told}".strip()
