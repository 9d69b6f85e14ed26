"""The command writes files and posts bodies without touching a database."""

import gzip
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ingest.courier import Courier
from ingest.decode.pipeline import decode_body
from tests.unit.ingest.market.stage import START_S

START = ["--start", str(START_S)]


def simulate(*arguments: str) -> str:
    said = StringIO()
    call_command("simulate_market", *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that reach a door which takes everything at once."""
    bodies: list[bytes] = []

    def carry(courier: Courier, coming: Any) -> None:
        for body in coming:
            bodies.append(body)
            courier.statuses[200] += 1

    monkeypatch.setattr(Courier, "carry", carry)
    return bodies


def block_times(bodies: list[bytes]) -> list[int]:
    return [element["blockTime"] for body in bodies for element in json.loads(body)]


def test_a_file_holds_a_body_a_line_that_decodes(tmp_path: Path) -> None:
    out = tmp_path / "bodies.jsonl"
    line = simulate("--out", str(out), "--trades", "200", *START, "--duplicates", "0")
    bodies = out.read_bytes().splitlines()
    trades = [
        trade
        for body in bodies
        for outcome in decode_body(body)
        for trade in getattr(outcome, "trades", ())
    ]
    assert 200 <= len(trades) <= 201
    assert re.match(
        rf"{len(bodies)} deliveries, {len(bodies)} transactions, 20\d trades, 0 dup", line
    )


def test_the_same_options_write_the_same_bytes(tmp_path: Path) -> None:
    plain, packed = tmp_path / "one.jsonl", tmp_path / "two.jsonl.gz"
    options = ["--trades", "150", "--batch", "5", "--seed", "3", *START]
    simulate("--out", str(plain), *options)
    simulate("--out", str(packed), *options)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_a_file_can_begin_with_a_history(tmp_path: Path) -> None:
    out = tmp_path / "bodies.jsonl"
    history = ["--history-trades", "300", "--history-days", "2", "--reorder", "0"]
    simulate("--out", str(out), *history, "--trades", "50", "--duplicates", "0", *START)
    times = block_times(out.read_bytes().splitlines())
    past = [time for time in times if time < START_S]
    assert min(times) >= START_S - 2 * 86_400
    assert 250 < len(past) < 600
    assert len(times) - len(past) >= 45


def test_the_last_line_counts_the_answers(posted: list[bytes]) -> None:
    line = simulate("--trades", "40", "--rate", "400", "--secret", "s")
    assert f", 200: {len(posted)}" in line
    assert "reordered" in line


def test_the_history_is_played_once(posted: list[bytes], tmp_path: Path) -> None:
    marker = tmp_path / "state" / "played"
    options = ["--history-trades", "60", "--history-days", "1", "--history-marker", str(marker)]
    simulate(*options)
    assert marker.exists()
    played = len(posted)
    assert played >= 60
    simulate(*options, "--trades", "20", "--rate", "400")
    assert len(posted) - played < 40


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "say how long"),
        (["--forever", "--out", "x.jsonl"], "for ever"),
        (["--trades", "1", "--rate", "0"], "above 0"),
        (["--trades", "1", "--reorder", "2"], "between 0 and 1"),
        (["--trades", "1", "--start", "5"], "for files"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        simulate(*arguments)
