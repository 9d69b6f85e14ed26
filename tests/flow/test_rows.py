"""Columns reach the database as they are, whatever is in them, and come back so."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pnl import rows
from pnl.arrays import packed

pytestmark = pytest.mark.django_db

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "bytea": st.binary(max_size=80),
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.integers(-(2**70), 2**70),
    "text": TEXT,
}
BEYOND = {"int2": 2**15, "int4": 2**31, "int8": 2**63}


def returned(kinds: Sequence[str], given_rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    arrays = ", ".join(f"%b::{kind}[]" for kind in kinds)
    statement = f"SELECT * FROM unnest({arrays})"  # noqa: S608
    found = rows.read(statement, given_rows)
    return [tuple(None if value is None else _plain(value) for value in row) for row in found]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(draw=st.data())
def test_every_kind_of_column_comes_back_with_its_nulls(kind: str, draw: st.DataObject) -> None:
    column = draw.draw(st.lists(st.none() | VALUES[kind], min_size=1, max_size=30))
    given_rows = [(value,) for value in column]
    assert returned([kind], given_rows) == given_rows


def test_columns_stand_side_by_side_in_one_statement() -> None:
    kinds = list(VALUES)
    given_rows = [
        (True, b"\0\xff", 1, 2, 3, 2**64 - 1, "☃"),
        (None, None, None, None, None, None, None),
        (False, b"", -1, -2, -3, 0, ""),
    ]
    assert returned(kinds, given_rows) == given_rows


@pytest.mark.parametrize("kind", BEYOND)
def test_a_value_beyond_its_kind_is_refused_by_name(kind: str) -> None:
    with pytest.raises(ValueError, match=f"out of range for {kind}"):
        packed(kind, [1, BEYOND[kind]])
    with pytest.raises(ValueError, match=f"out of range for {kind}"):
        packed(kind, [None, BEYOND[kind]])


def test_no_rows_ask_the_database_nothing() -> None:
    assert rows.read("SELECT * FROM nowhere WHERE id = ANY(%b::int8[])", []) == []
    rows.write("DELETE FROM nowhere WHERE id = ANY(%b::int8[])", [])
