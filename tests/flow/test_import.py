"""A trade list is imported whole, once, to the lamport; what is no trade is named by its line."""

import csv
import gzip
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from leaderboard.models import Standing
from pnl import interning
from pnl.imports import COLUMNS
from pnl.models import HourlyRollup, Position, Realization, Touched, Trade
from tests.flow.bodies import base58, mint, wallet
from tests.flow.shown import begin

REAL = Path("data") / "pumpfun_curve_trades_2024-04_2025-01.csv.gz"
ROWS, WITHOUT_SLOT, TWICE = 65_497, 137, 0
SIGNATURE = base58(bytes([7]) * 64)
ANN, COIN = base58(wallet("ann")), base58(mint("coin"))
ROW = f"{SIGNATURE},{COIN},{ANN},1,1000000099,34612903225806,1735938694,311688131,2"

Rows = list[dict[str, str]]
Imports = Callable[..., "Outcome"]


class Outcome(NamedTuple):
    """What the command said, and its exit code."""

    code: int
    summary: str
    rejects: list[str]


@pytest.fixture(autouse=True)
def _empty(db: None) -> None:
    interning.forget()


@pytest.fixture
def imports(capsys: pytest.CaptureFixture[str]) -> Imports:
    """The command as it is run by hand."""

    def run(file: Path) -> Outcome:
        code = 0
        try:
            call_command("import_trades", str(file))
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        return Outcome(code, said.out.partition("\n")[0], said.err.splitlines())

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """A file with these lines below its header."""

    def write(*lines: str, header: str = ",".join(COLUMNS)) -> Path:
        path = tmp_path / "trades.csv"
        path.write_text("\n".join([header, *lines]))
        return path

    return write


def with_values(**values: str) -> str:
    """The good row with some columns changed."""
    row = dict(zip(COLUMNS, ROW.split(","), strict=True))
    return ",".join((row | values).values())


def read(path: Path) -> Rows:
    with gzip.open(path, "rt", newline="") as lines:
        return list(csv.DictReader(lines))


def chain_order(row: dict[str, str]) -> tuple[Any, ...]:
    return (int(row["slot"]), row["is_buy"] == "0", row["signature"], int(row["tx_index"]))


def folded(rows: Rows) -> tuple[dict[tuple[str, ...], Any], dict[tuple[str, int], Any]]:
    """Positions and realizations by plain arithmetic, fees of one percent inside."""
    held: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    realized = {}
    unique = {(row["signature"], row["tx_index"]): row for row in rows if row["slot"]}
    for row in sorted(unique.values(), key=chain_order):
        p, sol, units = (
            held[row["user"], row["mint"]],
            *(int(row[name]) for name in ("sol_amount_lamports", "token_amount_raw")),
        )
        if row["is_buy"] == "1":
            p["units"] += units
            p["cost"] += sol + sol // 100
            p["bought"] += sol + sol // 100
            continue
        brought = sol - sol // 100
        matched = min(units, p["units"])
        cost = p["cost"] if matched == p["units"] else p["cost"] * matched // p["units"]
        proceeds = brought * matched // units
        p["units"] -= matched
        p["cost"] -= cost
        p["sold"] += brought
        p["realized"] += proceeds - cost
        p["unmatched"] += units - matched
        identity = (row["signature"], int(row["tx_index"]) - 1)
        realized[identity] = (matched, units - matched, cost, proceeds, proceeds - cost)
    names = ("units", "cost", "bought", "sold", "realized", "unmatched")
    return {key: tuple(p[name] for name in names) for key, p in held.items()}, realized


