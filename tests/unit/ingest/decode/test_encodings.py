"""One transaction in every form in which a node or Helius may send it."""

import base64
import copy
from typing import Any

import pytest

from ingest.decode.outcome import Decoded, DropReason, Malformed
from ingest.decode.pipeline import decode_body
from tests.unit.ingest.decode.building import (
    BLOCK_INDEX,
    MINT,
    SIGNATURE,
    WSOL,
    Builder,
    Json,
    body,
    curve_event,
    pool_buy_event,
    raw,
    text,
)
from tests.unit.ingest.decode.reading import decoded, dropped, error_of


@pytest.fixture
def element() -> Json:
    builder = Builder().pool(pool_buy_event(), MINT, raw(WSOL)).curve(curve_event())
    return builder.element()


@pytest.fixture
def expected(element: Json) -> Decoded:
    return decoded(element)


def compact(value: int) -> bytes:
    """A compact-u16."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def wire(element: Json, prefix: bytes = b"") -> bytes:
    """The transaction's bytes as they travel, legacy unless a prefix says otherwise."""
    message = element["transaction"]["message"]
    keys = [raw(address) for address in message["accountKeys"]]
    out = compact(1) + SIGNATURE + prefix + bytes([1, 0, 0]) + compact(len(keys)) + b"".join(keys)
    out += bytes(32) + compact(len(message["instructions"]))
    for step in message["instructions"]:
        data = raw(step["data"])
        out += bytes([step["programIdIndex"]]) + compact(len(step["accounts"]))
        out += bytes(step["accounts"]) + compact(len(data)) + data
    return out + (compact(0) if prefix else b"")


def encoded(element: Json, blob: bytes) -> Json:
    return element | {"transaction": [base64.b64encode(blob).decode(), "base64"]}


def parsed(element: Json) -> Json:
    """The transaction as jsonParsed writes it."""
    element = copy.deepcopy(element)
    message = element["transaction"]["message"]
    keys: list[str] = message["accountKeys"]

    def spelled(step: Json) -> Json:
        accounts = [keys[index] for index in step["accounts"]]
        return {
            "accounts": accounts,
            "data": step["data"],
            "programId": keys[step["programIdIndex"]],
            "stackHeight": 2,
        }

    system: Json = {"parsed": {"info": {"lamports": 5}, "type": "transfer"}, "program": "system"}
    system["programId"] = "1" * 32
    message["instructions"] = [spelled(step) for step in message["instructions"]]
    for group in element["meta"]["innerInstructions"]:
        group["instructions"] = [system, *map(spelled, group["instructions"])]
    message["accountKeys"] = [
        {"pubkey": address, "signer": False, "source": "lookupTable", "writable": True}
        for address in keys
    ]
    del element["meta"]["loadedAddresses"]
    return element


def test_an_element_alone_is_a_body(element: Json, expected: Decoded) -> None:
    assert decode_body(body(element)[1:-1]) == (expected,)


def test_a_nodes_answer_is_opened(element: Json, expected: Decoded) -> None:
    answer = {"jsonrpc": "2.0", "id": 1, "result": element}
    assert decoded(answer) == expected
    assert decode_body(body(answer)[1:-1]) == (expected,)


def test_answers_come_in_batches(element: Json, expected: Decoded) -> None:
    answer = {"jsonrpc": "2.0", "id": 1, "result": element, "error": None}
    missing = {"jsonrpc": "2.0", "id": 2, "result": None}
    outcomes = decode_body(body(answer, missing, answer))
    assert [outcome.index for outcome in outcomes if isinstance(outcome, Decoded)] == [0, 2]
    assert dropped(missing).reason is DropReason.NO_TRANSACTION


def test_an_error_of_the_node_is_kept_as_an_error() -> None:
    answer = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32015, "message": "unsupported"}}
    assert "the node answered" in error_of(answer)
    assert "-32015" in error_of(answer)


def test_an_answer_within_an_answer_is_not_opened(element: Json) -> None:
    nested: Any = element
    for _ in range(50):
        nested = {"result": nested}
    assert "transaction is missing" in error_of(nested)


