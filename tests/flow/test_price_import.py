"""A list of prices is saved whole and once; what is no price is named by its line."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from pnl import prices, queries
from pnl.engine.pricing import USDC_BYTES, minute_of
from pnl.models import Position, SolPrice
from tests.flow.bodies import Chain
from tests.flow.shown import begin, show

NOON = 1_763_899_200
HEADER = "minute,usd"

Imports = Callable[..., "Outcome"]


class Outcome(NamedTuple):
    """What the command said, and its exit code."""

    code: int
    summary: str
    rejects: list[str]


@pytest.fixture(autouse=True)
def _begun(db: None) -> None:
    begin()


@pytest.fixture
def imports(capsys: pytest.CaptureFixture[str]) -> Imports:
    """The command as it is run by hand."""

    def run(file: Path, *options: str) -> Outcome:
        code = 0
        try:
            call_command("import_sol_prices", str(file), *options)
        except SystemExit as ended:
            code = int(str(ended.code))
        said = capsys.readouterr()
        return Outcome(code, said.out.strip(), said.err.splitlines())

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """A file with these lines below its header."""

    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "prices.csv"
        path.write_text("\n".join([header, *lines]))
        return path

    return write


def test_prices_are_saved_in_either_notation_and_once(
    imports: Imports, file: Callable[..., Path]
) -> None:
    listed = file(
        f"{NOON},150.25", "", "2025-11-23T12:01:00Z,151", '"2025-11-23 12:02+00:00","9.1"'
    )
    first = imports(listed)
    assert first == (0, "3 new, 0 replaced, 0 already known, 0 rejected; 0 trades priced.", [])
    expected = {NOON: 150_250_000, NOON + 60: 151_000_000, NOON + 120: 9_100_000}
    assert queries.sol_prices(expected) == expected
    assert imports(listed).summary.startswith("0 new, 0 replaced, 3 already known, 0 rejected")
    assert {price.source for price in SolPrice.objects.all()} == {"prices.csv"}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("only", "1 columns, 2 expected"),
        (f"{NOON},150,", "3 columns, 2 expected"),
        (",150", "minute is missing"),
        (f"{NOON},", "usd is missing"),
        (f"{NOON},abc", "usd 'abc' is no decimal number"),
        (f"{NOON},1e3", "usd '1e3' is no decimal number"),
        (f"{NOON},0.0", "usd '0.0' is no price: it is not above zero"),
        (f"{NOON},-3", "usd '-3' is no price: it is not above zero"),
        (f"{NOON},9999999", "usd '9999999' is no price: it is above 1000000 dollars"),
        (f"{NOON + 1},150", f"minute is '{NOON + 1}', which is not the start of a minute"),
        ("2025-11-23T12:00:30Z,150", "minute is '2025-11-23T12:00:30Z', which is not the start"),
        ("2025-11-23T12:00:00.5Z,150", "minute is '2025-11-23T12:00:00.5Z', whole seconds"),
        ("2025-11-23T12:00:00,150", "minute is '2025-11-23T12:00:00', UTC expected: end it with Z"),
        ("2025-11-23T12:00:00+01:00,150", "minute is '2025-11-23T12:00:00+01:00', UTC expected"),
        ("noon,150", "minute is 'noon', Unix seconds or ISO 8601 expected"),
        (f"{NOON}000,150", f"minute is {NOON}000, 0 to 253402300799 expected"),
        ("1200,150", "minute is '1200', 1584332940 to"),
        ("4102444800,150", "minute is '4102444800', 1584332940 to"),
    ],
)
def test_a_row_that_is_no_price_is_named_and_its_neighbours_are_saved(
    imports: Imports, file: Callable[..., Path], wrong: str, reason: str
) -> None:
    outcome = imports(file(f"{NOON},150", wrong, f"{NOON + 60},151"))
    assert outcome.code == 1
    assert outcome.summary.startswith("2 new, 0 replaced, 0 already known, 1 rejected")
    assert len(outcome.rejects) == 1
    assert outcome.rejects[0].startswith(f"line 3: {reason}")


def test_a_minute_that_has_not_ended_has_no_price_yet(
    imports: Imports, file: Callable[..., Path]
) -> None:
    assert imports(file(f"{minute_of(int(time.time()))},150")).code == 1


def test_a_price_that_differs_is_refused_until_it_is_to_be_replaced(
    imports: Imports, file: Callable[..., Path]
) -> None:
    imports(file(f"{NOON},150", f"{NOON + 60},151"))
    differing = file(f"{NOON + 60},151.5", f"{NOON},150")
    refused = imports(differing)
    assert refused.code == 1
    assert refused.summary.startswith("0 new, 0 replaced, 1 already known, 1 rejected")
    assert refused.rejects == [
        f"line 2: minute {NOON + 60} has the price 151.000000 already, --replace changes it"
    ]
    replaced = imports(differing, "--replace")
    assert (replaced.code, replaced.rejects) == (0, [])
    assert replaced.summary.startswith("0 new, 1 replaced, 1 already known, 0 rejected")
    assert queries.sol_prices([NOON + 60]) == {NOON + 60: 151_500_000}


@pytest.mark.parametrize("batch_rows", [1, 2, 5000])
@pytest.mark.parametrize("replace", [False, True])
def test_a_list_that_contradicts_itself_is_read_line_by_line(
    imports: Imports,
    file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    batch_rows: int,
    replace: bool,
) -> None:
    monkeypatch.setattr("pnl.management.commands.import_trades.BATCH_ROWS", batch_rows)
    listed = file(f"{NOON},150", f"{NOON},150.0", f"{NOON},151", f"{NOON},150")
    outcome = imports(listed, *(["--replace"] if replace else []))
    assert queries.sol_prices([NOON]) == {NOON: 150_000_000}
    if replace:
        assert outcome.summary.startswith("1 new, 2 replaced, 1 already known, 0 rejected")
    else:
        assert outcome.summary.startswith("1 new, 0 replaced, 2 already known, 1 rejected")
        assert outcome.rejects == [
            f"line 4: minute {NOON} has the price 150.000000 already, --replace changes it"
        ]


def test_the_trades_of_the_minutes_are_priced_with_them(
    imports: Imports, file: Callable[..., Path]
) -> None:
    bought = Chain("one", NOON).buy("ann", "A", 5, 300_000_000)._replace(quote_mint=USDC_BYTES)
    show([bought])
    assert imports(file(f"{NOON},150")).summary.endswith("; 1 trades priced.")
    assert Position.objects.get().cost_lamports == 2_000_000_000


def test_a_long_list_is_saved_piece_by_piece(
    imports: Imports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices, "CHUNK_MINUTES", 7)
    path = tmp_path / "prices.csv.gz"
    lines = "\n".join(f"{NOON + 60 * place},1{place:03d}" for place in range(100))
    path.write_bytes(gzip.compress(f"{HEADER}\r\n{lines}".encode()))
    assert imports(path).summary.startswith("100 new, 0 replaced, 0 already known, 0 rejected")
    assert queries.missing_minutes(NOON, NOON + 60 * 100) == [NOON + 60 * 100]


@pytest.mark.parametrize("name", ["missing.csv", "not gzip.csv.gz", "another header.csv"])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    if name != "missing.csv":
        (tmp_path / name).write_text(f"usd,minute\n150,{NOON}")
    with pytest.raises(CommandError, match=name) as refused:
        call_command("import_sol_prices", str(tmp_path / name))
    assert refused.value.returncode == 2
    assert not SolPrice.objects.exists()
