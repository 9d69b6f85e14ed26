"""What a bench found: figures round by round, their baselines and targets, as text and as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

from django.db import connection

HEAD: Final = ("", "median", "lowest", "highest", "unit", "ratio to", "", "target")


class Sizes(NamedTuple):
    """How much is measured; the defaults stand in the command."""

    rounds: int
    seconds: float
    connections: int
    deliveries: int
    rate: float
    trades: int


class Figure(NamedTuple):
    """One measured thing. `against` names the figure of the same report that it is held against.

    Targets are for the median, and for the ratio to what it is held against.
    """

    name: str
    unit: str
    rounds: Sequence[float]
    against: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    ratio_at_least: float | None = None
    ratio_at_most: float | None = None

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)


class Report(NamedTuple):
    """The figures of one bench, and what was checked beside the speed."""

    bench: str
    figures: Sequence[Figure]
    checked: Sequence[str] = ()

    def ratio(self, figure: Figure) -> float | None:
        """The median of the rounds' ratios: only what ran side by side is compared."""
        known = {other.name: other.rounds for other in self.figures}
        if figure.against is None:
            return None
        pairs = zip(figure.rounds, known[figure.against], strict=True)
        return median(ours / theirs for ours, theirs in pairs)


def targets_of(report: Report, figure: Figure) -> str:
    """What was asked for, and whether it was reached here."""
    ratio = report.ratio(figure)
    asked = (
        (figure.value, ">=", figure.at_least, ""),
        (figure.value, "<=", figure.at_most, ""),
        (ratio, ">=", figure.ratio_at_least, "ratio "),
        (ratio, "<=", figure.ratio_at_most, "ratio "),
    )
    return ", ".join(
        f"{name}{sign} {bound:,g} {_verdict(found >= bound if sign == '>=' else found <= bound)}"
        for found, sign, bound, name in asked
        if bound is not None and found is not None
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def as_json(machine: Mapping[str, Any], reports: Sequence[Report]) -> str:
    """Everything, with the machine it was measured on."""
    benches = [
        {
            "bench": report.bench,
            "figures": [_figure_as_json(report, figure) for figure in report.figures],
            "checked": list(report.checked),
        }
        for report in reports
    ]
    return json.dumps({"machine": dict(machine), "benches": benches}, indent=2)


def as_text(machine: Mapping[str, Any], reports: Sequence[Report]) -> str:
    """One table a bench, and below it what was checked."""
    about = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n\n".join([about, *map(_report_as_text, reports)])


def machine_now() -> dict[str, Any]:
    """What the figures depend on besides the code; `load` is what others make of it."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    return {
        "cores": os.cpu_count(),
        "Python": platform.python_version(),
        "PostgreSQL": postgres,
        "load": round(os.getloadavg()[0], 2),
    }


def _figure_as_json(report: Report, figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "unit": figure.unit,
        "median": figure.value,
        "rounds": list(figure.rounds),
        "against": figure.against,
        "ratio": report.ratio(figure),
        "at_least": figure.at_least,
        "at_most": figure.at_most,
        "ratio_at_least": figure.ratio_at_least,
        "ratio_at_most": figure.ratio_at_most,
    }


def _report_as_text(report: Report) -> str:
    rows = [(report.bench, *HEAD[1:]), *(_row(report, figure) for figure in report.figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(_aligned, range(len(row)), row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, *(f"  checked: {sentence}" for sentence in report.checked)])


def _row(report: Report, figure: Figure) -> tuple[str, ...]:
    ratio = report.ratio(figure)
    numbers = (figure.value, min(figure.rounds), max(figure.rounds))
    return (
        *(f"  {figure.name}", *map(_number, numbers), figure.unit),
        *(
            "" if ratio is None else f"{ratio:.3f}",
            figure.against or "",
            targets_of(report, figure),
        ),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _aligned(column: int, text: str, width: int) -> str:
    return text.rjust(width) if 0 < column < 4 or column == 5 else text.ljust(width)


def _verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"
