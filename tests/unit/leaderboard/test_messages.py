"""What a frame says is exact to the lamport, and frames add up to the board."""

import itertools
import json
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard import messages
from leaderboard.ranking import Line, changes, in_board_order, ranks

I64 = st.integers(-(2**63), 2**63 - 1)
AS_OF = "2026-11-23T17:04:12Z"
ADDRESSES = st.sampled_from([f"Wa{letter}et" * 8 for letter in "ABCDEFGH"])

LINES = st.builds(
    Line,
    address=ADDRESSES,
    rank=st.just(0),
    label=st.sampled_from(["", "somebody"]),
    kind=st.sampled_from(["person", "bot", "agent"]),
    realized_lamports=st.integers(-4, 4) | I64,
    loss_lamports=st.integers(-(2**63), 0),
    cost_lamports=st.integers(0, 2**63 - 1),
    volume_lamports=st.integers(0, 2**63 - 1),
    worst_lamports=st.integers(-(2**63), 0),
    trades=st.integers(0, 9),
    closed=st.integers(0, 9),
    wins=st.integers(0, 9),
    losing_streak=st.integers(0, 9),
    unmatched_sells=st.integers(0, 1),
    unpriced=st.integers(0, 1),
    last_loss_at=st.none() | st.just(AS_OF),
)


def ranked(lines: Sequence[Line]) -> list[Line]:
    ordered = sorted(lines, key=lambda line: line.realized_lamports)
    places = ranks([line.realized_lamports for line in ordered])
    pairs = zip(ordered, places, strict=True)
    return in_board_order(line._replace(rank=rank) for line, rank in pairs)


BOARDS = st.lists(LINES, unique_by=lambda line: line.address, max_size=8).map(ranked)


def received(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame as it comes out of a socket."""
    seen: dict[str, Any] = json.loads(messages.encoded(frame))
    return seen


def snapshot_of(version: int, lines: Sequence[Line]) -> dict[str, Any]:
    return received(messages.snapshot("24h", version, AS_OF, lines))


def patched(rows: list[dict[str, Any]], delta: dict[str, Any]) -> list[dict[str, Any]]:
    """What every viewer does with a delta."""
    known = {row["address"]: row for row in rows if row["address"] not in delta["removed"]}
    known |= {row["address"]: row for row in delta["upserts"]}
    return sorted(known.values(), key=lambda row: (row["rank"], row["address"]))


@given(st.lists(BOARDS, min_size=2, max_size=6))
def test_a_snapshot_and_every_delta_after_it_are_the_fresh_snapshot(
    looks: list[list[Line]],
) -> None:
    rows = snapshot_of(1, looks[0])["rows"]
    for before, after in itertools.pairwise(looks):
        rows = patched(rows, received(messages.delta("24h", 2, AS_OF, changes(before, after))))
    assert rows == snapshot_of(len(looks), looks[-1])["rows"]


@given(LINES)
def test_a_row_knows_no_number_that_json_could_bend(line: Line) -> None:
    row = messages.row(line)
    assert received({"row": row})["row"] == row
    assert not any(isinstance(value, float) for value in row.values())
    amounts = [value for key, value in row.items() if key.endswith(("_lamports", "_sol"))]
    assert amounts
    assert all(isinstance(value, str) for value in amounts)


@given(LINES)
def test_every_amount_stands_in_both_units(line: Line) -> None:
    row = messages.row(line)
    names = [key.removesuffix("_sol") for key in row if key.endswith("_sol")]
    assert len(names) == 4
    for name in names:
        assert Decimal(row[f"{name}_sol"]).scaleb(9) == int(row[f"{name}_lamports"])


@pytest.mark.parametrize(
    ("lamports", "written"),
    [
        (0, "0.000000000"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (-999_999_999, "-0.999999999"),
        (1_000_000_000, "1.000000000"),
        (-1_500_000_000, "-1.500000000"),
        (-(2**63), "-9223372036.854775808"),
    ],
)
def test_sol_are_written_with_all_nine_decimals(lamports: int, written: str) -> None:
    assert messages.sol(lamports) == written


@given(I64)
def test_sol_lose_no_lamport(lamports: int) -> None:
    written = messages.sol(lamports)
    assert int(written.replace(".", "")) == lamports
    assert len(written.rpartition(".")[2]) == 9


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (1, 3, "33.33"),
        (-1, 3, "-33.33"),
        (-2, 3, "-66.66"),
        (0, 7, "0.00"),
        (-1, 200, "-0.50"),
        (5, 2, "250.00"),
        (3, 0, None),
        (0, 0, None),
    ],
)
def test_a_share_is_cut_to_two_decimals(part: int, whole: int, written: str | None) -> None:
    assert messages.percent(part, whole) == written


@given(I64, st.integers(1, 2**63 - 1))
def test_a_share_is_cut_towards_zero_and_never_rounded(part: int, whole: int) -> None:
    with localcontext(prec=80):
        exact = (Decimal(part) * 100 / whole).quantize(Decimal("0.01"), ROUND_DOWN)
    assert messages.percent(part, whole) == str(exact)


def test_an_address_is_shortened_to_its_ends() -> None:
    address = "BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s"
    assert messages.short(address) == "BwWK…de6s"


@given(LINES)
def test_flags_are_raised_by_what_they_warn_of(line: Line) -> None:
    raised = messages.flags(line)
    assert ("unmatched" in raised) == (line.unmatched_sells > 0)
    assert ("unpriced" in raised) == (line.unpriced > 0)
    assert set(raised) - {"unmatched", "unpriced"} == {line.kind} - {"person"}


def test_every_frame_says_which_board_and_version_it_is_of() -> None:
    nothing = changes([], [])
    frames = [
        messages.snapshot("7d", 5, AS_OF, []),
        messages.delta("7d", 5, AS_OF, nothing),
        messages.resync("7d", 5),
        messages.pong("7d", 5, None),
    ]
    assert [frame["type"] for frame in frames] == ["snapshot", "delta", "resync", "pong"]
    assert {(frame["period"], frame["version"]) for frame in frames} == {("7d", 5)}