def on_record() -> tuple[dict[tuple[str, ...], Any], dict[tuple[str, int], Any]]:
    """The same of the ledger."""
    # The planner knows nothing of rows that are not committed, and would join them two by two.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE pnl_position, pnl_realization, pnl_trade, pnl_trader, pnl_token")
    positions = Position.objects.values_list(
        *("trader__address", "token__mint", "units", "cost_lamports", "bought_lamports"),
        *("sold_lamports", "realized_lamports", "unmatched_units"),
    )
    realizations = Realization.objects.values_list(
        *("trade__signature", "trade__event_index", "matched_units", "unmatched_units"),
        *("cost_lamports", "proceeds_lamports", "realized_lamports"),
    )
    return (
        {(who, coin): tuple(rest) for who, coin, *rest in positions},
        {(signature, event): tuple(rest) for signature, event, *rest in realizations},
    )


def everything() -> list[list[Any]]:
    """Every row of every table that an import writes, ids and all."""
    found = []
    for model in (Trade, Position, Realization, HourlyRollup, Touched):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY 1, 2")  # noqa: S608
            found.append(cursor.fetchall())
    return found


def test_the_real_list_is_booked_to_the_lamport_and_once(
    shared_folder: Path, imports: Imports
) -> None:
    real = shared_folder / REAL
    rows = read(real)
    first = imports(real)
    assert len(rows) == ROWS
    assert first.code == 1
    assert first.summary == "65360 booked, 0 already known, 137 rejected."
    assert len(first.rejects) == WITHOUT_SLOT
    assert first.rejects == [
        f"line {number}: slot is missing" for number, row in enumerate(rows, 2) if not row["slot"]
    ]
    assert on_record() == folded(rows)
    before = everything()
    assert imports(real).summary == "0 booked, 65360 already known, 137 rejected."
    assert everything() == before


def test_the_real_list_shuffled_makes_the_same_ledger(
    shared_folder: Path, imports: Imports, file: Callable[..., Path]
) -> None:
    rows = read(shared_folder / REAL)
    lines = [",".join(row.values()) for row in rows]
    random.Random(11).shuffle(lines)
    assert imports(file(*lines)).summary == "65360 booked, 0 already known, 137 rejected."
    assert on_record() == folded(rows)


def test_a_row_is_booked_with_the_fee_of_its_time_inside(
    imports: Imports, file: Callable[..., Path]
) -> None:
    sale = with_values(is_buy="0", tx_index="3")
    assert imports(file(ROW, "", sale)) == (0, "2 booked, 0 already known, 0 rejected.", [])
    bought, sold = Trade.objects.order_by("event_index")
    assert (bought.lamports, bought.fee_units, bought.event_index) == (1_010_000_099, 10_000_000, 1)
    assert (sold.lamports, sold.fee_units, sold.event_index) == (990_000_099, 10_000_000, 2)
    assert bought.block_index is None
    assert (bought.slot, int(bought.block_time.timestamp())) == (311_688_131, 1_735_938_694)
    assert (str(bought.trader), str(bought.token), bought.signature) == (ANN, COIN, SIGNATURE)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("only,two", "2 columns, 9 expected"),
        (ROW + ",", "10 columns, 9 expected"),
        ('"' + ROW, "1 columns, 9 expected"),
        (with_values(signature=ANN), f"signature '{ANN}' is 32 bytes in base58, 64 expected"),
        (with_values(signature="1" * 500), "signature has 500 characters, it is no key"),
        (with_values(mint=""), "mint is missing"),
        (with_values(mint="0" + COIN[1:]), f"mint '0{COIN[1:]}' is not base58"),
        (with_values(user=SIGNATURE), f"user '{SIGNATURE}' is 64 bytes in base58, 32 expected"),
        (with_values(is_buy="true"), "is_buy is 'true', 1 or 0 expected"),
        (with_values(sol_amount_lamports="-1"), "sol_amount_lamports is '-1', a whole number"),
        (with_values(sol_amount_lamports="1e9"), "sol_amount_lamports is '1e9', a whole number"),
        (with_values(sol_amount_lamports=str(2**63)), "sol_amount_lamports is 9223372036854775808"),
        (with_values(token_amount_raw="0"), "token_amount_raw is 0, 1 to"),
        (with_values(token_amount_raw=str(2**64)), "token_amount_raw is 18446744073709551616, 1"),
        (with_values(token_amount_raw="٣"), "token_amount_raw is '٣', a whole number expected"),
        (with_values(timestamp="1735938694000"), "timestamp is 1735938694000, 1584332940 to"),
        (with_values(timestamp="12"), "timestamp is 12, 1584332940 to"),
        (with_values(slot=""), "slot is missing"),
        (with_values(tx_index="0"), "tx_index is 0, 1 to 32768 expected"),
        (with_values(tx_index=" 1"), "tx_index is ' 1', a whole number expected"),
    ],
)
def test_a_row_that_is_no_trade_is_named_and_its_neighbours_are_booked(
    imports: Imports, file: Callable[..., Path], wrong: str, reason: str
) -> None:
    outcome = imports(file(ROW, wrong, with_values(tx_index="7")))
    assert outcome.code == 1
    assert outcome.summary == "2 booked, 0 already known, 1 rejected."
    assert len(outcome.rejects) == 1
    assert outcome.rejects[0].startswith(f"line 3: {reason}")


