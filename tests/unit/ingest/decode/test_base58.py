"""Base58 agrees with the library digit for digit, at every length the chain can send."""

import based58
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode import base58


@settings(deadline=None)
@given(st.binary(max_size=700), st.integers(0, 5))
def test_it_reads_what_the_library_writes(raw: bytes, zeros: int) -> None:
    raw = bytes(zeros) + raw
    assert base58.decode(based58.b58encode(raw).decode()) == raw


@pytest.mark.parametrize("size", [70, 71, 72, 94, 187, 188, 375, 376, 750, 751, 1500, 1501, 10_240])
def test_it_reads_the_largest_and_smallest_numbers_of_a_size(size: int) -> None:
    for raw in (b"\xff" * size, b"\1" + bytes(size - 1), bytes(size)):
        assert base58.decode(based58.b58encode(raw).decode()) == raw


@settings(deadline=None)
@given(st.binary(max_size=700), st.integers(0, 5))
def test_it_writes_what_the_library_writes(raw: bytes, zeros: int) -> None:
    raw = bytes(zeros) + raw
    assert base58.encode(raw) == based58.b58encode(raw).decode()


@settings(deadline=None)
@given(st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=300))
def test_it_reads_any_digits_as_the_library_does(text: str) -> None:
    assert base58.decode(text) == based58.b58decode(text.encode())


@pytest.mark.parametrize("text", ["", "1", "11111", "1" * 32])
def test_leading_ones_are_zero_bytes_and_nothing_else(text: str) -> None:
    assert base58.decode(text) == bytes(len(text))
    assert base58.encode(bytes(len(text))) == text


@pytest.mark.parametrize(
    "text", ["2 2", "2_2", "-2", "+2", " 2", "2\n", "0x2", "2\0", "\t2", "2\u00b2"]
)
def test_it_refuses_what_a_reader_of_numbers_would_pass_over(text: str) -> None:
    with pytest.raises(ValueError, match="non-ASCII"):
        base58.decode(text)


@pytest.mark.parametrize("length", [1, 40, 97, 600])
@pytest.mark.parametrize("stranger", ["0", "O", "I", "l", " ", "é", "\0", "€"])
def test_it_refuses_a_character_that_is_no_digit(length: int, stranger: str) -> None:
    for text in (stranger + "2" * length, "2" * length + stranger):
        with pytest.raises(ValueError, match=r"non-ASCII"):
            base58.decode(text)


def test_it_refuses_what_no_instruction_can_carry() -> None:
    with pytest.raises(ValueError, match="longer than any instruction"):
        base58.decode("2" * 1_000_000)