def test_parsed_json_tells_the_same(element: Json, expected: Decoded) -> None:
    assert decoded(parsed(element)) == expected


def test_keys_of_parsed_json_already_hold_the_loaded_ones(element: Json) -> None:
    element = parsed(element)
    count = len(element["transaction"]["message"]["accountKeys"])
    element["meta"]["loadedAddresses"] = {"writable": [text(MINT)], "readonly": []}
    element["meta"]["innerInstructions"][0]["instructions"][0] = {"programIdIndex": count}
    assert f"it names key {count}, the transaction has {count} keys" in error_of(element)


@pytest.mark.parametrize("prefix", [b"", b"\x80"])
def test_wire_bytes_tell_the_same(element: Json, expected: Decoded, prefix: bytes) -> None:
    assert decoded(encoded(element, wire(element, prefix))) == expected


def test_wire_bytes_may_be_base58(element: Json, expected: Decoded) -> None:
    form = element | {"transaction": [text(wire(element)), "base58"]}
    assert decoded(form) == expected


def test_wire_bytes_take_loaded_keys_from_the_meta(element: Json, expected: Decoded) -> None:
    keys = element["transaction"]["message"]["accountKeys"]
    element["meta"]["loadedAddresses"] = {"writable": keys[-3:-1], "readonly": keys[-1:]}
    element["transaction"]["message"]["accountKeys"] = keys[:-3]
    assert decoded(encoded(element, wire(element, b"\x80"))) == expected


def test_wire_bytes_that_end_early_are_malformed_at_every_length(element: Json) -> None:
    blob = wire(element)
    for size in range(1, len(blob)):
        assert f"the wire transaction has {size} bytes" in error_of(encoded(element, blob[:size]))


def test_wire_bytes_longer_than_a_packet_are_malformed(element: Json) -> None:
    error = error_of(encoded(element, bytes(1_233)))
    assert error == "transaction 0: the wire transaction has 1233 bytes, 1232 at most"


def test_wire_bytes_without_a_signature_are_malformed(element: Json) -> None:
    assert "has no signature" in error_of(encoded(element, bytes(100)))


@pytest.mark.parametrize("encoding", ["base64", "base58"])
def test_text_that_is_no_wire_bytes_is_malformed(element: Json, encoding: str) -> None:
    form = element | {"transaction": ["not $ it", encoding]}
    assert error_of(form) == f"transaction 0: the transaction is not {encoding}"


def test_an_encoding_that_is_not_read_is_dropped_as_such(element: Json) -> None:
    form = element | {"transaction": ["AAAA", "base64+zstd"]}
    assert dropped(form).reason is DropReason.UNSUPPORTED


def test_a_version_that_is_not_read_is_dropped_as_such(element: Json) -> None:
    form = encoded(element, wire(element, b"\x81"))
    assert dropped(form).reason is DropReason.UNSUPPORTED


def test_the_answer_to_get_transaction_has_no_block_index(element: Json) -> None:
    del element["indexWithinBlock"]
    assert decoded({"result": element}).trades[0].block_index is None
    assert decoded({"result": element | {"transactionIndex": BLOCK_INDEX}}).trades[0].block_index


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"slot": None},
        {"blockTime": None},
        {"meta": None},
        {"transaction": ["", "base64"]},
        {"transaction": ["AA==", "base64+zstd"]},
        {"transaction": [""]},
        {"signature": "enhanced, perhaps"},
    ],
)
def test_company_does_not_change_what_is_read(element: Json, changes: Json) -> None:
    """Bare transactions alone are typed at once; beside anything else they are read one by one."""
    element |= changes
    alone = decode_body(body(element, element))
    assert decode_body(body(element, element, None))[:2] == alone
    assert decode_body(body(element, element, {"signature": "abc"}))[:2] == alone
    assert decode_body(body(element, element, {"slot": "x"}))[:2] == alone


def test_the_signature_of_a_broken_transaction_is_told_in_any_company(element: Json) -> None:
    element["slot"] = None
    for outcome in (*decode_body(body(element)), decode_body(body(element, None))[0]):
        assert isinstance(outcome, Malformed)
        assert outcome.signature == text(SIGNATURE)
