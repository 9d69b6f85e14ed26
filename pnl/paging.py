"""Lists in pages, newest first: a cursor names the last line of a page and not its number."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from django.db.models import Q, QuerySet

Line = TypeVar("Line")


class CursorError(ValueError):
    """The cursor was not made by us, or not for this list."""


class Cursor(NamedTuple):
    """The last line of a page, and the list it belongs to."""

    of: str
    trader_id: int
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    slot: int
    id: int


class Page(NamedTuple, Generic[Line]):
    """Lines of a list, newest first, and where the next page begins: None at the end."""

    lines: list[Line]
    next: Cursor | None


def decode_cursor(text: str, *, of: str, trader_id: int) -> Cursor:
    """The cursor of an earlier page. Raises CursorError when it belongs to another list."""
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text.encode()), type=Cursor)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise CursorError("this cursor was not given out by this endpoint") from None
    if (cursor.of, cursor.trader_id) != (of, trader_id):
        raise CursorError("this cursor belongs to another list")
    return cursor


def encode_cursor(cursor: Cursor) -> str:
    """A cursor as an opaque string."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


class Asked(NamedTuple):
    """Which list, whose, how much of it, and after what."""

    of: str
    trader_id: int
    limit: int
    after: Cursor | None


def page_of(
    found: "QuerySet[Any]",
    columns: tuple[Any, ...],
    make: Callable[[tuple[Any, ...]], Any],
    asked: Asked,
) -> Page[Any]:
    """One page of a list whose order is its first three columns, descending."""
    order = columns[:3]
    if asked.after is not None:
        found = found.filter(_behind(order, asked.after))
    rows = found.order_by(*(f"-{column}" for column in order)).values_list(*columns)
    lines = [make(row) for row in rows[: asked.limit + 1]]
    shown = lines[: asked.limit]
    if len(lines) == len(shown):
        return Page(shown, None)
    last = shown[-1]
    return Page(shown, Cursor(asked.of, asked.trader_id, last.at, last.slot, last.id))


def _behind(order: tuple[str, ...], after: Cursor) -> Q:
    """Everything further down. The first condition is redundant, and what the index can use."""
    at, slot, key = order
    same_time = Q(**{at: after.at})
    return Q(**{f"{at}__lte": after.at}) & (
        Q(**{f"{at}__lt": after.at})
        | same_time & Q(**{f"{slot}__lt": after.slot})
        | same_time & Q(**{slot: after.slot, f"{key}__lt": after.id})
    )
