"""The command shows each outcome of each file, for people or for programs."""

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.unit.ingest.decode.building import (
    BLOCK_INDEX,
    BLOCK_TIME,
    MINT,
    SIGNATURE,
    SLOT,
    USDC,
    USER,
    WSOL,
    Builder,
    body,
    curve_event,
    pool_sell_event,
    raw,
    text,
)

GOOD = Builder().curve(curve_event(fee=9_500, creator_fee=3_000)).element()
FAILED = GOOD | {"meta": GOOD["meta"] | {"err": {"x": 1}}}
BROKEN = GOOD | {"slot": "x"}


def run(*arguments: Any) -> tuple[str, int]:
    """What the command writes, and its exit code."""
    out = StringIO()
    try:
        call_command("decode_payload", *map(str, arguments), stdout=out)
    except SystemExit as exit_:
        return out.getvalue(), int(exit_.code or 0)
    return out.getvalue(), 0


def rows(*arguments: Any) -> tuple[list[dict[str, Any]], int]:
    written, code = run(*arguments, "--json")
    return json.loads(written), code


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "body.json"


def test_a_trade_is_told_in_full(file: Path) -> None:
    file.write_bytes(body(GOOD))
    (row,), code = rows(file)
    assert code == 0
    assert row == {
        "file": str(file),
        "index": 0,
        "outcome": "decoded",
        "signature": text(SIGNATURE),
        "trades": [
            {
                "signature": text(SIGNATURE),
                "event_index": 0,
                "slot": SLOT,
                "block_index": BLOCK_INDEX,
                "block_time": BLOCK_TIME,
                "trader": text(USER),
                "mint": text(MINT),
                "side": "buy",
                "token_units": "35000000",
                "quote_mint": None,
                "quote_units": "1012500",
                "lamports": "1012500",
                "fee_units": "12500",
                "venue": "pump",
                "inferred": False,
            }
        ],
        "tokens": [],
    }


def test_a_trade_in_another_quote_has_no_lamports(file: Path) -> None:
    file.write_bytes(body(Builder().pool(pool_sell_event(), MINT, raw(USDC)).element()))
    (row,), _ = rows(file)
    (trade,) = row["trades"]
    assert (trade["quote_mint"], trade["quote_units"], trade["lamports"]) == (USDC, "9970", None)
    assert (trade["side"], trade["venue"]) == ("sell", "pump_swap")


def test_every_outcome_is_told(file: Path) -> None:
    file.write_bytes(body(GOOD, FAILED, BROKEN))
    told, code = rows(file)
    assert code == 1
    assert [row["outcome"] for row in told] == ["decoded", "dropped", "malformed"]
    assert [row["index"] for row in told] == [0, 1, 2]
    assert (told[1]["reason"], told[1]["trades"]) == ("failed", [])
    assert told[2]["error"].startswith("transaction 2: ")


def test_what_is_left_out_on_purpose_is_no_error(file: Path) -> None:
    file.write_bytes(body(FAILED))
    assert rows(file)[1] == 0


def test_an_unreadable_file_is_told_and_fails(file: Path) -> None:
    file.write_bytes(b"hello")
    (row,), code = rows(file)
    assert code == 1
    assert (row["outcome"], row["index"], row["signature"]) == ("unreadable", None, None)


def test_a_file_without_transactions_is_an_empty_array(file: Path) -> None:
    file.write_bytes(b"[]")
    assert rows(file) == ([], 0)


def test_files_may_be_compressed(tmp_path: Path) -> None:
    file = tmp_path / "body.json.gz"
    file.write_bytes(gzip.compress(body(GOOD)))
    (row,), code = rows(file)
    assert (row["outcome"], code) == ("decoded", 0)


@pytest.mark.parametrize("name", ["bodies.jsonl", "bodies.jsonl.gz"])
def test_files_may_hold_a_body_a_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    lines = body(GOOD) + b"\n\n" + body(GOOD, FAILED) + b"\n"
    file.write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    told, code = rows(file)
    assert code == 0
    assert [(row["line"], row["index"]) for row in told] == [(1, 0), (3, 0), (3, 1)]


def test_several_files_are_told_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_bytes(body(GOOD))
    second.write_bytes(body(FAILED))
    assert [row["file"] for row in rows(first, second)[0]] == [str(first), str(second)]


def test_people_get_a_line_an_outcome_and_a_line_a_trade(file: Path) -> None:
    grown = Builder().curve(curve_event() + b"\0").pool(pool_sell_event(), MINT, raw(WSOL))
    file.write_bytes(body(GOOD, FAILED, BROKEN, grown.element()))
    written, code = run(file)
    lines = written.splitlines()
    assert code == 1
    assert lines[0] == f"{file} #0 decoded {text(SIGNATURE)}"
    assert lines[1] == (
        f"    0: {text(USER)} buys 35000000 of {text(MINT)} for 1012500 lamports "
        "(12500 in fees, pump)"
    )
    assert lines[2] == f'{file} #1 dropped {text(SIGNATURE)} failed {{"x": 1}}'
    assert "#2 malformed" in lines[3]
    assert "1 of its events have bytes we do not know" in lines[4]
    assert "sells 1000" in lines[6]


def test_people_are_told_of_unreadable_files_and_lines(tmp_path: Path) -> None:
    file = tmp_path / "bodies.jsonl"
    file.write_bytes(b"\nhello\n")
    written, code = run(file)
    assert (written.startswith(f"{file}:2 unreadable: not JSON"), code) == (True, 1)


def test_a_missing_file_is_named_before_anything_is_told(file: Path, tmp_path: Path) -> None:
    file.write_bytes(body(GOOD))
    out = StringIO()
    with pytest.raises(CommandError, match=r"nowhere\.json"):
        call_command("decode_payload", str(file), str(tmp_path / "nowhere.json"), stdout=out)
    assert not out.getvalue()


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    file = tmp_path / "body.json.gz"
    for content in (b"no archive", gzip.compress(body(GOOD))[:-20]):
        file.write_bytes(content)
        with pytest.raises(CommandError, match=r"body\.json\.gz"):
            run(file)
