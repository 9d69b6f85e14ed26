"""Reads Borsh structures that only ever grow at the end, section by section."""

from struct import Struct
from typing import Any, Final

_COUNT: Final = Struct("<I")
NOTHING: Final = Struct("")


class Sections:
    """A cursor over the sections that were appended to an event over the years.

    A section is there whole or not at all, and nothing is read behind one that is missing. What is
    left `unread` in the end belongs to a layout that we do not know.
    """

    __slots__ = ("_at", "_body", "_ended")

    def __init__(self, body: bytes, at: int) -> None:
        self._body = body
        self._at = at
        self._ended = False

    @property
    def unread(self) -> int:
        """How many bytes lie behind the last section read."""
        return len(self._body) - self._at

    def fixed(self, layout: Struct) -> tuple[Any, ...] | None:
        """A section of fixed size, or None when the bytes end before it does."""
        return self._take(self._at, layout)

    def counted(self, layout: Struct, width: int, lead: int = 0) -> tuple[Any, ...] | None:
        """`lead` bytes, a string (width 1) or vector of items of `width` bytes, then `layout`."""
        count_at = self._at + lead
        if count_at + _COUNT.size > len(self._body):
            self._ended = True
            return None
        count: int = _COUNT.unpack_from(self._body, count_at)[0]
        return self._take(count_at + _COUNT.size + count * width, layout)

    def _take(self, start: int, layout: Struct) -> tuple[Any, ...] | None:
        end = start + layout.size
        if self._ended or end > len(self._body):
            self._ended = True
            return None
        self._at = end
        return layout.unpack_from(self._body, start)
