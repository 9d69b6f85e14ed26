"""Reads Borsh structures that only ever grow at the end, section by section."""

from bisect import bisect_right
from struct import Struct
from typing import Any, Final

_COUNT: Final = Struct("<I")
NOTHING: Final = Struct("")
# Behind a section that is missing nothing is reached any more.
_ENDED: Final = -1


class Sections:
    """A cursor over the sections that were appended to an event over the years.

    A section is there whole or not at all, and nothing is read behind one that is missing. What is
    left `unread` in the end belongs to a layout that we do not know.
    """

    __slots__ = ("_at", "_body", "_end")

    def __init__(self, body: bytes, at: int) -> None:
        self._body = body
        self._at = at
        self._end = len(body)

    @property
    def unread(self) -> int:
        """How many bytes lie behind the last section read."""
        return len(self._body) - self._at

    def fixed(self, layout: Struct) -> tuple[Any, ...] | None:
        """A section of fixed size, or None when the bytes end before it does."""
        start = self._at
        end = start + layout.size
        if end > self._end:
            self._end = _ENDED
            return None
        self._at = end
        return layout.unpack_from(self._body, start)

    def skip(self, ends: tuple[int, ...]) -> None:
        """Passes over as many sections as there are whole; `ends` are counted from here."""
        reached = bisect_right(ends, self._end - self._at)
        if reached:
            self._at += ends[reached - 1]
        if reached < len(ends):
            self._end = _ENDED

    def counted(self, layout: Struct, width: int, lead: int = 0) -> tuple[Any, ...] | None:
        """`lead` bytes, a string (width 1) or vector of items of `width` bytes, then `layout`."""
        count_at = self._at + lead
        start = count_at + _COUNT.size
        if start > self._end:
            self._end = _ENDED
            return None
        start += width * _COUNT.unpack_from(self._body, count_at)[0]
        end = start + layout.size
        if end > self._end:
            self._end = _ENDED
            return None
        self._at = end
        return layout.unpack_from(self._body, start)
