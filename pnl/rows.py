"""Rows to and from the database in batches: columns out as arrays, rows back in binary.

A statement a trade, or a model instance a row, would cost more than the whole fold. Everything here
runs inside the caller's transaction.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from django.db import connection

from pnl.arrays import fits_int8, packed, register

Row = tuple[Any, ...]
Key = tuple[int, int]  # trader id, token id

_ARRAYS = re.compile(r"%b::(\w+)\[\]")


@contextmanager
def cursor() -> Iterator[psycopg.Cursor[Row]]:
    """A server-side-binding cursor on Django's connection: values travel in binary, not as text."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as raw:
        raw.format = psycopg.pq.Format.BINARY
        register(raw.adapters)
        yield raw


def write(statement: str, rows: Sequence[Row]) -> None:
    """Run a statement over the rows' columns, unless there are none.

    The statement takes one array a column, each written as `%b::type[]`.
    """
    if rows:
        with cursor() as raw:
            raw.execute(*_bound(statement, rows))


def read(statement: str, rows: Sequence[Row]) -> list[Row]:
    """Run a statement over the rows' columns and fetch what it returns."""
    if not rows:
        return []
    with cursor() as raw:
        return raw.execute(*_bound(statement, rows)).fetchall()


def _bound(statement: str, rows: Sequence[Row]) -> tuple[str, list[Any]]:
    """The statement with its columns packed; numbers beyond int8 go as numeric, and slower."""
    columns = list(zip(*rows, strict=True))
    kinds = _kinds(statement)
    pairs = list(zip(kinds, columns, strict=True))
    if "numeric" in kinds:
        if not all(fits_int8(column) for kind, column in pairs if kind == "numeric"):
            return statement, [_numeric_too(kind, column) for kind, column in pairs]
        statement, kinds = _with_int8(statement)
        pairs = list(zip(kinds, columns, strict=True))
    return statement, [packed(kind, column) for kind, column in pairs]


@cache
def _kinds(statement: str) -> tuple[str, ...]:
    return tuple(_ARRAYS.findall(statement))


@cache
def _with_int8(statement: str) -> tuple[str, tuple[str, ...]]:
    narrow = statement.replace("%b::numeric[]", "%b::int8[]")
    return narrow, _kinds(narrow)


def _numeric_too(kind: str, column: Sequence[Any]) -> Any:
    return list(column) if kind == "numeric" else packed(kind, column)
