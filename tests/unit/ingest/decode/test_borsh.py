"""Sections are read while they last, and nothing is read behind one that is missing."""

from struct import Struct

from ingest.decode.borsh import NOTHING, Sections

NUMBER = Struct("<Q")
BYTE = Struct("<B")


def test_sections_follow_each_other() -> None:
    sections = Sections(b"??" + (5).to_bytes(8, "little") + b"\x07", at=2)
    assert sections.fixed(NUMBER) == (5,)
    assert sections.fixed(BYTE) == (7,)
    assert sections.unread == 0


def test_behind_a_missing_section_nothing_is_read() -> None:
    sections = Sections(b"\1\2\3", at=0)
    assert sections.fixed(NUMBER) is None
    assert sections.fixed(BYTE) is None
    assert sections.counted(NOTHING, width=1) is None
    assert sections.unread == 3


def test_sections_that_nobody_reads_are_passed_over_while_they_are_whole() -> None:
    for size, unread, last in [(7, 7, None), (8, 0, None), (9, 1, None), (17, 0, (9,))]:
        sections = Sections(bytes(size - 1) + b"\x09", at=0)
        sections.skip((8, 16))
        assert sections.fixed(BYTE) == last
        assert sections.unread == unread


def test_behind_a_missing_section_nothing_is_passed_over() -> None:
    sections = Sections(bytes(9), at=0)
    assert sections.fixed(Struct("<10x")) is None
    sections.skip((1, 2))
    assert sections.unread == 9


def test_a_string_is_passed_over_with_what_leads_to_it() -> None:
    sections = Sections(b"LEAD" + b"\3\0\0\0abc" + b"\x09", at=0)
    assert sections.counted(BYTE, width=1, lead=4) == (9,)
    assert sections.unread == 0


def test_a_vector_is_passed_over_item_by_item() -> None:
    sections = Sections(b"\2\0\0\0" + bytes(68) + b"\x09", at=0)
    assert sections.counted(BYTE, width=34) == (9,)


def test_a_count_that_points_behind_the_end_ends_the_reading() -> None:
    sections = Sections(b"\xff\xff\xff\xff" + bytes(20), at=0)
    assert sections.counted(NOTHING, width=34) is None
    assert sections.unread == 24


def test_a_count_that_is_cut_ends_the_reading() -> None:
    sections = Sections(b"\1\0", at=0)
    assert sections.counted(NOTHING, width=1) is None
    assert sections.unread == 2