def test_the_largest_amounts_of_the_chain_are_kept(
    imports: Imports, file: Callable[..., Path]
) -> None:
    largest = with_values(
        token_amount_raw=str(2**64 - 1), sol_amount_lamports=str((2**63 - 1) * 100 // 101)
    )
    assert imports(file(largest)).code == 0
    assert Position.objects.get().units == 2**64 - 1


def test_the_boards_are_rebuilt_from_what_was_imported(
    imports: Imports, file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    begin()
    imports(file(ROW, with_values(is_buy="0", tx_index="3")))
    call_command("rebuild_boards")
    assert capsys.readouterr().out == "1 traders summed again on every board.\n"
    assert Standing.objects.get().realized_lamports == 990_000_099 - 1_010_000_099
    assert not Touched.objects.exists()


def test_quotes_a_byte_order_mark_and_dos_lines_are_understood(
    imports: Imports, tmp_path: Path
) -> None:
    path = tmp_path / "dos.csv"
    quoted = ",".join(f'"{value}"' for value in ROW.split(","))
    path.write_bytes(b"\xef\xbb\xbf" + f"{','.join(COLUMNS)}\r\n{quoted}\r\n".encode())
    assert imports(path).summary == "1 booked, 0 already known, 0 rejected."


def test_bytes_that_are_no_text_cost_their_row_only(imports: Imports, tmp_path: Path) -> None:
    path = tmp_path / "torn.csv"
    path.write_bytes(b"\n".join([",".join(COLUMNS).encode(), b"\xff\x00\xfe", ROW.encode()]))
    assert imports(path).summary == "1 booked, 0 already known, 1 rejected."


def test_a_row_that_stands_twice_is_booked_once(
    imports: Imports, file: Callable[..., Path]
) -> None:
    assert imports(file(ROW, ROW)) == (0, "1 booked, 1 already known, 0 rejected.", [])


def unusable(folder: Path, name: str) -> Path:
    """A file that no row can be read from."""
    path = folder / name
    if name == "not gzip.csv.gz":
        path.write_text(ROW)
    if name == "cut off.csv.gz":
        path.write_bytes(gzip.compress(f"{','.join(COLUMNS)}\n{ROW}\n".encode())[:-20])
    if name == "another header.csv":
        path.write_text(f"{','.join(reversed(COLUMNS))}\n{ROW}")
    if name == "empty.csv":
        path.write_text("")
    if name == "folder.csv":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    "name",
    [
        "missing.csv",
        "not gzip.csv.gz",
        "cut off.csv.gz",
        "another header.csv",
        "empty.csv",
        "folder.csv",
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match=name) as refused:
        call_command("import_trades", str(unusable(tmp_path, name)))
    assert refused.value.returncode == 2
    assert not Trade.objects.exists()
